"""An account that is used by several clients at the same time, and kept well."""

import itertools
import math
import random
from dataclasses import dataclass, field, replace

from contracts.exchange import Exchange
from tests.contracts.support import creation, exchange, task_read

_GRANTED = 10_000
_CREATING = ("create", "fail", "partial", "lose", "wait")
_KINDS = ("create", "create", "fail", "partial", "wait", *["balance"] * 5, *["read"] * 5)
_PRICE = 30


@dataclass
class Task:
    """A task: what it reserves and costs, and when."""

    number: int
    outcome: str
    begins: float
    ends: float
    known_from: float

    @property
    def count(self) -> int:
        """How many images were asked for."""
        return 3 if self.outcome == "partial" else 1

    @property
    def charged(self) -> int:
        """What it costs in the end."""
        return 0 if self.outcome == "fail" else _PRICE

    def holds(self, at: float, leaves_out: bool, lag_seconds: float) -> int:
        """What it keeps away from the balance."""
        if at < self.begins:
            return 0
        reserved = self.count * _PRICE if leaves_out else 0
        lag = lag_seconds if self.charged < self.count * _PRICE else 0.0
        return reserved if at < self.ends + lag else self.charged

    def creation(self, at: float) -> Exchange:
        """The POST that makes it."""
        answer = {"task_id": self.name, "credits": {"reserved": self.count * _PRICE}}
        return creation(self.name, answer, at, **({"n": 3} if self.count == 3 else {}))

    def read(self, at: float, served_at: float) -> Exchange:
        """A read of it."""
        if served_at < self.ends:
            nothing = {"reserved": self.count * _PRICE, "charged": 0, "refunded": 0}
            return task_read(self.name, "processing", at, credits=nothing)
        refunded = self.count * _PRICE - self.charged
        told = {"reserved": self.count * _PRICE, "charged": self.charged, "refunded": refunded}
        status = "failed" if self.outcome == "fail" else "succeeded"
        return task_read(self.name, status, at, credits=told)

    @property
    def name(self) -> str:
        """Its id."""
        return f"task_{self.number}"


@dataclass
class Call:
    """A request: when it was sent, served and answered."""

    kind: str
    sent: float
    served: float
    answered: float
    task: Task | None = None


@dataclass
class Traffic:
    """What several clients did."""

    calls: list[Call] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)

    def exchanges(self, leaves_out: bool, lag_seconds: float) -> list[Exchange]:
        """The calls, in the order in which they were answered.

        Args:
            leaves_out: what is reserved is not in the balance.
            lag_seconds: how long refunds take.
        """
        ordered = sorted(self.calls, key=lambda call: call.answered)
        return [
            replace(
                self._exchange(call, leaves_out, lag_seconds), seconds=call.answered - call.sent
            )
            for call in ordered
        ]

    def _exchange(self, call: Call, leaves_out: bool, lag_seconds: float) -> Exchange:
        if call.kind == "balance":
            held = sum(task.holds(call.served, leaves_out, lag_seconds) for task in self.tasks)
            answer = {"credits": _GRANTED - held, "currency": "credits"}
            return exchange("GET", "/v1/credits/balance", answer=answer, at=call.sent)
        assert call.task is not None
        if call.kind == "read":
            return call.task.read(call.sent, call.served)
        if call.kind == "wait":
            answer = {"created": 1, "data": [{"url": f"http://t.test/{call.task.name}.png"}]}
            body = {"model": "gpt-image-2", "prompt": "A stone"}
            path = "/v1/images/generations/sync"
            return exchange("POST", path, body=body, answer=answer, at=call.sent)
        made = call.task.creation(call.sent)
        if call.kind == "lose":
            return replace(made, response=None, failure="ReadTimeout")
        return made


def traffic(dice: random.Random, some_are_lost: bool) -> Traffic:
    """Three clients, each of which does one thing after the other.

    Args:
        dice: what is random.
        some_are_lost: answers to creations, now and then.
    """
    kinds = (*_KINDS, "lose") if some_are_lost else _KINDS
    found = Traffic()
    numbers = itertools.count(1)
    planned = [(dice.uniform(0, 2), client) for client in range(3)]
    for _ in range(36):
        now, client = min(planned)
        kind = dice.choice(kinds)
        now += dice.uniform(0.001, 2)
        served = now + dice.uniform(0.001, 2)
        answered = served + dice.uniform(0.001, 2)
        known = [one for one in found.tasks if one.known_from <= now]
        task = dice.choice(known) if known else None
        if kind in _CREATING:
            ends = dice.uniform(served, answered) if kind == "wait" else served + dice.uniform(0, 5)
            known_from = answered if kind in ("create", "fail", "partial") else math.inf
            task = Task(next(numbers), kind, served, ends, known_from)
            found.tasks.append(task)
        if kind == "balance" or task is not None:
            found.calls.append(Call(kind, now, served, answered, task))
        planned[planned.index(min(planned))] = (answered + dice.uniform(0.001, 1), client)
    return found
