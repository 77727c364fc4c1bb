"""Calls that wait for their images, and uploads (SYNC-1, EDIT-1, EDIT-2, UPL-1)."""

from collections.abc import Iterator

from contracts.checks.evidence import (
    call_of,
    error_of,
    has_no_such_route,
    is_emulator,
    outcome_of,
    shown,
    status_of,
    text_in,
    was_taken,
)
from contracts.checks.pictures import decoded, is_as_documented, names_a_frame, pictures
from contracts.checks.results import data_problem
from contracts.checks.times import DAY_SECONDS, HOUR_SECONDS, unix_seconds
from contracts.exchange import Exchange, Part
from contracts.field_rules import MAX_REFERENCE_IMAGES
from contracts.findings import Finding, breaks, judged, judges, reads, unsupported
from contracts.image_file import is_readable
from contracts.images import image_facts
from contracts.observed import EDITS, STATUSES, SYNC, TASKS, Creation, absolute_url
from contracts.view import View

_DOCUMENTED_OF_EDITS = {"EDIT-1", "EDIT-2", "GEN-1", "GEN-2", "GEN-3", "GEN-4"}


def _calls(view: View, path: str) -> Iterator[Creation]:
    return (one for one in view.creations if one.exchange.request.path == path)


def _answer_problem(view: View, creation: Creation) -> str | None:
    """What is wrong with a 2xx of a call that waits; None where nothing is."""
    if creation.status == 202:
        return _task_problem(view, creation)
    if creation.status != 200:
        return f"it is a {creation.status}, neither 200 nor 202"
    created = unix_seconds(creation.answer.get("created"))
    # The call may take minutes, and time may be moved meanwhile.
    if created is None or abs(created - creation.exchange.sent_at) > DAY_SECONDS:
        return f"created is {shown(creation.answer.get('created'))}, no Unix seconds of now"
    return data_problem(creation.answer.get("data"))


def _task_problem(view: View, creation: Creation) -> str | None:
    """What is wrong with a 202, after which the task goes on; None where nothing is."""
    task_id = text_in(creation.answer, "task_id")
    if not task_id:
        return f"task_id is {shown(creation.answer.get('task_id'))}"
    if creation.answer.get("status") not in STATUSES:
        return f"status is {shown(creation.answer.get('status'))}"
    own = [
        one
        for one in view.task_reads
        if one.request.path == TASKS + task_id and one.sender == creation.exchange.sender
    ]
    lost = [one for one in own if status_of(one) == 404]
    return f"reading its task is answered {outcome_of(lost[0])}" if lost else None


def _accepted(view: View, claim_id: str, creation: Creation) -> Finding:
    problem = _answer_problem(view, creation)
    message = f"the answer of {call_of(creation.exchange)}: {problem}"
    return judged(claim_id, problem is None, message, creation.exchange)


def _absent(claim_id: str, exchange: Exchange) -> Finding:
    message = f"{call_of(exchange)} is not there: {status_of(exchange)}"
    return unsupported(claim_id, message, exchange)


@judges("SYNC-1")
def sync_answers_images_or_task(view: View) -> Iterator[Finding]:
    """An accepted sync creation is a 200 with images or a 202 with a task (SYNC-1)."""
    for creation in _calls(view, SYNC):
        if 200 <= creation.status < 300:
            yield _accepted(view, "SYNC-1", creation)
        elif has_no_such_route(creation.exchange):
            yield _absent("SYNC-1", creation.exchange)


@judges("EDIT-1")
def edit_answers_images(view: View) -> Iterator[Finding]:
    """A valid edit is a 200 with images as asked for; one without its parts is refused (EDIT-1)."""
    for creation in _calls(view, EDITS):
        expected, taken = creation.expected, was_taken(view, creation)
        if has_no_such_route(creation.exchange):
            yield _absent("EDIT-1", creation.exchange)
        if expected is None:
            continue
        if expected.kind == "reject":
            if "EDIT-1" in expected.claims and taken is not None:
                message = f"an edit: {expected.why}; answered {outcome_of(creation.exchange)}"
                yield judged("EDIT-1", not taken, message, creation.exchange)
        elif 200 <= creation.status < 300:
            yield _accepted(view, "EDIT-1", creation)
        elif expected.kind == "accept" and taken is False and _is_documented(view, creation):
            message = f"a valid edit is answered {outcome_of(creation.exchange)}"
            yield breaks("EDIT-1", message, creation.exchange)
    yield from _sizes_of_edits(view)


