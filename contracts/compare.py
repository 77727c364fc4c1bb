"""Several reports side by side: targets or dates, and what changed between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from contracts.options import EXIT_FAILED, EXIT_USAGE, EngineError
from contracts.report.lines import counted
from contracts.report.model import ClaimFacts
from contracts.report_json import LoadedReport
from contracts.verdict import Verdict

FEWEST, MOST = 2, 6

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
    def exit_code(self) -> int:
        """1 where something changed for the worse, else 0."""
        return EXIT_FAILED if self.by_change[Change.WORSE] else 0


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
    columns = tuple(map(Column, _labels(reports), reports))
    by_id = [{claim.id: claim for claim in loaded.report.claims} for loaded in reports]
    ids = dict.fromkeys(claim_id for claims in by_id for claim_id in claims)
    rows = tuple(_row([claims.get(claim_id) for claims in by_id]) for claim_id in ids)
    return Comparison(columns, rows, tuple(_notes(reports, rows)))


def to_json(comparison: Comparison) -> dict[str, Any]:
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


def _labels(reports: Sequence[LoadedReport]) -> list[str]:
    """The shortest labels that tell the reports apart."""
    forms: tuple[Callable[[LoadedReport], str], ...] = (
        lambda r: f"{_who(r)} {r.report.run.started_at:%Y-%m-%d}",
        lambda r: f"{_who(r)} {r.report.run.started_at:%Y-%m-%d %H:%M}",
        lambda r: f"{_who(r)} {r.report.run.started_at:%Y-%m-%d %H:%M} {r.name}",
    )
    labels: list[str] = []
    for form in forms:
        labels = [form(report) for report in reports]
        if len(set(labels)) == len(labels):
            break
    return labels


def _who(loaded: LoadedReport) -> str:
    run = loaded.report.run
    try:
        host = urlsplit(run.target).netloc
    except ValueError:  # a recorded trace may name any target
        host = ""
    return f"{host or run.target or 'unknown target'} {run.profile or 'unknown profile'}"


def _notes(reports: Sequence[LoadedReport], rows: Sequence[Row]) -> list[str]:
    notes = []
    kits = [loaded.report.kit_version for loaded in reports]
    if len(set(kits)) > 1:
        notes.append(f"The kit's versions differ: {_by_number(kits)}.")
    judged = ["strict" if loaded.report.run.strict else "not strict" for loaded in reports]
    if len(set(judged)) > 1:
        notes.append(f"The reports are not judged alike: {_by_number(judged)}.")
    modes = [loaded.report.run.mode for loaded in reports]
    if len(set(modes)) > 1:
        notes.append(f"The runs did not go equally far: {_by_number(modes)}.")
    lacking = sum(any(cell.verdict is None for cell in row.cells) for row in rows)
    if lacking:
        verb = "is" if lacking == 1 else "are"
        notes.append(f"{counted(lacking, 'claim')} {verb} not in every report.")
    return notes


def _by_number(values: Sequence[str]) -> str:
    return ", ".join(f"{number}: {value}" for number, value in enumerate(values, 1))
