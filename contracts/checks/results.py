"""What a task says at its end: links, errors, credits, and what becomes of it later."""

from collections.abc import Iterator
from typing import Any

from contracts.checks.evidence import is_emulator, shown, text_in
from contracts.checks.lives import age_when_open
from contracts.checks.times import (
    HOUR_SECONDS,
    TOLERANCE_SECONDS,
    TargetTime,
    unix_seconds,
)
from contracts.exchange import Exchange, fields_of, split_url
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.observed import (
    EXPIRED,
    FAILED,
    LINK_SECONDS,
    SUCCESS,
    Life,
    Read,
    absolute_url,
    instant,
)
from contracts.observed import result_urls as urls_of
from contracts.view import View

_SWEEP_SECONDS = 600.0  # TASK-11
_CREDITS = ("reserved", "charged", "refunded")  # TASK-7
_MOST_NAMES = 6


def _ends(view: View) -> Iterator[tuple[Life, Read]]:
    for life in view.lives.values():
        for read in life.ends:
            yield life, read


@judges("TASK-6")
def result_has_its_links(view: View) -> Iterator[Finding]:
    """A result tells when it was made, and a link for each image, all different (TASK-6)."""
    for life, read in _ends(view):
        result = read.task.get("result")
        if read.status in SUCCESS and isinstance(result, dict):
            problem = data_problem(result.get("data")) or _created_problem(read)
            message = f"the result of {life.task_id}: {problem}"
            yield judged("TASK-6", problem is None, message, read.exchange)


def data_problem(data: Any) -> str | None:
    """What is wrong with a result's images; None where nothing is."""
    if not isinstance(data, list) or not data:
        return f"data is {shown(data)}, no list of images"
    urls = []
    for image in data:
        url = absolute_url(fields_of(image).get("url"))
        if url is None and not text_in(fields_of(image), "b64_json"):
            return f"an image has neither an absolute url nor b64_json: {shown(image)}"
        urls += [url] * (url is not None)
    return "two images share a link" if len(set(urls)) < len(urls) else None


def _created_problem(read: Read) -> str | None:
    """What is wrong with when a result was made: that is in the life of its task."""
    told = fields_of(read.task.get("result")).get("created")
    created = unix_seconds(told)
    if created is None:
        return f"created is {shown(told)}, no Unix seconds"
    began, ended = (instant(read.task.get(name)) for name in ("created_at", "completed_at"))
    if began is not None and created < began - TOLERANCE_SECONDS:
        return f"created {created} is {began - created:.0f} s before created_at"
    if ended is not None and created > ended + TOLERANCE_SECONDS:
        return f"created {created} is {created - ended:.0f} s after completed_at"
    return None


@judges("TASK-6")
def result_belongs_to_one_task(view: View) -> Iterator[Finding]:
    """No link stands in the results of two tasks (TASK-6)."""
    strict = is_emulator(view)
    owners: dict[str, tuple[str | int, Exchange]] = {}
    for owner, exchange, urls in _results(view):
        problem, where = None, exchange
        for url in urls:
            # Only of an emulator is it known that what tells links apart is not in the query.
            link = split_url(url).path if strict else url
            first, seen_in = owners.setdefault(link, (owner, exchange))
            if first != owner and not _may_be_one(view, first, owner):
                problem, where = f"is also in {first}", seen_in
            elif strict and isinstance(owner, str) and owner not in link:
                problem = "leads to another task"
        message = f"a link in the result of {owner} {problem}"
        yield judged("TASK-6", problem is None, message, where, exchange)


def _may_be_one(view: View, *owners: str | int) -> bool:
    """Whether a call that waited, which tells no id, may have made a task that was called back."""
    tasks = [view.lives[owner] for owner in owners if isinstance(owner, str)]
    return len(tasks) == 1 and tasks[0].creation is None


def _results(view: View) -> Iterator[tuple[str | int, Exchange, tuple[str, ...]]]:
    """Each result with links: whose it is, where it was seen, and the links."""
    found: list[tuple[str | int, Exchange, tuple[str, ...]]] = []
    for life in view.lives.values():
        found += [(life.task_id, read.exchange, read.urls) for read in life.reads]
        for call in life.callbacks:
            result = fields_of(call.request.json).get("result")
            found.append((life.task_id, call, urls_of(result)))
    for creation in view.creations:
        if creation.status == 200:
            found.append((creation.exchange.number, creation.exchange, urls_of(creation.answer)))
    return (result for result in found if result[2])


