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
_ACCOUNTS_TOGETHER = 25  # in one transaction, each with up to a batch; then others are answered
# What falls due within this time is done together.
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
        """Settle ended tasks, a batch of each account at a time, and start due callbacks.

        Returns:
            How much was done; and the real instant at which the next thing is due, None where
            nothing is.
        """
        did, has_more = 0, True
        while has_more and not self._wakeups.stopping:
            done, has_more = await self._do_batch()
            did += done
        return did, await self._database.read(lambda tx: tx.next_wake())

    async def _do_batch(self) -> tuple[int, bool]:
        """Do a part of what is due; say how much, and whether an account had more."""
        real_now = self._clock.now()
        account_ids = await self._database.read(lambda tx: tx.accounts_to_settle(real_now, _BATCH))
        most = 0
        for first in range(0, len(account_ids), _ACCOUNTS_TOGETHER):
            some = account_ids[first : first + _ACCOUNTS_TOGETHER]
            counts = await asyncio.gather(*(self._settle(one, real_now) for one in some))
            most = max(most, *counts)
        started = await self._deliveries.start_due(real_now)
        return len(account_ids) + started, most == _BATCH

    async def _settle(self, account_id: str, real_now: int) -> int:
        settled = await self._database.write(
            lambda tx: self._settlement.settle_ended(tx, account_id, _BATCH, real_now), account_id
        )
        self._tally.settled(settled)
        self._wakeups.touch(account_id)
        return len(settled)
