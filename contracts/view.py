"""A trace, read: the lives of tasks, what they cost, their links and callbacks.

Everything is derived from the exchanges themselves, so that any recorded traffic can be judged.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urldefrag, urlsplit

from contracts.exchange import CALLBACK, Exchange, Trace, fields_of
from contracts.model import Expectation, Wish, expectation, wish_of

GENERATIONS = "/v1/images/generations"
SYNC = "/v1/images/generations/sync"
EDITS = "/v1/images/edits"
UPLOAD = "/v1/images/upload"
BALANCE = "/v1/credits/balance"
MODELS = "/v1/models"
TASKS = "/v1/tasks/"
CREATIONS = (GENERATIONS, SYNC, EDITS)

SUCCESS = ("succeeded", "completed")  # TASK-2
UNDER_WAY = ("pending", "processing")
FAILED = "failed"
EXPIRED = "expired"
STATUSES = (*UNDER_WAY, *SUCCESS, FAILED, EXPIRED)  # TASK-3
ENDED = (*SUCCESS, FAILED, EXPIRED)


def instant(value: Any) -> float | None:
    """Unix seconds of an RFC 3339 text with an offset; None where it is none."""
    if not isinstance(value, str) or "T" not in value.upper():
        return None
    try:
        parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed.timestamp() if parsed.tzinfo else None


@dataclass(frozen=True)
class Creation:
    """A POST that asks for images.

    Attributes:
        exchange: the POST.
        wish: what it asks for, with defaults; None where it can't be read.
        expected: what the documents say about it.
    """

    exchange: Exchange
    wish: Wish | None
    expected: Expectation | None

    @property
    def status(self) -> int:
        """The answer's HTTP status; 0 where none came."""
        return self.exchange.response.status if self.exchange.response else 0

    @property
    def answer(self) -> Mapping[str, Any]:
        """The answer's members."""
        return fields_of(self.exchange.response.json if self.exchange.response else None)

    @property
    def accepted(self) -> bool:
        """Whether it may have cost something: a task was made, or images came back."""
        return self.status in (200, 202)

    @property
    def task_id(self) -> str | None:
        """The task that was made, as the answer names it."""
        value = self.answer.get("task_id")
        return value if self.status == 202 and isinstance(value, str) else None


@dataclass(frozen=True)
class Read:
    """A 200 answer to a read of a task."""

    exchange: Exchange
    task: Mapping[str, Any]

    @property
    def status(self) -> Any:
        """The task's status, as the answer words it."""
        return self.task.get("status")

    @property
    def ended(self) -> bool:
        """Whether it says that the task has ended."""
        return self.status in ENDED

    @property
    def urls(self) -> tuple[str, ...]:
        """The links of its result."""
        return result_urls(self.task.get("result"))


@dataclass
class Life:
    """All that was seen of one task.

    Attributes:
        task_id: its id.
        creation: what made it; None where the trace begins later.
        reads: what its owner read, in order.
        callbacks: POSTs that the target sent about it, in order.
    """

    task_id: str
    creation: Creation | None = None
    reads: list[Read] = field(default_factory=list)
    callbacks: list[Exchange] = field(default_factory=list)

    @property
    def wish(self) -> Wish | None:
        """What was asked for."""
        return self.creation.wish if self.creation else None

    @property
    def ends(self) -> list[Read]:
        """The reads that say that the task has ended."""
        return [read for read in self.reads if read.ended]

    @property
    def success(self) -> Read | None:
        """The first read that says that it succeeded."""
        return next((read for read in self.reads if read.status in SUCCESS), None)

    @property
    def failure(self) -> Read | None:
        """The first read that says that it failed."""
        return next((read for read in self.reads if read.status == FAILED), None)


@dataclass
class Link:
    """A link that was handed out, and what following it gave.

    Attributes:
        url: without a fragment.
        source: the first exchange that handed it out.
        made_at: when it began to work, as far as is known: the task's end, or the answer.
        wish: what was asked for; None for uploads, and where it is not known.
        task_id: whose picture it is; None for uploads and for calls that waited.
        index: which of the pictures, from 0.
        is_upload: whether it leads to what was uploaded.
        visits: GETs and HEADs of it, in order.
    """

    url: str
    source: Exchange
    made_at: float
    wish: Wish | None = None
    task_id: str | None = None
    index: int = 0
    is_upload: bool = False
    visits: list[Exchange] = field(default_factory=list)

    @property
    def downloads(self) -> list[Exchange]:
        """The GETs that were answered with 200."""
        return [
            visit
            for visit in self.visits
            if visit.request.method == "GET" and visit.response and visit.response.status == 200
        ]


@dataclass(frozen=True)
class Balance:
    """A balance that was read."""

    exchange: Exchange
    credits: int


