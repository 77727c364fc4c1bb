"""Judges of which creations are taken, and of what an accepted one answers."""

from typing import Any

import pytest

from contracts.checks import creation as judges
from contracts.exchange import Exchange
from tests.contracts.support import creation, exchange, findings, summary

GENERATIONS = "/v1/images/generations"
BASE = {"model": "gpt-image-2", "prompt": "A stone"}
OTHER, EMULATOR = {"target": "other"}, {"target": "emulator"}
NOT_FOUND = {"code": "model_not_found", "param": "model"}
PUBLIC = "https://hooks.example.com/"
LINKS = ["https://example.com/a.png"]


def refused(
    status: int = 400, path: str = GENERATIONS, told: Any = None, **fields: Any
) -> Exchange:
    """A creation that is refused; ``told`` are members of the error, ``...`` leaves a field out."""
    body = {name: value for name, value in {**BASE, **fields}.items() if value is not ...}
    answer = {"error": {"message": "No.", "type": "", "code": None, "param": None, **(told or {})}}
    return exchange("POST", path, body=body, status=status, answer=answer)


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (creation(), OTHER, "GEN-1 holds"),
        (creation(size="16:9", n=3), OTHER, "GEN-1 holds, GEN-10 holds, GEN-2 holds"),
        (creation(size="1024x1024"), OTHER, "GEN-1 holds, GEN-3 holds, GEN-4 holds"),
        (creation(no_such_field=1, quality="low"), OTHER, "GEN-1 holds, GEN-9 holds"),
        (creation(prompt="x" * 32_000, n=2), OTHER, "GEN-1 holds, GEN-10 holds"),
        (refused(path=f"{GENERATIONS}/sync"), OTHER, "GEN-1 breaks"),
        (refused(), OTHER, "GEN-1 breaks"),
        (refused(422, n=3), OTHER, "GEN-1 breaks, GEN-10 breaks"),
        (refused(n=3, told={"param": "n"}), OTHER, "GEN-10 breaks"),
        (refused(n=3, told={"param": "prompt"}), OTHER, "GEN-1 breaks"),
        (refused(n=3, told={"code": "content_policy"}), OTHER, ""),
        (refused(told={"type": "content_policy"}), OTHER, ""),
        (refused(input_images=LINKS, told={"param": "input_images[0]"}), OTHER, ""),
        (refused(input_images=LINKS * 16,
                 told={"param": "input_images", "code": "too_many_images"}), OTHER,
         "GEN-11 breaks"),
        (refused(callback_url=PUBLIC, told={"param": "callback_url"}), OTHER, "GEN-12 breaks"),
        (refused(402, n=3), OTHER, ""),
        (refused(402, n=3), EMULATOR, "GEN-1 holds, GEN-10 holds"),
        (refused(404, told=NOT_FOUND), OTHER, ""),
        (refused(404, told=NOT_FOUND), EMULATOR, "GEN-1 breaks"),
        (refused(500, told={"code": "internal_error"}), EMULATOR, "GEN-1 breaks"),
        (refused(403, told={"code": "model_not_allowed"}),
         {**EMULATOR, "keys": {"key-1": {"models": ["another"]}}}, ""),
        (refused(404, told={"message": "Not Found"}), OTHER, "GEN-1 unsupported"),
        (refused(401), OTHER, ""),
        (refused(429), OTHER, ""),
        (refused(503), OTHER, ""),
        (refused(n=0), OTHER, ""),
        (refused(quality="auto"), OTHER, ""),
        (refused(no_such_field=1), OTHER, ""),  # GEN-15
        (refused(prompt="x" * 32_000), OTHER, ""),  # GEN-16
    ],
)  # fmt: skip
def test_valid_request_is_accepted(seen: Exchange, facts: dict[str, Any], expected: str) -> None:
    found = findings(judges.valid_request_is_accepted, seen, **facts)
    assert ", ".join(" ".join(one) for one in sorted(summary(found))) == expected


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (refused(n=0), OTHER, "GEN-10 holds"),
        (refused(422, n=0), OTHER, "GEN-10 holds"),  # ERR-8
        (creation(n=0), OTHER, "GEN-10 breaks"),
        (creation(size="7:5"), OTHER, "GEN-2 breaks, GEN-3 breaks"),
        (creation(quality="ultra", n=11), OTHER, "GEN-10 breaks, GEN-9 breaks"),
        (creation(prompt=7), OTHER, "GEN-1 breaks"),
        (creation(aspect_ratio="7:5"), OTHER, "GEN-11 breaks, GEN-2 breaks, GEN-3 breaks"),
        (creation(input_images=LINKS * 17), OTHER, "GEN-11 breaks"),
        (refused(prompt=...), OTHER, "GEN-1 holds"),
        (refused(quality="ultra", n=11), OTHER, ""),
        (refused(402, n=0), OTHER, ""),
        (refused(402, n=0), EMULATOR, "GEN-10 breaks"),
        (refused(404, n=0), OTHER, ""),
        (refused(500, n=0), OTHER, ""),
        (creation(n=None), OTHER, ""),
        (creation(n=None), EMULATOR, "GEN-10 breaks"),
        (refused(n=None), EMULATOR, "GEN-10 holds"),
        (creation(no_such_field=None), EMULATOR, ""),
        (creation(size="1000x1000"), OTHER, ""),  # GEN-4
        (creation(prompt=""), OTHER, ""),  # GEN-16
        (creation(model="no-such-model"), OTHER, ""),  # MOD-2
        (creation(callback_url="ftp://example.com"), OTHER, ""),  # GEN-12
        (creation(), OTHER, ""),
    ],
)
def test_invalid_request_is_refused(seen: Exchange, facts: dict[str, Any], expected: str) -> None:
    found = findings(judges.invalid_request_is_refused, seen, **facts)
    assert ", ".join(" ".join(one) for one in sorted(summary(found))) == expected