def _is_documented(view: View, creation: Creation) -> bool:
    """Whether what a refused edit is blamed for is a part that the documents name."""
    if creation.expected is None or is_emulator(view):
        return creation.expected is not None
    param = text_in(error_of(creation.exchange), "param")
    claims = set(creation.expected.claims_about(param or None))
    is_open = param.partition("[")[0] in creation.expected.unless
    return not is_open and bool(claims) and claims <= _DOCUMENTED_OF_EDITS


def _sizes_of_edits(view: View) -> Iterator[Finding]:
    for picture in pictures(view):
        wish = picture.link.wish
        if wish is not None and wish.endpoint == "edits" and names_a_frame(wish.size):
            right = is_as_documented(picture.frame, wish, exactly=is_emulator(view))
            message = f"an edit with the size {wish.size} gives {picture.frame}"
            yield judged("EDIT-1", right, message, picture.download)


@judges("EDIT-2", "UPL-1")
def image_formats(view: View) -> Iterator[Finding]:
    """JPEG, PNG and WebP are taken, 17 images and no image are not (EDIT-2, UPL-1)."""
    for creation in _calls(view, EDITS):
        yield from _images_sent(view, creation, "EDIT-2")
    for upload in view.uploads:
        yield from _images_sent(view, upload, "UPL-1")


def _images_sent(view: View, creation: Creation, claim_id: str) -> Iterator[Finding]:
    expected, taken, where = creation.expected, was_taken(view, creation), creation.exchange
    if expected is None or taken is None:
        return
    told = f"answered {outcome_of(where)}"
    images = [part for part in where.request.parts if part.filename is not None]
    all_whole = bool(images) and all(is_readable(part.content) for part in images)
    if expected.kind == "accept" or (expected.kind == "open" and taken and all_whole):
        blamed = text_in(error_of(where), "param").partition("[")[0]
        if taken or not blamed or blamed in {part.name for part in images}:
            formats = ", ".join(sorted({part.media_type for part in images}))
            yield judged(claim_id, taken, f"whole images ({formats}) are {told}", where)
    elif expected.kind == "reject" and expected.claims == (claim_id,):
        if _is_about_one_file(claim_id, images):  # that it is refused is assumed
            reading = "taken, though unreadable" if taken else "A"
            yield reads("EDIT-2", reading, f"{expected.why}: {told}", where)
        else:
            yield judged(claim_id, not taken, f"{expected.why}: {told}", where)


def _is_about_one_file(claim_id: str, images: list[Part]) -> bool:
    """Whether a request is at fault for what a file has in it, not for how many there are."""
    if claim_id == "UPL-1":
        return any(part.name == "file" for part in images)
    return sum(part.name != "mask" for part in images) <= MAX_REFERENCE_IMAGES


@judges("UPL-1")
def upload_answers_a_link(view: View) -> Iterator[Finding]:
    """An accepted upload is a 200 with a link of its own, which gives the image back (UPL-1)."""
    owners: dict[str, tuple[bytes, Exchange]] = {}
    for upload in view.uploads:
        if has_no_such_route(upload.exchange):
            yield _absent("UPL-1", upload.exchange)
        if not 200 <= upload.status < 300:
            continue
        url = absolute_url(upload.answer.get("url"))
        told = f"{upload.status} with the url {shown(upload.answer.get('url'))}"
        right = upload.status == 200 and url is not None
        yield judged("UPL-1", right, f"an upload is answered {told}", upload.exchange)
        file = next((part for part in upload.exchange.request.parts if part.name == "file"), None)
        if file is None or url is None:
            continue
        content, first = owners.setdefault(url, (file.content, upload.exchange))
        if content != file.content:
            yield breaks("UPL-1", "two different files share a link", first, upload.exchange)
        yield from _given_back(view, url, file)


def _given_back(view: View, url: str, file: Part) -> Iterator[Finding]:
    """What the downloads of an upload give; how long its link works is not documented."""
    link, sent, strict = view.links.get(url), image_facts(file.content), is_emulator(view)
    for visit in link.visits if link is not None else ():
        age = visit.sent_at - link.source.sent_at if link is not None else 0.0
        status = status_of(visit)
        if visit.request.method != "GET" or sent.problem is not None or age > HOUR_SECONDS:
            continue
        problem = None
        if 400 <= status < 500 and status != 429:
            if status in (401, 403) and not strict:
                continue  # it may need a key, which no document denies
            problem = f"answered {outcome_of(visit)}"
        elif status == 200:
            got = decoded(visit)
            if got is None:
                continue
            problem = got.problem
            if problem is None and strict and got.pixels_digest != sent.pixels_digest:
                problem = f"other pixels, {got.width_px}x{got.height_px}"
        else:
            continue
        yield judged("UPL-1", problem is None, f"the link of an upload: {problem}", visit)
