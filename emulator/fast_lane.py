"""uvicorn's protocol, which answers creations and polls without a task for each of them.

The application is the same for every request. Usually a task runs it, which waits for the body,
and for its turn in the event loop. A creation or a poll that came whole is run at once instead, up
to its first wait; a task does the rest, where there is one.
"""

import asyncio
import contextvars
import types
from collections.abc import Coroutine, Generator
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_POLL = (b"/v1/tasks/", b"/api/v1/tasks/")
_CREATION = frozenset({b"/v1/images/generations", b"/api/v1/images/generations"})


class Gathering:
    """A transport that sends at once what is written in one turn of the event loop.

    uvicorn writes the head and the body of an answer apart, which would be two system calls, and
    for the client two packets.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send soon."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def write_eof(self) -> None:
        """Send what waits, and nothing after it."""
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Send what waits, then close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close without sending what waits."""
        self._waiting.clear()
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._waiting:
            self._transport.write(b"".join(self._waiting))
            self._waiting.clear()


class FastLane(HttpToolsProtocol):
    """One connection."""

    _body: bytes | None = None  # what came of a request that is held back until it is whole

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(Gathering(transport, self.loop))  # type: ignore[arg-type]

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
        is_hot = self.url in _CREATION or self.url.startswith(_POLL)
        if is_next and is_hot and not self.expect_100_continue and not self.parser.should_upgrade():
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
            super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._body is None:
            super()._start_asgi_task(cycle, app)
            return
        cycle.body += self._body
        cycle.more_body = False
        cycle.message_event.set()
        self._body = None
        task = run_eagerly(self.loop, cycle.run_asgi(app))
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
