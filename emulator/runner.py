"""Does what is due: settlements and callbacks. The only loop."""

import asyncio
import logging

from emulator.core.clock import SECOND
from emulator.service.deliveries import Deliveries
from emulator.service.ground import Ground
from emulator.service.settlement import Settlement
from emulator.service.wakeups import LONGEST_SLEEP_SECONDS

_log = logging.getLogger("emulator.runner")

_BATCH = 200
# What falls due within this time is done together, in one transaction.
_SHORTEST_SLEEP_SECONDS = 0.05


class Runner:
    """Sleeps until the earliest due time in the store, or until it is woken."""

    def __init__(self, ground: Ground, deliveries: Deliveries, settlement: Settlement) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._deliveries = deliveries
        self._wakeups = ground.wakeups
        self._settlement = settlement
        self._tally = ground.tally

    async def run(self) -> None:
        """Run until the server stops."""
        woken_for: int | None = None
        while not self._wakeups.stopping:
            began_at = self._clock.now()
            try:
                did, due_at = await self.do_due()
            except Exception:
                _log.exception("the runner met an error and goes on")
                await asyncio.sleep(LONGEST_SLEEP_SECONDS)
                continue
            if did and woken_for is not None and woken_for <= began_at:
                self._tally.did_late(woken_for, self._clock.now())
            real_now = self._clock.now()
            seconds = LONGEST_SLEEP_SECONDS
            # What is due and was not done is another process's, or has to wait for a slot.
            if due_at is not None and (did or due_at > real_now):
                seconds = min(seconds, max(_SHORTEST_SLEEP_SECONDS, (due_at - real_now) / SECOND))
            woken_for = await self._wakeups.sleep(real_now + round(seconds * SECOND), seconds)

    async def do_due(self) -> tuple[int, int | None]:
        """Settle a batch of ended tasks and start due callbacks.

        Returns:
            How much was done; and the real instant at which the next thing is due, None where
            nothing is.
        """
        real_now = self._clock.now()
        account_ids = await self._database.read(lambda tx: tx.accounts_to_settle(real_now, _BATCH))
        await asyncio.gather(*(self._settle(account_id, real_now) for account_id in account_ids))
        started = await self._deliveries.start_due(real_now)
        due_at = await self._database.read(lambda tx: tx.next_wake())
        return len(account_ids) + started, due_at

    async def _settle(self, account_id: str, real_now: int) -> None:
        settled = await self._database.write(
            lambda tx: self._settlement.settle_ended(tx, account_id, _BATCH, real_now), account_id
        )
        self._tally.settled(settled)
        self._wakeups.touch(account_id)
