"""gpt-image-emulator serve: bind, say so, serve, stop within a second."""

import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

from emulator.adapters.json_log import JsonFormatter
from emulator.compose import Server, compose
from emulator.http_limits import raise_file_limit
from emulator.http_server import HttpServer, bind, url_of
from emulator.settings import SettingError, Settings
from emulator.store.opening import MEMORY, shown_database

# Requests leave no cycles behind; looking for them after each 700 objects costs 5 %.
_GC_THRESHOLD = 20_000
_KEY_EXAMPLE = "sk-test"


def run_server(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    _start_logging(settings.log)
    if settings.workers > 1 and settings.database == MEMORY:
        accepted = f"1 with --database {MEMORY}, which no other process can open"
        raise SettingError(f"--workers takes {accepted}; {settings.workers} was given")
    raise_file_limit()
    try:
        listener = bind(settings.host, settings.port)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        reason = error.strerror or str(error)
        print(f"gpt-image-emulator: cannot listen on {where}: {reason}", file=sys.stderr)  # noqa: T201
        return 1
    text = banner(settings, url_of(settings, listener))

    def ready() -> None:
        print(text, flush=True)  # noqa: T201

    with listener:
        if settings.workers > 1:
            from emulator.workers import Workers

            return Workers(settings, listener, serve).run(ready)
        serve(settings, listener, ready)
    return 0


def serve(settings: Settings, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve in this process until SIGTERM or SIGINT.

    Args:
        settings: with ``database`` set.
        listener: the socket to serve.
        on_ready: is called once it listens.
    """
    _start_logging(settings.log)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, _end)  # uvicorn ends in order, then raises the signal again
    server = compose(settings)
    try:
        _Process(server, on_ready).run(sockets=[listener])
    finally:
        server.close()


def _start_logging(form: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if form == "json" else plain)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _end(signal_number: int, frame: object) -> None:
    raise SystemExit(0)


class _Process(HttpServer):
    """A server that has the process to itself, and says when it listens."""

    def __init__(self, server: Server, on_ready: Callable[[], None]) -> None:
        super().__init__(server)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()  # what was made by now stays as well: the collector need not look at it
        gc.set_threshold(_GC_THRESHOLD)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order; a second Ctrl-C ends at once.

        Ctrl-C reaches workers as well: they wait for the process that looks after them, or the
        signals of both would end them at once.
        """
        from multiprocessing import parent_process  # late: each start would wait for it

        if sig != signal.SIGINT or parent_process() is None:
            super().handle_exit(sig, frame)


def banner(settings: Settings, url: str) -> str:
    """What is printed once the server listens."""
    keys, database = "any sk-... key works", shown_database(settings.database)
    if settings.keys == "strict":
        keys = f"make one: gpt-image-emulator keys create --database {database}"
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
  database  {database}
  callbacks {settings.callbacks}
  control   {control}
  page      {url}/ shows and drives all of this in a browser
  clock     real time, until POST {url}/_emulator/clock moves an account's
Try it:
  curl {url}/v1/images/generations -H "Authorization: Bearer {key}" \\
    -H "Content-Type: application/json" \\
    -d '{{"model": "gpt-image-2", "prompt": "A lighthouse at dawn"}}'
"""
