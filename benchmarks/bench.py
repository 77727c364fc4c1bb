"""Measures the emulator against the floor, in the same run, and prints ratios with their targets.

    python benchmarks/bench.py [--seconds 5] [--rounds 3] [--json FILE]

Both servers run at the same time and are driven in turn, so that whatever else the machine does
meets both. Needs wrk. Exit status: 0 if every target is reached, 1 if one is missed, 2 if nothing
could be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import load, pages, servers, steering
from benchmarks.fill import copied_ids, fill
from benchmarks.load import alternate, ended_tasks
from benchmarks.measures import Measure, ratio_measure
from benchmarks.servers import BenchError, Server

PICTURES = Path(__file__).resolve().parent / "pictures.py"
PICTURES_LIMIT_SECONDS = 300
STARTS = 9
READ_IDS = 100
MEMORY_TASKS = 100_000
MEMORY_LIMIT_SECONDS = 300
MANY_TASKS, FEW_TASKS = 1_000_000, 6_000
READS_IN_TURN = 5_000
WIDTHS = (40, 13, 13, 8, 9)


def main() -> int:
    """Run everything; return the exit status."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        load.require_wrk()
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            measures = measure_all(arguments.seconds, arguments.rounds, Path(folder))
        print_table(measures)
        if arguments.json:
            arguments.json.write_text(as_json(measures, arguments.seconds, arguments.rounds))
        pictures_status = run_pictures()
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return pictures_status or int(not all(measure.reached for measure in measures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The emulator's speed against a floor's.")
    parser.add_argument(
        "--seconds", type=_count, default=5, help="length of one run of wrk (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", type=_count, default=3, help="runs behind each median (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    return parser.parse_args()


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 60:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to 60 is needed, not {text!r}")
    return int(text)


def measure_all(seconds: int, rounds: int, folder: Path) -> list[Measure]:
    """Take every measure, with files in `folder`."""
    _progress("start to first answer")
    measures = [measure_start(folder)]
    with (
        servers.emulator(folder / "emulator.sqlite") as emulator,
        servers.floor(folder / "floor.sqlite") as floor,
    ):
        _progress("creations")
        pair = {server.name: server for server in (emulator, floor)}
        posts = {name: load.creations(server, folder) for name, server in pair.items()}
        samples = alternate(posts, seconds, rounds)
        measures.append(
            ratio_measure("POST /v1/images/generations", "/s", samples, 0.7, at_least=True)
        )
        _progress("reads")
        gets = {
            name: load.reads(server, ended_tasks(server, READ_IDS), folder)
            for name, server in pair.items()
        }
        samples = alternate(gets, seconds, rounds)
        measures.append(ratio_measure("GET /v1/tasks/{id}", "/s", samples, 0.8, at_least=True))
    _progress("what the journal costs")
    measures.extend(steering.measure_journal(seconds, rounds, folder))
    _progress("faults")
    measures.append(steering.measure_faults(seconds, rounds, folder))
    _progress("accounts and a suite of tests")
    measures.append(steering.measure_accounts(folder))
    measures.append(steering.measure_handle())
    measures.append(steering.measure_suite(folder))
    measures.append(measure_memory(folder))
    measures.append(measure_many_tasks(seconds, rounds, folder))
    _progress("first paint of the pages")
    measures.extend(pages.measure_pages(folder))
    return measures


def measure_start(folder: Path) -> Measure:
    """From spawning the process to its first answer, on a fresh database each time."""
    ways: dict[str, Callable[[Path], AbstractContextManager[Server]]] = {
        "emulator": servers.emulator,
        "floor": servers.floor,
    }
    samples: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(STARTS + 1):
        for name, run in ways.items():
            with run(folder / f"start-{name}-{number}.sqlite") as server:
                samples[name].append(server.start_seconds * 1000)
    warm = {name: series[1:] for name, series in samples.items()}
    return ratio_measure("start to first answer", "ms", warm, 1.3, at_least=False)


def measure_memory(folder: Path) -> Measure:
    """Resident memory once 100,000 tasks were created and nothing is left to do."""
    _progress(f"memory after {MEMORY_TASKS:,} tasks")
    with servers.emulator(folder / "memory.sqlite") as server:
        posts = load.creations(server, folder)
        fresh = servers.memory_megabytes(server)
        created = 0
        for _ in range(MEMORY_LIMIT_SECONDS // 2):
            created += posts.run(2)[0]
            if created >= MEMORY_TASKS:
                break
        else:
            raise BenchError(f"{created:,} tasks after {MEMORY_LIMIT_SECONDS} s are too few")
        servers.await_idle(server)
        settled = servers.memory_megabytes(server)
        peak = servers.memory_megabytes(server, "VmHWM")
    name = f"memory, {created:,} tasks (base: fresh)"
    samples = {"fresh": [fresh], "settled": [settled], "peak": [peak]}
    return Measure(name, "MB", settled, fresh, settled, 90, at_least=False, samples=samples)


def measure_many_tasks(seconds: int, rounds: int, folder: Path) -> Measure:
    """Reads of other tasks each time, where a million are stored, against some thousand.

    So many are asked for in turn that none is still kept from the last time.
    """
    _progress(f"reads with {MANY_TASKS:,} stored tasks")
    first = folder / "first.sqlite"
    with servers.emulator(first) as server:
        task_ids = ended_tasks(server, READ_IDS)
        servers.await_idle(server)
    loads = {}
    with ExitStack() as stack:
        for name, total in (("many", MANY_TASKS), ("few", FEW_TASKS)):
            database = folder / f"{name}.sqlite"
            fill(first, database, task_ids[0], total)
            server = stack.enter_context(servers.emulator(database))
            spread = copied_ids(task_ids[0], total - READ_IDS, count=READS_IN_TURN)
            loads[name] = load.reads(server, spread, folder)
        samples = alternate(loads, seconds, rounds)
    name = f"GET among {MANY_TASKS:,} tasks (base: {FEW_TASKS:,})"
    return ratio_measure(name, "/s", samples, 1 / 1.2, at_least=True)


def run_pictures() -> int:
    """Print the pictures' own table, if its program is there; return its exit status."""
    if not PICTURES.exists():
        return 0
    print(flush=True)
    words = [sys.executable, str(PICTURES)]
    try:
        return subprocess.run(words, timeout=PICTURES_LIMIT_SECONDS, check=False).returncode
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{PICTURES.name} took over {PICTURES_LIMIT_SECONDS} s") from error


def print_table(measures: list[Measure]) -> None:
    """Print one line a measure, with its verdict."""
    print_line("measure", "emulator", "base", "value", "target", "")
    for measure in measures:
        base = "" if measure.base is None else f"{measure.base:,.0f} {measure.unit}"
        print_line(
            measure.name,
            f"{measure.measured:,.0f} {measure.unit}",
            base,
            f"{measure.value:.2f}" if measure.value < 10 else f"{measure.value:.0f}",
            f"{'>=' if measure.at_least else '<='} {measure.target:.3g}",
            "ok" if measure.reached else "MISSED",
        )


def print_line(name: str, measured: str, base: str, value: str, target: str, verdict: str) -> None:
    """Print one line in the table's columns."""
    cells = (name.ljust(WIDTHS[0]), measured, base, value, target)
    padded = (cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))
    print("".join(padded), f" {verdict}".rstrip())


def as_json(measures: list[Measure], seconds: int, rounds: int) -> str:
    """Everything that was measured, and where, for a program to read."""
    machine = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
    }
    lines = [asdict(measure) | {"reached": measure.reached} for measure in measures]
    report = {"machine": machine, "seconds": seconds, "rounds": rounds, "measures": lines}
    return json.dumps(report, indent=2) + "\n"


def _progress(what: str) -> None:
    """Say on stderr what is being measured."""
    print(f"measuring: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
