"""What a handle's questions are answered with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload

from emulator.testing.errors import ExpectationFailed

__tracebackhide__ = True  # a failed test shows its own lines, not these


def instant(text: str) -> datetime:
    """Read a time that the emulator wrote."""
    return datetime.fromisoformat(text)


def instant_or_none(text: str | None) -> datetime | None:
    """Read a time that the emulator wrote, where there is one."""
    return None if text is None else instant(text)


@dataclass(frozen=True, slots=True)
class Credits:
    """An account's sums.

    Attributes:
        available: can be spent.
        reserved: held for tasks that have not ended.
        charged: spent.
        granted: what it was ever given.
    """

    available: int
    reserved: int
    charged: int
    granted: int

    @classmethod
    def of(cls, sums: Mapping[str, int]) -> "Credits":
        """Read the emulator's answer."""
        return cls(sums["available"], sums["reserved"], sums["charged"], sums["granted"])


@dataclass(frozen=True, slots=True)
class Moved:
    """What a clock's move did.

    Attributes:
        now: the account's instant after it.
        events: what happened on the way, in order: ``{"at", "event", "task_id", ...}``.
        complete: False where there was more to do than one move does; move on.
    """

    now: datetime
    events: list[dict[str, Any]]
    complete: bool

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Moved":
        """Read the emulator's answer."""
        return cls(instant(answer["now"]), answer["events"], answer["complete"])


@dataclass(frozen=True, slots=True)
class Entry:
    """A request of the account and its answer.

    Attributes:
        number, at, operation, method, path, status, request_id: what it was; ``operation`` is
            an operationId of openapi.yaml, such as ``"createImageTask"``.
        task_id: the task that it made or asked for, or None.
        faults: names of the faults that met it.
        body: what was sent: parsed JSON, text, or None.
        answer: what was answered, alike.
        document: the whole entry, with the refusal behind an error, fields that were ignored,
            and the nearest valid request.
    """

    number: int
    at: datetime
    operation: str
    method: str
    path: str
    status: int
    request_id: str
    task_id: str | None
    faults: tuple[str, ...]
    body: Any
    answer: Any
    document: dict[str, Any]

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Entry":
        """Read an entry of the journal."""
        return cls(
            number=document["number"],
            at=instant(document["at"]),
            operation=document["operation"],
            method=document["method"],
            path=document["path"],
            status=document["status"],
            request_id=document["request_id"],
            task_id=document["task_id"],
            faults=tuple(document["faults"]),
            body=document["request"]["body"],
            answer=document["answer"]["body"],
            document=document,
        )


class Requests(Sequence[Entry]):
    """Requests of an account that match what was asked for, oldest first.

    Args:
        entries: those that match.
        asked: what they match, for messages.
        story: what came in all, for messages.
        lost: requests of the account that the journal no longer has.
    """

    def __init__(self, entries: Sequence[Entry], asked: str, story: str, lost: int = 0) -> None:
        self._entries = list(entries)
        self._lost = lost
        self._asked = asked
        self._story = story

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<{len(self)} requests with {self._asked}>"

    def expect(
        self,
        count: int | None = None,
        *,
        at_least: int | None = None,
        at_most: int | None = None,
    ) -> "Requests":
        """Expect that many requests; return them.

        Raises:
            ExpectationFailed: there are more or fewer; the message shows what came.
        """
        if count is None and at_least is None and at_most is None:
            at_least = 1
        wanted = [
            f"{words}{number}"
            for words, number, holds in (
                ("", count, len(self) == count),
                ("at least ", at_least, at_least is not None and len(self) >= at_least),
                ("at most ", at_most, at_most is not None and len(self) <= at_most),
            )
            if number is not None and not holds
        ]
        if self._lost and (wanted or count is not None or at_most is not None):
            raise ExpectationFailed(
                f"{len(self)} of the requests with {self._asked} are kept, but {self._lost} earlier"
                f" requests are not (journal_entries), so nobody can count.\n{self._story}"
            )
        if wanted:
            raise ExpectationFailed(
                f"expected {' and '.join(wanted)} of the requests with {self._asked},"
                f" {len(self)} came.\n{self._story}"
            )
        return self


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver a callback.

    Attributes:
        number: 1 for the first.
        at: its instant on the account's clock.
        status: what the receiver answered; None where no answer came.
        error: why none came, or None.
    """

    number: int
    at: datetime
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """The delivery of a task's end to its callback_url.

    Attributes:
        delivery_id, task_id, url: what it reports, and where to.
        state: pending, delivered, exhausted or refused.
        next_attempt_at: when it is tried next; None where it is not.
        attempts: those that were made.
        document: the whole of it.
    """

    delivery_id: str
    task_id: str
    url: str
    state: str
    next_attempt_at: datetime | None
    attempts: tuple[Attempt, ...]
    document: dict[str, Any]

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Delivery":
        """Read the emulator's answer."""
        attempts = tuple(
            Attempt(made["number"], instant(made["at"]), made["status"], made["error"])
            for made in document["attempts"]
        )
        return cls(
            delivery_id=document["delivery_id"],
            task_id=document["task_id"],
            url=document["url"],
            state=document["state"],
            next_attempt_at=instant_or_none(document["next_attempt_at"]),
            attempts=attempts,
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback that its receiver took.

    Attributes:
        delivery: how it got there.
        body: the task, as the receiver got it.
    """

    delivery: Delivery
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """What an inbox received.

    Attributes:
        number, at: counted in its inbox, on the account's clock.
        delivery_id, task_id: what it reports, where the emulator sent it.
        headers, body: as they came; ``body`` is parsed JSON, or text.
        signature: ``"none"``, ``"valid"``, or ``"invalid: "`` and why.
        status: what it was answered with.
    """

    number: int
    at: datetime
    delivery_id: str | None
    task_id: str | None
    headers: dict[str, str]
    body: Any
    signature: str
    status: int | None

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Message":
        """Read the emulator's answer."""
        known = {name: document[name] for name in cls.__slots__}
        return cls(**{**known, "at": instant(document["at"])})
