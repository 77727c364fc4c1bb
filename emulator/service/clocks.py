"""An account's clock: read it, freeze it, move it forward through everything that falls due."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from emulator.core.clock import (
    LATEST_INSTANT,
    SECOND,
    AccountClock,
    parse_duration,
    parse_instant,
    rfc3339,
)
from emulator.core.errors import Refusal, account_deleted
from emulator.service.clock_turns import ClockTurns
from emulator.service.conditions import Condition, parse_condition
from emulator.service.deliveries import Deliveries
from emulator.service.ground import Ground
from emulator.service.sending import Attempt
from emulator.service.settlement import Settlement
from emulator.store.records import Caller
from emulator.store.transaction import Transaction

MOST_EVENTS = 1_000
_MOST_STEPS = 20_000
_LONGEST_ADVANCE_MS = 60 * SECOND  # of real time, which slow receivers take
# Of what happens at one instant, this comes first.
_EVENTS = (
    "task_processing",
    "task_succeeded",
    "task_failed",
    "callback_attempt",
    "media_expired",
)
_NAMES = {"freeze", "resume", "advance", "set", "run_until"}
_COMMANDS = (
    'one of {"freeze": true}, {"resume": true}, {"advance": "25h"},'
    ' {"set": "2027-01-01T00:00:00Z"}, {"run_until": {"task_ended": "task_..."}},'
    ' {"run_until": {"deliveries_exhausted": true}}'
)


@dataclass(slots=True)
class _Advance:
    """What an advance did, and the instant of the last of it."""

    events: list[dict[str, Any]] = field(default_factory=list)
    reached: int = 0

    def add(self, at: int, event: str, task_id: str, **more: Any) -> None:
        self.events.append({"at": rfc3339(at), "event": event, "task_id": task_id, **more})


class Clocks:
    """Use cases about an account's clock."""

    def __init__(self, ground: Ground, deliveries: Deliveries, settlement: Settlement) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._deliveries = deliveries
        self._wakeups = ground.wakeups
        self._settlement = settlement
        self._settings = ground.settings
        self._tally = ground.tally
        self.turns = ClockTurns(ground)
        self._interrupted: set[str] = set()

    async def read(self, account_id: str) -> dict[str, Any]:
        """The clock as it stands."""
        return self._shown(await self._database.read(lambda tx: self._clock_of(tx, account_id)))

    async def command(self, caller: Caller, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Carry out one command: freeze, resume, advance, set or run_until.

        Returns:
            The clock after it, and for all but freeze and resume what fell due; and the account's
            instant.

        Raises:
            Refusal: not exactly one command, one that would move the clock backwards, or a
                condition that can't come true.
        """
        if len(body) != 1 or not body.keys() <= _NAMES:
            raise Refusal.invalid_value("body", body, _COMMANDS)
        (name, value) = next(iter(body.items()))
        account_id = caller.account_id
        if name in ("freeze", "resume"):
            if value is not True:
                raise Refusal.invalid_value(name, value, "true")
            async with self.turns.alone(account_id):
                clock = await self._switch(account_id, name == "freeze")
                return self._shown(clock), clock.now(self._clock.now())
        if name == "run_until":
            async with self.turns.alone(account_id):
                return await self._run_until(account_id, parse_condition(value, self._settings))
        duration_ms = parse_duration(value) if name == "advance" else None
        instant = parse_instant(value) if name == "set" else None
        async with self.turns.alone(account_id):
            clock = await self._database.read(lambda tx: self._clock_of(tx, account_id))
            now = clock.now(self._clock.now())
            target = instant if instant is not None else now + (duration_ms or 0)
            if not now <= target <= LATEST_INSTANT:
                accepted = f"an instant from {rfc3339(now)} (the clock only moves forward) to"
                raise Refusal.invalid_value(name, value, f"{accepted} {rfc3339(LATEST_INSTANT)}")
            return await self._advance(account_id, now, target)

    async def _switch(self, account_id: str, freeze: bool) -> AccountClock:
        real_now = self._clock.now()

        def work(tx: Transaction) -> AccountClock:
            clock = self._clock_of(tx, account_id)
            clock = clock.frozen(real_now) if freeze else clock.running(real_now)
            tx.set_clock(account_id, clock, real_now)
            return clock

        clock = await self._database.write(work, account_id)
        self._wakeups.change_clock()
        return clock

    async def _advance(
        self, account_id: str, start: int, target: int
    ) -> tuple[dict[str, Any], int]:
        report, started = _Advance(), self._clock.now()
        await self._note_starts(report, account_id, start, target)
        complete = await self._do_due(report, account_id, target, None)
        if complete:
            # A running clock keeps what ran off meanwhile: it moves by exactly what was asked.
            clock = await self._database.read(lambda tx: self._clock_of(tx, account_id))
            passed_ms = self._clock.now() - started if clock.frozen_at is None else 0
            await self._move(account_id, target + passed_ms)
        return await self._answer(report, account_id, start, target, complete)

    async def _run_until(self, account_id: str, condition: Condition) -> tuple[dict[str, Any], int]:
        clock = await self._database.write(
            lambda tx: self._begin(tx, account_id, condition), account_id
        )
        start = clock.now(self._clock.now())
        report = _Advance(reached=start)
        await self._note_starts(report, account_id, start, LATEST_INSTANT)
        complete = await self._do_due(report, account_id, LATEST_INSTANT, condition)
        starts = [event for event in report.events if event["at"] <= rfc3339(report.reached)]
        report.events = starts
        return await self._answer(report, account_id, start, report.reached, complete)

    def _begin(self, tx: Transaction, account_id: str, condition: Condition) -> AccountClock:
        condition.check(tx, account_id)
        return self._clock_of(tx, account_id)

    async def _answer(
        self, report: _Advance, account_id: str, start: int, target: int, complete: bool
    ) -> tuple[dict[str, Any], int]:
        await self._note_ends(report, account_id, start, target)
        report.events.sort(key=lambda event: (event["at"], _EVENTS.index(event["event"])))
        clock = await self._database.read(lambda tx: self._clock_of(tx, account_id))
        answer = {
            **self._shown(clock),
            "advanced_seconds": (target - start) / SECOND,
            "complete": complete,
            "events": report.events[:MOST_EVENTS],
            "events_omitted": max(0, len(report.events) - MOST_EVENTS),
        }
        return answer, clock.now(self._clock.now())

    async def _do_due(
        self, report: _Advance, account_id: str, target: int, until: Condition | None
    ) -> bool:
        """Do everything due up to ``target``, in order, or until a condition holds.

        Returns:
            False where it never ends, or the condition did not come true.
        """
        latest = self._clock.now() + _LONGEST_ADVANCE_MS
        for _ in range(_MOST_STEPS):
            if account_id in self._interrupted or self._clock.now() > latest:
                return False
            ended, delivery, holds = await self._database.write(
                lambda tx: (
                    tx.first_task_due(account_id, target),
                    delivery := tx.first_delivery_due(account_id, target),
                    until is not None and until.holds(tx, account_id, delivery),
                ),
                account_id,
            )
            if holds:
                return True
            if ended is not None and (
                delivery is None or delivery.due_at is None or ended[1] <= delivery.due_at
            ):
                report.reached = max(report.reached, ended[1])
                await self._move(account_id, ended[1])
                await self._settle(ended[0], account_id)
            elif delivery is not None and delivery.due_at is not None:
                report.reached = max(report.reached, delivery.due_at)
                await self._move(account_id, delivery.due_at)
                attempt = await self._deliveries.start(
                    delivery.id, account_id, delivery.attempts_made
                )
                _note_attempt(report, attempt)
            else:
                return until is None
            await asyncio.sleep(0)
        return False

    @asynccontextmanager
    async def interrupted(self, account_id: str) -> AsyncIterator[None]:
        """End an advance of the account at its next step, for what replaces the account."""
        self._interrupted.add(account_id)
        try:
            yield
        finally:
            self._interrupted.discard(account_id)

    async def _settle(self, task_id: str, account_id: str) -> None:
        real_now = self._clock.now()
        settled = await self._database.write(
            lambda tx: self._settlement.settle_task(tx, task_id, real_now), account_id
        )
        self._tally.settled(settled)

    async def _move(self, account_id: str, instant: int) -> None:
        real_now = self._clock.now()

        def work(tx: Transaction) -> None:
            clock = self._clock_of(tx, account_id).moved_to(instant, real_now)
            tx.set_clock(account_id, clock, real_now)

        await self._database.write(work, account_id)
        self._wakeups.change_clock()

    async def _note_starts(
        self, report: _Advance, account_id: str, start: int, target: int
    ) -> None:
        for task_id, at in await self._database.read(
            lambda tx: tx.task_starts_between(account_id, start, target, MOST_EVENTS)
        ):
            report.add(at, "task_processing", task_id)

    async def _note_ends(self, report: _Advance, account_id: str, start: int, target: int) -> None:
        for task_id, at, error in await self._database.read(
            lambda tx: tx.tasks_ended_between(account_id, start, target, MOST_EVENTS)
        ):
            report.add(at, "task_succeeded" if error is None else "task_failed", task_id)
        ttl_ms = self._settings.media_ttl_ms
        for task_id, ended_at, error in await self._database.read(
            lambda tx: tx.tasks_ended_between(
                account_id, start - ttl_ms - SECOND, target - ttl_ms, MOST_EVENTS
            )
        ):
            expires_at = -(-(ended_at + ttl_ms) // SECOND) * SECOND
            if error is None and start < expires_at <= target:
                report.add(expires_at, "media_expired", task_id)

    def _clock_of(self, tx: Transaction, account_id: str) -> AccountClock:
        account = tx.account(account_id)
        if account is None:
            raise account_deleted()
        return account.clock

    def _shown(self, clock: AccountClock) -> dict[str, Any]:
        return self.shown(clock, self._clock.now())

    def shown(self, clock: AccountClock, real_now: int) -> dict[str, Any]:
        """A clock at a real instant, as answers show it."""
        now = clock.now(real_now)
        return {
            "now": rfc3339(now),
            "frozen": clock.frozen_at is not None,
            "offset_seconds": None if clock.frozen_at is not None else clock.offset_ms / SECOND,
        }


def _note_attempt(report: _Advance, attempt: Attempt | None) -> None:
    if attempt is not None:
        report.add(
            attempt.at,
            "callback_attempt",
            attempt.delivery.task_id,
            attempt=attempt.delivery.attempts_made,
            status=attempt.result.status,
            error=attempt.result.error,
            state=attempt.delivery.state,
        )
