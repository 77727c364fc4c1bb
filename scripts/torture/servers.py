"""Servers as processes that are killed and come back at the same address."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts.postgres import Cluster, cluster

ENGINES = ("sqlite", "postgres")
HEALTH = "/_emulator/health"
START_LIMIT_SECONDS = 30.0
_LOOK_SECONDS = 0.02
_WORKER = b"spawn_main"  # in the command line of each


class NotUp(Exception):
    """A server did not come up; the message says what it printed."""


class Replica:
    """One server process at a port of its own; what it prints is kept in a log.

    Args:
        port: where it listens, each time.
        flags: of ``serve``.
        log: the file that its output is added to.
    """

    def __init__(self, port: int, flags: Sequence[str], log: Path) -> None:
        self.port = port
        self.log = log
        self._flags = flags
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        if self._process is None:
            raise NotUp(f"{self.url} was not started")
        return self._process.pid

    def start(self) -> None:
        """Start it; it is not up yet."""
        command = [sys.executable, "-m", "emulator.cli", "serve", "--port", str(self.port)]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, *self._flags],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its workers, too, can be killed
                env={k: v for k, v in os.environ.items() if "GPT_IMAGE_EMULATOR" not in k},
            )  # fmt: skip

    def kill(self) -> None:
        """Kill it, with its workers, as a crash would: it gets to do nothing more."""
        if self._process is not None:
            killed = processes_of(self.pid)
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._process.wait()
            while any(map(is_running, killed)):  # a worker still has the port
                time.sleep(_LOOK_SECONDS)

    def restart(self) -> None:
        """Kill it and start it again; it is not up yet."""
        self.kill()
        self.start()

    def has_ended(self) -> bool:
        """Whether it is not running."""
        return self._process is None or self._process.poll() is not None

    def answers(self) -> bool:
        """Whether it takes requests now."""
        request = f"GET {HEALTH} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(f"{request}\r\n".encode())
                return connection.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def await_up(self) -> None:
        """Wait until it takes requests.

        Raises:
            NotUp: it ended, or took too long.
        """
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while not self.answers():
            if self.has_ended() or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace").strip()[-1000:]
                raise NotUp(f"{self.url} did not come up: {said}")
            time.sleep(_LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The replicas of one database.

    Attributes:
        replicas: all that there are.
        cluster: their PostgreSQL; None: they share a SQLite file.
        database: what ``--database`` was given.
    """

    replicas: list[Replica] = field(default_factory=list)
    cluster: Cluster | None = None
    database: str = ""

    @property
    def urls(self) -> list[str]:
        """Where they are."""
        return [replica.url for replica in self.replicas]

    def start(self) -> None:
        """Start all, the first one first: it makes the database."""
        for replica in self.replicas:
            replica.start()
            replica.await_up()


@contextmanager
def fleet(engine: str, replicas: int, folder: Path, *flags: str) -> Iterator[Fleet]:
    """Run replicas on one fresh database until the block ends.

    Args:
        engine: sqlite or postgres.
        replicas: how many.
        folder: for the SQLite file and the logs.
        flags: of each ``serve``.

    Raises:
        NotUp: one did not start.
        NoPostgres: it is missing.
    """
    with ExitStack() as stack:
        postgres = stack.enter_context(cluster()) if engine == "postgres" else None
        database = postgres.url() if postgres else str(folder / "state.db")
        words = ["--database", database, "--log", "none", *flags]
        found = [
            Replica(port, words, folder / f"{number}.log")
            for number, port in enumerate(free_ports(replicas), 1)
        ]
        for replica in found:
            stack.callback(replica.kill)
        running = Fleet(found, postgres, database)
        running.start()
        yield running


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def processes_of(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):  # it ended meanwhile
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [root]
    for process in found:
        found.extend(children.get(process, ()))
    return found


def workers_of(root: int) -> list[int]:
    """The workers of a server, or of all servers that a process has started."""
    return [process for process in processes_of(root) if _WORKER in _command_line(process)]


def is_running(process: int) -> bool:
    """Whether a process has not ended yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:  # it ended meanwhile
        return b""


def memory_mb(root: int) -> float:
    """The resident memory of a process and its descendants, in 10^6 bytes."""
    total = 0
    for process in processes_of(root):
        try:
            status = Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        rows = [row.split()[1] for row in status.splitlines() if row.startswith("VmRSS")]
        total += sum(int(kib) * 1024 for kib in rows)
    return total / 1e6
