"""Several reports side by side: targets or dates, and what changed between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from rich.console import Console
from rich.text import Text

from contracts.options import EXIT_USAGE, EngineError
from contracts.report.labels import differences, labels
from contracts.report.lines import counted
from contracts.report.model import ClaimFacts
from contracts.report_json import LoadedReport
from contracts.terminal import STYLES, print_indented, totals_text
from contracts.verdict import Verdict

FEWEST, MOST = 2, 6
_WIDEST_CELL = 18

# From good to bad. What was not run, or could not be judged, is neither.
_RANKS = {
    Verdict.PASS: 0,
    Verdict.OBSERVED: 0,
    Verdict.NON_STRICT: 1,
    Verdict.UNSUPPORTED: 2,
    Verdict.FAIL: 3,
}


class Change(StrEnum):
    """What became of a claim; the first is what a reader wants to see first."""

    WORSE = "worse"
    BETTER = "better"
    CHANGED = "changed"
    SAME = "same"


_CHANGE_STYLES = {
    Change.WORSE: "bold red",
    Change.BETTER: "bold green",
    Change.CHANGED: "bold yellow",
    Change.SAME: "bold",
}


@dataclass(frozen=True)
class Column:
    """A report that is compared.

    Attributes:
        label: host, profile and date, different for each column.
        loaded: the report.
    """

    label: str
    loaded: LoadedReport


@dataclass(frozen=True)
class Cell:
    """What one report says about a claim.

    Attributes:
        verdict: None where the claim is not in this report.
        reading: the reading that was seen; None where there is none.
        reason: one line; empty where there is nothing to say.
        change: against the first report that has the claim.
    """

    verdict: Verdict | None
    reading: str | None
    reason: str
    change: Change


@dataclass(frozen=True)
class Row:
    """A claim in all reports.

    Attributes:
        claim_id: the claim.
        section: where it belongs.
        claim: what is claimed; Markdown.
        cells: one a report.
    """

    claim_id: str
    section: str
    claim: str
    cells: tuple[Cell, ...]

    @property
    def change(self) -> Change:
        """The first kind of change, in the order of ``Change``, that a report has."""
        found = {cell.change for cell in self.cells}
        return next(change for change in Change if change in found)


@dataclass(frozen=True)
class Comparison:
    """Reports side by side.

    Attributes:
        columns: the reports; the first is what the others are compared with.
        rows: all claims, in the order of the catalogues.
        notes: what makes the reports less comparable, one line each.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @cached_property
    def by_change(self) -> dict[Change, tuple[Row, ...]]:
        """The rows with each kind of change."""
        return {
            change: tuple(row for row in self.rows if row.change is change) for change in Change
        }

    @property
    def is_worse(self) -> bool:
        """Whether a claim changed for the worse in any of the reports."""
        return bool(self.by_change[Change.WORSE])

    @property
    def summary(self) -> str:
        """How many claims changed in which way."""
        words = [f"{len(rows)} {change}" for change, rows in self.by_change.items()]
        return f"{counted(len(self.rows), 'claim')}: {', '.join(words)}"


