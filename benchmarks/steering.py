"""What steering and asking cost the requests that use none of it."""

from __future__ import annotations

from pathlib import Path

from benchmarks import load, servers
from benchmarks.load import alternate, ended_tasks
from benchmarks.measures import Measure, ratio_measure

READ_IDS = 100
JOURNAL_TARGET = 0.95


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
            ratio_measure(
                f"{method} with the journal (base: none)",
                "/s",
                alternate(loads, seconds, rounds),
                JOURNAL_TARGET,
                at_least=True,
            )
            for method, loads in (("POST", posts), ("GET", gets))
        ]
