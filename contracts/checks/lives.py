"""A task's life: what it shows, in which order, and that its end stays its end."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from contracts.exchange import Exchange, fields_of
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.observed import (
    ENDED,
    EXPIRED,
    FAILED,
    GENERATIONS,
    STATUSES,
    SUCCESS,
    TASKS,
    Life,
    Read,
    instant,
    is_foreign,
)
from contracts.view import View

_TOLERANCE_SECONDS = 5.0
_HOUR, _DAY = 3600.0, 24 * 3600.0
_SWEEP_SECONDS = 600.0  # TASK-11
_MEMBERS = ("task_id", "status", "model", "type", "created_at", "completed_at", "result", "error")
_RANK = {"pending": 0, "processing": 1}


def without_queries(value: Any) -> Any:
    """A value in which links have lost their queries: a link may be signed anew at each read."""
    if isinstance(value, dict):
        return {name: without_queries(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_queries(member) for member in value]
    if isinstance(value, str) and re.match(r"https?://", value):
        return value.partition("?")[0]
    return value


def _all_reads(view: View) -> Iterator[tuple[Life, Read]]:
    for life in view.lives.values():
        for read in life.reads:
            yield life, read


@judges("TASK-1")
def creation_never_waits(view: View) -> Iterator[Finding]:
    """No answer of the asynchronous creation carries a result or an end (TASK-1)."""
    for creation in view.creations:
        if creation.exchange.request.path != GENERATIONS or not creation.accepted:
            continue
        answer = creation.answer
        early = [name for name in ("result", "data") if answer.get(name)]
        ended = answer.get("status") in ENDED
        message = f"the creation answers {creation.status} with {early or answer.get('status')!r}"
        yield judged("TASK-1", not early and not ended, message, creation.exchange)


@judges("TASK-1")
def task_can_be_polled_to_its_end(view: View) -> Iterator[Finding]:
    """Its creator's reads are never 404, and an hour later it has ended (TASK-1)."""
    for exchange in view.task_reads:
        life = view.lives.get(exchange.request.path.removeprefix(TASKS))
        if life is None or life.creation is None or is_foreign(life, exchange):
            continue
        if exchange.number < life.creation.exchange.number or exchange.response is None:
            continue
        if exchange.response.status == 404:
            message = f"{life.task_id} was created, and reading it answers 404"
            yield breaks("TASK-1", message, life.creation.exchange, exchange)
    for life in view.lives.values():
        if life.ends:
            yield holds("TASK-1", life.ends[0].exchange)
        elif life.creation is not None and life.reads:
            last = life.reads[-1].exchange
            if last.sent_at - life.creation.exchange.sent_at > _HOUR / 4:
                message = f"{life.task_id} is {life.reads[-1].status!r} a quarter of an hour later"
                yield breaks("TASK-1", message, life.creation.exchange, last)


@judges("TASK-2")
def word_for_success(view: View) -> Iterator[Finding]:
    """A task that was read with a result is ``succeeded`` or ``completed`` (TASK-2)."""
    for life, read in _all_reads(view):
        if not read.urls:
            continue
        reading = {"succeeded": "A", "completed": "B"}.get(str(read.status), repr(read.status))
        message = f"{life.task_id} has a result and is {read.status!r}"
        yield reads("TASK-2", reading, message, read.exchange)


def _sightings(view: View, life: Life) -> list[tuple[Exchange, Any]]:
    """Every status that was shown of a task, in order."""
    seen: list[tuple[Exchange, Any]] = []
    if life.creation is not None:
        seen.append((life.creation.exchange, life.creation.answer.get("status")))
    seen += [(read.exchange, read.status) for read in life.reads]
    seen += [(call, fields_of(call.request.json).get("status")) for call in life.callbacks]
    return sorted(seen, key=lambda entry: entry[0].number)


@judges("TASK-3")
def status_is_known(view: View) -> Iterator[Finding]:
    """Each status is one of the documented words (TASK-3)."""
    for life in view.lives.values():
        for exchange, status in _sightings(view, life):
            message = f"{life.task_id} is {status!r}; known are {', '.join(STATUSES)}"
            yield judged("TASK-3", status in STATUSES, message, exchange)


def _stage(status: Any) -> int:
    return _RANK.get(str(status), 2)


@judges("TASK-4")
def status_moves_forward_only(view: View) -> Iterator[Finding]:
    """A status never goes back, and one end does not become another (TASK-4)."""
    for life in view.lives.values():
        for (one, earlier), (other, later) in pairwise(_sightings(view, life)):
            if earlier not in STATUSES or later not in STATUSES:
                continue
            overlap = other.sent_at < one.sent_at + one.seconds and one.direction == "sent"
            backwards = _stage(later) < _stage(earlier)
            lapses = earlier in SUCCESS and later == EXPIRED
            swapped = earlier in ENDED and later in ENDED and later != earlier and not lapses
            right = not (backwards or swapped) or (overlap and other.direction != one.direction)
            message = f"{life.task_id} went from {earlier!r} to {later!r}"
            yield judged("TASK-4", right, message, one, other)


