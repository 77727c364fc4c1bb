"""Judges of links: whether they work, how long, for whom."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.checks import media as judges
from contracts.exchange import Exchange, Response
from contracts.findings import Judge
from tests.contracts.support import (
    LINK,
    START,
    callback,
    creation,
    download,
    exchange,
    task_read,
    told,
)

OTHER, EMULATOR = {"target": "other"}, {"target": "emulator"}
URL = LINK.format(task_id="task_1")
SYNC = "/v1/images/generations/sync"
HOUR = 3600.0
LATE, OVER = 23.9 * HOUR, 24.1 * HOUR  # the task ended a second after START
ERROR = {"error": {"message": "This link has expired.", "type": "x", "code": None, "param": None}}


def visit(status: int, at: float = 3.0, method: str = "GET", **options: Any) -> Exchange:
    answer = ERROR if status >= 400 and method == "GET" else None
    return exchange(
        method, options.pop("url", URL), status=status, answer=answer, at=at,
        **{"sender": "", **options},
    )  # fmt: skip


def said(judge: Judge, seen: list[Exchange], facts: dict[str, Any]) -> str:
    """What is said of a task that was created and read, and of what followed."""
    return told(judge, creation(), task_read(), *seen, **facts)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([download(), download(at=LATE)], "holds"),
        ([download(), visit(304, LATE)], "holds"),
        ([download()], ""),  # that it works at once says nothing about a day
        ([download(at=20 * HOUR)], ""),
        ([download(), visit(410, LATE)], "breaks"),
        ([visit(404)], "breaks"),
        ([visit(403, sender="key-1")], "breaks"),
        ([visit(403)], ""),  # it may need a key (MEDIA-3)
        ([visit(401)], ""),
        ([download(), visit(403)], "breaks"),
        ([visit(429)], ""),
        ([visit(500)], ""),
        ([visit(302)], ""),
        ([visit(0)], ""),
        ([visit(404, method="HEAD")], ""),
        ([visit(410, OVER)], ""),
        ([visit(410, 24 * HOUR)], ""),  # too near to tell
        ([visit(404, url=URL + "1")], ""),
    ],
)
def test_link_works_for_its_time(seen: list[Exchange], expected: str) -> None:
    found = said(judges.link_works_for_its_time, seen, OTHER)
    assert found == (expected and f"MEDIA-1 {expected}")


def test_a_task_that_does_not_say_when_it_ended_may_have_ended_when_it_was_made() -> None:
    read = task_read(at=5 * HOUR, completed_at=None)
    judge = judges.link_works_for_its_time
    assert told(judge, creation(), read, visit(410, 23 * HOUR)) == "MEDIA-1 breaks"
    assert told(judge, creation(), read, visit(410, 25 * HOUR)) == ""
    assert told(judge, read, visit(410, 23 * HOUR)) == ""


def waited(created: Any = int(START) + 40, at: float = 0.0) -> Exchange:
    body = {"model": "gpt-image-2", "prompt": "A stone"}
    answer = {"created": created, "data": [{"url": URL}]}
    return replace(exchange("POST", SYNC, body=body, answer=answer, at=at), seconds=50.0)


def test_what_waited_says_when_its_time_began() -> None:
    judge = judges.link_works_for_its_time
    assert told(judge, waited(), visit(410, 24 * HOUR + 30)) == "MEDIA-1 breaks"
    assert told(judge, waited(), visit(410, 24 * HOUR + 45)) == ""
    # Where it does not, it began no sooner than the request.
    assert told(judge, waited(created=None), visit(410, 24 * HOUR - 10)) == "MEDIA-1 breaks"
    assert told(judge, waited(created=1), visit(410, 24 * HOUR + 10)) == ""


def test_a_link_that_only_a_callback_told_has_its_time() -> None:
    task = task_read().response
    assert task is not None
    call = callback(task.json, "https://hooks.example.com/")
    assert told(judges.link_works_for_its_time, call, visit(404)) == "MEDIA-1 breaks"
    assert told(judges.link_stops_after_its_time, call, visit(410, OVER)) == "MEDIA-2 A"


def described(seen: Exchange, **headers: str) -> Exchange:
    assert seen.response is not None
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return replace(seen, response=Response(seen.response.status, named, b"", seen.response.image))


GOT = described(download(), content_type="image/png", content_length="7")
HEAD = visit(200, method="HEAD")


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        ([GOT, described(HEAD, content_type="image/png", content_length="7")], EMULATOR, ""),
        ([GOT, described(HEAD, content_type="image/png", content_length="0")], EMULATOR, "breaks"),
        ([GOT, described(HEAD, content_type="text/html", content_length="7")], EMULATOR, "breaks"),
        ([GOT, visit(404, method="HEAD")], EMULATOR, "breaks"),
        ([GOT, visit(304, method="HEAD")], EMULATOR, ""),
        ([GOT, visit(403, method="HEAD")], OTHER, ""),
        ([GOT, visit(410, OVER, "HEAD")], EMULATOR, ""),
        ([visit(404, method="HEAD")], EMULATOR, ""),
    ],
)
def test_head_answers_like_get(seen: list[Exchange], facts: dict[str, Any], expected: str) -> None:
    found = said(judges.head_answers_like_get, seen, facts)
    assert found == (expected and f"MEDIA-1 {expected}")


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (visit(410, OVER), OTHER, "A"),
        (exchange("GET", URL, status=410, at=OVER), OTHER, "410 without the error body"),
        (visit(403, OVER), OTHER, "B"),
        (visit(404, OVER), EMULATOR, "B"),
        (download(at=OVER), OTHER, "200 after its time"),
        (visit(304, OVER), OTHER, "304 after its time"),
        (visit(400, OVER), OTHER, "400 after its time"),
        (visit(500, OVER), OTHER, ""),
        (visit(500, OVER), EMULATOR, "500 after its time"),
        (visit(429, OVER), OTHER, ""),
        (visit(302, OVER), OTHER, ""),
        (visit(410, LATE), OTHER, ""),
        (visit(410, 24 * HOUR + 4), OTHER, ""),
        (visit(410, OVER, "HEAD"), OTHER, ""),
    ],
)
def test_link_stops_after_its_time(seen: Exchange, facts: dict[str, Any], expected: str) -> None:
    found = said(judges.link_stops_after_its_time, [seen], facts)
    assert found == (expected and f"MEDIA-2 {expected}")


def test_a_link_that_was_signed_at_a_read_may_last_a_day_from_then() -> None:
    seen = [creation(), task_read(at=20 * HOUR), download(at=25 * HOUR)]
    judge = judges.link_stops_after_its_time
    assert told(judge, *seen, **OTHER) == ""
    assert told(judge, *seen, **EMULATOR) == "MEDIA-2 200 after its time"
    later = download(at=45 * HOUR)
    assert told(judge, *seen, later, **OTHER) == "MEDIA-2 200 after its time"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (download(), "A"),
        (visit(304), "A"),
        (visit(401), "401 without a key"),
        (visit(403), "403 without a key"),
        (visit(404), ""),
        (visit(500), ""),
        (download(sender="key-1"), ""),
        (download(headers={"X-API-Key": "key-1"}), ""),
        (visit(403, OVER), ""),
    ],
)
def test_link_needs_no_key(seen: Exchange, expected: str) -> None:
    found = said(judges.link_needs_no_key, [seen], OTHER)
    assert found == (expected and f"MEDIA-3 {expected}")


def test_a_recorder_that_keeps_no_keys_shows_nothing_about_them() -> None:
    keyless = [replace(one, request=replace(one.request, headers=()), sender="")
               for one in (creation(), task_read(), download())]  # fmt: skip
    assert told(judges.link_needs_no_key, *keyless) == ""


CHANGED = URL.replace("0123", "0000")


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (visit(403, url=CHANGED), EMULATOR, "holds"),
        (visit(404, url=URL.partition("?")[0]), EMULATOR, "holds"),
        (download(CHANGED), EMULATOR, "breaks"),
        (visit(500, url=CHANGED), EMULATOR, ""),
        (download(CHANGED), OTHER, ""),  # it may have been signed for somebody else
        (download(), EMULATOR, ""),
        (download(URL.replace("task_1", "task_2")), EMULATOR, ""),
    ],
)
def test_changed_link_is_refused(seen: Exchange, facts: dict[str, Any], expected: str) -> None:
    found = said(judges.changed_link_is_refused, [seen], facts)
    assert found == (expected and f"MEDIA-3 {expected}")


def test_uploads_are_no_generated_media() -> None:
    up = exchange("POST", "/v1/images/upload", body=b"", answer={"url": URL})
    for judge in (judges.link_works_for_its_time, judges.link_stops_after_its_time):
        assert told(judge, up, visit(404, sender="key-1"), download(at=OVER), **EMULATOR) == ""
