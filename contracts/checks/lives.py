"""A task's life: what it shows, in which order, and that its end stays its end."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from contracts.checks.evidence import is_emulator, shown, status_of
from contracts.checks.times import HOUR_SECONDS, TOLERANCE_SECONDS, TargetTime
from contracts.exchange import CALLBACK, Exchange, fields_of
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.observed import (
    ENDED,
    EXPIRED,
    FAILED,
    GENERATIONS,
    LINK_SECONDS,
    STATUSES,
    SUCCESS,
    TASKS,
    UNDER_WAY,
    Life,
    Read,
    instant,
    is_foreign,
)
from contracts.view import View

_LATE_ELSEWHERE_SECONDS = 60.0  # no document says how soon a task is written down
_END = len(UNDER_WAY)  # after all that is under way
_TYPES: dict[str, tuple[type, ...]] = {
    "task_id": (str,), "status": (str,), "model": (str,), "type": (str,), "created_at": (str,),
    "completed_at": (str, type(None)), "result": (dict, type(None)), "error": (dict, type(None)),
}  # fmt: skip


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
        early = [f"{name} {shown(answer[name])}" for name in ("result", "data") if answer.get(name)]
        if answer.get("status") in ENDED:
            early.append(f"the status {answer['status']}")
        message = f"a creation is answered with {', '.join(early)}, as if it had waited"
        yield judged("TASK-1", not early, message, creation.exchange)


@judges("TASK-1")
def task_can_be_polled_to_its_end(view: View) -> Iterator[Finding]:
    """Its creator can read it at once, and an hour later it has ended (TASK-1)."""
    for exchange in view.task_reads:
        life = view.lives.get(exchange.request.path.removeprefix(TASKS))
        made = life.creation.exchange if life is not None and life.creation else None
        if life is None or made is None or is_foreign(life, exchange) or status_of(exchange) != 404:
            continue
        age = exchange.sent_at - made.sent_at - made.seconds
        # No document says how long a task is kept, but its links work for a day.
        if age >= 0 and (age < LINK_SECONDS or is_emulator(view)):
            message = f"{life.task_id} was created {age:.0f} s ago, and reading it answers 404"
            yield breaks("TASK-1", message, made, exchange)
    time = TargetTime(view)
    for life in view.lives.values():
        if life.ends:
            yield holds("TASK-1", life.ends[0].exchange)
        elif life.reads:
            age = age_when_open(time, life.reads[-1])
            message = f"{life.task_id} is {life.reads[-1].status} after {age / 60:.0f} minutes"
            if age > HOUR_SECONDS:
                yield breaks("TASK-1", message, life.reads[-1].exchange)


def age_when_open(time: TargetTime, read: Read) -> float:
    """How old a task was that was read under way, in seconds; 0 where that is not known."""
    began = instant(read.task.get("created_at"))
    if began is None or read.status not in UNDER_WAY:
        return 0.0
    return time.sent(read.exchange) - began


@judges("TASK-2")
def word_for_success(view: View) -> Iterator[Finding]:
    """A task that has a result is ``succeeded`` or ``completed`` (TASK-2)."""
    for life, read in _all_reads(view):
        status, has_result = read.status, bool(read.task.get("result"))
        if status in SUCCESS:
            message = f"{life.task_id} succeeded, and is {status}"
            yield reads("TASK-2", "AB"[SUCCESS.index(status)], message, read.exchange)
        elif has_result and status not in STATUSES:
            message = f"{life.task_id} has a result, and is {shown(status)}"
            yield breaks("TASK-2", message, read.exchange)


def _sightings(life: Life) -> list[tuple[Exchange, Any]]:
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
        for exchange, status in _sightings(life):
            if status is not None:
                message = f"{life.task_id} is {shown(status)}; known are {', '.join(STATUSES)}"
                yield judged("TASK-3", status in STATUSES, message, exchange)


@judges("TASK-4")
def status_moves_forward_only(view: View) -> Iterator[Finding]:
    """A status never goes back, and one end does not become another (TASK-4)."""
    for life in view.lives.values():
        # Of each status, the sighting that was over first.
        over: dict[str, tuple[float, Exchange]] = {}
        for exchange, status in _sightings(life):
            if status not in STATUSES:
                continue
            began = exchange.sent_at - exchange.late_by_seconds
            earlier = [(word, first) for word, (at, first) in over.items() if at <= began]
            wrong = [(word, first) for word, first in earlier if not _may_follow(word, status)]
            if wrong:
                message = f"{life.task_id} went from {wrong[0][0]} to {status}"
                yield breaks("TASK-4", message, wrong[0][1], exchange)
            elif earlier:
                yield holds("TASK-4", exchange)
            # What calls back has not waited for an answer to tell it.
            waited = 0.0 if exchange.direction == CALLBACK else exchange.seconds
            end = exchange.sent_at + waited
            if status not in over or end < over[status][0]:
                over[status] = (end, exchange)


def _may_follow(earlier: str, later: str) -> bool:
    """Whether a task can come from one status to another, or stay in it."""
    if earlier in ENDED:
        return later == earlier or (earlier in SUCCESS and later == EXPIRED)
    return _stage(earlier) <= _stage(later)


def _stage(status: str) -> int:
    return UNDER_WAY.index(status) if status in UNDER_WAY else _END


@judges("TASK-4")
def ended_task_never_changes(view: View) -> Iterator[Finding]:
    """Reads after the end are all alike, but for the step to ``expired`` (TASK-4)."""
    for life in view.lives.values():
        for earlier, later in pairwise(life.ends):
            before, after = dict(earlier.task), dict(later.task)
            if not is_emulator(view):  # an emulator does not sign links anew
                before, after = without_queries(before), without_queries(after)
            changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
            if EXPIRED in (earlier.status, later.status):
                changed -= {"status", "result"}
            told = [
                f"{name} from {shown(before.get(name))} to {shown(after.get(name))}"
                for name in sorted(changed)
            ]
            message = f"{life.task_id} had ended, and changed {'; '.join(told)}"
            yield judged("TASK-4", not changed, message, earlier.exchange, later.exchange)


@judges("TASK-5")
def body_has_its_members(view: View) -> Iterator[Finding]:
    """Each task has its documented members, each of its type (TASK-5)."""
    for life, read in _all_reads(view):
        problems = []
        for name, types in _TYPES.items():
            if name not in read.task:
                problems.append(f"{name} is missing")
            elif not isinstance(read.task[name], types):
                problems.append(f"{name} is {shown(read.task[name])}")
        kind = read.task.get("type")
        if isinstance(kind, str) and kind != "image":
            problems.append(f"type is {shown(kind)}, not image")
        message = f"{life.task_id}: {'; '.join(problems)}"
        yield judged("TASK-5", not problems, message, read.exchange)


@judges("TASK-5")
def ids_echo(view: View) -> Iterator[Finding]:
    """A task read shows the id that was asked for and the model of its creation (TASK-5)."""
    for life, read in _all_reads(view):
        told = read.task.get("task_id")
        message = f"{life.task_id} was asked for, and the answer is about {shown(told)}"
        yield judged("TASK-5", told == life.task_id, message, read.exchange)
        model = read.task.get("model")
        if life.wish is not None and isinstance(model, str):
            message = f"{life.task_id} was asked of {life.wish.model}, and is of {shown(model)}"
            yield judged("TASK-5", model == life.wish.model, message, read.exchange)


@judges("TASK-5")
def times_are_in_order(view: View) -> Iterator[Finding]:
    """``created_at`` stays, ``completed_at`` comes with the end, both in order (TASK-5)."""
    time = TargetTime(view)
    for life, read in _all_reads(view):
        late = TOLERANCE_SECONDS if is_emulator(view) else _LATE_ELSEWHERE_SECONDS
        problem = _creation_problem(life, read, time, late)
        problem = problem or _end_problem(read, time, is_emulator(view))
        message = f"{life.task_id} is {shown(read.status)}: {problem}"
        yield judged("TASK-5", problem is None, message, read.exchange)


def _creation_problem(
    life: Life, read: Read, time: TargetTime, tolerance_seconds: float
) -> str | None:
    """What is wrong with when a task says that it was made; None where nothing is."""
    told = read.task.get("created_at")
    began, first = instant(told), instant(life.reads[0].task.get("created_at"))
    if began is None:
        return f"created_at {shown(told)} is no RFC 3339 time with an offset"
    if first is not None and began != first:
        return f"created_at {told} was {life.reads[0].task['created_at']} before"
    made = life.creation.exchange if life.creation is not None else None
    if made is not None and time.is_known:
        late = began - time.sent(made)
        if not -tolerance_seconds <= late <= made.seconds + tolerance_seconds:
            return f"created_at {told} is {late:+.0f} s from its creation"
    return None


def _end_problem(read: Read, time: TargetTime, is_strict: bool) -> str | None:
    """What is wrong with when a task says that it ended; None where nothing is."""
    told = read.task.get("completed_at")
    began, ended = instant(read.task.get("created_at")), instant(told)
    if read.status in UNDER_WAY:
        return None if told is None else f"completed_at is {shown(told)} before the end"
    if told is None and (read.status not in SUCCESS and not is_strict):
        return None  # what failed may never have been completed
    if read.status not in ENDED:
        return None
    if ended is None or began is None:
        return f"completed_at {shown(told)} is no RFC 3339 time with an offset"
    if ended < began:
        return f"completed_at {told} is before created_at {read.task['created_at']}"
    early = ended - time.answered(read.exchange)
    told_early = f"completed_at {told} was {early:.0f} s ahead when it was told"
    return told_early if early > TOLERANCE_SECONDS else None


@judges("TASK-5")
def result_only_after_success(view: View) -> Iterator[Finding]:
    """``result`` is an object where the task succeeded, and null in every other status (TASK-5)."""
    for life, read in _all_reads(view):
        if read.status in STATUSES and read.status != EXPIRED:  # which is TASK-8's
            result = read.task.get("result")
            right = isinstance(result, dict) if read.status in SUCCESS else result is None
            message = f"{life.task_id} is {read.status}, with the result {shown(result)}"
            yield judged("TASK-5", right, message, read.exchange)


@judges("TASK-5")
def error_only_after_failure(view: View) -> Iterator[Finding]:
    """``error`` is an object where the task failed, and null in every other status (TASK-5)."""
    for life, read in _all_reads(view):
        if read.status in STATUSES and read.status != EXPIRED:
            error = read.task.get("error")
            right = isinstance(error, dict) if read.status == FAILED else error is None
            message = f"{life.task_id} is {read.status}, with the error {shown(error)}"
            yield judged("TASK-5", right, message, read.exchange)
