"""How long tasks take, and when one that hangs is given up."""

import math
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from emulator.calibration.lesson import Finding, Lesson, finding, joined, plain
from emulator.calibration.observed import Asked, Observed, Read
from emulator.core.clock import SECOND
from emulator.settings import Settings

_SWEPT = "timeout"
_ASSUMED = Settings()


def learn_timing(found: Observed) -> list[Lesson]:
    """Find the range of latencies, and the sweep."""
    asked = {creation.task_id: creation.asked for creation in found.creations}
    tasks = {
        read.task_id: duration_ms
        for read in found.reads
        if read.succeeded and (duration_ms := _duration_ms(read)) is not None
    }
    durations = [(duration_ms, asked.get(task_id)) for task_id, duration_ms in tasks.items()]
    unit = "tasks"
    if not durations:  # SYNC-1: who waits for the images knows how long they took
        durations = [
            (round(creation.waited_ms), creation.asked)
            for creation in found.creations
            if creation.waited_ms is not None
        ]
        unit = "waiting calls"
    return [_latency(durations, unit), _sweep(found, [ms for ms, _ in durations])]


def _duration_ms(read: Read) -> int | None:
    if read.created_at is None or read.completed_at is None:
        return None
    return max(0, read.completed_at - read.created_at)


def _latency(durations: list[tuple[int, Asked | None]], unit: str) -> Lesson:
    if not durations:
        return Lesson("latency", None, (Finding("TASK-1", "latency", str(_ASSUMED.latency)),))
    value = _range([ms for ms, _ in durations])
    note = joined(_differing(durations))
    found = Finding("TASK-1", "latency", str(_ASSUMED.latency), value, len(durations), unit, note)
    return Lesson("latency", value, (found,))


def _range(durations_ms: list[int]) -> str:
    shortest, longest = (plain(ms / SECOND) for ms in (min(durations_ms), max(durations_ms)))
    return shortest if shortest == longest else f"{shortest}-{longest}"


def _differing(durations: list[tuple[int, Asked | None]]) -> list[str]:
    """Name what latencies go by, where they fall apart: the emulator draws from the whole."""
    notes = []
    for name in ("quality", "tier", "n"):
        groups: dict[str, list[int]] = {}
        for duration_ms, asked in durations:
            if asked is not None:
                key = getattr(asked, name)
                groups.setdefault("default" if key is None else str(key), []).append(duration_ms)
        if _apart(groups):
            shown = ", ".join(f"{key} {_range(groups[key])}" for key in sorted(groups))
            notes.append(f"it goes by {name} ({shown}), the emulator draws from the whole range")
    return notes


def _apart(groups: Mapping[str, list[int]]) -> bool:
    """Whether there are several groups, with more than a task each, that do not overlap."""
    ends = sorted((min(group), max(group)) for group in groups.values())
    enough = len(ends) > 1 and all(len(group) > 1 for group in groups.values())
    return enough and all(one[1] < other[0] for one, other in pairwise(ends))


def _sweep(found: Observed, durations_ms: list[int]) -> Lesson:
    """When a task that has not ended is failed; never before one that was seen to succeed."""
    assumed = plain(_ASSUMED.stuck_after_seconds)
    swept = {
        read.task_id: duration_ms
        for read in found.reads
        if read.error_code == _SWEPT and (duration_ms := _duration_ms(read)) is not None
    }
    seconds = Counter(str(round(ms / SECOND)) for ms in swept.values())
    result = finding("TASK-11", "seconds until the sweep", assumed, seconds, "tasks")
    longest = max(durations_ms, default=0) / SECOND
    if longest > float(result.seen or assumed):
        seen = str(math.ceil(longest))
        note = "one that took this long succeeded"
        result = Finding("TASK-11", result.what, assumed, seen, 1, "tasks", note)
    return Lesson("stuck_after_seconds", result.seen, (result,))
