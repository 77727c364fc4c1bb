"""What use cases did, counted as they do it, for those who watch the server."""

from collections import Counter, deque
from collections.abc import Iterable
from typing import NamedTuple

from emulator.core.callback import AttemptResult, Delivery
from emulator.core.clock import SECOND
from emulator.core.task import Task

# What is counted: a name of the metrics, and the one thing that divides it.
RESERVED, CHARGED, REFUNDED = "reserved", "charged", "refunded"
SUCCEEDED, FAILED = "succeeded", "failed"
ATTEMPT_RESULTS = ("delivered", "refused", "no_answer", "forbidden")
_MOST_ATTEMPTS_WAITING = 10_000


class AttemptMade(NamedTuple):
    """A callback attempt, in real time.

    Attributes:
        delivery: the delivery's state after it.
        result: what it met.
        started_at, ended_at: real instants.
    """

    delivery: Delivery
    result: AttemptResult
    started_at: int
    ended_at: int


class Tally:
    """Counts what was committed since the server's start.

    Attributes:
        tasks_created: how many tasks.
        tasks_settled: how a task ended -> how many.
        credits: reserved, charged or refunded -> how many credits.
        attempts: one of ``ATTEMPT_RESULTS`` -> how many callback attempts.
        pictures_drawn: how many pictures, and
        drawing_seconds: how long that took in all.
        lateness_seconds: how long after its due time the runner did something, not taken yet.
        attempts_made: the newest callback attempts, not taken yet.
    """

    def __init__(self) -> None:
        self.tasks_created = 0
        self.tasks_settled: Counter[str] = Counter({SUCCEEDED: 0, FAILED: 0})
        self.credits: Counter[str] = Counter({RESERVED: 0, CHARGED: 0, REFUNDED: 0})
        self.attempts: Counter[str] = Counter(dict.fromkeys(ATTEMPT_RESULTS, 0))
        self.pictures_drawn = 0
        self.drawing_seconds = 0.0
        self.lateness_seconds: deque[float] = deque(maxlen=_MOST_ATTEMPTS_WAITING)
        self.attempts_made: deque[AttemptMade] = deque(maxlen=_MOST_ATTEMPTS_WAITING)

    def created(self, task: Task) -> None:
        """Count a task that was created."""
        self.tasks_created += 1
        self.credits[RESERVED] += task.reserved

    def settled(self, tasks: Iterable[Task]) -> None:
        """Count tasks that were settled."""
        for task in tasks:
            self.tasks_settled[FAILED if task.timeline.error_code else SUCCEEDED] += 1
            self.credits[CHARGED] += task.charge
            self.credits[REFUNDED] += task.reserved - task.charge

    def attempted(self, attempt: AttemptMade) -> None:
        """Count a callback attempt, and keep it for the traces."""
        self.attempts[result_word(attempt.result)] += 1
        self.attempts_made.append(attempt)

    def drawn(self, seconds: float) -> None:
        """Count a picture that was drawn."""
        self.pictures_drawn += 1
        self.drawing_seconds += seconds

    def did_late(self, due_at: int, done_at: int) -> None:
        """Note when the runner did something, and when it was due: real instants."""
        self.lateness_seconds.append((done_at - due_at) / SECOND)


def result_word(result: AttemptResult) -> str:
    """Say what an attempt met, in one of ``ATTEMPT_RESULTS``."""
    if result.refused:
        return "forbidden"
    if result.status is None:
        return "no_answer"
    return "delivered" if result.delivered else "refused"
