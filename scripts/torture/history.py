"""What a driver saw from the outside, and what the API answered in the end. Nothing else."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Outcome(Enum):
    """How a request ended, as far as its client can know."""

    ACKNOWLEDGED = "acknowledged"  # a success was read
    REFUSED = "refused"  # a 4xx was read: nothing was done
    NOT_SENT = "not sent"  # no connection was had: nothing was done
    UNKNOWN = "unknown"  # it was sent, and no answer was read, or a 5xx


@dataclass(frozen=True, slots=True)
class Creation:
    """One request for a task; no request is sent twice.

    Attributes:
        mark: unique; it is in the prompt, so a task says which request made it.
        key: the API key.
        started, ended: seconds of a clock that only moves forward.
        outcome: how it ended.
        has_callback: whether a callback was asked for.
        task_id: as answered; None where nothing was.
    """

    mark: str
    key: str
    started: float
    ended: float
    outcome: Outcome
    has_callback: bool
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """One reading of a task that was acknowledged before.

    Attributes:
        task_id: the task.
        started, ended: seconds, as in ``Creation``.
        detail: the answer's JSON; None: the server said that there is no such task.
    """

    task_id: str
    started: float
    ended: float
    detail: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Callback:
    """One message that came to the driver's receiver.

    Attributes:
        headers: by name in small letters.
        body: the exact bytes.
        accepted: whether the receiver answered 2xx.
    """

    headers: dict[str, str]
    body: bytes
    accepted: bool


@dataclass(frozen=True, slots=True)
class FinalTask:
    """A task as the API shows it when all is over.

    Attributes:
        detail: as polling shows it; None: it is gone.
        prompt: what was asked, with the creation's mark.
        deliveries: its rows of /_emulator/deliveries.
    """

    detail: dict[str, Any] | None
    prompt: str
    deliveries: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class FinalAccount:
    """An account as the API shows it when all is over.

    Attributes:
        credits: its sums: granted, available, reserved, charged.
        balance: what /v1/credits/balance answered.
        ledger: every entry, oldest first.
        tasks: by id, those that the ledger or an acknowledgement names.
    """

    credits: dict[str, int]
    balance: int
    ledger: list[dict[str, Any]]
    tasks: dict[str, FinalTask]


@dataclass(slots=True)
class History:
    """Everything that a driver saw.

    Attributes:
        secret: the key of the callbacks' signatures.
        creations, polls, callbacks: in the order in which they ended.
        accounts: by API key, when all is over.
    """

    secret: bytes
    creations: list[Creation] = field(default_factory=list)
    polls: list[Poll] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    accounts: dict[str, FinalAccount] = field(default_factory=dict)
