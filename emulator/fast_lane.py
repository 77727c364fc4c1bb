"""uvicorn's protocol, which answers creations and polls without a task for each of them.

The application is the same for every request. Usually a task runs it, which waits for the body,
and for its turn in the event loop. A creation or a poll that came whole is run at once instead, up
to its first wait; a task does the rest, where there is one.
"""

import asyncio
import contextvars
import re
import types
from collections.abc import Coroutine, Generator
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

_HOT = re.compile(rb"(/api)?/v1/(tasks/\w+|images/generations)")
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


class WholeCycle(RequestResponseCycle):
    """A request that came whole, and its answer, which is written at once where it is whole too.

    uvicorn would look at each header by itself, and write the head and the body apart. The head
    waits here for the first part of the body.
    """

    _head: Any = None

    async def send(self, message: Any) -> None:
        """Take an answer's head, then its body; what is not plain goes the usual way."""
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


class FastLane(HttpToolsProtocol):
    """One connection."""

    _body: bytes | None = None  # what came of a request that is held back until it is whole

    def data_received(self, data: bytes) -> None:
        """Read what came; a request that is not whole by then goes the usual way."""
        super().data_received(data)
        if self._body is not None:
            body, self._body = self._body, None
            if not self.transport.is_closing():
                super().on_headers_complete()
                super().on_body(body)

    def on_headers_complete(self) -> None:
        """Hold back a creation or a poll until its body is there."""
        last: RequestResponseCycle | None = self.cycle
        is_next = last is None or last.response_complete
        if (
            is_next
            and _HOT.fullmatch(self.url)
            and not self.expect_100_continue
            and not self.parser.should_upgrade()
        ):
            self._body = b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        if self._body is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Start what was held back: it is whole."""
        if self._body is None:
            super().on_message_complete()
        else:
            body, self._body = self._body, None
            self._run_whole(body)

    def _run_whole(self, body: bytes) -> None:
        scope, http_version = self.scope, self.parser.get_http_version()
        method = self.parser.get_method().decode("ascii")
        scope["method"], scope["http_version"] = method, http_version
        scope["path"], scope["raw_path"] = self.url.decode("ascii"), self.url
        scope["query_string"] = b""
        cycle = self.cycle = WholeCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=http_version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        cycle.body += body
        cycle.more_body = False
        cycle.message_event.set()
        task = run_eagerly(self.loop, cycle.run_asgi(self.app))
        if task is not None:
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)


def run_eagerly(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]
) -> asyncio.Task[None] | None:
    """Run a coroutine to its first wait, and return the task that does the rest; None: it ended."""
    context = contextvars.copy_context()
    try:
        awaited = context.run(coroutine.send, None)
    except StopIteration:
        return None
    return loop.create_task(_rest(coroutine, awaited), context=context)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that waits already."""
    while True:
        try:
            try:
                value = yield awaited
            except BaseException as error:
                awaited = coroutine.throw(error)
            else:
                awaited = coroutine.send(value)
        except StopIteration:
            return
