"""Calls that wait for their images, and uploads (SYNC-1, EDIT-1, EDIT-2, UPL-1)."""

from collections.abc import Iterator

from contracts.exchange import Exchange, Part, fields_of
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.images import image_facts
from contracts.observed import EDITS, SYNC, UPLOAD, Creation, result_urls
from contracts.view import View

_SILENT = (0, 401, 402, 403, 429)


def _says_something(creation: Creation) -> bool:
    """Whether an answer is about the request, not about the key or an outage."""
    return creation.status not in _SILENT and creation.status < 500


def _images_problem(creation: Creation) -> str | None:
    """What is wrong with a 200 of a call that waited; None where nothing is."""
    created, data = creation.answer.get("created"), creation.answer.get("data")
    if not isinstance(created, int) or isinstance(created, bool) or not 10**9 < created < 10**10:
        return f"created is {created!r}, no Unix seconds"
    if not isinstance(data, list) or not data:
        return f"data is {data!r}, no list of images"
    if len(result_urls(creation.answer)) != len(data):
        return f"an image has no absolute url: {data!r}"[:300]
    return None


def _task_problem(view: View, creation: Creation) -> str | None:
    """What is wrong with a 202; None where nothing is."""
    life = view.lives.get(creation.task_id or "")
    if creation.task_id is None:
        return "it names no task"
    path = f"/v1/tasks/{creation.task_id}"
    asked = [exchange for exchange in view.task_reads if exchange.request.path == path]
    return "its task can't be read" if asked and (life is None or not life.reads) else None


@judges("SYNC-1")
def sync_answers_images_or_task(view: View) -> Iterator[Finding]:
    """An accepted sync creation is a 200 with images or a 202 with a task (SYNC-1)."""
    for creation in view.creations:
        if creation.exchange.request.path != SYNC:
            continue
        if creation.status in (404, 405) and creation.answer.get("error") is None:
            yield breaks("SYNC-1", f"the route answers {creation.status}", creation.exchange)
        elif 200 <= creation.status < 300:
            yield _accepted(view, "SYNC-1", creation)


def _accepted(view: View, claim_id: str, creation: Creation) -> Finding:
    problem: str | None = f"it answers {creation.status}"
    if creation.status == 200:
        problem = _images_problem(creation)
    elif creation.status == 202:
        problem = _task_problem(view, creation)
    return judged(claim_id, problem is None, f"a call that waits: {problem}", creation.exchange)


@judges("EDIT-1")
def edit_answers_images(view: View) -> Iterator[Finding]:
    """A valid edit is a 200 with images; one without prompt or image a 400 (EDIT-1)."""
    for creation in view.creations:
        expected = creation.expected
        if creation.exchange.request.path != EDITS or expected is None:
            continue
        if 200 <= creation.status < 300 and expected.kind != "reject":
            yield _accepted(view, "EDIT-1", creation)
        elif (
            "EDIT-1" in expected.claims and expected.kind == "reject" and _says_something(creation)
        ):
            message = f"an edit with {expected.why} answers {creation.status}, not 400"
            yield judged("EDIT-1", creation.status == 400, message, creation.exchange)
        elif expected.kind == "accept" and creation.status == 400 and _is_about_fields(creation):
            message = f"a valid edit answers 400: {_message(creation.exchange)}"
            yield breaks("EDIT-1", message, creation.exchange)


def _is_about_fields(creation: Creation) -> bool:
    """Whether a 400 blames a part of the request: images may be withheld as well (ERR-7)."""
    return fields_of(creation.answer.get("error")).get("param") is not None


def _message(exchange: Exchange) -> str:
    answer = fields_of(exchange.response.json if exchange.response is not None else None)
    return str(fields_of(answer.get("error")).get("message"))


@judges("EDIT-2", "UPL-1")
def image_formats(view: View) -> Iterator[Finding]:
    """Whole JPEG, PNG and WebP are taken, other files and too many are not (EDIT-2, UPL-1)."""
    for creation in (*view.creations, *view.uploads):
        claim_id = {EDITS: "EDIT-2", UPLOAD: "UPL-1"}.get(creation.exchange.request.path)
        expected = creation.expected
        if claim_id is None or expected is None or not _says_something(creation):
            continue
        where = creation.exchange
        if expected.kind == "accept" and creation.status < 300:
            yield holds(claim_id, where)
        elif expected.kind == "accept" and _is_about_fields(creation):
            message = f"whole images are refused with {creation.status}: {_message(where)}"
            yield breaks(claim_id, message, where)
        elif expected.kind == "reject" and claim_id in expected.claims:
            message = f"{expected.why}, and the answer is {creation.status}"
            if "readable" in expected.why and claim_id == "EDIT-2":
                reading = (
                    "A" if creation.status == 400 else f"{creation.status} for an unreadable file"
                )
                yield reads("EDIT-2", reading, message, where)
            else:
                yield judged(claim_id, creation.status == 400, message, where)


@judges("UPL-1")
def upload_answers_a_link(view: View) -> Iterator[Finding]:
    """An accepted upload is a 200 with a link of its own, which gives the image back (UPL-1)."""
    owners: dict[str, tuple[bytes, Exchange]] = {}
    for upload in view.uploads:
        if upload.status < 200 or upload.status >= 300:
            continue
        url = upload.answer.get("url")
        right = upload.status == 200 and isinstance(url, str) and "://" in url
        message = f"an upload answers {upload.status} with url {url!r}"
        yield judged("UPL-1", right, message, upload.exchange)
        file = next((part for part in upload.exchange.request.parts if part.name == "file"), None)
        if file is None or not isinstance(url, str):
            continue
        content, first = owners.setdefault(url, (file.content, upload.exchange))
        if content != file.content:
            yield breaks("UPL-1", "two different files share a link", first, upload.exchange)
        yield from _given_back(view, url, file)


def _given_back(view: View, url: str, file: Part) -> Iterator[Finding]:
    link = view.links.get(url.partition("#")[0])
    sent = image_facts(file.content)
    for visit in link.visits if link is not None else ():
        response = visit.response
        age = visit.sent_at - link.made_at if link is not None else 0.0
        if response is None or response.status >= 500 or age > 24 * 3600 or sent.problem:
            continue
        got = response.image
        if response.status != 200:
            problem: str | None = f"it answers {response.status}"
        elif got is None or got.problem is not None:
            problem = "it is no whole image" if visit.request.method == "GET" else None
        else:
            same = (got.width_px, got.height_px) == (sent.width_px, sent.height_px)
            problem = None if same else f"it is {got.width_px}x{got.height_px} pixels"
        yield judged("UPL-1", problem is None, f"the link of an upload: {problem}", visit)
