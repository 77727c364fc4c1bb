"""What a task says at its end: links, errors, credits, and what becomes of it later."""

from collections.abc import Iterator

from contracts.exchange import Exchange, fields_of
from contracts.findings import Finding, breaks, judged, judges, reads
from contracts.observed import EXPIRED, FAILED, SUCCESS, Life, Read, instant, result_urls
from contracts.view import View

_TOLERANCE_SECONDS = 5.0
_LINK_SECONDS = 24 * 3600.0  # MEDIA-1
_SWEEP_SECONDS = 600.0  # TASK-11


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
            problem = _result_problem(read)
            yield judged("TASK-6", problem is None, f"{life.task_id}: {problem}", read.exchange)


def _result_problem(read: Read) -> str | None:
    """What is wrong with a result; None where nothing is."""
    result = fields_of(read.task.get("result"))
    created, data = result.get("created"), result.get("data")
    if not isinstance(created, int) or isinstance(created, bool):
        return f"result.created is {created!r}, no whole number of seconds"
    ended = instant(read.task.get("completed_at"))
    if ended is not None and abs(created - ended) > _TOLERANCE_SECONDS:
        return f"result.created {created} is {created - ended:+.0f} s from completed_at"
    if not isinstance(data, list) or not data:
        return f"result.data is {data!r}, no list of images"
    for image in data:
        inline = fields_of(image).get("b64_json")
        if not result_urls({"data": [image]}) and not (isinstance(inline, str) and inline):
            return f"an image has neither an absolute url nor b64_json: {image!r}"
    return "two images share a link" if len(set(read.urls)) < len(read.urls) else None


@judges("TASK-6")
def result_belongs_to_one_task(view: View) -> Iterator[Finding]:
    """No link stands in the results of two tasks (TASK-6)."""
    owners: dict[str, tuple[object, Exchange]] = {}
    for owner, exchange, urls in _results(view):
        shared = None
        for url in urls:
            first = owners.setdefault(url.partition("?")[0], (owner, exchange))
            shared = first if first[0] != owner else shared
        if shared is not None:
            message = f"the picture of {owner} is also that of {shared[0]}"
            yield breaks("TASK-6", message, shared[1], exchange)
        elif urls:
            yield judged("TASK-6", True, "", exchange)


def _results(view: View) -> Iterator[tuple[object, Exchange, tuple[str, ...]]]:
    for life, read in _ends(view):
        yield life.task_id, read.exchange, read.urls
    for life in view.lives.values():
        for call in life.callbacks:
            task = fields_of(call.request.json)
            yield life.task_id, call, result_urls(task.get("result"))


@judges("TASK-7")
def credits_are_reported(view: View) -> Iterator[Finding]:
    """An ended task reports its credits, in which words is a reading (TASK-7)."""
    for life, read in _ends(view):
        credits = read.task.get("credits")
        names = {"reserved", "charged", "refunded"}
        if isinstance(credits, dict) and names <= set(credits):
            yield reads("TASK-7", "A", "credits has all three numbers", read.exchange)
            continue
        elsewhere = [name for name in read.task if "credit" in name or "cost" in name]
        message = f"{life.task_id} reports {', '.join(elsewhere) or 'no credits at all'}"
        if elsewhere:
            shown = sorted(credits) if isinstance(credits, dict) else elsewhere
            yield reads("TASK-7", f"members {', '.join(shown)}", message, read.exchange)
        else:
            yield breaks("TASK-7", message, read.exchange)


@judges("TASK-8")
def lapsed_result(view: View) -> Iterator[Finding]:
    """What a success shows once its links are a day old (TASK-8)."""
    for life, read in _ends(view):
        first = life.success
        ended = instant(first.task.get("completed_at")) if first is not None else None
        if first is None or ended is None:
            continue
        age = read.exchange.sent_at - ended
        message = f"{life.task_id} is {read.status} {age / 3600:.1f} h after its end"
        if age > _LINK_SECONDS + _TOLERANCE_SECONDS:
            reading = "A" if read.status in SUCCESS and read.urls else None
            if read.status == EXPIRED and read.task.get("result") is None:
                reading = "B"
            yield reads("TASK-8", reading or f"{read.status} later", message, read.exchange)
        elif read.status == EXPIRED and age < _LINK_SECONDS - _TOLERANCE_SECONDS:
            yield reads("TASK-8", "expired within the day", message, read.exchange)


@judges("TASK-9")
def failed_task_explains(view: View) -> Iterator[Finding]:
    """The error of a failed task has a type and a message, and perhaps a code (TASK-9)."""
    for life, read in _ends(view):
        if read.status != FAILED:
            continue
        error = fields_of(read.task.get("error"))
        words = [error.get("type"), error.get("message")]
        right = all(isinstance(word, str) and word for word in words)
        right = right and isinstance(error.get("code"), str | None)
        message = f"{life.task_id} failed with {read.task.get('error')!r}"
        yield judged("TASK-9", right, message, read.exchange)


@judges("TASK-11")
def hung_task_is_swept(view: View) -> Iterator[Finding]:
    """A task that hangs is failed with ``timeout`` and refunded (TASK-11)."""
    for life in view.lives.values():
        for read in life.reads:
            began = instant(read.task.get("created_at"))
            age = read.exchange.sent_at - began if began is not None else 0.0
            if not read.ended and age > 3600:
                message = (
                    f"{life.task_id} is {read.status} {age / 60:.0f} minutes after its creation"
                )
                yield breaks("TASK-11", message, read.exchange)
        failed = life.failure
        if failed is not None and fields_of(failed.task.get("error")).get("code") == "timeout":
            yield from _swept(life, failed)


def _swept(life: Life, failed: Read) -> Iterator[Finding]:
    began, ended = (instant(failed.task.get(name)) for name in ("created_at", "completed_at"))
    if began is not None and ended is not None:
        span = ended - began
        as_assumed = abs(span - _SWEEP_SECONDS) <= _TOLERANCE_SECONDS
        message = f"{life.task_id} was failed after {span:.0f} s"
        reading = "A" if as_assumed else f"after {span:.0f} s"
        yield reads("TASK-11", reading, message, failed.exchange)
    credits = fields_of(failed.task.get("credits"))
    if {"reserved", "refunded"} <= set(credits):
        right = credits["refunded"] == credits["reserved"]
        message = (
            f"{life.task_id} hung, and {credits['refunded']!r} of {credits['reserved']!r} came back"
        )
        yield judged("TASK-11", right, message, failed.exchange)
