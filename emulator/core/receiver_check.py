"""What a good callback receiver does: a table of scenarios, and the verdict on each."""

from typing import Any, NamedTuple

from emulator.core.callback import AttemptResult
from emulator.core.clock import HOUR, MINUTE

TAKEN, REFUSED, SURVIVED = "a 2xx", "a 4xx", "an answer that is no 2xx"
IN_TIME = "answers_in_time"
LATE = "takes_a_late_callback"

# The tasks that callbacks report: how long ago each ended.
ENDED_AGO_MS = {
    "success": 0, "failure": 0, "twice": 0, "older": MINUTE, "newer": 0, "late": HOUR, "broken": 0,
    "signed": 0,
}  # fmt: skip
FAILED_TASK = "failure"


class Step(NamedTuple):
    """One callback.

    Attributes:
        what: for people.
        task: a name of ``ENDED_AGO_MS``.
        expected: TAKEN, REFUSED or SURVIVED.
        body: intact or truncated.
        signature: right, wrong, missing or stale; only where a secret is set.
    """

    what: str
    task: str
    expected: str = TAKEN
    body: str = "intact"
    signature: str = "right"


class Scenario(NamedTuple):
    """One check: callbacks in a row, each with the answer that it should get."""

    name: str
    question: str
    steps: tuple[Step, ...]
    needs_secret: bool = False


def _forged(name: str, question: str, signature: str) -> Scenario:
    step = Step(f"the callback, its signature {signature}", "signed", REFUSED, signature=signature)
    return Scenario(name, question, (step,), needs_secret=True)


SCENARIOS = (
    Scenario(
        "takes_a_success", "Does it take the callback of a task that succeeded?",
        (Step("the callback", "success"),),
    ),
    Scenario(
        "takes_a_failure", "Does it take the callback of a task that failed?",
        (Step("the callback", "failure"),),
    ),
    Scenario(
        "takes_a_duplicate", "Does it take the same delivery twice?",
        (Step("the callback", "twice"), Step("the same callback again", "twice")),
    ),
    Scenario(
        "takes_reverse_order", "Does it take the callbacks of two tasks in reverse order?",
        (Step("the newer task's callback", "newer"), Step("the older task's callback", "older")),
    ),
    Scenario(
        LATE, "Does it take a callback an hour after its task's end?",
        (Step("the late callback", "late"),),
    ),
    Scenario(
        "survives_a_broken_body",
        "Does it refuse a broken body without dying, and take the retry of that delivery?",
        (
            Step("the callback with truncated JSON", "broken", SURVIVED, body="truncated"),
            Step("its retry, intact", "broken"),
        ),
    ),
    _forged("refuses_a_wrong_signature", "Does it refuse another secret's signature?", "wrong"),
    _forged("refuses_a_missing_signature", "Does it refuse a callback without one?", "missing"),
    _forged("refuses_a_stale_timestamp", "Does it refuse what was signed 10 min ago?", "stale"),
    Scenario(
        "takes_a_right_signature", "Does it take the same callback, signed rightly?",
        (Step("the callback", "signed"),), needs_secret=True,
    ),
)  # fmt: skip


class Check(NamedTuple):
    """A check's outcome; ``verdict`` is pass, fail or not_checked."""

    name: str
    question: str
    verdict: str
    detail: str
    attempts: tuple[AttemptResult, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """This outcome as JSON takes it."""
        return {
            "name": self.name,
            "question": self.question,
            "verdict": self.verdict,
            "detail": self.detail,
            "attempts": [
                {"status": a.status, "duration_ms": a.duration_ms, "error": a.error}
                for a in self.attempts
            ],
        }


def judge(scenario: Scenario, attempts: tuple[AttemptResult, ...]) -> Check:
    """Hold the answers to a scenario's steps against what they should be."""
    problems = [
        f"{step.what} got {_met(attempt)} instead of {step.expected}"
        for step, attempt in zip(scenario.steps, attempts, strict=True)
        if not _as_expected(step.expected, attempt)
    ]
    verdict = "fail" if problems else "pass"
    detail = "; ".join(problems) or ", ".join(_met(attempt) for attempt in attempts)
    return Check(scenario.name, scenario.question, verdict, detail, attempts)


def judge_time(attempts: list[AttemptResult], timeout_seconds: float) -> Check:
    """Hold the slowest answer against the timeout; over half of it is worth a warning."""
    slowest = max(attempts, key=lambda attempt: attempt.duration_ms)
    timeout_ms = round(timeout_seconds * 1000)
    detail = f"the slowest of {len(attempts)} answers took {slowest.duration_ms:,} ms of"
    detail += f" {timeout_ms:,} ms"
    verdict = "pass"
    if slowest.duration_ms >= timeout_ms:
        verdict = "fail"
    elif slowest.duration_ms * 2 > timeout_ms:
        detail = f"warning: {detail}; answer first, work afterwards"
    question = "Does it answer within --callback-timeout-seconds?"
    return Check(IN_TIME, question, verdict, detail, (slowest,))


def _as_expected(expected: str, attempt: AttemptResult) -> bool:
    if attempt.status is None:
        return False
    if expected == REFUSED:
        return 400 <= attempt.status < 500
    return attempt.delivered == (expected == TAKEN)


def _met(attempt: AttemptResult) -> str:
    return f"no answer ({attempt.error})" if attempt.status is None else str(attempt.status)
