"""What steering and asking cost the requests that use none of it."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median

from benchmarks import load, servers
from benchmarks.load import Load, ended_tasks
from benchmarks.measures import Measure

READ_IDS = 100
JOURNAL_TARGET = 0.95
MICROSECONDS_PER_TICK = 1e6 / os.sysconf("SC_CLK_TCK")


def measure_journal(seconds: int, rounds: int, folder: Path) -> list[Measure]:
    """The journal, which is on by default, against none."""
    with (
        servers.emulator(folder / "journal.sqlite") as noting,
        servers.emulator(folder / "no-journal.sqlite", "--journal-entries", "0") as bare,
    ):
        pair = {"journal": noting, "none": bare}
        posts = {name: load.creations(server, folder) for name, server in pair.items()}
        gets = {
            name: load.reads(server, ended_tasks(server, READ_IDS), folder)
            for name, server in pair.items()
        }
        return [
            _measure(f"{method} with the journal (base: none)", loads, seconds, rounds)
            for method, loads in (("POST", posts), ("GET", gets))
        ]


def _measure(name: str, loads: dict[str, Load], seconds: int, rounds: int) -> Measure:
    """Compare the processor time of a request, with all the work that it leaves behind.

    A few per cent are asked about, and answers a second differ by more than that from run to run
    where the machine has other work. The server is bound by the processor, so that the ratio of
    the times is the ratio of the answers a second, the other way round.
    """
    samples: dict[str, list[float]] = {name: [] for name in loads}
    for number in range(rounds + 1):
        order = list(loads) if number % 2 == 0 else list(reversed(loads))
        for each in order:
            samples[each].append(_microseconds_a_request(loads[each], seconds))
    warm = {each: series[1:] for each, series in samples.items()}
    measured, base = (median(series) for series in warm.values())
    return Measure(name, "us", measured, base, base / measured, JOURNAL_TARGET, True, warm)


def _microseconds_a_request(each: Load, seconds: int) -> float:
    before = servers.cpu_ticks(each.server)
    answered, _ = each.run(seconds)
    servers.await_idle(each.server)
    return (servers.cpu_ticks(each.server) - before) * MICROSECONDS_PER_TICK / answered
