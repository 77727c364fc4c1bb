"""uvicorn's protocol, which answers creations and polls without a task for each of them.

Usually a task runs the application, which waits for the body, and for its turn in the event loop.
A creation or a poll that came whole is answered at once instead, up to its first wait: plain calls
without the application at all, the others by it. The application is the same for every request.
"""

import asyncio
import contextvars
import types
from collections.abc import Coroutine, Generator
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from emulator.api.headers import Headers
from emulator.api.http import FailedCall
from emulator.api.plain_calls import HOT_PATH, Head, PlainCalls
from emulator.cycles import PlainCycle, WholeCycle
from emulator.heads import Heads


class FastLane(HttpToolsProtocol):
    """One connection.

    Attributes:
        plain_calls: answers them; None: the application answers everything.
        heads: those of plain calls that came to the server before.
    """

    plain_calls: PlainCalls | None = None
    heads: Heads

    # CPython is quick with 30 attributes of an object, and uvicorn has nearly as many.
    __slots__ = ("_body", "_read")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        self._body: bytes | None = None  # of a request that is held back until it is whole
        self._read = b""  # what is being read, where no request had begun before it
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Read what came; a request that is not whole by then goes the usual way."""
        data = bytes(data)  # some event loops of Windows have a bytearray
        is_idle = self._is_idle()
        if is_idle and (known := self.heads.find(data)) is not None:
            self._unset_keepalive_if_required()
            head, body = known
            if not self._answer_plainly(head, body):
                self.run_application(head, body)
            return
        self._read = data if is_idle else b""
        super().data_received(data)
        self._read = b""
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
            and HOT_PATH.fullmatch(self.url)
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

    def run_application(
        self,
        head: Head,
        body: bytes,
        *,
        keep_alive: bool = True,
        begun: PlainCycle | None = None,
        failed: FailedCall | None = None,
    ) -> None:
        """Let the application answer what is no plain call after all.

        Args:
            head, body: the request.
            keep_alive: whether the connection stays.
            begun: as what it was begun, if it was; others may wait behind it by now.
            failed: why that did not do.
        """
        scope = self._scope(head.method, head.url, head.headers, "1.1")
        if failed is not None:
            scope["failed"] = failed
        newest: object = self.cycle
        is_newest = begun is None or newest is begun
        self._run(scope, body, keep_alive=keep_alive, is_newest=is_newest)

    def _is_idle(self) -> bool:
        """Whether what comes next begins a request."""
        last: RequestResponseCycle | None = self.cycle
        if last is None:
            return self.scope is None
        return last.response_complete and not last.more_body and last.scope is self.scope

    def _run_whole(self, body: bytes) -> None:
        method, http_version = (
            self.parser.get_method().decode("ascii"),
            self.parser.get_http_version(),
        )
        keep_alive = http_version == "1.1" and self.parser.should_keep_alive()
        if self.plain_calls is not None and keep_alive:
            head = self.plain_calls.head_of(method, self.url, self.headers)
            if head is not None:
                self.heads.remember(head, self._read, body)
                if self._answer_plainly(head, body):
                    return
        scope = self._scope(method, self.url, self.headers, http_version)
        self._run(scope, body, keep_alive=keep_alive, is_newest=True)

    def _answer_plainly(self, head: Head, body: bytes) -> bool:
        if self.plain_calls is None or self.flow.write_paused:
            return False
        last, cycle = self.cycle, PlainCycle(self, head, body)
        self.cycle = cycle  # type: ignore[assignment]
        if self.plain_calls.answer(head, body, cycle):
            return True
        self.cycle = last
        return False

    def _scope(
        self, method: str, url: bytes, headers: Headers, http_version: str
    ) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": http_version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": self.root_path,
            "headers": headers,
            "state": self.app_state.copy(),
            "method": method,
            "path": url.decode("ascii"),
            "raw_path": url,
            "query_string": b"",
        }

    def _run(self, scope: Any, body: bytes, *, keep_alive: bool, is_newest: bool) -> None:
        cycle = WholeCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )
        if is_newest:
            self.cycle, self.scope = cycle, scope
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
