"""Is there an order of concurrent operations that explains their answers? Pure.

Wing and Gong's search, with Lowe's memory of what was tried: operations are put in an order one by
one; next may come any whose start lies before the end of every other that is left. Where the model
would have answered something else, or the same operations led to the same state before, it goes
back. An operation whose answer was not read may happen at any time after its start, or never.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from scripts.torture.account_model import UNKNOWN, Command, State, step

MOST_STATES = 2_000_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as its client saw it.

    Attributes:
        started, ended: seconds; ``ended`` is infinite where no answer was read.
        command: what was asked.
        answer: what was answered, or ``UNKNOWN``.
    """

    started: float
    ended: float
    command: Command
    answer: object

    @property
    def is_known(self) -> bool:
        """Whether its answer was read."""
        return self.answer is not UNKNOWN


class TooHard(Exception):
    """The search was given up: nothing is said about the history."""


def explanation(start: State, history: Sequence[Operation]) -> list[Operation] | None:
    """Find an order that explains a history.

    Args:
        start: the account before it.
        history: the operations, in any order.

    Returns:
        The operations in such an order, without those that never happened; None: there is none.

    Raises:
        TooHard: more than ``MOST_STATES`` states were looked at.
    """
    operations = sorted(history, key=lambda operation: operation.started)
    all_known = sum(1 << n for n, operation in enumerate(operations) if operation.is_known)
    tried: set[tuple[object, ...]] = set()
    # For each operation that was put in order: the state, what is in order, who may come next.
    stack = [(start, 0, iter(_next(operations, 0)))]
    order: list[Operation] = []
    while stack:
        state, done, candidates = stack[-1]
        if done & all_known == all_known:
            return order
        for number in candidates:
            after = step(state, operations[number].command, operations[number].answer)
            then = done | 1 << number
            if after is None or (then, after.key()) in tried:
                continue
            tried.add((then, after.key()))
            if len(tried) > MOST_STATES:
                raise TooHard(f"{len(operations)} operations have over {MOST_STATES:,} states")
            order.append(operations[number])
            stack.append((after, then, iter(_next(operations, then))))
            break
        else:
            stack.pop()
            if order:
                order.pop()
    return None


def _next(operations: Sequence[Operation], done: int) -> list[int]:
    """Which may come next: none that is left ended before they started. Known answers first."""
    found, first_end = [], inf
    for number, operation in enumerate(operations):
        if operation.started > first_end:
            break
        if not done >> number & 1:
            found.append(number)
            first_end = min(first_end, operation.ended)
    return sorted(found, key=lambda n: operations[n].ended)
