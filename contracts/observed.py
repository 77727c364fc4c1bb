"""What can be seen of tasks, links and balances in a trace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.exchange import Exchange, fields_of, split_url, without_fragment
from contracts.model import Expectation, Wish

GENERATIONS = "/v1/images/generations"
SYNC = "/v1/images/generations/sync"
EDITS = "/v1/images/edits"
UPLOAD = "/v1/images/upload"
BALANCE = "/v1/credits/balance"
MODELS = "/v1/models"
TASKS = "/v1/tasks/"
CREATIONS = (GENERATIONS, SYNC, EDITS)

SUCCESS = ("succeeded", "completed")  # TASK-2
LINK_SECONDS = 24 * 3600.0  # MEDIA-1
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


def is_foreign(life: Life, exchange: Exchange) -> bool:
    """Whether a task is read with another key than the one that created it."""
    return life.creation is not None and life.creation.exchange.sender != exchange.sender


def result_urls(result: Any) -> tuple[str, ...]:
    """The links of a result, without fragments."""
    data = fields_of(result).get("data")
    images = data if isinstance(data, list) else ()
    links = (absolute_url(fields_of(image).get("url")) for image in images)
    return tuple(link for link in links if link is not None)


def absolute_url(value: Any) -> str | None:
    """A URL with a host, without its fragment; None for all else."""
    usable = isinstance(value, str) and split_url(value).netloc
    return without_fragment(value) if usable else None
