"""A receiver of callbacks that answers as it is told and records what arrives."""

import asyncio
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType

import httpx2
import uvicorn
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from contracts.exchange import CALLBACK, Exchange, Request, Response
from contracts.options import EXIT_ENGINE, EXIT_USAGE, EngineError
from contracts.recorder import Recorder

_MOVED = "-moved"
_LARGEST_BODY_BYTES = 4_000_000
_CHECK_TIMEOUT_SECONDS = 10.0
_START_TIMEOUT_SECONDS = 10.0


class Receiver:
    """Listens for callbacks, in a thread.

    Args:
        recorder: where what arrives is kept.
        port: where it listens; 0: any free port.
        public_url: how the target reaches it; None: directly, on this machine.

    Raises:
        EngineError: the port is taken.
    """

    def __init__(self, recorder: Recorder, port: int, public_url: str | None) -> None:
        self._recorder = recorder
        self._secret = secrets.token_hex(8)  # strangers must not be able to fake a callback
        self._statuses: dict[str, list[int]] = {}
        self._told: dict[str, list[int]] = {}
        self._arrived: dict[str, list[Exchange]] = {}
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._listener.bind(("127.0.0.1" if public_url is None else "", port))
        except (OSError, OverflowError) as error:
            self._listener.close()
            message = f"--callback-port {port} can't be listened on: {error}"
            raise EngineError(message, EXIT_USAGE) from error
        self._port = self._listener.getsockname()[1]
        self._base = (public_url or f"http://127.0.0.1:{self._port}").rstrip("/")
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listener],), name="callbacks", daemon=True
        )

    def __enter__(self) -> "Receiver":
        self._thread.start()
        if not self._server.listening.wait(_START_TIMEOUT_SECONDS):
            raise EngineError("the callback receiver did not start", EXIT_ENGINE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def hook(self, name: str, statuses: Sequence[int]) -> str:
        """Open a URL for one task.

        Args:
            name: of the hook, unique.
            statuses: what it answers in turn; the last one from then on.
        """
        self._statuses[name] = list(statuses)
        self._statuses[name + _MOVED] = [204]
        self._arrived[name + _MOVED] = []
        self._told[name] = list(statuses)
        self._arrived[name] = []
        return f"{self._base}/{self._secret}/{name}"

    @property
    def hooks(self) -> dict[str, list[int]]:
        """Each hook's URL, and what it was told to answer."""
        return {f"{self._base}/{self._secret}/{name}": told for name, told in self._told.items()}

    def arrived(self, name: str) -> list[Exchange]:
        """What came to a hook so far."""
        with self._lock:
            return list(self._arrived[name])

    def check_reachable(self) -> None:
        """Ask oneself through the public URL, before anything is paid for.

        Raises:
            EngineError: it does not lead here.
        """
        url = self.hook("reachable", [204])
        try:
            status = httpx2.get(url, timeout=_CHECK_TIMEOUT_SECONDS).status_code
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            status = 0
            problem = str(error) or type(error).__name__
        else:
            problem = f"it answers {status}"
        if status != 204:
            message = (
                f"--public-callback-url {self._base} does not lead to this machine's port"
                f" {self._port}: {problem}"
            )
            raise EngineError(message, EXIT_USAGE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request, and answer it as its hook was told to."""
        request = HttpRequest(scope, receive)
        began = time.monotonic()
        prefix, _, name = request.url.path.lstrip("/").partition("/")
        if prefix != self._secret or name not in self._statuses:
            status = 404
        elif request.method != "POST":
            status = self._statuses[name][-1]
        else:
            body = bytearray()
            try:
                async for chunk in request.stream():
                    body += chunk[: max(0, _LARGEST_BODY_BYTES - len(body))]
            except ClientDisconnect:
                return
            with self._lock:
                statuses = self._statuses[name]
                status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
            self._record(name, request, bytes(body), status, time.monotonic() - began)
        await HttpResponse(status_code=status, headers=self._headers(name, status))(
            scope, receive, send
        )

    def _headers(self, name: str, status: int) -> dict[str, str]:
        """A redirect's ``Location``, which nobody should follow (CB-3)."""
        is_redirect = 300 <= status < 400
        return {"Location": f"{self._base}/{self._secret}/{name}{_MOVED}"} if is_redirect else {}

    def _record(
        self, name: str, request: HttpRequest, body: bytes, status: int, seconds: float
    ) -> None:
        redactor = self._recorder.redactor
        headers = tuple(
            (key.decode("latin-1"), value.decode("latin-1")) for key, value in request.headers.raw
        )
        exchange = self._recorder.add(
            sent_at=self._recorder.clock.now(),
            seconds=seconds,
            request=Request(
                "POST",
                f"{self._base}/{self._secret}/{name}",
                redactor.headers(headers),
                redactor.body(body),
            ),
            response=Response(status, tuple(self._headers(name, status).items())),
            direction=CALLBACK,
            purpose=f"callback to {name}",
            late_by_seconds=self._recorder.clock.step_seconds,
        )
        with self._lock:
            self._arrived[name].append(exchange)


class _Server(uvicorn.Server):
    """uvicorn in a thread, silent."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(
            uvicorn.Config(
                receiver,
                lifespan="off",
                log_config=None,
                access_log=False,
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that it listens."""
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        """Wait for the end, and see it at once."""
        while not self.should_exit:
            await asyncio.sleep(0.01)
