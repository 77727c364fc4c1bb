"""A trace, read: the lives of tasks, what they cost, their links and callbacks.

Everything is derived from the exchanges themselves, so that any recorded traffic can be judged.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from contracts.exchange import CALLBACK, Exchange, Trace, fields_of, without_fragment
from contracts.model import expectation, wish_of
from contracts.observed import (
    BALANCE,
    CREATIONS,
    TASKS,
    UPLOAD,
    Balance,
    Creation,
    Life,
    Link,
    Read,
    absolute_url,
    instant,
    is_foreign,
    result_urls,
)


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
                found = links.get(without_fragment(exchange.request.url))
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
        lives = self.lives.values()
        for life in lives:
            yield from _links_of(life, [(read.exchange, read.task) for read in life.reads])
        for creation in self.creations:
            if creation.status == 200:
                at = creation.exchange.sent_at + creation.exchange.seconds
                for index, url in enumerate(result_urls(creation.answer)):
                    yield Link(url, creation.exchange, at, creation.wish, None, index)
        for life in lives:  # last: what is told of calls that waited has no wish
            calls = [(call, fields_of(call.request.json)) for call in life.callbacks]
            yield from _links_of(life, calls)
        for upload in self.uploads:
            link = absolute_url(upload.answer.get("url"))
            if upload.status == 200 and link is not None:
                yield Link(link, upload.exchange, upload.exchange.sent_at, is_upload=True)


def _links_of(life: Life, shown: list[tuple[Exchange, Mapping[str, Any]]]) -> Iterator[Link]:
    """The links that sightings of a task hand out."""
    for exchange, task in shown:
        made_at = instant(task.get("completed_at")) or exchange.sent_at
        for index, url in enumerate(result_urls(task.get("result"))):
            yield Link(url, exchange, made_at, life.wish, life.task_id, index)
