"""When callbacks are tried again."""

from itertools import pairwise

from emulator.calibration.lesson import Finding, Lesson, plain
from emulator.calibration.trace import Attempt, Observed
from emulator.core.callback import RetryPolicy
from emulator.core.clock import SECOND

_SLACK_SECONDS = 2.0  # for the way, and for a recorder's clock
_MOST_ATTEMPTS = 20


def learn_retries(found: Observed) -> Lesson:
    """Find the wait before each attempt; what no attempt shows stays as it is assumed."""
    waits: dict[int, list[float]] = {}
    attempts: dict[str, list[tuple[int, Attempt]]] = {}
    for attempt in found.attempts:
        if attempt.at is not None:
            attempts.setdefault(attempt.task_id, []).append((attempt.at, attempt))
    for made in attempts.values():
        made.sort(key=lambda timed: timed[0])
        first_at, first = made[0]
        if first.ended_at is not None:
            waits.setdefault(1, []).append(max(0, first_at - first.ended_at) / SECOND)
        for number, ((before_at, before), (at, _)) in enumerate(pairwise(made), 2):
            if 200 <= before.status < 300:
                break  # CB-2: what was delivered is not tried again; a copy is no retry
            waits.setdefault(number, []).append((at - before_at) / SECOND)
    policy = RetryPolicy()
    last = min(max((len(policy.delays_seconds), *waits)), _MOST_ATTEMPTS)
    findings = [_finding(number, waits.get(number, []), policy) for number in range(1, last + 1)]
    delays = [finding.seen or finding.assumed for finding in findings]
    is_seen = any(finding.seen is not None for finding in findings)
    value = ",".join(delays) if is_seen else None
    return Lesson("callback_retry_delays_seconds", value, tuple(findings))


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