def compare(reports: Sequence[LoadedReport]) -> Comparison:
    """Put reports side by side.

    Args:
        reports: 2 to 6 of them; the first is what the others are compared with.

    Raises:
        EngineError: there are fewer or more.
    """
    if not FEWEST <= len(reports) <= MOST:
        message = f"compare takes {FEWEST} to {MOST} reports; {len(reports)} were given"
        raise EngineError(message, EXIT_USAGE)
    columns = tuple(map(Column, labels(reports), reports))
    by_id = [{claim.id: claim for claim in loaded.report.claims} for loaded in reports]
    ids = dict.fromkeys(claim_id for claims in by_id for claim_id in claims)
    rows = tuple(_row([claims.get(claim_id) for claims in by_id]) for claim_id in ids)
    lacking = sum(any(cell.verdict is None for cell in row.cells) for row in rows)
    notes = differences(reports)
    if lacking:
        notes.append(
            f"{counted(lacking, 'claim')} {'is' if lacking == 1 else 'are'} not in every report."
        )
    return Comparison(columns, rows, tuple(notes))


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Write a comparison as JSON values."""
    return {
        "format": "gpt-image-contracts/comparison",
        "schema_version": 1,
        "reports": [
            {
                "label": column.label,
                "file": column.loaded.name,
                "kit_version": column.loaded.report.kit_version,
                "run": column.loaded.report.run.model_dump(mode="json"),
            }
            for column in comparison.columns
        ],
        "notes": list(comparison.notes),
        "totals": {change.value: len(rows) for change, rows in comparison.by_change.items()},
        "claims": [_row_json(row) for row in comparison.rows],
    }


def print_comparison(comparison: Comparison, console: Console, show_all: bool = False) -> None:
    """Print a comparison: what differs, worse before better, and how much is the same.

    Args:
        comparison: what is shown.
        console: where to, usually standard output.
        show_all: list what is the same as well.
    """
    for number, column in enumerate(comparison.columns, 1):
        console.print(Text.assemble((f"{number}", "bold"), f"  {column.label}"))
        details = Text.assemble(totals_text(column.loaded.report), f"  ({column.loaded.name})")
        print_indented(console, details, 3)
    for note in comparison.notes:
        console.print(Text(f"Note: {note}"))
    console.print()
    for change, rows in comparison.by_change.items():
        if rows and (change is not Change.SAME or show_all):
            _print_rows(change, rows, console)
    console.print(Text(comparison.summary))


def change_between(first: ClaimFacts, other: ClaimFacts) -> Change:
    """How a claim changed from one report to another."""
    if first.verdict is other.verdict:
        return Change.SAME if first.reading == other.reading else Change.CHANGED
    before, after = _RANKS.get(first.verdict), _RANKS.get(other.verdict)
    if other.verdict is Verdict.FAIL:
        return Change.WORSE
    if before is None or after is None or before == after:
        return Change.CHANGED
    return Change.WORSE if after > before else Change.BETTER


def _row(claims: Sequence[ClaimFacts | None]) -> Row:
    first = next(claim for claim in claims if claim is not None)
    cells = tuple(
        Cell(None, None, "", Change.CHANGED)
        if claim is None
        else Cell(claim.verdict, claim.reading, claim.reason, change_between(first, claim))
        for claim in claims
    )
    return Row(first.id, first.section, first.claim, cells)


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "id": row.claim_id,
        "section": row.section,
        "claim": row.claim,
        "change": row.change.value,
        "reports": [
            {
                "verdict": None if cell.verdict is None else cell.verdict.value,
                "reading": cell.reading,
                "reason": cell.reason,
                "change": cell.change.value,
            }
            for cell in row.cells
        ],
    }


def _print_rows(change: Change, rows: tuple[Row, ...], console: Console) -> None:
    id_width = max(len(row.claim_id) for row in rows)
    cells = len(rows[0].cells)
    width = min(_WIDEST_CELL, (console.width - id_width - 4) // cells - 1)
    head = Text.assemble((change.capitalize().ljust(id_width + 4), _CHANGE_STYLES[change]))
    for number in range(1, cells + 1):
        head.append(str(number).ljust(width + 1))
    head.rstrip()
    console.print(head, no_wrap=True)
    for row in rows:
        line = Text(f"  {row.claim_id.ljust(id_width)}  ")
        for cell in row.cells:
            line.append_text(_cell_text(cell, width)).append(" ")
        line.rstrip()
        line.truncate(console.width, overflow="ellipsis")
        console.print(line, no_wrap=True)
        if change is not Change.SAME:
            for reason in _reasons(row):
                print_indented(console, Text(reason, style="dim"), id_width + 4)
    console.print()


def _cell_text(cell: Cell, width: int) -> Text:
    if cell.verdict is None:
        text = Text("absent", style="dim")
    else:
        reading = Text(f" {cell.reading}" if cell.reading else "")
        reading.truncate(max(2, width // 2), overflow="ellipsis")
        text = Text(cell.verdict, style=STYLES[cell.verdict])
        text.truncate(max(1, width - reading.cell_len), overflow="ellipsis")
        text.append_text(reading)
    text.pad_right(max(0, width - text.cell_len))
    return text


def _reasons(row: Row) -> list[str]:
    """Each reason once, after the numbers of the reports that give it."""
    numbers: dict[str, list[str]] = {}
    for number, cell in enumerate(row.cells, 1):
        if cell.reason:
            numbers.setdefault(cell.reason, []).append(str(number))
    return [f"{', '.join(found)}: {reason}" for reason, found in numbers.items()]
