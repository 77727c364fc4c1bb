"""A server inside this process: in a thread with a socket, or in the event loop without one."""

import asyncio
import socket
import threading
from collections.abc import MutableMapping
from typing import Any

from emulator.compose import compose
from emulator.http_server import HttpServer, bind
from emulator.settings import Settings
from emulator.testing.errors import EmulatorError

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not listened on


class ThreadServer:
    """A server in a thread of its own.

    Args:
        settings: what it is started with.

    Raises:
        EmulatorError: it can't start; its cause says why.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listening = threading.Event()
        self._errors: list[BaseException] = []
        self._http: HttpServer | None = None
        try:
            self._listener = bind(settings.host, settings.port)
        except OSError as error:
            raise _cannot_start(error) from error
        self.url = local_url(self._listener)
        # A daemon, so that a test run that was cut off ends all the same.
        self._thread = threading.Thread(target=self._serve, name="gpt-image-emulator", daemon=True)
        self._thread.start()
        self._listening.wait()
        for problem in self._errors:
            self._thread.join()
            raise _cannot_start(problem) from problem

    def stop(self) -> None:
        """Stop it, and wait until it has."""
        if self._http is not None:
            self._http.should_exit = True
        self._thread.join()

    def _serve(self) -> None:
        try:
            with self._listener:
                server = compose(self._settings)
                try:
                    self._http = _Announcing(server, self._listening)
                    self._http.run(sockets=[self._listener])
                finally:
                    server.close()
        except BaseException as error:  # whoever started the thread raises it
            self._errors.append(error)
        finally:
            self._listening.set()


class _Announcing(HttpServer):
    """A server that says when it listens."""

    def __init__(self, server: Any, listening: threading.Event) -> None:
        super().__init__(server)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()


def local_url(listener: socket.socket) -> str:
    """Where this machine reaches a listening socket."""
    host, port = listener.getsockname()[:2]
    host = _ANY_ADDRESS.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _cannot_start(error: BaseException) -> EmulatorError:
    return EmulatorError(f"the emulator can't start: {type(error).__name__}: {error}")


class LoopServer:
    """A server in the running event loop, without a socket.

    Attributes:
        app: the ASGI application.
    """

    def __init__(self, settings: Settings) -> None:
        self._server = compose(settings)
        self.app = self._server.app
        self._to_app: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._lifespan: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start what runs beside the requests.

        Raises:
            EmulatorError: it can't start.
        """
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
        self._lifespan = asyncio.create_task(
            self.app(scope, self._to_app.get, self._from_app.put)  # type: ignore[arg-type]
        )
        await self._pass("startup")

    async def stop(self) -> None:
        """Stop it, and let go of everything."""
        try:
            await self._pass("shutdown")
            if self._lifespan is not None:
                await self._lifespan
        finally:
            self._server.close()

    async def _pass(self, stage: str) -> None:
        await self._to_app.put({"type": f"lifespan.{stage}"})
        answer = await self._from_app.get()
        if answer["type"] != f"lifespan.{stage}.complete":
            raise EmulatorError(f"the emulator's {stage} failed: {answer.get('message', '')}")
