"""Judges of calls that wait, and of uploads."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from contracts.checks import waiting as judges
from contracts.exchange import Exchange, Part, Response
from contracts.image_file import blank_png
from contracts.images import image_facts
from tests.contracts.support import START, download, exchange, png, task_read, told

OTHER, EMULATOR = {"target": "other"}, {"target": "emulator"}
SYNC, EDITS, UPLOAD = "/v1/images/generations/sync", "/v1/images/edits", "/v1/images/upload"
NOW = int(START) + 2
URL = "https://a.test/1.png"
IMAGES = {"created": NOW, "data": [{"url": URL}]}
TASK = {"task_id": "task_1", "status": "processing"}
TEXTS = {"model": "gpt-image-2", "prompt": "Add a boat"}


def file_of(form: str, color: str = "teal") -> bytes:
    file = BytesIO()
    Image.new("RGB", (32, 32), color).save(file, form)
    return file.getvalue()


PNG, JPEG, WEBP, GIF = (file_of(form) for form in ("PNG", "JPEG", "WEBP", "GIF"))
TYPES = {PNG: "image/png", JPEG: "image/jpeg", WEBP: "image/webp", GIF: "image/gif"}


def part(content: bytes, name: str = "image") -> Part:
    return Part(name, "stone.png", TYPES.get(content, "image/png"), content)


def form(texts: dict[str, Any], files: tuple[Part, ...]) -> bytes:
    chunks = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in texts.items()
    ]
    for file in files:
        disposition = f'form-data; name="{file.name}"; filename="{file.filename}"'
        head = f"--b\r\nContent-Disposition: {disposition}\r\nContent-Type: {file.media_type}"
        chunks.append(head.encode() + b"\r\n\r\n" + file.content + b"\r\n")
    return b"".join([*chunks, b"--b--\r\n"])


def error(param: str | None = None, code: str = "invalid_image") -> dict[str, Any]:
    return {"error": {"message": "No.", "type": "x", "code": code, "param": param}}


def sent(
    path: str, texts: dict[str, Any], files: tuple[Part, ...], status: int, answer: Any
) -> Exchange:
    headers = {
        "Authorization": "Bearer key-1",
        "Content-Type": "multipart/form-data; boundary=b",
    }
    return exchange(
        "POST", path, body=form(texts, files), headers=headers, status=status, answer=answer
    )


def edit(*files: bytes, status: int = 200, answer: Any = None, **fields: Any) -> Exchange:
    """An edit of these images; ``...`` leaves a field out."""
    texts = {name: text for name, text in {**TEXTS, **fields}.items() if text is not ...}
    usual = IMAGES if status < 300 else error()
    parts = tuple(part(content) for content in files)
    return sent(EDITS, texts, parts, status, usual if answer is None else answer)


def upload(
    content: bytes | None = PNG, status: int = 200, answer: Any = None, url: str = URL
) -> Exchange:
    usual = {"url": url} if status < 300 else error("file")
    files = () if content is None else (part(content, "file"),)
    return sent(UPLOAD, {}, files, status, usual if answer is None else answer)


def sync(status: int = 200, answer: Any = None, **fields: Any) -> Exchange:
    return exchange(
        "POST", SYNC, body={**TEXTS, **fields}, status=status,
        answer=IMAGES if answer is None else answer,
    )  # fmt: skip


def lost(sender: str = "key-1") -> Exchange:
    return exchange("GET", "/v1/tasks/task_1", status=404, answer=error(), sender=sender)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([sync()], "holds"),
        ([sync(answer={**IMAGES, "data": [{"b64_json": "iVBO"}], "usage": {}})], "holds"),
        ([sync(answer={**IMAGES, "data": []})], "breaks"),
        ([sync(answer={**IMAGES, "data": [{"url": "/1.png"}]})], "breaks"),
        ([sync(answer={"result": IMAGES})], "breaks"),
        ([sync(answer={**IMAGES, "created": NOW * 1000})], "breaks"),
        ([sync(answer={**IMAGES, "created": "now"})], "breaks"),
        ([sync(answer={**IMAGES, "created": NOW - 10**7})], "breaks"),
        ([sync(answer=b"<html>")], "breaks"),
        ([sync(201)], "breaks"),
        ([sync(202, TASK)], "holds"),
        ([sync(202, TASK), task_read()], "holds"),
        ([sync(202, TASK), lost()], "breaks"),
        ([sync(202, TASK), lost("key-2")], "holds"),
        ([sync(202, IMAGES)], "breaks"),
        ([sync(202, {**TASK, "status": "accepted"})], "breaks"),
        ([sync(404, b"Not Found")], "unsupported"),
        ([sync(405, b"")], "unsupported"),
        ([sync(404, error(code="model_not_found"))], ""),
        ([sync(400, error("size"))], ""),
        ([sync(504, error(code="timeout"))], ""),
        ([sync(0)], ""),
    ],
)
def test_sync_answers_images_or_task(seen: list[Exchange], expected: str) -> None:
    assert told(judges.sync_answers_images_or_task, *seen) == (expected and f"SYNC-1 {expected}")


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (edit(PNG), OTHER, "holds"),
        (edit(PNG, status=202, answer=TASK), OTHER, "holds"),
        (edit(PNG, answer={**IMAGES, "data": None}), OTHER, "breaks"),
        (edit(PNG, status=400), OTHER, "breaks"),
        (edit(PNG, status=422, answer=error("image")), OTHER, "breaks"),
        (edit(PNG, size="2:3", status=400, answer=error("size")), OTHER, "breaks"),
        (edit(PNG, status=400, answer=error(code="image_safety")), OTHER, ""),
        # No document says that edits have these.
        (edit(PNG, quality="low", status=400, answer=error("quality")), OTHER, ""),
        (edit(PNG, quality="low", status=400), OTHER, ""),
        (edit(PNG, quality="low", status=400, answer=error("quality")), EMULATOR, "breaks"),
        (edit(PNG, quality="low"), OTHER, "holds"),
        (edit(PNG, status=402), OTHER, ""),
        (edit(PNG, status=429), OTHER, ""),
        (edit(PNG, status=500), OTHER, ""),
        (edit(PNG, prompt=..., status=400), OTHER, "holds"),
        (edit(PNG, prompt=...), OTHER, "breaks"),
        (edit(PNG, model=..., status=422), OTHER, "holds"),
        (edit(status=400), OTHER, "holds"),
        (edit(), OTHER, "breaks"),
        (edit(prompt=..., status=402), OTHER, ""),
        (edit(prompt=..., status=402), EMULATOR, "breaks"),
        (edit(GIF), OTHER, ""),  # EDIT-2
        (edit(PNG, status=404, answer=b"Not Found"), OTHER, "unsupported"),
    ],
)
def test_edit_answers_images(seen: Exchange, facts: dict[str, Any], expected: str) -> None:
    found = told(judges.edit_answers_images, seen, **facts)
    assert found == (expected and f"EDIT-1 {expected}")


@pytest.mark.parametrize(
    ("size", "got", "expected"),
    [
        ("2:3", (832, 1248), "holds"),
        ("2:3", (1024, 1536), "holds"),
        ("2:3", (1024, 1024), "breaks"),
        ("1280x720", (1280, 720), "holds"),
        ("1280x720", (1024, 1024), "breaks"),
        ("auto", (640, 640), "holds"),
    ],
)
def test_an_edit_has_the_size_that_was_asked_for(
    size: str, got: tuple[int, int], expected: str
) -> None:
    found = told(judges.edit_answers_images, edit(PNG, size=size), download(URL, png(*got)))
    assert ("EDIT-1 breaks" in found) == (expected == "breaks")


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (edit(PNG, JPEG, WEBP), OTHER, "EDIT-2 holds"),
        (edit(*[PNG] * 16), OTHER, "EDIT-2 holds"),
        (edit(PNG, callback_url="http://127.0.0.1/"), OTHER, "EDIT-2 holds"),
        (edit(WEBP, status=400), OTHER, "EDIT-2 breaks"),
        (edit(WEBP, status=400, answer=error("image[0]")), OTHER, "EDIT-2 breaks"),
        (edit(WEBP, status=400, answer=error("prompt")), OTHER, ""),
        (edit(WEBP, status=400, answer=error(code="content_filter")), OTHER, ""),
        (edit(WEBP, status=503), OTHER, ""),
        (edit(*[PNG] * 17, status=400), OTHER, "EDIT-2 holds"),
        (edit(*[PNG] * 17), OTHER, "EDIT-2 breaks"),
        (edit(GIF, status=400), OTHER, "EDIT-2 A"),
        (edit(PNG[:40], status=422), OTHER, "EDIT-2 A"),
        (edit(b"A stone"), OTHER, "EDIT-2 taken, though unreadable"),
        (edit(PNG, b"", status=402), EMULATOR, "EDIT-2 taken, though unreadable"),
        (edit(GIF, prompt=..., status=400), OTHER, ""),  # which of the two was seen?
        (edit(status=400), OTHER, ""),  # EDIT-1
        (upload(JPEG), OTHER, "UPL-1 holds"),
        (upload(JPEG, 400), OTHER, "UPL-1 breaks"),
        (upload(JPEG, 401), OTHER, ""),
        (upload(GIF, 400), OTHER, "EDIT-2 A"),
        (upload(GIF), OTHER, "EDIT-2 taken, though unreadable"),
        (upload(None, 400), OTHER, "UPL-1 holds"),
        (upload(None), OTHER, "UPL-1 breaks"),
    ],
)
def test_image_formats(seen: Exchange, facts: dict[str, Any], expected: str) -> None:
    assert told(judges.image_formats, seen, **facts) == expected


def fetched(content: bytes = PNG, **options: Any) -> Exchange:
    return download(URL, image_facts(content), **options)


def refused(status: int, at: float = 3.0, method: str = "GET") -> Exchange:
    return exchange(method, URL, status=status, answer=error(), sender="", at=at)


HOUR = 3600.0
BROKEN = replace(png(1, 1), problem="a broken picture: it is cut off")


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        ([upload()], OTHER, "holds"),
        ([upload(), fetched()], EMULATOR, "holds"),
        ([upload(answer={"url": "/files/1"})], OTHER, "breaks"),
        ([upload(answer={})], OTHER, "breaks"),
        ([upload(status=201)], OTHER, "breaks"),
        ([upload(), upload()], OTHER, "holds"),
        ([upload(), upload(JPEG)], OTHER, "breaks, holds"),
        ([upload(), upload(JPEG, url=URL + "?2")], OTHER, "holds"),
        ([upload(), fetched(blank_png())], OTHER, "holds"),  # it may keep what it likes
        ([upload(), fetched(blank_png())], EMULATOR, "breaks, holds"),
        ([upload(), download(URL, BROKEN)], OTHER, "breaks, holds"),
        ([upload(), refused(410)], OTHER, "breaks, holds"),
        ([upload(), refused(410, 2 * HOUR)], OTHER, "holds"),
        ([upload(), refused(403)], OTHER, "holds"),
        ([upload(), refused(403)], EMULATOR, "breaks, holds"),
        ([upload(), refused(404, method="HEAD")], OTHER, "holds"),
        ([upload(), refused(500)], OTHER, "holds"),
        ([upload(b"A stone"), refused(404)], OTHER, "holds"),  # EDIT-2
        ([upload(status=400)], OTHER, ""),
        ([upload(status=404, answer=b"Not Found")], OTHER, "unsupported"),
    ],
)
def test_upload_answers_a_link(seen: list[Exchange], facts: dict[str, Any], expected: str) -> None:
    found = told(judges.upload_answers_a_link, *seen, **facts).replace("UPL-1 ", "")
    assert found == expected


def test_a_trace_without_bodies_shows_no_upload() -> None:
    bare = replace(fetched(), response=Response(200, (("Content-Type", "image/png"),)))
    assert told(judges.upload_answers_a_link, upload(), bare) == "UPL-1 holds"
