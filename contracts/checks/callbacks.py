"""Callbacks: that they come, when, what they say, and how often."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from contracts.checks.lives import without_queries
from contracts.exchange import Exchange, fields_of, header
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.observed import ENDED, Life, instant
from contracts.view import View

_TOLERANCE_SECONDS = 5.0
_LISTENED_SECONDS = 60.0
_MOST_ATTEMPTS = 6  # CB-3
_DELAYS_SECONDS = (5.0, 30.0, 120.0, 600.0, 3600.0)
_JITTER, _SLACK_SECONDS = 0.1, 2.0
_SIGNATURE_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def _taken(attempt: Exchange) -> bool:
    return attempt.response is not None and 200 <= attempt.response.status < 300


def _hook(life: Life) -> str | None:
    return life.wish.callback_url if life.wish is not None else None


def _ended_at(view: View) -> float:
    """Until when the receiver listened."""
    until = view.facts.get("ended_at")
    return float(until) if isinstance(until, int | float) else 0.0


@judges("CB-1")
def arrive_once_after_the_end(view: View) -> Iterator[Finding]:
    """One POST of JSON to the task's own URL, once it has ended, and no more (CB-1)."""
    for life in view.lives.values():
        for number, attempt in enumerate(life.callbacks):
            problem = _attempt_problem(life, life.callbacks[:number], attempt)
            message = f"the callback of {life.task_id}: {problem}"
            yield judged("CB-1", problem is None, message, attempt)
    yield from _strays(view)
    yield from _missing(view)


def _attempt_problem(life: Life, earlier: Sequence[Exchange], attempt: Exchange) -> str | None:
    """What is wrong with an attempt; None where nothing is."""
    task = fields_of(attempt.request.json)
    if attempt.request.method != "POST":
        return f"it is a {attempt.request.method}"
    if life.wish is not None and attempt.request.url != life.wish.callback_url:
        return f"it went to {attempt.request.url}, not to {life.wish.callback_url}"
    if any(_taken(one) for one in earlier):
        return "it came again after it was taken"
    if task.get("status") not in ENDED:
        return f"it says that the task is {task.get('status')!r}"
    later_open = [
        read for read in life.reads if read.exchange.number > attempt.number and not read.ended
    ]
    if later_open and not life.ends:
        return "the task was still open when it was read later"
    if later_open and later_open[0].exchange.sent_at > attempt.sent_at:
        return f"it came before the end: a later read says {later_open[0].status!r}"
    ended = instant(task.get("completed_at"))
    if ended is not None and attempt.sent_at < ended - _TOLERANCE_SECONDS:
        return f"it came {ended - attempt.sent_at:.0f} s before completed_at"
    return None


def _strays(view: View) -> Iterator[Finding]:
    """What came to a hook and names no task."""
    for attempt in view.callbacks:
        if not isinstance(fields_of(attempt.request.json).get("task_id"), str):
            yield breaks("CB-1", "a callback has no JSON body that names its task", attempt)


def _missing(view: View) -> Iterator[Finding]:
    """Tasks that ended while a receiver listened, and that nobody was told of."""
    hooks = fields_of(view.facts.get("callback_hooks"))
    called = {attempt.request.url for attempt in view.callbacks}
    for creation in view.creations:
        wish = creation.wish
        if wish is None or wish.callback_url not in hooks or not creation.accepted:
            continue
        life = view.lives.get(creation.task_id or "")
        end = life.ends[0] if life is not None and life.ends else None
        if creation.status == 202 and end is None:
            continue
        ended = instant(end.task.get("completed_at")) if end is not None else None
        since = ended or creation.exchange.sent_at + creation.exchange.seconds
        if wish.callback_url not in called and _ended_at(view) - since > _LISTENED_SECONDS:
            waited = _ended_at(view) - since
            message = f"no callback came within {waited:.0f} s of the task's end"
            more = () if end is None else (end.exchange,)
            yield breaks("CB-1", message, creation.exchange, *more)


@judges("CB-1")
def equal_the_polled_task(view: View) -> Iterator[Finding]:
    """Each attempt's body is the task as it reads after its end, the same each time (CB-1)."""
    for life in view.lives.values():
        polled = {read.status: read for read in reversed(life.ends)}
        for attempt in life.callbacks:
            body = fields_of(attempt.request.json)
            read = polled.get(body.get("status"))
            if read is not None:
                message = f"the callback of {life.task_id} differs: {_differences(body, read.task)}"
                same = without_queries(body) == without_queries(dict(read.task))
                yield judged("CB-1", same, message, attempt, read.exchange)
            elif life.ends:
                message = f"the callback says {body.get('status')!r}; reads say {list(polled)}"
                yield breaks("CB-1", message, attempt, life.ends[0].exchange)
        for one, other in pairwise(life.callbacks):
            message = f"two attempts for {life.task_id} have different bodies"
            yield judged("CB-1", one.request.json == other.request.json, message, one, other)


