"""Callbacks: that they come, when, what they say, and how often."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import urljoin

from contracts.checks.evidence import is_emulator, shown, status_of
from contracts.checks.lives import without_queries
from contracts.checks.times import TOLERANCE_SECONDS, TargetTime
from contracts.exchange import Exchange, fields_of, header
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.observed import ENDED, EXPIRED, Creation, Life, Read, instant
from contracts.view import View

_LISTENED_SECONDS = 60.0
_LISTENED_ELSEWHERE_SECONDS = 3600.0  # no document says how soon one comes
_MOST_ATTEMPTS = 6  # CB-3
_DELAYS_SECONDS = (5.0, 30.0, 120.0, 600.0, 3600.0)
_PATIENCE_SECONDS = 10.0
_JITTER, _SLACK_SECONDS = 0.1, 2.0
_SIGNATURE_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_MEMBERS = (  # TASK-5
    "task_id", "status", "model", "type", "created_at", "completed_at", "result", "error",
)  # fmt: skip
_TIMES = ("created_at", "completed_at")


def _taken(attempt: Exchange) -> bool:
    """Whether the receiver took it (CB-3)."""
    return 200 <= status_of(attempt) < 300


def _surely_taken(view: View, attempt: Exchange) -> bool:
    """Whether any caller has to see that it was taken; which words say so is assumed (CB-3)."""
    if not is_emulator(view) and status_of(attempt) != 200:
        return False
    return _taken(attempt) and attempt.seconds < _PATIENCE_SECONDS / 2


def _attempts(life: Life) -> list[Exchange]:
    """The attempts, without what only followed a receiver's redirect (CB-3)."""
    moved = _moved_to(life)
    return [attempt for attempt in life.callbacks if attempt.request.url not in moved]


def _moved_to(life: Life) -> set[str]:
    """Where the receiver redirected attempts to."""
    return {
        urljoin(attempt.request.url, location)
        for attempt in life.callbacks
        if attempt.response is not None and 300 <= attempt.response.status < 400
        if (location := header(attempt.response.headers, "location"))
    }


def _body(attempt: Exchange) -> Mapping[str, Any]:
    return fields_of(attempt.request.json)


def _reads_after(life: Life, attempt: Exchange) -> list[Read]:
    """Reads that were sent after an attempt had come; those under way then tell no order."""
    return [
        read
        for read in life.reads
        if read.exchange.number > attempt.number and read.exchange.sent_at >= attempt.sent_at
    ]


def _listened_seconds(view: View, since: float) -> float:
    """How long the receiver listened from a moment on."""
    until = view.facts.get("ended_at")
    return until - since if isinstance(until, float) else 0.0


@judges("CB-1")
def arrive_once_after_the_end(view: View) -> Iterator[Finding]:
    """One POST of JSON to the task's own URL, once it has ended, and no more (CB-1)."""
    time = TargetTime(view)
    for life in view.lives.values():
        was_taken = False
        for attempt in _attempts(life):
            problem = _attempt_problem(view, life, attempt, time)
            if was_taken and problem is None:
                problem = "it came again after it was taken"
            message = f"the callback of {shown(life.task_id)}: {problem}"
            yield judged("CB-1", problem is None, message, attempt)
            was_taken = was_taken or _surely_taken(view, attempt)
    for attempt in view.callbacks:
        if not isinstance(_body(attempt).get("task_id"), str):
            yield breaks("CB-1", "a callback has no JSON body that names its task", attempt)


def _attempt_problem(view: View, life: Life, attempt: Exchange, time: TargetTime) -> str | None:
    """What is wrong with an attempt; None where nothing is."""
    body = _body(attempt)
    if attempt.request.method != "POST":
        return f"it is a {attempt.request.method}"
    address = _address_problem(view, life, attempt)
    if address is not None:
        return address
    if body.get("status") not in ENDED:
        return f"it says that the task is {shown(body.get('status'))}"
    later_open = [read for read in _reads_after(life, attempt) if not read.ended]
    if later_open:
        return f"it came before the end: a later read says {shown(later_open[0].status)}"
    ended = instant(body.get("completed_at"))
    if ended is not None and time.sent(attempt) < ended - TOLERANCE_SECONDS:
        return f"it came {ended - time.sent(attempt):.0f} s before completed_at"
    return None


