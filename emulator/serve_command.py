"""gpt-image-emulator serve: bind, say so, serve, stop within a second."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from emulator.compose import Server, compose
from emulator.settings import Settings

_BACKLOG = 2048
_SHUTDOWN_SECONDS = 1
# Requests leave no cycles behind; looking for them after each 700 objects costs 5 %.
_GC_THRESHOLD = 20_000
_KEY_EXAMPLE = "sk-test"


def run_server(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        listener = _bind(settings.host, settings.port)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        reason = error.strerror or str(error)
        print(f"gpt-image-emulator: cannot listen on {where}: {reason}", file=sys.stderr)  # noqa: T201
        return 1
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, _end)  # uvicorn ends in order, then raises the signal again
    with listener:
        server = compose(settings)
        try:
            _serve(server, settings, listener)
        finally:
            server.close()
    return 0


def _end(signal_number: int, frame: object) -> None:
    raise SystemExit(0)


def _serve(server: Server, settings: Settings, listener: socket.socket) -> None:
    config = uvicorn.Config(
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
    host, port = listener.getsockname()[:2]
    url = settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    _Uvicorn(config, server, banner(settings, url)).run(sockets=[listener])


def _protocol(server: Server) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol, whose connections a fault can cut."""

    class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # one of two, by platform
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            server.connections.add(self.client, transport)

        def connection_lost(self, exc: Exception | None) -> None:
            server.connections.remove(self.client)
            super().connection_lost(exc)

    return Protocol


class _Uvicorn(uvicorn.Server):
    """uvicorn, with a banner once it listens, and without waiting calls once it stops."""

    def __init__(self, config: uvicorn.Config, server: Server, text: str) -> None:
        super().__init__(config)
        self._server = server
        self._text = text

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is loaded by now stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GC_THRESHOLD)
        print(self._text, flush=True)  # noqa: T201

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._server.wakeups.stop()
        await super().shutdown(sockets)


def banner(settings: Settings, url: str) -> str:
    """What is printed once the server listens."""
    keys = "any sk-... key works"
    if settings.keys == "strict":
        keys = f"make one: gpt-image-emulator keys create --database {settings.database}"
    control = "open to this machine only"
    if settings.control_is_closed:
        control = "closed: --host is not loopback; start with --control-token TOKEN to open it"
    elif settings.control_token is not None:
        control = "needs the header X-Emulator-Token"
    key = _KEY_EXAMPLE if settings.keys == "open" else "$API_KEY"
    return f"""\
gpt-image-emulator listens on {url}
  profile   {settings.profile.name}
  keys      {settings.keys} ({keys})
  database  {settings.database}
  callbacks {settings.callbacks}
  control   {control}
  clock     real time, until POST {url}/_emulator/clock moves an account's
Try it:
  curl {url}/v1/images/generations -H "Authorization: Bearer {key}" \\
    -H "Content-Type: application/json" \\
    -d '{{"model": "gpt-image-2", "prompt": "A lighthouse at dawn"}}'
"""


def _bind(host: str, port: int) -> socket.socket:
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
