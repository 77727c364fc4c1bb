"""The HTTP server around the application: the same for a process and for a thread of a test."""

import asyncio
import os
import socket

import uvicorn

from emulator.compose import Server
from emulator.heads import Heads
from emulator.http_limits import Limits, limits_of
from emulator.settings import Settings

try:
    from emulator.http_guard import GuardedProtocol as HttpProtocol
except ImportError:  # a platform without httptools: no fast lane, and no limits of connections
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class HttpProtocol(H11Protocol):  # type: ignore[no-redef]
        limits: Limits

        def look(self, now_seconds: float) -> None: ...


_BACKLOG = 2048
_TICKS_A_SECOND = 10  # uvicorn's
_SHUTDOWN_SECONDS = 1


class HttpServer(uvicorn.Server):
    """uvicorn without its own log lines, and without waiting calls once it stops.

    Args:
        server: what it serves; whoever composed it closes it.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(
            uvicorn.Config(
                server.app,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,  # the account's clock writes it
                proxy_headers=False,  # --public-url says what links begin with
                ws="none",
                http=_protocol(server),
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
                backlog=_BACKLOG,
            )
        )
        self._server = server

    async def on_tick(self, counter: int) -> bool:
        """Once a second look for clients that take too long."""
        if counter % _TICKS_A_SECOND == 0:
            now_seconds = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                connection.look(now_seconds)  # type: ignore[union-attr]
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what waits, then stop."""
        self._server.wakeups.stop()
        await super().shutdown(sockets)


def _protocol(server: Server) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol within limits, whose connections a fault can cut."""

    class Protocol(HttpProtocol):
        limits = limits_of(server.services.settings)
        plain_calls = server.plain_calls
        heads = Heads()

        def connection_made(  # type: ignore[override]
            self, transport: asyncio.Transport
        ) -> None:
            super().connection_made(transport)
            server.connections.add(self.client, self.transport)

        def connection_lost(self, exc: Exception | None) -> None:
            server.connections.remove(self.client)
            super().connection_lost(exc)

    return Protocol


def bind(host: str, port: int) -> socket.socket:
    """Open the socket to listen on.

    Raises:
        OSError: the address is taken, or none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener


def url_of(settings: Settings, listener: socket.socket) -> str:
    """Where a server on this socket is reached."""
    host, port = listener.getsockname()[:2]
    return settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
