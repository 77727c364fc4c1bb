"""What several calls wait for at the same time is done in one transaction, by one work."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from emulator.store.records import Database
from emulator.store.transaction import Transaction

Item = TypeVar("Item")
Result = TypeVar("Result")


class Together(Generic[Item, Result]):
    """Collects what comes until the transaction begins, group by group.

    Args:
        database: where it is done.
        work: does some items of one group; where it raises, nothing of it is done, and each of
            them is tried by itself.
    """

    def __init__(
        self, database: Database, work: Callable[[Transaction, list[Item]], list[Result]]
    ) -> None:
        self._database = database
        self._work = work
        self._waiting: dict[str, tuple[list[Item], asyncio.Task[list[Result]]]] = {}

    async def do(self, group: str, item: Item) -> Result:
        """Do ``item``, with others of its group that are waiting as well."""
        if group not in self._waiting:
            items: list[Item] = []
            self._waiting[group] = items, asyncio.create_task(self._write(group, items))
        items, done = self._waiting[group]
        place = len(items)
        items.append(item)
        try:
            return (await asyncio.shield(done))[place]
        except Exception:
            if len(items) == 1:
                raise
        return (await self._database.write(lambda tx: self._work(tx, [item])))[0]

    async def _write(self, group: str, items: list[Item]) -> list[Result]:
        def work(tx: Transaction) -> list[Result]:
            self._waiting.pop(group, None)  # who comes now is too late for this transaction
            return self._work(tx, items)

        return await self._database.write(work)