@judges("TASK-4")
def ended_task_never_changes(view: View) -> Iterator[Finding]:
    """Reads after the end are all alike, but for the step to ``expired`` (TASK-4)."""
    for life in view.lives.values():
        first = life.ends[0] if life.ends else None
        for earlier, later in pairwise(life.ends):
            if earlier.status in SUCCESS and later.status == EXPIRED:
                continue
            before, after = without_queries(earlier.task), without_queries(later.task)
            changed = sorted(
                name for name in {*before, *after} if before.get(name) != after.get(name)
            )
            message = f"{life.task_id} had ended, and changed: {', '.join(changed)}"
            yield judged("TASK-4", not changed, message, earlier.exchange, later.exchange)
        for read in life.reads:
            if first and read.exchange.number > first.exchange.number and not read.ended:
                message = f"{life.task_id} had ended, and is {read.status!r} again"
                yield breaks("TASK-4", message, first.exchange, read.exchange)


_TYPES: dict[str, tuple[type, ...]] = {
    "task_id": (str,), "status": (str,), "model": (str,), "type": (str,), "created_at": (str,),
    "completed_at": (str, type(None)), "result": (dict, type(None)), "error": (dict, type(None)),
}  # fmt: skip


@judges("TASK-5")
def body_has_its_members(view: View) -> Iterator[Finding]:
    """Each task has its documented members, each of its type (TASK-5)."""
    for life, read in _all_reads(view):
        missing = [name for name in _MEMBERS if name not in read.task]
        wrong = [
            f"{name} is {read.task[name]!r}"
            for name, types in _TYPES.items()
            if name in read.task and not isinstance(read.task[name], types)
        ]
        if read.task.get("type", "image") != "image":
            wrong.append(f"type is {read.task['type']!r}, not 'image'")
        problems = [f"{name} is missing" for name in missing] + wrong
        yield judged(
            "TASK-5", not problems, f"{life.task_id}: {'; '.join(problems)}", read.exchange
        )


@judges("TASK-5")
def ids_echo(view: View) -> Iterator[Finding]:
    """A task read shows the id that was asked for and the model of its creation (TASK-5)."""
    for life, read in _all_reads(view):
        shown = read.task.get("task_id")
        message = f"{life.task_id} was asked for; the answer is {shown!r}"
        yield judged("TASK-5", shown == life.task_id, message, read.exchange)
        if life.wish is not None and "model" in read.task:
            model = read.task["model"]
            message = f"{life.wish.model!r} was asked to make {life.task_id}; it says {model!r}"
            yield judged("TASK-5", model == life.wish.model, message, read.exchange)


@judges("TASK-5")
def times_are_in_order(view: View) -> Iterator[Finding]:
    """``created_at`` stays, ``completed_at`` comes with the end, both in order (TASK-5)."""
    for life in view.lives.values():
        created: set[Any] = set()
        for read in life.reads:
            problem = _time_problem(life, read)
            message = f"{life.task_id} is {read.status}: {problem}"
            yield judged("TASK-5", problem is None, message, read.exchange)
            created.add(str(read.task.get("created_at")))
        if len(created) > 1:
            exchanges = [read.exchange for read in life.reads]
            message = f"{life.task_id} has several created_at: {', '.join(sorted(created))}"
            yield breaks("TASK-5", message, *exchanges)


def _time_problem(life: Life, read: Read) -> str | None:
    """What is wrong with a task's times; None where nothing is."""
    created, completed = read.task.get("created_at"), read.task.get("completed_at")
    began, ended = instant(created), instant(completed)
    made = life.creation.exchange if life.creation is not None else None
    if began is None:
        return f"created_at {created!r} is no RFC 3339 time with an offset"
    if made is not None and not -_TOLERANCE_SECONDS <= began - made.sent_at <= (
        made.seconds + _TOLERANCE_SECONDS
    ):
        return f"created_at {created} is {began - made.sent_at:+.0f} s from its creation"
    if not read.ended:
        return None if completed is None else f"completed_at is {completed!r} before the end"
    if ended is None:
        return f"completed_at {completed!r} is no RFC 3339 time with an offset"
    if ended < began:
        return f"completed_at {completed} is before created_at {created}"
    seen_at = read.exchange.sent_at + read.exchange.seconds
    late = ended - seen_at
    return f"completed_at {completed} is {late:.0f} s ahead" if late > _TOLERANCE_SECONDS else None


@judges("TASK-5")
def result_only_after_success(view: View) -> Iterator[Finding]:
    """``result`` is an object exactly where the task succeeded (TASK-5)."""
    for life, read in _all_reads(view):
        if read.status in STATUSES:
            result = read.task.get("result")
            right = isinstance(result, dict) == (read.status in SUCCESS)
            kind = "a result" if isinstance(result, dict) else f"result {result!r}"
            yield judged(
                "TASK-5", right, f"{life.task_id} is {read.status}, with {kind}", read.exchange
            )


@judges("TASK-5")
def error_only_after_failure(view: View) -> Iterator[Finding]:
    """``error`` is an object exactly where the task failed (TASK-5)."""
    for life, read in _all_reads(view):
        if read.status in STATUSES:
            error = read.task.get("error")
            right = isinstance(error, dict) == (read.status == FAILED)
            kind = "an error" if isinstance(error, dict) else f"error {error!r}"
            yield judged(
                "TASK-5", right, f"{life.task_id} is {read.status}, with {kind}", read.exchange
            )
