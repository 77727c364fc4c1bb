"""What several calls wait for at the same time is done in one transaction, by one work."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from emulator.store.records import Database
from emulator.store.transaction import Transaction

Item = TypeVar("Item")
Result = TypeVar("Result")


class Together(Generic[Item, Result]):
    """Collects what comes in one turn of the event loop, account by account.

    Args:
        database: where it is done.
        work: does some items of one account; where it raises, nothing of it is done, and each of
            them is tried by itself.
    """

    def __init__(
        self, database: Database, work: Callable[[Transaction, list[Item]], list[Result]]
    ) -> None:
        self._database = database
        self._work = work
        self._waiting: dict[str, tuple[list[Item], asyncio.Task[list[Result]]]] = {}

    async def do(self, account_id: str, item: Item) -> Result:
        """Do ``item``, with others of its account that are waiting as well."""
        if account_id not in self._waiting:
            new: list[Item] = []
            self._waiting[account_id] = new, asyncio.create_task(self._write(account_id, new))
        items, done = self._waiting[account_id]
        place = len(items)
        items.append(item)
        try:
            return (await asyncio.shield(done))[place]
        except Exception:
            if len(items) == 1:
                raise
        return (await self._database.write(lambda tx: self._work(tx, [item]), account_id))[0]

    async def _write(self, account_id: str, items: list[Item]) -> list[Result]:
        del self._waiting[account_id]  # who comes now is too late for this transaction
        return await self._database.write(lambda tx: self._work(tx, items), account_id)
