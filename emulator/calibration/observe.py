"""Entries of a trace -> what they show."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from emulator.api.schemas import form_fields, parse_creation
from emulator.calibration.har import (
    Entry,
    Har,
    decoded,
    instant,
    member,
    number,
    picture_frame,
    text_member,
)
from emulator.calibration.observed import Asked, Attempt, Creation, Fetch, Link, Observed, Read
from emulator.core.clock import SECOND
from emulator.core.errors import Refusal
from emulator.core.profile import REFERENCE
from emulator.core.request import MODEL
from emulator.settings import Settings

_CREATION = re.compile(r"(?:^|.*/)v1/images/(generations|generations/sync|edits)/?")
_TASK = re.compile(r"(?:^|.*/)v1/tasks/[^/]+/?")
# What decides pixels and price; the reference profile takes every value that any document names.
_SHAPE_FIELDS = (
    "size", "aspect_ratio", "aspectRatio", "imageSize", "resolution", "quality", "n",
)  # fmt: skip
_LENIENT = Settings(profile=REFERENCE)
_NUMBER = re.compile(r"[0-9]{1,14}", re.ASCII)
_REFUSED = 400
_DIES_AT = ("expires", "expires_at", "expiry", "exp", "se")
_LIVES_FOR = ("x-amz-expires", "x-goog-expires", "expires_in")


def observe(har: Har) -> Observed:
    """Find in a trace what can be learned from."""
    found, entries = Observed(har.clock_moved), har.entries
    asked_by_task: dict[str, Asked] = {}
    for entry in entries:
        if entry.method == "POST" and not entry.is_callback and _CREATION.fullmatch(entry.path):
            _creation(entry, found, asked_by_task)
    for entry in entries:
        if entry.is_callback:
            _callback(entry, found, asked_by_task)
        elif entry.method == "GET" and _TASK.fullmatch(entry.path) and entry.succeeded:
            _task(entry, entry.answer, found, asked_by_task)
    _downloads(entries, found)
    return found


def _creation(entry: Entry, found: Observed, asked_by_task: dict[str, Asked]) -> None:
    fields = entry.fields or form_fields(entry.form)
    answer = entry.answer
    if entry.status == _REFUSED:
        asked = _asked(fields)
        if asked is not None and text_member(answer, "error", "code") != "content_policy":
            found.refused.append(asked)
        return
    task_id = text_member(answer, "task_id")
    images = member(answer, "data")
    if not entry.succeeded or not (task_id or isinstance(images, list)):
        return
    asked = _asked({"model": MODEL, "prompt": "-", **_shape(fields)})
    if asked is None:
        found.not_understood += 1
    elif task_id:
        asked_by_task[task_id] = asked
    found.creations.append(
        Creation(
            asked,
            task_id,
            text_member(answer, "status"),
            "model" in answer,
            _credits(answer),
            None if task_id else entry.duration_ms,
        )
    )
    if not task_id:
        _images(entry, answer, Link("", asked, instant(answer.get("created")), None, None), found)


def _shape(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in _SHAPE_FIELDS if name in fields}


def _asked(fields: dict[str, Any]) -> Asked | None:
    try:
        request = parse_creation(fields, _LENIENT).request
    except Refusal:
        return None
    quality = request.quality if "quality" in fields else None
    return Asked(request.size, request.resolution, quality, request.n)


def _credits(answer: Mapping[str, Any]) -> int | None:
    credits = number(member(answer, "credits", "reserved"))
    return int(credits) if credits is not None and credits == int(credits) else None


def _callback(entry: Entry, found: Observed, asked_by_task: dict[str, Asked]) -> None:
    read = _task(entry, entry.fields, found, asked_by_task)
    if read is not None:
        found.attempts.append(Attempt(read.task_id, entry.at, entry.status, read.completed_at))


def _task(
    entry: Entry, body: Mapping[str, Any], found: Observed, asked_by_task: dict[str, Asked]
) -> Read | None:
    task_id, status = text_member(body, "task_id"), text_member(body, "status")
    if not task_id or not status:
        return None
    result = member(body, "result")
    ended_at = instant(body.get("completed_at"))
    read = Read(
        task_id,
        entry.at,
        status,
        instant(body.get("created_at")),
        ended_at,
        bool(member(result, "data")),
        text_member(body, "error", "code"),
        _credits(body),
    )
    found.reads.append(read)
    if ended_at is None:
        ended_at = instant(member(result, "created"))
    _images(entry, result, Link(task_id, asked_by_task.get(task_id), ended_at, None, None), found)
    return read


def _images(entry: Entry, result: Any, link: Link, found: Observed) -> None:
    """Note a result's links, and the pictures that it carries itself."""
    images = member(result, "data")
    for image in images if isinstance(images, list) else ():
        url = entry.absolute(text_member(image, "url")) if text_member(image, "url") else ""
        if url and url not in found.links:
            dies_at, lives_ms = _expiry(url)
            found.links[url] = Link(link.task_id, link.asked, link.ended_at, dies_at, lives_ms)
        frame = picture_frame(decoded(text_member(image, "b64_json")))
        if frame is not None and link.asked is not None:
            found.pictures.append((link.asked, frame))


def _expiry(url: str) -> tuple[int | None, int | None]:
    """What a link's query says about its end: an instant, or a duration in milliseconds."""
    query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    for name in _LIVES_FOR:
        value = query.get(name, "")
        if _NUMBER.fullmatch(value):
            return None, int(value) * SECOND
    for name in _DIES_AT:
        value = query.get(name, "")
        dies_at = instant(int(value) if _NUMBER.fullmatch(value) else value)
        if dies_at is not None:
            return dies_at, None
    return None, None


def _downloads(entries: list[Entry], found: Observed) -> None:
    """Match requests to links; a picture also where only the link's query differs."""
    by_path = dict(_unambiguous(found.links))
    for entry in entries:
        if entry.method not in ("GET", "HEAD") or entry.is_callback or not entry.url:
            continue
        link = found.links.get(entry.url)
        if link is not None:
            found.fetches.append(Fetch(link, entry.at, entry.status))
        else:
            link = by_path.get(_without_query(entry.url))
        if link is not None and link.asked is not None and entry.succeeded and entry.frame:
            found.pictures.append((link.asked, entry.frame))


def _unambiguous(links: Mapping[str, Link]) -> Iterator[tuple[str, Link]]:
    paths: dict[str, set[Asked | None]] = {}
    for url, link in links.items():
        paths.setdefault(_without_query(url), set()).add(link.asked)
    for url, link in links.items():
        if len(paths[_without_query(url)]) == 1:
            yield _without_query(url), link


def _without_query(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]