def test_a_request_without_a_key_tells_nothing_of_its_fields() -> None:
    body = {**BASE, "n": 0}
    seen = exchange("POST", GENERATIONS, body=body, status=400, answer={}, sender="")
    assert findings(judges.invalid_request_is_refused, seen) == []


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (refused(size="1000x1000"), ["A"]),
        (refused(size="1000x1000", told={"param": "size"}), ["A"]),
        (creation(size="1000x1000"), ["B"]),
        (refused(size="1000x1000", told={"param": "prompt"}), []),
        (refused(402, size="1000x1000"), []),
        (refused(size="1000x1000", n=0), []),
        (creation(size="1024x1024"), []),
    ],
)
def test_size_outside_the_limits(seen: Exchange, expected: list[str]) -> None:
    found = findings(judges.size_outside_the_limits, seen)
    assert summary(found) == [("GEN-4", reading) for reading in expected]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (refused(quality="auto"), ["A"]),
        (creation(quality="auto"), ["B"]),
        (refused(quality="auto", told={"param": "size"}), []),
        (refused(quality="auto", n=0), []),
        (refused(503, quality="auto"), []),
        (creation(quality="low"), []),
    ],
)
def test_quality_auto(seen: Exchange, expected: list[str]) -> None:
    found = findings(judges.quality_auto, seen)
    assert summary(found) == [("GEN-9", reading) for reading in expected]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (refused(callback_url="ftp://example.com/"), ["holds"]),
        (refused(callback_url=7), ["holds"]),
        (creation(callback_url="/hook"), ["breaks"]),
        (creation(callback_url="http://example.com/"), ["A"]),
        (creation(callback_url="https://10.0.0.1/"), ["A"]),
        (refused(callback_url="http://127.0.0.1/"), ["B"]),
        (refused(callback_url="http://127.0.0.1/", told={"param": "prompt"}), []),
        (refused(callback_url="http://127.0.0.1/", n=0), []),
        (creation(callback_url=PUBLIC), []),
        (creation(), []),
    ],
)
def test_callback_url_is_checked(seen: Exchange, expected: list[str]) -> None:
    found = findings(judges.callback_url_is_checked, seen)
    assert summary(found) == [("GEN-12", outcome) for outcome in expected]


MEMBERS: dict[str, Any] = {
    "task_id": "task_1",
    "status": "pending",
    "poll_url": "/v1/tasks/task_1",
    "request_id": "req_1",
    "credits": {"reserved": 30},
}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"model": "gpt-image-2", "more": 1}, None),
        ({"poll_url": "https://apiany.ai/api/v1/tasks/task_1"}, None),
        ({"task_id": "1", "poll_url": "/v1/tasks/1"}, "task_id is 1, not task_..."),
        ({"status": None}, "status is null, no text"),
        ({"request_id": 7}, "request_id is 7, no text"),
        ({"poll_url": "/tasks/task_1"}, "poll_url is /tasks/task_1, not /v1/tasks/task_1"),
        ({"credits": {"reserved": "30"}}, "credits.reserved is 30, no whole number"),
        ({"credits": 30}, "credits.reserved is null, no whole number"),
    ],
)
def test_answer_has_its_members(changes: dict[str, Any], problem: str | None) -> None:
    (found,) = findings(judges.answer_has_its_members, creation(answer={**MEMBERS, **changes}))
    assert found.outcome == ("holds" if problem is None else "breaks")
    assert problem is None or found.message == f"a creation's answer: {problem}"


