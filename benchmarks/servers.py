"""Starts and ends the servers that are measured, and reads what the kernel knows about them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
FLOOR = [sys.executable, str(HERE / "floor.py")]
EMULATOR = [str(Path(sys.executable).parent / "gpt-image-emulator"), "serve"]
EMULATOR_FLAGS = ["--latency", "fast", "--initial-credits", "1000000000"]
HEALTH = "/_emulator/health"
START_LIMIT_SECONDS = 20.0
STOP_LIMIT_SECONDS = 10.0
IDLE_LIMIT_SECONDS = 60.0
POLL_SECONDS = 0.001


class BenchError(Exception):
    """What ends the benchmark, in one line for its reader."""


@dataclass(frozen=True)
class Server:
    """A running server.

    `process` is ours to end, `log` holds what it printed, `start_seconds` is the time from its
    spawning to its first answer.
    """

    name: str
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    start_seconds: float

    @property
    def url(self) -> str:
        """The address that requests go to, without a path."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def floor(database: Path) -> Iterator[Server]:
    """Run the floor on the SQLite file `database`."""
    with _running("floor", FLOOR, database) as server:
        yield server


@contextmanager
def emulator(database: Path, *flags: str) -> Iterator[Server]:
    """Run the emulator on the SQLite file `database`, with the log that users have by default."""
    if not Path(EMULATOR[0]).exists():
        raise BenchError(f"{EMULATOR[0]} is not there: install the project first (make serve)")
    with _running("emulator", [*EMULATOR, *EMULATOR_FLAGS, *flags], database) as server:
        yield server


@contextmanager
def _running(name: str, command: list[str], database: Path) -> Iterator[Server]:
    port = free_port()
    words = [*command, "--port", str(port), "--database", str(database)]
    with started(name, words, port, database.with_suffix(f".{port}.log")) as server:
        yield server


@contextmanager
def started(
    name: str, words: list[str], port: int, log: Path, health: str = HEALTH
) -> Iterator[Server]:
    """Run a server until the block ends; `health` is a path that it answers, however."""
    with log.open("wb") as output:
        spawned_at = time.perf_counter()
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(),
        )
    try:
        _await_first_answer(name, process, port, log, health)
        yield Server(name, process, port, log, time.perf_counter() - spawned_at)
    finally:
        _end(process)


def environment() -> dict[str, str]:
    """The environment without what would change the measure.

    Settings of the emulator, and the order not to keep compiled modules: a user's second start
    finds them.
    """
    return {
        key: value
        for key, value in os.environ.items()
        if "GPT_IMAGE_EMULATOR" not in key and key != "PYTHONDONTWRITEBYTECODE"
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_first_answer(
    name: str, process: subprocess.Popen[bytes], port: int, log: Path, health: str
) -> None:
    deadline = time.perf_counter() + START_LIMIT_SECONDS
    while not _answers(port, health):
        if process.poll() is not None:
            raise BenchError(f"the {name} ended while it started: {_last_line(log)}")
        if time.perf_counter() > deadline:
            raise BenchError(f"the {name} gave no answer within {START_LIMIT_SECONDS:.0f} seconds")
        time.sleep(POLL_SECONDS)


def _answers(port: int, health: str) -> bool:
    """Whether a GET is answered on `port` now; that of our own health route with 200."""
    wanted = b"HTTP/1.1 200" if health == HEALTH else b"HTTP/1.1 "
    request = f"GET {health} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(request.encode())
            return connection.recv(64).startswith(wanted)
    except OSError:
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it printed nothing")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def memory_megabytes(server: Server, field: str = "VmRSS") -> float:
    """The resident memory of `server` now (`VmRSS`) or at its highest (`VmHWM`), in 10^6 bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    kibibytes = next(line.split()[1] for line in status.splitlines() if line.startswith(field))
    return int(kibibytes) * 1024 / 1e6


def await_idle(server: Server) -> None:
    """Wait until `server` has done the work that earlier requests left behind.

    Otherwise it would take processor time from whatever is measured next.
    """
    deadline = time.monotonic() + IDLE_LIMIT_SECONDS
    quiet = 0
    used = cpu_ticks(server)
    while quiet < 5:
        if time.monotonic() > deadline:
            raise BenchError(f"the {server.name} was still busy after {IDLE_LIMIT_SECONDS:.0f} s")
        time.sleep(0.3)
        now_used = cpu_ticks(server)
        quiet = quiet + 1 if now_used - used <= 1 else 0
        used = now_used


def cpu_ticks(server: Server) -> int:
    """Processor time of `server` so far, in clock ticks (usually hundredths of a second)."""
    stat = Path(f"/proc/{server.process.pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return int(user) + int(system)
