"""A request and its answer, from when the request came whole."""

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from emulator.api.http import FailedCall
from emulator.api.plain_calls import Head

if TYPE_CHECKING:
    from emulator.fast_lane import FastLane

_PLAIN = frozenset(  # headers that say nothing about the connection
    {
        b"content-type",
        b"content-length",
        b"x-request-id",
        b"date",
        b"retry-after",
        b"www-authenticate",
    }
)


class PlainCycle:
    """A plain call, as uvicorn sees the requests of a connection."""

    __slots__ = (
        "_body",
        "_head",
        "_protocol",
        "disconnected",
        "keep_alive",
        "response_complete",
        "scope",
    )

    more_body = False
    waiting_for_100_continue = False
    message_event = asyncio.Event()  # nobody waits for it

    def __init__(self, protocol: "FastLane", head: Head, body: bytes) -> None:
        self._protocol = protocol
        self._head = head
        self._body = body
        self.scope = protocol.scope
        self.keep_alive = True
        self.response_complete = False
        self.disconnected = False

    def reply(self, head: bytes, body: bytes) -> None:
        """Send the answer."""
        protocol = self._protocol
        self.response_complete = True
        if not self.disconnected and not protocol.transport.is_closing():
            end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
            protocol.transport.write(b"%b%b%b" % (head, end, body))
            if not self.keep_alive:
                protocol.transport.close()
        protocol.on_response_complete()

    def fail(self, failed: FailedCall) -> None:
        """Let the application say what went wrong."""
        protocol = self._protocol
        if not self.disconnected and not protocol.transport.is_closing():
            protocol.run_application(
                self._head, self._body, keep_alive=self.keep_alive, begun=self, failed=failed
            )


class WholeCycle(RequestResponseCycle):
    """A request that came whole, and its answer, which is written at once where it is whole too.

    uvicorn would look at each header by itself, and write the head and the body apart. The head
    waits here for the first part of the body.
    """

    _head: Any = None

    async def send(self, message: Any) -> None:
        """Take an answer's head, then its body; what is not plain goes the usual way."""
        if self.transport.is_closing():
            self.disconnected = True
        head, self._head = self._head, None
        if head is not None:
            if self._send_whole(head, message):
                return
            await super().send(head)
        elif message["type"] == "http.response.start" and not self.response_started:
            self._head = message
            return
        await super().send(message)

    def _send_whole(self, head: Any, message: Any) -> bool:
        """Write an answer that has one body and its length, to a client that reads; else False."""
        headers: list[tuple[bytes, bytes]] = head["headers"]
        names, body = [name for name, _ in headers], message.get("body", b"")
        if (
            message.get("more_body")
            or self.disconnected
            or self.flow.write_paused
            or (b"content-length", b"%d" % len(body)) not in headers
            or not _PLAIN.issuperset(names)
            or HEADER_VALUE_RE.search(b"".join([value for _, value in headers]))
            or self.scope["method"] == "HEAD"
        ):
            return False
        lines = [b"%b: %b\r\n" % header for header in headers]
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[head["status"]], b"".join(lines), body))
        self.response_started = self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
        return True
