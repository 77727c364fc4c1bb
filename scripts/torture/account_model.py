"""An account as a pure function: what each operation answers, one after the other.

Time stands still in it, so a task ends only where somebody ends it.
"""

from dataclasses import dataclass, field, replace
from typing import Any

PENDING = "pending"
NO_CREDITS = "no credits"
ENDED_BEFORE = "ended before"
DONE = "done"


@dataclass(frozen=True, slots=True)
class State:
    """What an account holds.

    Attributes:
        available: credits that can be spent.
        tasks: id -> status and price. Never changed in place.
    """

    available: int
    tasks: dict[str, tuple[str, int]] = field(default_factory=dict)

    def key(self) -> tuple[Any, ...]:
        """Equal for equal states."""
        return self.available, frozenset(self.tasks.items())


@dataclass(frozen=True, slots=True)
class Create:
    """Create a task. Answers its id, or ``NO_CREDITS``."""

    price: int


@dataclass(frozen=True, slots=True)
class Poll:
    """Read a task. Answers its status."""

    task_id: str


@dataclass(frozen=True, slots=True)
class Finish:
    """End a task. Answers ``DONE``, or ``ENDED_BEFORE``."""

    task_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Grant:
    """Give credits. Answers ``DONE``."""

    credits: int


@dataclass(frozen=True, slots=True)
class SetCredits:
    """Make what is available exactly this. Answers ``DONE``."""

    credits: int


@dataclass(frozen=True, slots=True)
class Balance:
    """Read what is available. Answers it."""


Command = Create | Poll | Finish | Grant | SetCredits | Balance
UNKNOWN = object()  # the answer was not read


def step(state: State, command: Command, answer: object = UNKNOWN) -> State | None:
    """Do a command.

    Args:
        state: before it.
        command: what is done.
        answer: what was answered; ``UNKNOWN``: whatever it was.

    Returns:
        The state after it; None: here it would have answered something else.
    """
    match command:
        case Create(price):
            return _create(state, price, answer)
        case Finish(task_id, status):
            return _finish(state, task_id, status, answer)
        case Grant(credits):
            return replace(state, available=state.available + credits)
        case SetCredits(credits):
            return replace(state, available=credits)
        case Poll(task_id):
            found = state.tasks[task_id][0] if task_id in state.tasks else None
            return state if answer in (UNKNOWN, found) else None
        case Balance():
            return state if answer in (UNKNOWN, state.available) else None


def _create(state: State, price: int, answer: object) -> State | None:
    if price > state.available:
        return state if answer in (UNKNOWN, NO_CREDITS) else None
    if answer == NO_CREDITS or answer in state.tasks:
        return None
    tasks = state.tasks
    if isinstance(answer, str):  # nobody can ask for a task whose id was not read
        tasks = {**tasks, answer: (PENDING, price)}
    return State(state.available - price, tasks)


def _finish(state: State, task_id: str, status: str, answer: object) -> State | None:
    found, price = state.tasks.get(task_id, (None, 0))
    if found is None:
        return None
    if found != PENDING:
        return state if answer in (UNKNOWN, ENDED_BEFORE) else None
    if answer == ENDED_BEFORE:
        return None
    refund = price if status == "failed" else 0
    return State(state.available + refund, {**state.tasks, task_id: (status, price)})
