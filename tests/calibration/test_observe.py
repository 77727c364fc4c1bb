"""What is found in a trace."""

import base64
from typing import Any

import pytest

from emulator.calibration.har import parse_har
from emulator.calibration.observe import observe
from emulator.calibration.observed import Asked, Observed
from tests.calibration.traces import (
    HOST,
    START,
    creation,
    detail,
    entry,
    har,
    lessons,
    poll,
    values,
)
from tests.support.world import CREATION

ANSWER = {"task_id": "task_1", "status": "pending", "credits": {"reserved": 30}}
BOUNDARY = "multipart/form-data; boundary=xyz"
FORM = (
    b'--xyz\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-image-2\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="size"\r\n\r\n3:2\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="n"\r\n\r\n3\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n\x89PNG\r\n'
    b"--xyz--\r\n"
)


def observed(*entries: Any) -> Observed:
    return observe(parse_har(har(*entries), "a.har"))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/images/generations",
        "/api/v1/images/generations",
        "/gateway/v1/images/generations/",
        "/v1/images/generations/sync?x=1",
        "/v1/images/edits",
    ],
)
def test_paths_of_creations(path: str) -> None:
    (found,) = observed(entry("POST", path, 202, CREATION, ANSWER)).creations
    assert (found.task_id, found.status, found.reserved) == ("task_1", "pending", 30)


@pytest.mark.parametrize(
    "other",
    [
        entry("GET", "/v1/images/generations", 202, CREATION, ANSWER),
        entry("POST", "/v1/images/generations/other", 202, CREATION, ANSWER),
        entry("POST", "/v2/images/generations", 202, CREATION, ANSWER),
        entry("POST", "/v1/images/generations", 401, CREATION, ANSWER),
        entry("POST", "/v1/images/generations", 200, CREATION, {"ok": True}),
        entry("POST", "/v1/images/generations", 202, CREATION),
        entry("POST", "http://[/v1/images/generations", 202, CREATION, ANSWER),
        entry("GET", "/v1/tasks/task_1", 404, None, detail(1)),
        entry("GET", "/v1/tasks/task_1", 200, None, {"task_id": 7, "status": "pending"}),
        entry("GET", "/v1/tasks", 200, None, detail(1)),
    ],
)
def test_what_is_none(other: Any) -> None:
    found = observed(other)
    assert (found.creations, found.reads, found.refused) == ([], [], [])


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, Asked("auto", "1K", None, 1)),
        ({"size": "16:9", "resolution": "4K", "quality": "high", "n": 10},
         Asked("16:9", "4K", "high", 10)),
        ({"aspect_ratio": "1:3", "imageSize": "2K"}, Asked("1:3", "2K", None, 1)),
        ({"imageSize": "1280x720", "quality": "auto"}, Asked("1280x720", "1K", "auto", 1)),
        ({"prompt": 7, "callback_url": "(hidden)"}, Asked("auto", "1K", None, 1)),
        ({"n": 11}, None),
        ({"quality": "hd"}, None),
        ({"size": None}, None),
    ],
)  # fmt: skip
def test_what_was_asked(fields: Any, asked: Asked | None) -> None:
    found = observed(creation(1, **fields))
    assert found.creations[0].asked == asked
    assert found.not_understood == (asked is None)


@pytest.mark.parametrize(
    "data",
    [
        {"mimeType": BOUNDARY, "text": FORM.decode("latin-1")},
        {"mimeType": BOUNDARY, "text": base64.b64encode(FORM).decode(), "_encoding": "base64"},
        {
            "mimeType": BOUNDARY,
            "params": [
                {"name": "size", "value": "3:2"},
                {"name": "n", "value": "3"},
                {"name": "image", "fileName": "a.png"},
                7,
            ],
        },
    ],
)
def test_forms(data: Any) -> None:
    sent = entry("POST", "/v1/images/edits", 202, None, ANSWER)
    sent["request"]["postData"] = data
    assert observed(sent).creations[0].asked == Asked("3:2", "1K", None, 3)


def test_a_refusal_counts_where_nothing_else_is_wrong() -> None:
    def refused(code: str = "invalid_value", **fields: Any) -> Any:
        error = {"error": {"code": code}}
        return entry("POST", "/v1/images/generations", 400, {**CREATION, **fields}, error)

    assert len(observed(refused()).refused) == 1
    for wrong in ({"n": 0}, {"prompt": ""}, {"callback_url": "x"}, {"code": "content_policy"}):
        assert observed(refused(**wrong)).refused == []


@pytest.mark.parametrize(
    ("credits", "reserved"),
    [(30, 30), (30.0, 30), (30.5, None), (-1, None), (True, None), ("30", None), (1e300, None)],
)
def test_credits(credits: Any, reserved: int | None) -> None:
    assert observed(creation(1, credits=credits)).creations[0].reserved == reserved


def test_a_task_says_what_its_creation_does_not() -> None:
    late = detail(1) | {"credits": {"reserved": 40}}
    entries = [creation(1, credits=None), entry("GET", "/v1/tasks/task_1", 200, None, late)]
    assert values(*entries)["prices"] == "1K=40,2K=60,4K=120"


@pytest.mark.parametrize(
    ("time", "instant"),
    [
        ("2027-01-15T08:00:00Z", START),
        ("2027-01-15T09:00:00+01:00", START),
        (START // 1000, START),
        (START, START),
        ("2027-01-15T08:00:00", None),
        ("soon", None),
        (-1, None),
        (10**400, None),
        ("0001-01-01T00:00:00Z", None),
        (None, None),
    ],
)
def test_times(time: Any, instant: int | None) -> None:
    found = observed({**poll(1), "startedDateTime": time})
    assert found.reads[0].at == instant
    task = detail(1) | {"created_at": time}
    assert observed(entry("GET", f"{HOST}/v1/tasks/1", 200, None, task)).reads[0].created_at == (
        instant
    )


def test_what_fits_no_table_sets_none() -> None:
    assert "prices" not in values(creation(1, quality="hd"))
    for credits, n in ((10**10, 1), (31, 2)):
        found = lessons(creation(1, credits=credits, n=n))["prices"]
        assert found.value is None
        assert f"n={n}: {credits} seen (1)" in found.notes[0]
