"""Requests that were answered, handed on in batches so that they cost the hot path little."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from starlette.types import Scope

from emulator.api.headers import Headers
from emulator.api.http import UNKNOWN_OPERATION, Call
from emulator.service.tally import AttemptMade, Tally

_log = logging.getLogger("emulator")

FLUSH_SECONDS = 0.2
OTHER_METHOD = "_OTHER"
_MOST_WAITING = 200  # more at once would hold up the requests
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class FinishedCall(NamedTuple):
    """A request that was answered, or whose client went away.

    Attributes:
        method, path: as they were sent; the path without its query.
        operation: an operationId; for a route of the emulator's own its path as a template; or
            ``UNKNOWN_OPERATION``. There are few of them.
        call: what is known of it.
        traceparent: the header of that name, where traces are made.
    """

    method: str
    path: str
    operation: str
    call: Call
    traceparent: bytes | None


class Batch(NamedTuple):
    """What happened since the last batch."""

    calls: Sequence[FinishedCall]
    attempts: Sequence[AttemptMade]


class Finished:
    """Collects what is finished, and hands it to all who want it, a few times a second.

    Args:
        tally: where callback attempts are noted.
        takers: each gets every batch, empty ones too.
        keeps_traceparent: whether one of them makes traces.
    """

    def __init__(
        self,
        tally: Tally,
        takers: Sequence[Callable[[Batch], None]],
        *,
        keeps_traceparent: bool = False,
    ) -> None:
        self._tally = tally
        self._takers = takers
        self._keeps_traceparent = keeps_traceparent
        self._waiting: list[FinishedCall] = []

    def add(self, scope: Scope, call: Call) -> None:
        """Note a request that was answered."""
        operation = call.operation or _route(scope)
        traceparent = traceparent_of(scope["headers"]) if self._keeps_traceparent else None
        self.note(FinishedCall(scope["method"], scope["path"], operation, call, traceparent))

    def note(self, entry: FinishedCall) -> None:
        """Note a request that was answered."""
        self._waiting.append(entry)
        if len(self._waiting) >= _MOST_WAITING:
            self.flush()

    async def run(self) -> None:
        """Hand on what waits, again and again, until cancelled."""
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                self.flush()
        finally:
            self.flush()

    def flush(self) -> None:
        """Hand on what waits."""
        calls, self._waiting = self._waiting, []
        attempts = tuple(self._tally.attempts_made)
        self._tally.attempts_made.clear()
        batch = Batch(calls, attempts)
        for take in self._takers:
            try:
                take(batch)
            except Exception:  # the others get theirs, and the requests go on
                _log.exception("finished requests were not noted")


def known_method(method: str) -> str:
    """A method that HTTP clients use, or ``OTHER_METHOD``: a client may send any word."""
    return method if method in _METHODS else OTHER_METHOD


def _route(scope: Scope) -> str:
    route = scope.get("route")
    return UNKNOWN_OPERATION if route is None else str(route.path)


def traceparent_of(headers: Headers) -> bytes | None:
    """The header of a request that says which trace it belongs to."""
    for name, value in headers:
        if name == b"traceparent":
            return value
    return None