@judges("TASK-7")
def credits_are_reported(view: View) -> Iterator[Finding]:
    """An ended task reports its credits; by which names is a reading (TASK-7)."""
    for life, read in _ends(view):
        credits, named = fields_of(read.task.get("credits")), _names_of_credits(read.task)
        if not named:
            yield breaks("TASK-7", f"{life.task_id} ended, and tells no credits", read.exchange)
            continue
        yield holds("TASK-7", read.exchange)
        as_assumed = all(type(credits.get(name)) is int for name in _CREDITS)
        told = ", ".join(named[:_MOST_NAMES])
        message = f"{life.task_id} tells its credits in {told}"
        yield reads("TASK-7", "A" if as_assumed else told, message, read.exchange)


def _names_of_credits(value: Any, path: str = "") -> list[str]:
    """The places in a task, outside its result, whose name speaks of credits or costs."""
    names = []
    for name, member in fields_of(value).items():
        place = f"{path}.{name}" if path else name
        if isinstance(member, dict):
            names += _names_of_credits(member, place) if place != "result" else []
        elif any(word in place.lower() for word in ("credit", "cost", "charge")):
            names.append(place)
    return names


@judges("TASK-8")
def lapsed_result(view: View) -> Iterator[Finding]:
    """What a success shows once its links are a day old (TASK-8)."""
    time = TargetTime(view)
    for life, read in _ends(view):
        if read.status == FAILED:
            continue
        first = life.success or read
        ended = instant(first.task.get("completed_at"))
        if ended is None:
            continue
        age = time.sent(read.exchange) - ended
        message = f"{life.task_id} is {read.status} {age / HOUR_SECONDS:.1f} h after its end"
        result = read.task.get("result")
        if read.status == EXPIRED and result is not None:
            message += f", with the result {shown(result)}"
            yield reads("TASK-8", "expired, with a result", message, read.exchange)
        elif read.status == EXPIRED and age < LINK_SECONDS - TOLERANCE_SECONDS:
            yield reads("TASK-8", "expired within the day", message, read.exchange)
        elif read.status == EXPIRED:
            yield reads("TASK-8", "B", message, read.exchange)
        elif age > LINK_SECONDS + TOLERANCE_SECONDS:
            reading = "A" if result else f"{read.status} without a result"
            yield reads("TASK-8", reading, message, read.exchange)


@judges("TASK-9")
def failed_task_explains(view: View) -> Iterator[Finding]:
    """The error of a failed task has a type and a message, and perhaps a code (TASK-9)."""
    for life, read in _ends(view):
        if read.status == FAILED:
            error = fields_of(read.task.get("error"))
            right = all(text_in(error, name).strip() for name in ("type", "message"))
            right = right and isinstance(error.get("code"), str | None)
            message = f"{life.task_id} failed with {shown(read.task.get('error'))}"
            yield judged("TASK-9", right, message, read.exchange)


@judges("TASK-11")
def hung_task_is_swept(view: View) -> Iterator[Finding]:
    """A task that hangs is failed with ``timeout`` and refunded (TASK-11)."""
    time = TargetTime(view)
    for life in view.lives.values():
        for read in life.reads:
            age = age_when_open(time, read)
            if age > HOUR_SECONDS:
                message = f"{life.task_id} is {read.status} after {age / 60:.0f} minutes"
                yield breaks("TASK-11", message, read.exchange)
        failed = life.failure
        if failed is not None and text_in(fields_of(failed.task.get("error")), "code") == "timeout":
            yield from _swept(life, failed)


def _swept(life: Life, failed: Read) -> Iterator[Finding]:
    began, ended = (instant(failed.task.get(name)) for name in ("created_at", "completed_at"))
    if began is not None and ended is not None:
        span = ended - began
        as_assumed = abs(span - _SWEEP_SECONDS) <= TOLERANCE_SECONDS
        told = f"after {span:.0f} s"
        message = f"{life.task_id} was failed {told}"
        yield reads("TASK-11", "A" if as_assumed else told, message, failed.exchange)
    credits = fields_of(failed.task.get("credits"))
    reserved, refunded = credits.get("reserved"), credits.get("refunded")
    if type(reserved) is int and type(refunded) is int:
        message = f"{life.task_id} hung, and {refunded} of {reserved} credits came back"
        yield judged("TASK-11", refunded == reserved, message, failed.exchange)