def _address_problem(view: View, life: Life, attempt: Exchange) -> str | None:
    """What is wrong with where an attempt went."""
    url = attempt.request.url
    if life.wish is not None and url != life.wish.callback_url:
        asked = life.wish.callback_url
        return f"it went to {url}, {f'not to {asked}' if asked else 'and none was asked for'}"
    # The kit gives each task a URL of its own.
    if url in fields_of(view.facts.get("callback_hooks")):
        for creation in view.creations:
            owner = creation.task_id
            wanted = creation.wish.callback_url if creation.wish is not None else None
            if owner is not None and wanted == url and owner != life.task_id:
                return f"it went to the URL of {shown(owner)}"
    return None


@judges("CB-1")
def every_end_is_told(view: View) -> Iterator[Finding]:
    """A task that ended while its receiver was listening has been called back (CB-1)."""
    hooks = fields_of(view.facts.get("callback_hooks"))
    called = {attempt.request.url for attempt in view.callbacks}
    for creation in view.creations:
        url = creation.wish.callback_url if creation.wish is not None else None
        end = _end_of(view, creation)
        if url is None or url not in hooks or url in called or end is None:
            continue
        waited = _listened_seconds(view, end.sent_at + end.seconds)
        if waited > (_LISTENED_SECONDS if is_emulator(view) else _LISTENED_ELSEWHERE_SECONDS):
            message = f"no callback came within {waited:.0f} s of the task's end"
            yield breaks("CB-1", message, creation.exchange, end)


def _end_of(view: View, creation: Creation) -> Exchange | None:
    """What shows that a task has ended, and that somebody has to be told."""
    if creation.status == 200:  # no document says that calls that wait are called back too
        return creation.exchange if is_emulator(view) else None
    life = view.lives.get(creation.task_id or "")
    return life.ends[0].exchange if life is not None and life.ends else None


@judges("CB-1")
def equal_the_polled_task(view: View) -> Iterator[Finding]:
    """Each attempt's body is the task as it reads after its end, the same each time (CB-1)."""
    for life in view.lives.values():
        polled = {str(read.status): read for read in reversed(life.ends)}
        for attempt in life.callbacks:
            status = _body(attempt).get("status")
            read = polled.get(status) if isinstance(status, str) else None
            if read is not None:
                differ = _differences(view, _body(attempt), read.task)
                message = f"the callback of {shown(life.task_id)} differs in {differ}"
                yield judged("CB-1", not differ, message, attempt, read.exchange)
            elif set(polled) - {EXPIRED}:
                message = f"the callback says {shown(status)}; reads say {', '.join(polled)}"
                yield breaks("CB-1", message, attempt, life.ends[0].exchange)
        for one, other in pairwise(life.callbacks):
            differ = _differences(view, _body(one), _body(other))
            message = f"two attempts for {shown(life.task_id)} differ in {differ}"
            yield judged("CB-1", not differ, message, one, other)


