"""A connection within limits: the size of a request's head, slow clients, how many are open."""

import asyncio

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from emulator.fast_lane import FastLane
from emulator.http_limits import Limits, Stopwatch, refusal

_LINGERING = 64  # refused connections that may wait for their clients


class _HeadTooLarge(Exception):
    """Stops the parser."""


class GuardedProtocol(FastLane):
    """One connection, within limits.

    Attributes:
        limits: its server's.
    """

    limits: Limits

    # CPython is quick with 30 attributes of an object, and uvicorn has nearly as many.
    __slots__ = (
        "_heads_read",
        "_looks_since_refusal",
        "_pending",
        "_pending_bytes",
        "_read_bytes",
        "_stopwatch",
    )

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or refuse."""
        self._heads_read = 0  # requests whose headers are complete
        self._read_bytes = 0  # what came last
        self._pending: object = None  # the scope of the last request whose headers came in pieces
        self._pending_bytes = 0
        self._looks_since_refusal: int | None = None  # None: it was not refused
        self._stopwatch = Stopwatch()
        super().connection_made(transport)
        beyond = len(self.connections) - self.limits.connections
        if beyond > _LINGERING:
            self.transport.abort()
        elif beyond > 0:
            most = f"{self.limits.connections:,}"
            self._refuse("service_unavailable", f"{most} connections are open, the most there may.")

    def data_received(self, data: bytes) -> None:
        """Read what came, unless the headers grow too large; drop it if that was said before."""
        if self._looks_since_refusal is not None:
            return
        self._read_bytes = len(data)
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.scope is not self.scope:
            self._weigh_pending(len(data))

    def on_headers_complete(self) -> None:
        """Go on with a request whose headers are not too large."""
        self._heads_read += 1
        most = self.limits.head_bytes
        # Only a long read, or a head that came in several, can hold so much.
        is_suspect = self._read_bytes > most or self._pending is self.scope
        if is_suspect and self._head_size() > most:
            raise _HeadTooLarge
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Say what was wrong with what the parser did not take."""
        if self._is_head_pending() and self._head_size() > self.limits.head_bytes:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def look(self, now_seconds: float) -> None:
        """See whether the client takes too long; called once a second."""
        if self._looks_since_refusal is not None:
            self._looks_since_refusal += 1
            if self._looks_since_refusal > 1:
                self.transport.abort()
            return
        patience = self.limits.patience_seconds
        unread = self._stopwatch.unread(self.transport.get_write_buffer_size(), now_seconds)
        waited = self._stopwatch.waited(self._whole_requests(), now_seconds)
        if unread >= patience:
            self.transport.abort()
        elif waited >= patience:
            if self._is_head_pending():
                took = f"{patience:g} seconds"
                self._refuse("request_timeout", f"The request did not come whole within {took}.")
            else:
                self.transport.abort()

    def _whole_requests(self) -> int | None:
        """How many requests came whole; None: no more is awaited now."""
        cycle = self._last_cycle()
        if self.flow.read_paused or self.timeout_keep_alive_task is not None:
            return None
        if cycle is None or cycle.response_complete:
            return self._heads_read
        if cycle.more_body and not cycle.waiting_for_100_continue:
            return self._heads_read - 1
        return None

    def _is_head_pending(self) -> bool:
        cycle = self._last_cycle()
        return self.scope is not (None if cycle is None else cycle.scope)

    def _last_cycle(self) -> RequestResponseCycle | None:
        return self.cycle

    def _weigh_pending(self, read_bytes: int) -> None:
        """Count what came of a head; where it began, a body may have ended in the same read."""
        if self._pending is self.scope:
            self._pending_bytes += read_bytes
        else:
            self._pending = self.scope
            self._pending_bytes = read_bytes if self._last_cycle() is None else 0
        if self._pending_bytes > self.limits.head_bytes:
            self._refuse_head()

    def _head_size(self) -> int:
        line = len("GET  HTTP/1.1\r\n\r\n") + len(self.url)
        return line + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse_head(self) -> None:
        most = f"{self.limits.head_bytes:,} bytes"
        self._refuse("headers_too_large", f"A request's line and headers may have {most} at most.")

    def _refuse(self, code: str, message: str) -> None:
        """Answer for the last time, unless an answer is under way; then close.

        To close while bytes come that nobody reads would reset the connection, and the client
        might miss the answer. So reading goes on for a moment.
        """
        self._looks_since_refusal = 0
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        cycle = self._last_cycle()
        if cycle is not None and not cycle.response_complete:
            self.transport.close()
            return
        self.transport.write(refusal(code, message))
        self.transport.write_eof()
