"""Targets for the kit's tests: an upstream that is no emulator, and servers of any other kind."""

import asyncio
import json
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import httpx2
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.exchange import Request as Sent
from contracts.lives_drive import picture
from contracts.model import wish_of
from contracts.prices import assumed_price
from emulator.compose import compose
from emulator.core.latency import Latency
from emulator.core.profile import PROFILES
from emulator.http_server import HttpServer
from emulator.settings import Settings

LATENCY_SECONDS = 0.2
_BACK_DOOR = {"x-stand-in": secrets.token_hex(8)}
_PICTURE = picture("teal", "PNG")
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
        stop: ends it at once; its port is closed then.
    """

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    stop: Callable[[], None] = field(default=lambda: None, repr=False)

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
        request = Request(scope, receive)
        scope["content"] = await request.body()  # for whoever answers, who can't wait for it
        status, body, headers = reply(request)
        await Response(body, status, headers)(scope, receive, send)

    return app


def says(body: Any = None, status: int = 200, **headers: str) -> Reply:
    """An answer in JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/json", **named})


class Api:
    """A small API of the upstream's shape, whose prices and manners can be chosen.

    Args:
        price: what an image costs at the default settings, in credits; others in proportion.
        refuses: whether it refuses what it must.
    """

    def __init__(self, price: int = 30, refuses: bool = True) -> None:
        self.price = price
        self.refuses = refuses
        self.credits = 100_000

    def __call__(self, request: Request) -> Reply:
        """Answer a request."""
        path = request.url.path.removeprefix("/api")
        key = request.headers.get("authorization") or request.headers.get("x-api-key", "")
        if path == "/v1/models":
            priced = {"id": "gpt-image-2", "pricing": {"credits_per_request": 30}}
            return says({"object": "list", "data": [priced]})
        if path == "/picture.png":
            return Reply(200, _PICTURE, {"content-type": "image/png"})
        if "sk-desk" not in key and "sk-client" not in key:
            return says({"error": {"message": "no such key", "code": "invalid_api_key"}}, 401)
        if path == "/v1/credits/balance":
            return says({"credits": self.credits})
        if path.startswith("/v1/tasks/task_"):
            return says(self._task(request, path.removeprefix("/v1/tasks/")))
        if path == "/v1/images/upload":
            return says({"url": self._link(request)})
        if request.method == "POST" and path.endswith(_CREATIONS):
            return self._created(request, path)
        return says({"error": {"message": "no such route", "code": "not_found"}}, 404)

    def _created(self, request: Request, path: str) -> Reply:
        # The kit's own tasks carry its mark; everything else that it sends must be refused.
        if self.refuses and b"(contract-" not in request.scope["content"]:
            return says({"error": {"message": "no", "code": "invalid_field"}}, 400)
        price = self._price(request)
        self.credits -= price
        if not path.endswith("/generations"):
            return says({"data": [{"url": self._link(request)}]})
        task = {"task_id": f"task_{self.credits}", "status": "pending", "poll_url": "/v1/tasks/x"}
        return says({**task, "credits": {"reserved": price, "charged": 0}}, 202)

    def _price(self, request: Request) -> int:
        headers = tuple(request.headers.items())
        wish = wish_of(Sent("POST", str(request.url), headers, request.scope["content"]))
        return self.price if wish is None else assumed_price(wish, "medium") * self.price // 30

    def _task(self, request: Request, task_id: str) -> dict[str, Any]:
        return {
            "task_id": task_id,
            "status": "succeeded",
            "completed_at": datetime.now(UTC).isoformat(),
            "result": {"data": [{"url": self._link(request)}]},
            "credits": {"reserved": self.price, "charged": self.price},
        }

    def _link(self, request: Request) -> str:
        return f"{request.base_url}picture.png?signature=0123456789abcdef{self.credits}"


@contextmanager
def served(app: ASGIApp) -> Iterator[Served]:
    """Serve any application."""
    server = Served()
    noted = _noting(app, server.asked)
    config = uvicorn.Config(noted, lifespan="off", log_config=None, ws="none", access_log=False)
    with _running(lambda stack: uvicorn.Server(config), server):
        yield server


@contextmanager
def upstream(
    latency_seconds: float = LATENCY_SECONDS,
    profile: str = "model-page",
    keys: Literal["open", "strict"] = "open",
    change: Callable[[Asked], bytes] | None = None,
) -> Iterator[Served]:
    """Serve an upstream that costs credits: an emulator that nobody can tell for one.

    Args:
        latency_seconds: how long a task takes.
        profile: what it speaks.
        keys: ``strict``: only those of ``new_key`` are known.
        change: puts another body in the place of an answer's.
    """
    settings = Settings(
        database=":memory:",
        log="none",
        latency=Latency(None, latency_seconds),
        profile=PROFILES[profile],
        keys=keys,
    )
    server = Served()

    def make(stack: ExitStack) -> uvicorn.Server:
        composed = compose(settings)
        stack.callback(composed.close)
        hidden = _noting(_without_control(composed.app), server.asked, change)
        return HttpServer(composed._replace(app=hidden))

    with _running(make, server):
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


def new_key(server: Served) -> str:
    """Buy a key of an upstream that knows its keys; nobody else finds this way in."""
    made = httpx2.post(f"{server.url}/_emulator/keys", json={"name": "a"}, headers=_BACK_DOOR)
    key: str = made.json()["key"]
    return key


def _without_control(app: ASGIApp) -> ASGIApp:
    async def hidden(scope: Scope, receive: Receive, send: Send) -> None:
        known = [(name.encode(), value.encode()) for name, value in _BACK_DOOR.items()]
        is_open = known[0] in scope.get("headers", ())
        if scope["type"] == "http" and scope["path"].startswith("/_emulator") and not is_open:
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
def _running(make: Callable[[ExitStack], uvicorn.Server], served: Served) -> Iterator[None]:
    made: queue.SimpleQueue[uvicorn.Server] = queue.SimpleQueue()

    def run() -> None:
        with ExitStack() as stack:
            server = make(stack)

            async def until_told() -> None:
                while not server.should_exit:
                    await asyncio.sleep(0.005)

            server.main_loop = until_told  # type: ignore[method-assign]  # looks ten times a second
            made.put(server)
            server.run([listener])

    def stop() -> None:
        server.should_exit = True
        thread.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        served.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        served.stop = stop
        # A daemon, so that a test run that was cut off ends all the same.
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        server = made.get()
        while not server.started and thread.is_alive():
            time.sleep(0.002)
        try:
            yield
        finally:
            stop()
