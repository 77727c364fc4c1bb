"""This server beside the ones that users would take otherwise, on the same two cores, in one run.

    python -m benchmarks.peers [--seconds 5] [--rounds 3]

Each is started alone in turn, so that none takes a core from another, and the rounds go through
all of them again and again, so that whatever else the machine does meets all. Prints a table for
docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import load, servers
from benchmarks.load import Load
from benchmarks.measures import latencies_ms, rate
from benchmarks.peer_servers import CREATE, MAKE_TABLE, POLL, Call, Peer, install_peers
from benchmarks.peer_servers import PEERS as ALL
from benchmarks.servers import BenchError, Server

START_PATH = "/"


@dataclass
class Figures:
    """What was seen of one server, a sample for each round."""

    name: str
    starts_ms: list[float] = field(default_factory=list)
    creates: list[dict[str, int]] = field(default_factory=list)
    polls: list[dict[str, int]] = field(default_factory=list)
    before_mb: list[float] = field(default_factory=list)
    after_mb: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Contender:
    """A server that can be started, and what is sent to it."""

    name: str
    run: Callable[[Path], object]
    create: Call
    poll: Call | None


def main() -> int:
    """Run the comparison; return the exit status."""
    parser = argparse.ArgumentParser(description="This server beside others.")
    parser.add_argument("--seconds", type=int, default=5, help="length of one run of wrk")
    parser.add_argument("--rounds", type=int, default=3, help="runs behind each median")
    arguments = parser.parse_args()
    try:
        load.require_wrk()
        contenders = _contenders()
        with tempfile.TemporaryDirectory(prefix="peers-") as folder:
            figures = compare(contenders, arguments.seconds, arguments.rounds, Path(folder))
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(as_table(figures))
    return 0


def _contenders() -> list[Contender]:
    own = [
        Contender("this server", lambda f: servers.emulator(f / "emulator.sqlite"), CREATE, None),
        Contender("the floor", lambda f: servers.floor(f / "floor.sqlite"), CREATE, None),
    ]
    try:
        install = install_peers()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return own
    return own + [_contender(peer, install) for peer in ALL]


def _contender(peer: Peer, install: Path) -> Contender:
    @contextmanager
    def run(folder: Path) -> Iterator[Server]:
        port = servers.free_port()
        words = peer.command(install, folder, port)
        log = folder / f"{peer.name}.{port}.log"
        with servers.started(peer.name, words, port, log, START_PATH) as server:
            yield server

    return Contender(f"{peer.name} {peer.version}", run, peer.create, peer.poll)


def compare(contenders: list[Contender], seconds: int, rounds: int, folder: Path) -> list[Figures]:
    """Start and drive every server in every round."""
    figures = {one.name: Figures(one.name) for one in contenders}
    for number in range(rounds):
        order = contenders if number % 2 == 0 else contenders[::-1]
        for one in order:
            print(f"measuring: {one.name}, round {number + 1}", file=sys.stderr, flush=True)
            place = folder / f"{number}-{contenders.index(one)}"
            place.mkdir()
            _drive(one, seconds, place, figures[one.name])
    return list(figures.values())


def _drive(one: Contender, seconds: int, folder: Path, seen: Figures) -> None:
    with one.run(folder) as server:  # type: ignore[attr-defined]
        seen.starts_ms.append(server.start_seconds * 1000)
        poll = one.poll
        if poll is None:
            task_id = load.ended_tasks(server, 1)[0]
            poll = Call(POLL.method, f"/v1/tasks/{task_id}", "", POLL.headers, POLL.answer_has)
        if one.name.startswith("moto"):
            _send(server, MAKE_TABLE)
        creates = _load(server, one.create, folder)
        polls = _load(server, poll, folder)
        seen.before_mb.append(servers.memory_megabytes(server))
        creates.run(1)
        seen.creates.append(creates.counts(seconds))
        polls.run(1)
        seen.polls.append(polls.counts(seconds))
        seen.after_mb.append(servers.memory_megabytes(server))


def _load(server: Server, call: Call, folder: Path) -> Load:
    """Load that sends one call again and again, once its answer was seen to be the right one."""
    answer = _send(server, call)
    if call.answer_has not in answer:
        raise BenchError(f"the {server.name} answered {call.path} with {answer[:200]!r}")
    return Load(server, [call.text(server.port)], folder)


def _send(server: Server, call: Call) -> str:
    headers = dict(header.split(": ", 1) for header in call.headers)
    request = urllib.request.Request(
        server.url + call.path, call.body.encode() or None, headers, method=call.method
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text: str = answer.read().decode()
            return text
    except OSError as error:
        raise BenchError(f"the {server.name} did not answer {call.path}: {error}") from error


def as_table(figures: list[Figures]) -> str:
    """The medians as a table in markdown."""
    rows = [
        "| server | creates/s | p50, p99 | polls/s | p50, p99 | start | memory before, after |",
        "|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {one.name} | {rate(one.creates)} | {_latency(one.creates)} | {rate(one.polls)}"
        f" | {_latency(one.polls)} | {median(one.starts_ms):,.0f} ms"
        f" | {median(one.before_mb):.0f}, {median(one.after_mb):.0f} MB |"
        for one in figures
    ]
    return "\n".join(rows)


def _latency(samples: list[dict[str, int]]) -> str:
    low, high = latencies_ms(samples)
    return f"{low:.1f}, {high:.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
