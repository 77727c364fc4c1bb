"""A receiver of callbacks that answers as it is told and records what arrives."""

import secrets
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import httpx2

from contracts.client import Recorder
from contracts.exchange import CALLBACK, Exchange, Headers, Request, Response
from contracts.options import EXIT_USAGE, EngineError

_LARGEST_BODY_BYTES = 4_000_000
_SOCKET_TIMEOUT_SECONDS = 15.0
_CHECK_TIMEOUT_SECONDS = 10.0


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
        self._arrived: dict[str, list[Exchange]] = {}
        self._lock = threading.Lock()
        host = "127.0.0.1" if public_url is None else "0.0.0.0"  # noqa: S104  # a tunnel ends here
        try:
            self._server = ThreadingHTTPServer((host, port), self._handler())
        except OSError as error:
            message = f"--callback-port {port} can't be listened on: {error.strerror}"
            raise EngineError(message, EXIT_USAGE) from error
        self._server.daemon_threads = True
        self._base = (public_url or f"http://127.0.0.1:{self._server.server_port}").rstrip("/")
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="callback receiver", daemon=True
        )

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def hook(self, name: str, statuses: Sequence[int]) -> str:
        """Open a URL for one task.

        Args:
            name: of the hook, unique.
            statuses: what it answers in turn; the last one from then on.
        """
        self._statuses[name] = list(statuses)
        self._arrived[name] = []
        return f"{self._base}/{self._secret}/{name}"

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
        except httpx2.HTTPError as error:
            status = 0
            problem = str(error) or type(error).__name__
        else:
            problem = f"it answers {status}"
        if status != 204:
            message = (
                f"--public-callback-url {self._base} does not lead to this machine's port"
                f" {self._server.server_port}: {problem}"
            )
            raise EngineError(message, EXIT_USAGE)

    def _answer(self, handler: BaseHTTPRequestHandler) -> int:
        """Record a request; return the status that it gets."""
        prefix, _, name = handler.path.lstrip("/").partition("/")
        if prefix != self._secret or name not in self._statuses:
            return 404
        if handler.command != "POST":
            return self._statuses[name][-1]
        began = time.monotonic()
        length = handler.headers.get("Content-Length", "0")
        size = int(length) if length.isascii() and length.isdigit() else 0
        if size > _LARGEST_BODY_BYTES:
            return 413
        body = handler.rfile.read(size)
        with self._lock:
            statuses = self._statuses[name]
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        self._record(name, handler, body, status, time.monotonic() - began)
        return status

    def _record(
        self, name: str, handler: BaseHTTPRequestHandler, body: bytes, status: int, seconds: float
    ) -> None:
        redactor = self._recorder.redactor
        headers: Headers = tuple((key, value) for key, value in handler.headers.items())
        exchange = self._recorder.add(
            sent_at=self._recorder.clock.now(),
            seconds=seconds,
            request=Request(
                "POST", f"{self._base}/hook/{name}", redactor.headers(headers), redactor.body(body)
            ),
            response=Response(status),
            direction=CALLBACK,
            purpose=f"callback to {name}",
        )
        with self._lock:
            self._arrived[name].append(exchange)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _SOCKET_TIMEOUT_SECONDS
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # noqa: N802  # named by the library
                status = receiver._answer(self)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True

            do_GET = do_POST  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: what matters is in the trace."""

        return Handler
