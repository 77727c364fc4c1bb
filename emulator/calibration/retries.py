"""When callbacks are tried again."""

from collections.abc import Iterable
from itertools import pairwise

from emulator.calibration.lesson import Finding, Lesson, plain
from emulator.calibration.observed import Attempt, Observed
from emulator.core.callback import RetryPolicy
from emulator.core.clock import SECOND

_SLACK_SECONDS = 2.0  # for the way, and for a recorder's clock
_MOST_ATTEMPTS = 20
_MOVED = (
    "waits before callbacks were not learned: the recorder moved the target's clock, so when it"
    " saw a callback is not when it came"
)


def learn_retries(found: Observed) -> Lesson:
    """Find the wait before each attempt; what no attempt shows stays as it is assumed."""
    waits: dict[int, list[float]] = {}
    for made in _attempts(found):
        first = made[0]
        if first.at is not None and first.ended_at is not None:
            waits.setdefault(1, []).append(max(0, first.at - first.ended_at) / SECOND)
        for number, (one, other) in enumerate(pairwise(made), 2):
            waits.setdefault(number, []).append(((other.at or 0) - (one.at or 0)) / SECOND)
    policy = RetryPolicy()
    last = min(max((len(policy.delays_seconds), *waits)), _MOST_ATTEMPTS)
    findings = [_finding(number, waits.get(number, []), policy) for number in range(1, last + 1)]
    delays = [finding.seen or finding.assumed for finding in findings]
    is_seen = any(finding.seen is not None for finding in findings)
    value = ",".join(delays) if is_seen else None
    notes = (_MOVED,) if found.clock_moved and found.attempts else ()
    return Lesson("callback_retry_delays_seconds", value, tuple(findings), notes)


def _attempts(found: Observed) -> Iterable[list[Attempt]]:
    """The attempts at each task's callback, in order, up to its delivery."""
    by_task: dict[str, list[Attempt]] = {}
    attempts = [] if found.clock_moved else found.attempts
    for attempt in sorted(attempts, key=lambda attempt: attempt.at or 0):
        made = by_task.setdefault(attempt.task_id, [])
        # CB-2: what was delivered is not tried again; a copy is no retry.
        if attempt.at is not None and not any(200 <= one.status < 300 for one in made):
            made.append(attempt)
    return [made for made in by_task.values() if made]


def _finding(number: int, waits: list[float], policy: RetryPolicy) -> Finding:
    delays = policy.delays_seconds
    assumed = delays[number - 1] if number <= len(delays) else None
    what = f"seconds before attempt {number}"
    shown = "none" if assumed is None else plain(assumed)
    if not waits:
        return Finding("CB-3", what, shown)
    wait = min(waits)
    as_assumed = assumed is not None and (
        assumed - _SLACK_SECONDS <= wait
        and max(waits) <= assumed * (1 + policy.jitter) + _SLACK_SECONDS
    )
    seen = shown if as_assumed else plain(round(wait, 1))
    return Finding("CB-3", what, shown, seen, len(waits), "callbacks")