def _differences(body: Any, task: Any) -> str:
    one, other = without_queries(dict(body)), without_queries(dict(task))
    return ", ".join(sorted(name for name in {*one, *other} if one.get(name) != other.get(name)))


@judges("CB-2")
def retried_after_a_failure(view: View) -> Iterator[Finding]:
    """An attempt that was not taken is followed by another (CB-2)."""
    for life in view.lives.values():
        for number, attempt in enumerate(life.callbacks, 1):
            if _taken(attempt) or number >= _MOST_ATTEMPTS:
                continue
            following = life.callbacks[number : number + 1]
            if following:
                yield holds("CB-2", attempt, *following)
            elif number == 1 and _ended_at(view) - attempt.sent_at >= _LISTENED_SECONDS:
                waited = _ended_at(view) - attempt.sent_at
                status = attempt.response.status if attempt.response is not None else "nothing"
                message = f"attempt {number} was answered {status}; none followed in {waited:.0f} s"
                yield breaks("CB-2", message, attempt)


@judges("CB-2")
def failed_delivery_leaves_the_task(view: View) -> Iterator[Finding]:
    """A task reads the same before and after an attempt that failed (CB-2)."""
    for life in view.lives.values():
        for attempt in life.callbacks:
            if _taken(attempt):
                continue
            before = [read for read in life.ends if read.exchange.number < attempt.number]
            after = [read for read in life.ends if read.exchange.number > attempt.number]
            told = fields_of(attempt.request.json).get("status")
            first = before[-1].status if before else told
            if after and after[0].status != "expired":
                message = (
                    f"{life.task_id} was {first!r}, and {after[0].status!r} after a failed attempt"
                )
                yield judged("CB-2", after[0].status == first, message, attempt, after[0].exchange)


@judges("CB-3")
def attempts_keep_the_policy(view: View) -> Iterator[Finding]:
    """How many attempts come, and how far apart (CB-3)."""
    for life in view.lives.values():
        attempts = life.callbacks
        if len(attempts) > _MOST_ATTEMPTS:
            message = f"{life.task_id} was called {len(attempts)} times"
            yield reads("CB-3", f"{len(attempts)} attempts", message, *attempts)
        for number, (one, other) in enumerate(pairwise(attempts[:_MOST_ATTEMPTS])):
            gap, delay = other.sent_at - one.sent_at, _DELAYS_SECONDS[number]
            shortest, longest = gap - other.late_by_seconds, gap + one.late_by_seconds
            least, most = delay - _SLACK_SECONDS, delay * (1 + _JITTER) + _SLACK_SECONDS
            as_assumed = longest >= least and shortest <= most
            reading = "A" if as_assumed else f"{gap:.0f} s where {delay:.0f} s are assumed"
            message = f"attempt {number + 2} for {life.task_id} came after {gap:.0f} s"
            yield reads("CB-3", reading, message, one, other)
        if not attempts or _taken(attempts[-1]) or len(attempts) >= _MOST_ATTEMPTS:
            continue
        waited = _ended_at(view) - attempts[-1].sent_at
        if waited > _DELAYS_SECONDS[len(attempts) - 1] * (1 + _JITTER) + _LISTENED_SECONDS:
            message = f"{life.task_id} was called {len(attempts)} times, none of which was taken"
            yield reads("CB-3", f"{len(attempts)} attempts", message, *attempts)


@judges("CB-4")
def signature_headers(view: View) -> Iterator[Finding]:
    """Whether callbacks are signed (CB-4)."""
    for attempt in view.callbacks:
        headers = attempt.request.headers
        known = [name for name in _SIGNATURE_HEADERS if header(headers, name) is not None]
        others = [name for name, _ in headers if "signature" in name.lower()]
        reading = "A"
        if len(known) == len(_SIGNATURE_HEADERS):
            reading = "B"
        elif known or others:
            reading = f"signed with {', '.join(known or others)}"
        yield reads(
            "CB-4", reading, f"its headers: {', '.join(name for name, _ in headers)}", attempt
        )


@judges("CB-5")
def task_reads_as_told(view: View) -> Iterator[Finding]:
    """The first read after a callback shows the status that it told (CB-5)."""
    for life in view.lives.values():
        for attempt in life.callbacks[:1]:
            told = fields_of(attempt.request.json).get("status")
            after = [read for read in life.reads if read.exchange.number > attempt.number]
            if after and after[0].status != "expired":
                message = f"the callback says {told!r}; the task reads {after[0].status!r} then"
                yield judged("CB-5", after[0].status == told, message, attempt, after[0].exchange)