def test_a_creation_is_a_202_with_an_id_of_its_own() -> None:
    as_200 = exchange("POST", GENERATIONS, body=BASE, status=200, answer=MEMBERS)
    found = findings(judges.answer_has_its_members, creation(), creation(), as_200)
    assert [one.outcome.value for one in found] == ["holds", "breaks", "breaks"]
    assert "the status is 200, not 202" in found[2].message
    waited = exchange("POST", f"{GENERATIONS}/sync", body=BASE, status=200, answer={"data": []})
    assert findings(judges.answer_has_its_members, waited, refused()) == []


@pytest.mark.parametrize(
    ("model", "expected"),
    [(None, ["A"]), ("gpt-image-2", ["B"]), ("gpt-image-1", ["breaks"]), (7, ["breaks"])],
)
def test_answer_names_the_model(model: Any, expected: list[str]) -> None:
    found = findings(judges.answer_names_the_model, creation(answer={**MEMBERS, "model": model}))
    assert summary(found) == [("GEN-13", outcome) for outcome in expected]


@pytest.mark.parametrize(
    ("status", "expected"),
    [("pending", ["A"]), ("processing", ["B"]), ("queued", ["queued"]), (7, [])],
)
def test_first_status(status: Any, expected: list[str]) -> None:
    found = findings(judges.first_status, creation(answer={**MEMBERS, "status": status}))
    assert summary(found) == [("GEN-14", reading) for reading in expected]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (creation(no_such_field=1), ["A"]),
        (refused(no_such_field=1), ["refused"]),
        (refused(no_such_field=1, told={"param": "no_such_field"}), ["refused"]),
        (refused(no_such_field=1, n=2, told={"param": "n"}), []),
        (refused(no_such_field=1, n=0), []),
        (refused(402, no_such_field=1), []),
        (creation(), []),
    ],
)
def test_unknown_fields_are_ignored(seen: Exchange, expected: list[str]) -> None:
    found = findings(judges.unknown_fields_are_ignored, seen)
    assert summary(found) == [("GEN-15", reading) for reading in expected]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (refused(prompt=""), ["A"]),
        (refused(prompt="x" * 32_001), ["A"]),
        (creation(prompt=""), ["0 characters are taken"]),
        (creation(prompt="x" * 32_001), ["32,001 characters are taken"]),
        (creation(prompt="x" * 32_000), ["A"]),
        (refused(prompt="x" * 32_000), ["32,000 characters are refused"]),
        (refused(prompt="x" * 32_000, told={"param": "n"}), []),
        (refused(prompt="x" * 32_001, n=0), []),
        (refused(402, prompt="x" * 32_000), []),
        (creation(), []),
    ],
)
def test_prompt_length(seen: Exchange, expected: list[str]) -> None:
    found = findings(judges.prompt_length, seen)
    assert summary(found) == [("GEN-16", reading) for reading in expected]


LISTED = exchange("GET", "/v1/models", answer={"object": "list", "data": [{"id": "gpt-image-1"}]})
UNKNOWN = "dall-e-9"


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([refused(404, model=UNKNOWN, told=NOT_FOUND)], ["A"]),
        ([refused(400, model=UNKNOWN)], ["B"]),
        ([refused(404, model=UNKNOWN, told={"code": "gone"})], ["404 gone"]),
        ([refused(422, model=UNKNOWN)], ["422"]),
        ([LISTED, creation(model=UNKNOWN)], ["202"]),
        ([creation(model="gpt-image-1")], []),  # other models are no business of this API's page
        ([LISTED, refused(400, model="gpt-image-1")], []),
        ([refused(400, model=UNKNOWN, n=0, told={"param": "n"})], []),
        ([refused(400, model=UNKNOWN, told={"code": "content_policy"})], []),
        ([refused(403, model=UNKNOWN)], []),
        ([refused(503, model=UNKNOWN)], []),
        ([refused(400, model="")], []),
        ([refused(400)], []),
    ],
)
def test_unknown_model(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(judges.unknown_model, *exchanges)
    assert summary(found) == [("MOD-2", reading) for reading in expected]


def test_an_emulator_has_one_model() -> None:
    found = findings(judges.unknown_model, creation(model="gpt-image-1"), target="emulator")
    assert summary(found) == [("MOD-2", "202")]


@pytest.mark.parametrize("form", [b"{", b"[]", b"\xff", b'"x"', b""])
def test_bodies_that_cant_be_read(form: bytes) -> None:
    seen = exchange("POST", GENERATIONS, body=form, status=400, answer={})
    found = findings(judges.invalid_request_is_refused, seen)
    assert summary(found) == [("GEN-1", "holds")]