class View:
    """A trace, read once.

    Args:
        trace: what was recorded.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    @property
    def facts(self) -> Mapping[str, Any]:
        """What else is known about the target."""
        return self.trace.facts

    @cached_property
    def sent(self) -> list[Exchange]:
        """What was sent to the target."""
        return [exchange for exchange in self.trace if exchange.direction != CALLBACK]

    @cached_property
    def answered(self) -> list[Exchange]:
        """What the target answered, whatever it answered."""
        return [exchange for exchange in self.sent if exchange.response is not None]

    @cached_property
    def api(self) -> list[Exchange]:
        """The answered calls below ``/v1``."""
        return [exchange for exchange in self.answered if exchange.request.path.startswith("/v1/")]

    def calls(self, method: str, path: str) -> Iterator[Exchange]:
        """The answered calls of one route, ``/api`` or not."""
        for exchange in self.answered:
            if exchange.request.method == method and exchange.request.path == path:
                yield exchange

    @cached_property
    def creations(self) -> list[Creation]:
        """All POSTs that ask for images, answered or not."""
        return [
            Creation(exchange, wish_of(exchange.request), expectation(exchange.request))
            for exchange in self.sent
            if exchange.request.method == "POST" and exchange.request.path in CREATIONS
        ]

    @cached_property
    def uploads(self) -> list[Creation]:
        """All uploads."""
        return [
            Creation(exchange, None, expectation(exchange.request))
            for exchange in self.calls("POST", UPLOAD)
        ]

    @cached_property
    def errors(self) -> list[Exchange]:
        """Answers of 400 and above to calls below ``/v1``."""
        return [e for e in self.api if e.response is not None and e.response.status >= 400]

    @cached_property
    def callbacks(self) -> list[Exchange]:
        """What the target sent to the kit."""
        return [exchange for exchange in self.trace if exchange.direction == CALLBACK]

    @cached_property
    def task_reads(self) -> list[Exchange]:
        """All answered reads of tasks, whoever asked and whatever came."""
        return [
            exchange
            for exchange in self.answered
            if exchange.request.method == "GET" and exchange.request.path.startswith(TASKS)
        ]

    @cached_property
    def lives(self) -> dict[str, Life]:
        """The tasks, by the id that was asked or answered, in order of appearance."""
        lives: dict[str, Life] = {}
        for creation in self.creations:
            if creation.task_id is not None:
                life = lives.setdefault(creation.task_id, Life(creation.task_id))
                life.creation = life.creation or creation
        for exchange in self.task_reads:
            asked = exchange.request.path.removeprefix(TASKS)
            task = fields_of(exchange.response.json if exchange.response else None)
            if exchange.response is None or exchange.response.status != 200:
                continue
            life = lives.setdefault(asked, Life(asked))
            if not is_foreign(life, exchange):
                life.reads.append(Read(exchange, task))
        for exchange in self.callbacks:
            task_id = fields_of(exchange.request.json).get("task_id")
            if isinstance(task_id, str):
                lives.setdefault(task_id, Life(task_id)).callbacks.append(exchange)
        return lives

    @cached_property
    def links(self) -> dict[str, Link]:
        """The links that were handed out, with their visits."""
        links: dict[str, Link] = {}
        for link in self._handed_out():
            links.setdefault(link.url, link)
        for exchange in self.answered:
            if exchange.request.method in ("GET", "HEAD"):
                found = links.get(urldefrag(exchange.request.url).url)
                if found is not None:
                    found.visits.append(exchange)
        return links

    @cached_property
    def balances(self) -> list[Balance]:
        """The balances that were read, in order."""
        found = []
        for exchange in self.calls("GET", BALANCE):
            credits = fields_of(exchange.response.json if exchange.response else None).get(
                "credits"
            )
            if isinstance(credits, int) and not isinstance(credits, bool):
                found.append(Balance(exchange, credits))
        return found

    def _handed_out(self) -> Iterator[Link]:
        for life in self.lives.values():
            for read in life.reads:
                made_at = instant(read.task.get("completed_at")) or read.exchange.sent_at
                for index, url in enumerate(read.urls):
                    yield Link(url, read.exchange, made_at, life.wish, life.task_id, index)
        for creation in self.creations:
            if creation.status == 200:
                at = creation.exchange.sent_at + creation.exchange.seconds
                for index, url in enumerate(result_urls(creation.answer)):
                    yield Link(url, creation.exchange, at, creation.wish, None, index)
        for upload in self.uploads:
            link = upload.answer.get("url")
            if upload.status == 200 and isinstance(link, str):
                at = upload.exchange.sent_at
                yield Link(urldefrag(link).url, upload.exchange, at, is_upload=True)


def is_foreign(life: Life, exchange: Exchange) -> bool:
    """Whether a task is read with another key than the one that created it."""
    return life.creation is not None and life.creation.exchange.sender != exchange.sender


def result_urls(result: Any) -> tuple[str, ...]:
    """The links of a result, without fragments."""
    data = fields_of(result).get("data")
    urls = (fields_of(image).get("url") for image in (data if isinstance(data, list) else ()))
    return tuple(
        urldefrag(url).url for url in urls if isinstance(url, str) and urlsplit(url).netloc
    )
