"""One at a time moves an account's clock, whichever process it is asked of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from emulator.core.errors import account_deleted
from emulator.service.ground import Ground
from emulator.service.leases import LEASE_MS, RENEWAL_SECONDS
from emulator.service.locks import Locks
from emulator.service.wakeups import LONGEST_SLEEP_SECONDS
from emulator.store.transaction import Transaction


class ClockTurns:
    """Turns at accounts' clocks: a lock in this process, and a lease in the store."""

    def __init__(self, ground: Ground) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._wakeups = ground.wakeups
        self._replica = ground.replica
        self._locks = Locks()

    @asynccontextmanager
    async def alone(self, account_id: str) -> AsyncIterator[None]:
        """Let one at a time change an account's clock; no runner sends callbacks of it.

        Raises:
            Refusal: the account was deleted.
        """
        async with self._locks.of(account_id), self._leased(account_id):
            yield

    @asynccontextmanager
    async def _leased(self, account_id: str) -> AsyncIterator[None]:
        while not await self._lease(account_id):
            await self._wakeups.clock_changed(LONGEST_SLEEP_SECONDS)
        renewing = asyncio.create_task(self._renew(account_id))
        try:
            yield
        finally:
            renewing.cancel()
            await self._database.write(
                lambda tx: tx.release_clock(account_id, self._replica), account_id
            )
            self._wakeups.change_clock()

    async def _renew(self, account_id: str) -> None:
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            await self._lease(account_id)

    async def _lease(self, account_id: str) -> bool:
        real_now = self._clock.now()

        def work(tx: Transaction) -> bool:
            if tx.account(account_id) is None:
                raise account_deleted()
            return tx.lease_clock(account_id, self._replica, real_now, real_now + LEASE_MS)

        return await self._database.write(work, account_id)
