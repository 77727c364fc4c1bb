"""What several calls wait for at the same time is done in one transaction, by one work."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from emulator.store.records import Database, StoreUnavailable, tell
from emulator.store.transaction import Transaction

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_TURNS = 5  # of the event loop, in which more may come


class Together(Generic[Item, Result]):
    """Collects what comes in a few turns of the event loop, account by account.

    Args:
        database: where it is done.
        work: does some items of one account; where it raises, nothing of it is done, and each of
            them is tried by itself, unless the database is not there for anybody.
    """

    def __init__(
        self, database: Database, work: Callable[[Transaction, list[Item]], list[Result]]
    ) -> None:
        self._database = database
        self._work = work
        self._waiting: dict[str, list[tuple[Item, asyncio.Future[Result]]]] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def do(self, account_id: str, item: Item) -> "asyncio.Future[Result]":
        """Do ``item``, with others of its account that are waiting as well.

        It is done even where who waits for it is cancelled.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        waiting = self._waiting.get(account_id)
        if waiting is not None:
            waiting.append((item, done))
            return done
        self._waiting[account_id] = [(item, done)]  # before the task: some loops begin it at once
        task = loop.create_task(self._write(account_id))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return done

    async def _write(self, account_id: str) -> None:
        # A turn more brings more: whoever was answered a moment ago asks again by then.
        came = 0
        for _ in range(_MOST_TURNS):
            if came == len(self._waiting[account_id]):
                break
            came = len(self._waiting[account_id])
            await asyncio.sleep(0)
        # Who comes from now on is too late for this transaction.
        waiting = self._waiting.pop(account_id)
        items = [item for item, _ in waiting]
        try:
            results = await self._do(account_id, items)
            told = list(zip(waiting, results, strict=True))
        except Exception as error:
            if len(waiting) == 1 or isinstance(error, StoreUnavailable):
                for _, done in waiting:
                    tell(done, None, error)
            else:
                await asyncio.gather(*(self._alone(account_id, *one) for one in waiting))
        else:
            for (_, done), result in told:
                tell(done, result, None)

    async def _alone(self, account_id: str, item: Item, done: "asyncio.Future[Result]") -> None:
        try:
            (result,) = await self._do(account_id, [item])
        except Exception as error:
            tell(done, None, error)
        else:
            tell(done, result, None)

    async def _do(self, account_id: str, items: list[Item]) -> list[Result]:
        return await self._database.write(lambda tx: self._work(tx, items), account_id)