def _differences(view: View, one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The members that differ: elsewhere than in an emulator the documented ones count."""
    one, other = without_queries(dict(one)), without_queries(dict(other))
    names = {name for name in {*one, *other} if one.get(name) != other.get(name)}
    if not is_emulator(view):
        names &= set(_MEMBERS)
        names -= {name for name in _TIMES if _same_second(one.get(name), other.get(name))}
    return ", ".join(shown(name) for name in sorted(names))


def _same_second(one: Any, other: Any) -> bool:
    """Whether two texts mean the same time, in whatever precision."""
    earlier, later = instant(one), instant(other)
    return earlier is not None and later is not None and abs(later - earlier) < 1


@judges("CB-2")
def retried_after_a_failure(view: View) -> Iterator[Finding]:
    """An attempt that was not taken is followed by another (CB-2)."""
    for life in view.lives.values():
        attempts = _attempts(life)
        for one, other in pairwise(attempts):
            if not _taken(one):
                yield holds("CB-2", one, other)
        waited = _listened_seconds(view, attempts[0].sent_at) if attempts else 0.0
        if len(life.callbacks) != 1 or waited < _LISTENED_SECONDS or _taken(life.callbacks[0]):
            continue
        alone = life.callbacks[0]
        message = f"it was answered {status_of(alone)}, and none followed in {waited:.0f} s"
        if is_emulator(view) or waited >= _LISTENED_ELSEWHERE_SECONDS:
            yield breaks("CB-2", message, alone)
        else:
            yield reads("CB-2", f"not tried again within {waited:.0f} s", message, alone)


@judges("CB-2")
def failed_delivery_leaves_the_task(view: View) -> Iterator[Finding]:
    """A task has the same end before and after an attempt that failed (CB-2)."""
    for life in view.lives.values():
        attempts = _attempts(life)
        for attempt in attempts:
            if _taken(attempt):
                continue
            before = [read for read in life.ends if read.exchange.number < attempt.number]
            told = before[-1].status if before else _body(attempt).get("status")
            after = [read for read in _reads_after(life, attempt) if read.status != EXPIRED]
            if told not in ENDED or told == EXPIRED or not after:
                continue
            read, name = after[0], shown(life.task_id)
            message = f"{name} was {told}, and {shown(read.status)} after an attempt that failed"
            if read.status != told:
                yield breaks("CB-2", message, attempt, read.exchange)
            elif attempt is not attempts[-1]:  # what was never tried again shows half of it only
                yield holds("CB-2", attempt, read.exchange)


@judges("CB-3")
def attempts_keep_the_policy(view: View) -> Iterator[Finding]:
    """How many attempts come, how far apart, and that none follows a redirect (CB-3)."""
    for life in view.lives.values():
        attempts, moved, name = _attempts(life), _moved_to(life), shown(life.task_id)
        for attempt in life.callbacks:
            if attempt.request.url in moved:
                message = f"a callback of {name} followed the receiver's redirect"
                yield reads("CB-3", "redirects are followed", message, attempt)
        if len(attempts) > _MOST_ATTEMPTS:
            message = f"{name} was called {len(attempts)} times"
            yield reads("CB-3", f"{len(attempts)} attempts", message, *attempts)
        for number, (one, other) in enumerate(pairwise(attempts[:_MOST_ATTEMPTS])):
            yield _gap(one, other, number, name)
        if attempts and len(attempts) < _MOST_ATTEMPTS and not moved:
            yield from _given_up(view, attempts, name)


def _gap(one: Exchange, other: Exchange, number: int, name: str) -> Finding:
    gap, delay = other.sent_at - one.sent_at, _DELAYS_SECONDS[number]
    shortest, longest = gap - other.late_by_seconds, gap + one.late_by_seconds
    least, most = delay - _SLACK_SECONDS, delay * (1 + _JITTER) + _SLACK_SECONDS
    reading = "A"
    if longest < least or shortest > most:
        reading = f"{gap:.0f} s where {delay:.0f} s are assumed"
    if _taken(one):
        reading = f"called again after a {status_of(one)}"
    message = f"attempt {number + 2} for {name} came after {gap:.0f} s"
    return reads("CB-3", reading, message, one, other)


def _given_up(view: View, attempts: list[Exchange], name: str) -> Iterator[Finding]:
    """Attempts that stopped before the sixth, with nobody having taken one."""
    waited = _listened_seconds(view, attempts[-1].sent_at)
    longest = _DELAYS_SECONDS[len(attempts) - 1] * (1 + _JITTER) + _LISTENED_SECONDS
    if not any(map(_taken, attempts)) and waited > longest:
        message = f"{name} was called {len(attempts)} times, none of which was taken"
        yield reads("CB-3", f"{len(attempts)} attempts", message, *attempts)


@judges("CB-4")
def signature_headers(view: View) -> Iterator[Finding]:
    """Whether callbacks are signed, and repeat their id with each attempt (CB-4)."""
    ids: dict[object, str] = {}
    for attempt in view.callbacks:
        headers = attempt.request.headers
        known = [name for name in _SIGNATURE_HEADERS if header(headers, name) is not None]
        others = [name for name, _ in headers if "signature" in name.lower()]
        reading = "A"
        if len(known) == len(_SIGNATURE_HEADERS):
            delivery = header(headers, "webhook-id") or ""
            task_id = shown(_body(attempt).get("task_id"))
            same = ids.setdefault(task_id, delivery) == delivery
            reading = "B" if same else "each attempt has its own webhook-id"
        elif known or others:
            reading = f"signed with {', '.join(known or others)}"
        message = f"its headers: {', '.join(name for name, _ in headers)}"
        yield reads("CB-4", reading, message, attempt)


@judges("CB-5")
def task_reads_as_told(view: View) -> Iterator[Finding]:
    """The first read after a callback shows the status that it told (CB-5)."""
    for life in view.lives.values():
        for attempt in life.callbacks[:1]:
            told = _body(attempt).get("status")
            after = _reads_after(life, attempt)
            if after and after[0].status != EXPIRED:
                message = f"the callback says {shown(told)}; then reads {shown(after[0].status)}"
                yield judged("CB-5", after[0].status == told, message, attempt, after[0].exchange)
