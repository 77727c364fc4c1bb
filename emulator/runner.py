"""Does what is due: settlements and callbacks. The only loop."""

import asyncio
import logging

from emulator.core.clock import SECOND
from emulator.service.clocks import Clocks
from emulator.service.deliveries import Deliveries
from emulator.service.ground import Ground
from emulator.service.settlement import Settlement

_log = logging.getLogger("emulator.runner")

_BATCH = 200
_MOST_ATTEMPTS_UNDER_WAY = 50
# What falls due within this time is done together, in one transaction.
_SHORTEST_SLEEP_SECONDS = 0.02
_SLEEP_AFTER_ERROR_SECONDS = 1.0


class Runner:
    """Sleeps until the earliest due time in the store, or until it is woken."""

    def __init__(
        self, ground: Ground, deliveries: Deliveries, clocks: Clocks, settlement: Settlement
    ) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._deliveries = deliveries
        self._clocks = clocks
        self._wakeups = ground.wakeups
        self._settlement = settlement
        self._tally = ground.tally

    async def run(self) -> None:
        """Run until the server stops."""
        await self._database.write(lambda tx: tx.release_deliveries())
        due_at: int | None = None
        while not self._wakeups.stopping:
            began_at = self._clock.now()
            try:
                until = await self.do_due()
            except Exception:
                _log.exception("the runner met an error and goes on")
                await asyncio.sleep(_SLEEP_AFTER_ERROR_SECONDS)
                continue
            if due_at is not None and due_at <= began_at:
                self._tally.did_late(due_at, self._clock.now())
            seconds = None
            if until is not None:
                seconds = max(_SHORTEST_SLEEP_SECONDS, (until - self._clock.now()) / SECOND)
            due_at = await self._wakeups.sleep(until, seconds)

    async def do_due(self) -> int | None:
        """Settle a batch of ended tasks and start due callbacks.

        Returns:
            The real instant at which the next thing is due; None: nothing is.
        """
        real_now = self._clock.now()
        settled = await self._database.write(
            lambda tx: self._settlement.settle_ended(tx, _BATCH, real_now)
        )
        self._tally.settled(settled)
        for account_id in {task.account_id for task in settled}:
            self._wakeups.touch(account_id)
        room = _MOST_ATTEMPTS_UNDER_WAY - self._deliveries.under_way
        if room > 0:
            for delivery in await self._deliveries.due(real_now, room):
                if not self._clocks.is_advancing(delivery.account_id):
                    self._deliveries.start(delivery.id)
        return await self._database.read(lambda tx: tx.next_wake())
