"""A client's transport in this process: it asks for plain calls first, as a connection does."""

import asyncio

import httpx2
from starlette.types import Receive, Scope, Send

from emulator.api.http import FailedCall
from emulator.compose import Server

Answer = tuple[bytes, bytes] | FailedCall


class Exchange:
    """A request whose answer is awaited: head and body, or what the application has to say."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Answer] = asyncio.Future()

    def reply(self, head: bytes, body: bytes) -> None:
        self.answer.set_result((head, body))

    def fail(self, failed: FailedCall) -> None:
        self.answer.set_result(failed)


class PlainTransport(httpx2.AsyncBaseTransport):
    """Counts in ``answered`` what needed no application."""

    def __init__(self, server: Server) -> None:
        self._calls = server.plain_calls
        self._app = server.app
        self.answered = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        found = await self._answer(request)
        if isinstance(found, tuple):
            self.answered += 1
            head, body = found
            status, *lines = head.decode("ascii").removesuffix("\r\n").split("\r\n")
            headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
            return httpx2.Response(int(status.split(" ")[1]), headers=headers, content=body)

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            more: Scope = {} if found is None else {"failed": found}
            await self._app({**scope, **more}, receive, send)

        return await httpx2.ASGITransport(application).handle_async_request(request)

    async def _answer(self, request: httpx2.Request) -> Answer | None:
        if self._calls is None:
            return None
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        head = self._calls.head_of(request.method, request.url.raw_path, headers)
        if head is None:
            return None
        exchange = Exchange()
        if not self._calls.answer(head, await request.aread(), exchange):
            return None
        return await exchange.answer
