"""Several processes that serve one socket, and one that looks after them."""

import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType

from emulator.settings import Settings
from emulator.store.opening import open_database

_log = logging.getLogger("emulator.workers")

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_PAUSE_SECONDS = 1.0  # before a worker that died takes up again
_SPAWN = multiprocessing.get_context("spawn")

Serve = Callable[[Settings, socket.socket, Callable[[], None]], None]


class _Stop(BaseException):
    """A signal asked for the end."""


class Workers:
    """Worker processes: as many as were asked for, until a signal ends all of them.

    Args:
        settings: what each is started with; its database can be shared.
        listener: the socket that all of them serve.
        serve: what a worker does until SIGTERM; calls its last argument once it listens.
    """

    def __init__(self, settings: Settings, listener: socket.socket, serve: Serve) -> None:
        self._settings = settings
        self._listener = listener
        self._serve = serve
        self._running: list[SpawnProcess] = []

    def run(self, on_ready: Callable[[], None]) -> int:
        """Serve until SIGTERM or SIGINT; return the exit code.

        Args:
            on_ready: is called once all workers listen.
        """
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, _stop)
        with tempfile.TemporaryDirectory(prefix="gpt-image-emulator-") as folder:
            # Where prometheus-client adds up what the workers count.
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
            try:
                open_database(self._settings.database).close()  # migrated once, before the rest
                for _ in range(self._settings.workers):
                    if not self._start() and not self._was_killed():
                        return 1
                on_ready()
                self._replace_the_dead()
            except _Stop:
                return 0
            finally:
                self._stop_all()
        return 0

    def _start(self) -> bool:
        """Start a worker and wait until it listens; False where it ended instead."""
        ours, theirs = _SPAWN.Pipe(duplex=False)
        arguments = (self._settings, self._listener, self._serve, theirs)
        process = _SPAWN.Process(target=_work, args=arguments)
        with _ignored(signal.SIGINT):  # Ctrl-C reaches all processes; who looks after them decides
            process.start()
        self._running.append(process)
        theirs.close()
        with ours:
            wait([ours, process.sentinel], _START_SECONDS)
            try:
                return bool(ours.poll() and ours.recv())
            except EOFError:
                return False

    def _was_killed(self) -> bool:
        """Whether the newest worker ended by a signal, not by what it found: it is replaced."""
        newest = self._running[-1]
        newest.join(_STOP_SECONDS)  # its pipe is closed a moment before it has ended
        return newest.exitcode is not None and newest.exitcode < 0

    def _replace_the_dead(self) -> None:
        while True:
            ended = wait([process.sentinel for process in self._running])
            for process in [one for one in self._running if one.sentinel in ended]:
                process.join()
                self._running.remove(process)
                _log.error(
                    "worker %s ended with %s; another takes its place",
                    process.pid,
                    process.exitcode,
                )
                time.sleep(_PAUSE_SECONDS)
                self._start()

    def _stop_all(self) -> None:
        for process in self._running:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self._running:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()


def _work(settings: Settings, listener: socket.socket, serve: Serve, ready: Connection) -> None:
    """What a worker process does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell() -> None:
        ready.send(True)
        ready.close()

    serve(settings, listener, tell)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _stop(signal_number: int, frame: FrameType | None) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop_already)  # not SIG_IGN: one that is pending would be told of
    raise _Stop


def _stop_already(signal_number: int, frame: FrameType | None) -> None:
    """Do nothing: once is enough."""


@contextmanager
def _ignored(signal_number: signal.Signals) -> Iterator[None]:
    """Ignore a signal for a while; what is started meanwhile ignores it as well."""
    before = signal.signal(signal_number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal_number, before)
