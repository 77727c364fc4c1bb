"""Lessons as a settings file, and as a short table."""

from collections.abc import Iterable, Iterator, Sequence

from emulator.calibration.lesson import VERDICTS, Finding, Lesson
from emulator.calibration.observed import Observed
from emulator.core.clock import rfc3339


def settings_file(lessons: Sequence[Lesson], found: Observed) -> str:
    """Write the settings file: a comment for each value, and nothing of the trace's texts."""
    lines = [
        "# Settings that make gpt-image-emulator behave as a recorded trace did.",
        f"# Learned from {summary(found)}.",
    ]
    for lesson in lessons:
        seen = [finding for finding in lesson.findings if finding.seen is not None]
        if not seen and not lesson.notes:
            continue
        lines += ["", *(f"# {_comment(finding)}" for finding in lesson.findings)]
        lines += [f"# {note}" for note in lesson.notes]
        if lesson.value is not None:
            lines.append(f'{lesson.setting} = "{lesson.value}"')
        elif all(finding.settable for finding in seen) and not lesson.notes:
            lines.append(f"# {lesson.setting} needs nothing: the profile does so.")
    unseen = [
        lesson.setting
        for lesson in lessons
        if all(finding.seen is None for finding in lesson.findings) and not lesson.notes
    ]
    if unseen:
        lines += ["", f"# Not seen, so left as assumed: {', '.join(unseen)}."]
    return "\n".join(lines) + "\n"


def summary(found: Observed) -> str:
    """Say how much a trace has."""
    parts = (
        (len(found.creations), "creations"),
        (len(found.reads) - len(found.attempts), "task reads"),
        (len(found.fetches), "requests to links"),
        (len(found.attempts), "callbacks"),
    )
    text = ", ".join(f"{count} {name}" for count, name in parts)
    instants = [read.at for read in found.reads if read.at is not None]
    if instants:
        days = sorted({rfc3339(at)[:10] for at in (min(instants), max(instants))})
        text += f", {' to '.join(days)}"
    return text


def _comment(finding: Finding) -> str:
    value = f"{finding.claim} assumed {finding.what} = {finding.assumed}"
    if finding.seen is None:
        return f"{value}; not seen"
    seen = "the same" if finding.seen == finding.assumed else finding.seen
    note = f" ({finding.note})" if finding.note else ""
    return f"{value}; seen {seen} in {finding.times}{note}"


def table(lessons: Iterable[Lesson], found: Observed) -> str:
    """Write what was replaced, confirmed and not seen, a line for each value."""
    lessons = list(lessons)
    lines = [f"Learned from {summary(found)}."]
    for verdict in VERDICTS:
        rows = [
            (finding.claim, lesson.setting, finding)
            for lesson in lessons
            for finding in lesson.findings
            if finding.verdict == verdict
        ]
        if rows:
            lines += ["", f"{verdict} ({len(rows)})", *_rows(verdict, rows)]
    notes = [note for lesson in lessons for note in lesson.notes]
    if found.not_understood:
        notes.append(
            f"{found.not_understood} creations were left out: their size, quality or n is none"
            " that the emulator knows"
        )
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def _rows(verdict: str, rows: Sequence[tuple[str, str, Finding]]) -> Iterator[str]:
    wide = max(len(setting) for _, setting, _ in rows)
    wider = max(len(finding.what) for _, _, finding in rows)
    for claim, setting, finding in rows:
        value = finding.assumed
        if verdict in ("replaced", "not settable"):
            value = f"{finding.assumed} -> {finding.seen}"
        seen = "" if finding.seen is None else f"  {finding.times}"
        note = f"  ({finding.note})" if finding.note else ""
        yield f"  {claim:<8} {setting:<{wide}}  {finding.what:<{wider}}  {value}{seen}{note}"
