"""Targets for the kit's tests: an upstream that is no emulator, and servers of any other kind."""

import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.compose import compose
from emulator.core.latency import Latency
from emulator.core.profile import PROFILES
from emulator.http_server import HttpServer
from emulator.settings import Settings

LATENCY_SECONDS = 0.2
_CREATIONS = ("/images/generations", "/images/generations/sync", "/images/edits")


class Reply(NamedTuple):
    """What a scripted server answers."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {"content-type": "application/json"}  # noqa: RUF012


class Asked(NamedTuple):
    """A request, as a server saw it, with its answer."""

    method: str
    path: str
    headers: dict[str, str]
    status: int
    answer: bytes

    @property
    def key(self) -> str:
        """The key that it carried; empty where there was none."""
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        return bearer or self.headers.get("x-api-key", "")

    @property
    def is_creation(self) -> bool:
        """Whether it asked for images."""
        return self.method == "POST" and self.path.endswith(_CREATIONS)

    @property
    def reserved(self) -> int:
        """What an accepted task costs."""
        credits: int = json.loads(self.answer)["credits"]["reserved"]
        return credits


@dataclass
class Served:
    """A server that runs.

    Attributes:
        url: where.
        asked: what it was asked, in the order of its answers.
    """

    url: str
    asked: list[Asked] = field(default_factory=list)

    def creations(self, key: str, *statuses: int) -> list[Asked]:
        """The creations that came with a key, and were answered with one of some statuses."""
        return [
            asked
            for asked in self.asked
            if asked.is_creation and asked.key == key and asked.status in (statuses or (202,))
        ]


def answering(reply: Callable[[Request], Reply]) -> ASGIApp:
    """An application that answers as a function says."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        status, body, headers = reply(Request(scope, receive))
        await Response(body, status, headers)(scope, receive, send)

    return app


def says(body: Any = None, status: int = 200, **headers: str) -> Reply:
    """An answer in JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/json", **named})


@contextmanager
def served(app: ASGIApp) -> Iterator[Served]:
    """Serve any application."""
    server = Served("")
    noted = _noting(app, server.asked)
    config = uvicorn.Config(noted, lifespan="off", log_config=None, ws="none", access_log=False)
    with _running(lambda stack: uvicorn.Server(config)) as server.url:
        yield server


@contextmanager
def upstream(
    latency_seconds: float = LATENCY_SECONDS,
    profile: str = "model-page",
    change: Callable[[Asked], bytes] | None = None,
) -> Iterator[Served]:
    """Serve an upstream that costs credits: an emulator that nobody can tell for one.

    Args:
        latency_seconds: how long a task takes.
        profile: what it speaks.
        change: puts another body in the place of an answer's.
    """
    settings = Settings(
        database=":memory:",
        log="none",
        latency=Latency(None, latency_seconds),
        profile=PROFILES[profile],
    )
    server = Served("")

    def make(stack: ExitStack) -> uvicorn.Server:
        composed = compose(settings)
        stack.callback(composed.close)
        hidden = _noting(_without_control(composed.app), server.asked, change)
        return HttpServer(replace(composed, app=hidden))

    with _running(make) as server.url:
        yield server


@contextmanager
def tcp_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Listen on a port, and do with each connection as a function says.

    Yields:
        Its URL.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):  # the listener is closed
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=converse, args=(connection,), daemon=True).start()

        def converse(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                talk(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _without_control(app: ASGIApp) -> ASGIApp:
    async def hidden(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/_emulator"):
            await Response(b"Not found", 404)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return hidden


def _noting(
    app: ASGIApp, asked: list[Asked], change: Callable[[Asked], bytes] | None = None
) -> ASGIApp:
    """Write down each request with its answer before the answer leaves."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        await app(scope, receive, hold)
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        body = b"".join(message.get("body", b"") for message in messages[1:])
        one = Asked(scope["method"], scope["path"], headers, messages[0]["status"], body)
        if change is not None:
            one = one._replace(answer=change(one))
            kept = [pair for pair in messages[0]["headers"] if pair[0] != b"content-length"]
            length = (b"content-length", str(len(one.answer)).encode())
            messages = [
                {**messages[0], "headers": [*kept, length]},
                {"type": "http.response.body", "body": one.answer},
            ]
        asked.append(one)
        for message in messages:
            await send(message)

    return noting


@contextmanager
def _running(make: Callable[[ExitStack], uvicorn.Server]) -> Iterator[str]:
    made: queue.SimpleQueue[uvicorn.Server] = queue.SimpleQueue()

    def run() -> None:
        with ExitStack() as stack:
            server = make(stack)
            made.put(server)
            server.run([listener])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        # A daemon, so that a test run that was cut off ends all the same.
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        server = made.get()
        while not server.started and thread.is_alive():
            time.sleep(0.002)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
