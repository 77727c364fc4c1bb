"""An account's state as a whole: as fresh, away, or replaced."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from emulator.core.clock import AccountClock
from emulator.core.credits import grant
from emulator.core.errors import account_deleted
from emulator.service.accounts import book, default_seed, free_id_seed
from emulator.service.clocks import Clocks
from emulator.service.deliveries import Deliveries
from emulator.service.faults import Faults
from emulator.service.ground import Ground
from emulator.service.journal import Journal
from emulator.store.records import Caller
from emulator.store.transaction import Transaction

_COUNTS = (
    "granted", "available", "reserved", "charged",
    "tasks_created", "uploads_created", "faults_created", "journal_entries",
)  # fmt: skip


class Resets:
    """Use cases that replace an account's state."""

    def __init__(
        self,
        ground: Ground,
        clocks: Clocks,
        deliveries: Deliveries,
        faults: Faults,
        journal: Journal,
    ) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._clocks = clocks
        self._deliveries = deliveries
        self._faults = faults
        self._journal = journal
        self._wakeups = ground.wakeups
        self._settings = ground.settings

    async def reset(self, caller: Caller, seed: int | None) -> None:
        """Make the account as it was at its key's first use.

        Args:
            caller: whose account.
            seed: what its pictures and durations derive from; None: the key's own.
        """

        def work(tx: Transaction) -> None:
            real_now, account_id = self._clock.now(), caller.account_id
            fresh = dict.fromkeys(_COUNTS, 0) | {
                "seed": default_seed(caller.key_hash) if seed is None else seed,
                "id_seed": free_id_seed(tx, account_id, caller.key_hash),
            }
            tx.import_account(account_id, fresh, ledger_entries=0, faults=0, tasks_in_flight=0)
            tx.set_clock(account_id, AccountClock(), real_now)
            tx.set_budget_used(account_id, 0)
            if self._settings.initial_credits:
                book(tx, account_id, grant(self._settings.initial_credits), real_now)

        await self.replace(caller, work)

    async def delete(self, caller: Caller) -> None:
        """Delete the account and its key."""
        await self.replace(caller, lambda tx: tx.delete_account(caller.account_id))

    async def replace(self, caller: Caller, work: Callable[[Transaction], None]) -> None:
        """Clear the account and do ``work``, in one transaction; nothing else is under way.

        Raises:
            Refusal: the account was deleted, or ``work`` raised it; nothing has changed.
        """
        account_id = caller.account_id

        def clear_and_work(tx: Transaction) -> list[str]:
            if tx.account(account_id) is None:
                raise account_deleted()
            under_way = self._under_way(tx, account_id)
            tx.clear_account(account_id)
            work(tx)
            return under_way

        async with self._interrupted(account_id), self._clocks.turns.alone(account_id):
            async with self._journal.replaced(account_id):
                under_way = await self._database.write(clear_and_work, account_id)
            self._faults.forget(account_id)
            await self._deliveries.abandon(under_way)
        self._wakeups.change_clock()

    @asynccontextmanager
    async def _interrupted(self, account_id: str) -> AsyncIterator[None]:
        """End an advance that waits for a receiver: nobody needs its answer any more."""
        async with self._clocks.interrupted(account_id):
            under_way = await self._database.write(
                lambda tx: self._under_way(tx, account_id), account_id
            )
            await self._deliveries.abandon(under_way)
            yield

    def _under_way(self, tx: Transaction, account_id: str) -> list[str]:
        found = [tx.delivery(name) for name in self._deliveries.under_way_ids]
        return [one.id for one in found if one is not None and one.account_id == account_id]
