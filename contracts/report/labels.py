"""What tells compared reports apart, and what makes them less comparable."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from contracts.report_json import LoadedReport


def labels(reports: Sequence[LoadedReport]) -> list[str]:
    """The shortest labels that tell the reports apart."""
    forms: tuple[Callable[[LoadedReport], str], ...] = (
        lambda r: f"{_who(r)} {r.report.run.started_at:%Y-%m-%d}",
        lambda r: f"{_who(r)} {r.report.run.started_at:%Y-%m-%d %H:%M}",
        lambda r: f"{_who(r)} {r.report.run.started_at:%Y-%m-%d %H:%M} {r.name}",
    )
    found: list[str] = []
    for form in forms:
        found = [form(report) for report in reports]
        if len(set(found)) == len(found):
            break
    return found


def _who(loaded: LoadedReport) -> str:
    run = loaded.report.run
    try:
        host = urlsplit(run.target).netloc
    except ValueError:  # a recorded trace may name any target
        host = ""
    return f"{host or run.target or 'unknown target'} {run.profile or 'unknown profile'}"


def differences(reports: Sequence[LoadedReport]) -> list[str]:
    """What makes reports less comparable, one line each."""
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
    return notes


def _by_number(values: Sequence[str]) -> str:
    return ", ".join(f"{number}: {value}" for number, value in enumerate(values, 1))
