"""How the server scales: processes on PostgreSQL, stored tasks, accounts.

    python -m benchmarks.scaling [--seconds 4] [--rounds 3]

Prints tables for docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import load, servers
from benchmarks.fill import copied_ids, fill
from benchmarks.load import Load, ended_tasks
from benchmarks.measures import latencies_ms, rate
from benchmarks.peer_servers import CREATE
from benchmarks.servers import BenchError, Server
from scripts.postgres import NoPostgres, cluster

WORKERS = (1, 2, 4)
STORED = (10, 10_000, 1_000_000)
ACCOUNTS = 10_000
Samples = dict[str, list[dict[str, int]]]


def main() -> int:
    """Run everything; return the exit status."""
    parser = argparse.ArgumentParser(description="How the server scales.")
    parser.add_argument("--seconds", type=int, default=4, help="length of one run of wrk")
    parser.add_argument("--rounds", type=int, default=3, help="runs behind each median")
    arguments = parser.parse_args()
    seconds, rounds = arguments.seconds, arguments.rounds
    try:
        load.require_wrk()
        with tempfile.TemporaryDirectory(prefix="scaling-") as folder:
            print(_table("PostgreSQL", _workers(seconds, rounds, Path(folder))))
            print(_table("SQLite file", _stored(seconds, rounds, Path(folder))))
            print(_table("SQLite file", _accounts(seconds, rounds, Path(folder))))
    except (BenchError, NoPostgres, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return 0


def _workers(seconds: int, rounds: int, folder: Path) -> Samples:
    """Creations and polls of one account and of 32, with more and more processes."""
    samples: Samples = {}
    keys = [f"sk-bench-{number}" for number in range(load.CONNECTIONS)]
    with cluster() as postgres:
        for number in range(rounds):
            for workers in WORKERS:
                url = postgres.create(f"bench_{number}_{workers}")
                with _on_postgres(url, workers, folder) as server:
                    task_id = ended_tasks(server, 1)[0]
                    words = f"{workers} worker{'s' if workers > 1 else ''}"
                    loads = {
                        f"POST, one account, {words}": load.creations(server, folder),
                        f"POST, 32 accounts, {words}": _creations_of(server, keys, folder),
                        f"GET, {words}": load.reads(server, [task_id], folder),
                    }
                    for name, one in loads.items():
                        one.run(1)
                        samples.setdefault(name, []).append(one.counts(seconds))
    return samples


@contextmanager
def _on_postgres(url: str, workers: int, folder: Path) -> Iterator[Server]:
    port = servers.free_port()
    flags = ["--port", str(port), "--database", url, "--workers", str(workers)]
    words = [*servers.EMULATOR, *servers.EMULATOR_FLAGS, *flags]
    with servers.started("emulator", words, port, folder / f"{port}.log") as server:
        yield server


def _creations_of(server: Server, keys: list[str], folder: Path) -> Load:
    """Load that creates a task with each key in turn."""
    text = CREATE.text(server.port)
    return Load(server, [text.replace(load.KEY, key) for key in keys], folder)


def _stored(seconds: int, rounds: int, folder: Path) -> Samples:
    """Creations and polls with more and more stored tasks."""
    samples: Samples = {}
    with ExitStack() as stack:
        loads: dict[str, Load] = {}
        for count in STORED:
            few, many = folder / f"few-{count}.sqlite", folder / f"many-{count}.sqlite"
            with servers.emulator(few) as server:
                task_ids = ended_tasks(server, min(count, 10))
                servers.await_idle(server)
            if count > 10:
                fill(few, many, task_ids[0], count)
                task_ids = copied_ids(task_ids[0], count - 10, count=1_000)
            server = stack.enter_context(servers.emulator(many if count > 10 else few))
            loads[f"POST, {count:,} tasks"] = load.creations(server, folder)
            loads[f"GET, {count:,} tasks"] = load.reads(server, task_ids, folder)
        _alternate(loads, seconds, rounds, samples)
    return samples


def _accounts(seconds: int, rounds: int, folder: Path) -> Samples:
    """Creations by one account, and by many in turn, after each was used once."""
    samples: Samples = {}
    keys = [f"sk-bench-{number}" for number in range(ACCOUNTS)]
    with servers.emulator(folder / "accounts.sqlite") as server:
        loads = {
            "POST, one account": load.creations(server, folder),
            f"POST, {ACCOUNTS:,} accounts in turn": _creations_of(server, keys, folder),
        }
        used = 0
        while used < ACCOUNTS:
            used += loads[f"POST, {ACCOUNTS:,} accounts in turn"].run(5)[0]
        _alternate(loads, seconds, rounds, samples)
    return samples


def _alternate(loads: dict[str, Load], seconds: int, rounds: int, samples: Samples) -> None:
    for one in loads.values():
        one.run(1)
    for number in range(rounds):
        for name in list(loads) if number % 2 == 0 else list(loads)[::-1]:
            servers.await_idle(loads[name].server)
            samples.setdefault(name, []).append(loads[name].counts(seconds))


def _table(head: str, samples: Samples) -> str:
    """Medians as a table in markdown."""
    rows = [f"| {head} | a second | p50 | p99 |", "|---|---|---|---|"]
    for name, counts in samples.items():
        low, high = latencies_ms(counts)
        rows.append(f"| {name} | {rate(counts)} | {low:.1f} ms | {high:.1f} ms |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())
