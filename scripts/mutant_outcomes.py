"""What runs said, kept in a file: a matrix takes hours, and may be stopped and taken up again."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from scripts.mutant_runs import ROOT, SCHEMATHESIS, Outcome, Run

_RUN = ("mutant", "profile", "column", "seed")
_JUDGED = ("emulator", "tests/contracts/mutants", "openapi.yaml", "constraints.txt")
_KIT = ("contracts",)


class Outcomes:
    """What runs said.

    Args:
        path: the file, one line a run; None: nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._by_run: dict[Run, Outcome] = {}
        if path is not None and path.exists():
            self._by_run.update(_kept(path.read_text("utf-8")))

    def __contains__(self, run: Run) -> bool:
        return run in self._by_run

    def __getitem__(self, run: Run) -> Outcome:
        return self._by_run[run]

    def add(self, run: Run, outcome: Outcome) -> None:
        """Keep what a run said."""
        self._by_run[run] = outcome
        if self._path is not None:
            line = {"code": fingerprint(run.column), **asdict(run), **asdict(outcome)}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def _kept(text: str) -> Iterator[tuple[Run, Outcome]]:
    """The lines that the code as it is would write; a line that was cut off is none."""
    for line in text.splitlines():
        try:
            values: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        run = Run(*(values[name] for name in _RUN))
        if values["code"] == fingerprint(run.column):
            failed, problems = tuple(values["failed"]), tuple(values["problems"])
            yield run, Outcome(failed, problems, values["seconds"])


@cache
def fingerprint(column: int) -> str:
    """A digest of all the code that a column's outcomes follow from."""
    parts = _JUDGED if column == SCHEMATHESIS else (*_JUDGED, *_KIT)
    digest = hashlib.sha256()
    for part in parts:
        path = ROOT / part
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]
