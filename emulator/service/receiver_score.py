"""Sends a user's own receiver what a callback can be, and reports how it did."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from emulator.core.callback import AttemptResult, signature_headers
from emulator.core.clock import MINUTE
from emulator.core.errors import Refusal
from emulator.core.fault import Hit
from emulator.core.frame import AUTO_FRAME
from emulator.core.ports import RealClock, Sender
from emulator.core.receiver_check import (
    ENDED_AGO_MS,
    FAILED_TASK,
    LATE,
    SCENARIOS,
    Check,
    Scenario,
    Step,
    judge,
    judge_time,
)
from emulator.core.request import MODEL, ImageRequest
from emulator.service.ground import Ground
from emulator.service.planning import Order
from emulator.service.sending import callback_body
from emulator.service.settlement import delivery_id
from emulator.service.tasks import Tasks
from emulator.store.records import Caller

_STALE_MS = 10 * MINUTE
_UNSIGNED = (
    "start the emulator with --callback-secret whsec_... and give the receiver the same secret"
)
_FROZEN = "the account's clock is frozen, so no task ended an hour ago; resume it"
_FAILS = Hit("task_fails", {"code": "image_safety"})
_REQUEST = ImageRequest(MODEL, "receiver score", "auto", "1K", "low", 1, AUTO_FRAME)


class _Callback(NamedTuple):
    """A task's callback: its delivery's id and its body."""

    id: str
    body: bytes


class _ClockAgo(NamedTuple):
    """The machine's clock, as it was some time ago."""

    clock: RealClock
    ago_ms: int

    def now(self) -> int:
        return self.clock.now() - self.ago_ms


class ReceiverScore:
    """The use case about a receiver's score.

    Args:
        ground, sender: the server's.
        instant_tasks: makes the use case that creates tasks which have ended, on a clock.
    """

    def __init__(
        self,
        ground: Ground,
        sender: Sender,
        instant_tasks: Callable[[RealClock], Tasks],
    ) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._sender = sender
        self._ground = ground
        self._settings = ground.settings
        self._instant_tasks = instant_tasks

    async def run(self, caller: Caller, url: str, base_url: str) -> dict[str, Any]:
        """Send the callbacks of real tasks to a receiver.

        Args:
            caller: whose tasks they are, and who pays for them.
            url: the receiver's.
            base_url: scheme and host that the tasks' links begin with.

        Raises:
            Refusal: too few credits; nothing was sent.
        """
        reasons = {scenario.name: self._why_not(scenario, caller) for scenario in SCENARIOS}
        names = {
            step.task
            for scenario in SCENARIOS
            if reasons[scenario.name] is None
            for step in scenario.steps
        }
        callbacks = {
            name: await self._callback(caller, name, base_url)
            for name in ENDED_AGO_MS
            if name in names
        }
        checks = await self._checks(url, callbacks, reasons)
        verdicts = [check.verdict for check in checks]
        return {
            "url": url,
            "score": {
                "passed": verdicts.count("pass"),
                "failed": verdicts.count("fail"),
                "not_checked": verdicts.count("not_checked"),
            },
            "checks": [check.as_dict() for check in checks],
        }

    async def _checks(
        self, url: str, callbacks: dict[str, _Callback], reasons: dict[str, str | None]
    ) -> list[Check]:
        checks: list[Check] = []
        attempts: list[AttemptResult] = []
        unreachable = ""
        for scenario in SCENARIOS:
            reason = reasons[scenario.name]
            if reason is not None:
                checks.append(Check(scenario.name, scenario.question, "not_checked", reason))
            elif unreachable:
                checks.append(Check(scenario.name, scenario.question, "fail", unreachable))
            else:
                made = [await self._send(url, step, callbacks) for step in scenario.steps]
                attempts += made
                if attempts[0].refused:
                    raise Refusal("invalid_value", f"url can't be called: {made[0].error}.", "url")
                checks.append(judge(scenario, tuple(made)))
                if attempts[0].status is None:
                    unreachable = f"nothing else was sent: it gave no answer ({attempts[0].error})"
        in_time = judge_time(attempts, self._settings.callback_timeout_seconds)
        if unreachable:
            in_time = in_time._replace(verdict="fail", detail=unreachable)
        return [*checks, in_time]

    def _why_not(self, scenario: Scenario, caller: Caller) -> str | None:
        if scenario.needs_secret and self._settings.callback_secret is None:
            return _UNSIGNED
        if scenario.name == LATE and caller.clock.frozen_at is not None:
            return _FROZEN
        return None

    async def _callback(self, caller: Caller, name: str, base_url: str) -> _Callback:
        """Create a task that has ended, as any other is created."""
        clock = _ClockAgo(self._clock, ENDED_AGO_MS[name])
        tasks = self._instant_tasks(clock)
        forced = _FAILS if name == FAILED_TASK else None
        unharmed = caller._replace(faults_version=0)
        task, _ = await tasks.create(Order(unharmed, _REQUEST, "", base_url, forced))
        stored = await self._database.read(lambda tx: tx.task(task.id))
        await tasks.detail(stored, task.id)  # settles it
        if stored is None:
            raise RuntimeError(f"{task.id}, which was just created, is gone")
        return _Callback(delivery_id(task.seed, task.id), callback_body(stored, self._ground))

    async def _send(self, url: str, step: Step, callbacks: dict[str, _Callback]) -> AttemptResult:
        callback = callbacks[step.task]
        body = callback.body if step.body == "intact" else callback.body[: len(callback.body) // 2]
        headers = {"Content-Type": "application/json", "User-Agent": "gpt-image-emulator"}
        secret = self._settings.callback_secret
        if secret is not None and step.signature != "missing":
            # Real time: a receiver's library holds the timestamp against the machine's clock.
            signed_at = self._clock.now() - (_STALE_MS if step.signature == "stale" else 0)
            key = hashlib.sha256(secret).digest() if step.signature == "wrong" else secret
            headers |= signature_headers(key, callback.id, signed_at, body)
        return await self._sender.send(url, body, headers)
