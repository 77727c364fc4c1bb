"""Judges of what refusals look like."""

from typing import Any

import pytest

from contracts.checks import errors
from contracts.exchange import Exchange
from tests.contracts.support import callback, creation, exchange, findings, summary, task_read

BALANCE = "/v1/credits/balance"
GENERATIONS = "/v1/images/generations"
SYNC = "/v1/images/generations/sync"
HOOK = "http://kit.test/hook"
WORDS = {
    400: "invalid_request_error", 401: "authentication_error", 402: "insufficient_quota",
    403: "permission_error", 404: "not_found_error", 429: "rate_limit_error",
}  # fmt: skip


def error(status: int, **members: Any) -> dict[str, Any]:
    usual = {"message": "No.", "type": WORDS.get(status, "api_error"), "code": None, "param": None}
    both = {**usual, **members}
    return {"error": {name: value for name, value in both.items() if value is not ...}}


def refused(status: int = 400, path: str = GENERATIONS, **members: Any) -> Exchange:
    """A read or a creation that is refused; the fields after ``body_`` are the request's."""
    fields = {k.removeprefix("body_"): v for k, v in members.items() if k.startswith("body_")}
    rest = {k: v for k, v in members.items() if not k.startswith("body_")}
    answer = error(status, **rest)
    if path == BALANCE:
        return exchange("GET", path, status=status, answer=answer)
    sent = {"model": "gpt-image-2", "prompt": "A stone", **fields}
    return exchange("POST", path, body=sent, status=status, answer=answer)


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([refused(401, BALANCE)], ["holds"]),
        ([refused(400, code="invalid_value", param="n")], ["holds"]),
        ([refused(400, param=...)], ["breaks"]),
        ([refused(400, code=...)], ["breaks"]),
        ([refused(400, code=7)], ["breaks"]),
        ([refused(400, message="")], ["breaks"]),
        ([refused(400, type=None)], ["breaks"]),
        ([exchange("GET", BALANCE, status=404, answer={"detail": "Not Found"})], []),
        ([exchange("GET", BALANCE, status=401, answer={"detail": "No key"})], ["breaks"]),
        ([exchange("GET", BALANCE, status=401, answer={"error": "No key"})], ["breaks"]),
        ([exchange("GET", BALANCE, status=401, answer=b"Unauthorized")], ["breaks"]),
        ([exchange("GET", "/v1/tasks/task_9", status=404, answer=b"Not Found")], ["breaks"]),
        ([exchange("GET", BALANCE, status=502, answer=b"<html>")], []),
        ([exchange("GET", BALANCE, status=429, answer=b"Slow down")], []),
        ([exchange("GET", "/v1/no-such-route", status=404, answer=b"Not Found")], []),
        ([exchange("HEAD", BALANCE, status=401)], []),
        ([exchange("GET", BALANCE, answer={})], []),
    ],
)
def test_documented_shape(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(errors.documented_shape, *exchanges)
    assert summary(found) == [("ERR-1", outcome) for outcome in expected]


def test_an_emulator_has_the_shape_on_unknown_routes_too() -> None:
    lost = exchange("GET", "/v1/no-such-route", status=404, answer=b"Not Found")
    found = findings(errors.documented_shape, lost, target="emulator")
    assert summary(found) == [("ERR-1", "breaks")]


def test_the_type_of_the_body_is_json() -> None:
    text = exchange(
        "GET", BALANCE, status=401, answer=error(401), answer_headers={"Content-Type": "text/html"}
    )
    (found,) = findings(errors.documented_shape, text)
    assert found.message.endswith("its type is text/html, not application/json")


@pytest.mark.parametrize(
    ("status", "word", "expected"),
    [
        (400, "invalid_request_error", [("ERR-2", "A")]),
        (400, "invalid_request", [("ERR-2", "B")]),
        (400, "content_policy", [("ERR-2", "B")]),
        (402, "insufficient_quota", [("ERR-2", "holds")]),
        (402, "payment_required", [("ERR-2", "breaks")]),
        (404, "invalid_request_error", [("ERR-2", "breaks")]),
        (429, "insufficient_quota", [("ERR-2", "breaks")]),
        (503, "api_error", [("ERR-2", "A")]),
        (500, "service_error", [("ERR-2", "B")]),
        (401, "authentication_error", [("AUTH-1", "A"), ("ERR-2", "A")]),
        (401, "auth_error", [("AUTH-1", "B"), ("ERR-2", "B")]),
        (401, "nobody", [("AUTH-1", "nobody"), ("ERR-2", "breaks")]),
        (405, "whatever", []),
        (400, None, []),
    ],
)
def test_type_by_status(status: int, word: Any, expected: list[tuple[str, str]]) -> None:
    seen = exchange("GET", BALANCE, status=status, answer=error(status, type=word))
    assert summary(findings(errors.type_by_status, seen)) == expected


POLICY: dict[str, Any] = {"code": "content_policy", "param": "prompt"}


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([refused(**POLICY)], ["holds"]),
        ([refused(type="content_policy")], ["holds"]),
        ([refused(403, **POLICY)], ["breaks"]),
        ([refused(**POLICY, body_callback_url=HOOK), callback({}, HOOK)], ["breaks"]),
        (  # whose callback it is nobody can tell
            [
                refused(**POLICY, body_callback_url=HOOK),
                creation(callback_url=HOOK),
                callback({}, HOOK),
            ],
            ["holds"],
        ),
        ([refused(path=SYNC, **POLICY, body_callback_url=HOOK), callback({}, HOOK)], ["holds"]),
        ([refused(code="invalid_value")], []),
        ([creation()], []),
    ],
)
def test_content_policy(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(errors.content_policy_is_refused_before_creation, *exchanges)
    assert summary(found) == [("ERR-6", outcome) for outcome in expected]


def test_a_refusal_for_content_names_no_task() -> None:
    body = {"model": "gpt-image-2", "prompt": "A stone"}
    answer = {**error(400, **POLICY), "task_id": "task_1"}
    seen = exchange("POST", GENERATIONS, body=body, status=400, answer=answer)
    found = findings(errors.content_policy_is_refused_before_creation, seen)
    assert summary(found) == [("ERR-6", "breaks")]


@pytest.mark.parametrize(
    ("known", "expected"), [(["A bad stone"], ["breaks"]), (["Another"], []), (None, [])]
)
def test_a_prompt_that_is_known_to_be_bad_is_not_taken(known: Any, expected: list[str]) -> None:
    judge = errors.content_policy_is_refused_before_creation
    found = findings(judge, creation(prompt="A bad stone"), refused_prompts=known)
    assert summary(found) == [("ERR-6", outcome) for outcome in expected]


@pytest.mark.parametrize(
    ("task_error", "expected"),
    [
        ({"code": "image_safety"}, ["holds"]),
        ({"code": "timeout"}, ["holds"]),
        ({"code": None}, ["holds"]),
        ({}, ["holds"]),
        ({"code": "generation_failed"}, ["breaks"]),
        ({"code": 7}, []),  # TASK-9
    ],
)
def test_failure_codes_are_known(task_error: Any, expected: list[str]) -> None:
    failed = task_read(status="failed", error=task_error)
    found = findings(errors.failure_codes_are_known, failed)
    assert summary(found) == [("ERR-7", outcome) for outcome in expected]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (refused(400, SYNC, code="image_safety"), ["A"]),
        (refused(502, SYNC, code="not_found"), ["A"]),
        (refused(504, SYNC, code="timeout"), ["A"]),
        (refused(429, SYNC, code="rate_limit"), ["A"]),
        (refused(500, SYNC, code="image_safety"), ["500 for image_safety"]),
        (refused(502, SYNC, code="not_found", param="n"), ["breaks"]),
        (refused(504, SYNC, code="service_unavailable"), ["breaks"]),
        (refused(429, SYNC, code="rate_limit_exceeded"), []),
        (refused(400, SYNC, code="invalid_value"), []),
        (refused(400, GENERATIONS, code="content_policy"), []),
    ],
)
def test_failed_wait_has_its_status(seen: Exchange, expected: list[str]) -> None:
    found = findings(errors.failed_wait_has_its_status, seen)
    assert summary(found) == [("ERR-7", outcome) for outcome in expected]


@pytest.mark.parametrize(
    ("seen", "target", "expected"),
    [
        (refused(body_n=0), "other", ["holds"]),
        (refused(404, body_model="no-such-model"), "emulator", ["holds"]),
        (refused(422, body_n=0), "other", ["breaks"]),
        (refused(500, body_n=0), "other", ["breaks"]),
        (refused(415, body_n=0), "other", []),
        (refused(415, body_n=0), "emulator", ["breaks"]),
        (refused(422, body_size="1000x1000"), "other", []),  # GEN-4: the 400 is assumed
        (refused(422, body_size="1000x1000"), "emulator", ["breaks"]),
        (refused(402, body_n=0), "other", []),
        (refused(503, body_n=0), "other", []),
        (refused(400), "other", []),
        (creation(n=0), "other", []),
    ],
)
def test_bad_request_is_400(seen: Exchange, target: str, expected: list[str]) -> None:
    found = findings(errors.bad_request_is_400, seen, target=target)
    assert summary(found) == [("ERR-8", outcome) for outcome in expected]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (refused(body_resolution="8K", message="Use 1K, 2K or 4K; 8K was sent."), ["holds"]),
        (refused(body_resolution="8K", message="8K is not supported."), ["breaks"]),
        (refused(body_quality="hd", message="Use 'low' or 'high'."), ["holds"]),
        (refused(body_quality="hd", message="The quality is too low."), ["breaks"]),
        (refused(body_n=11, message="n goes from 1 to 10."), ["holds"]),
        (refused(body_n=11, message="n is 11, at most 10."), ["breaks"]),
        (refused(body_size="7:5", message="Try 16:9, 21:9 or auto."), ["holds"]),
        (refused(body_size="16:10", message="16:10 is none."), ["breaks"]),
        (refused(body_size="1000x1000", message="Edges are multiples of 16."), ["holds"]),
        (refused(body_size="1000x1000", message="Bad size."), ["breaks"]),
        (refused(body_prompt=7, message="No."), []),
        (refused(body_n=0, body_quality="hd", message="No."), []),
        (refused(422, body_n=0), []),
        (refused(), []),
    ],
)
def test_message_names_accepted_values(seen: Exchange, expected: list[str]) -> None:
    found = findings(errors.message_names_accepted_values, seen)
    assert summary(found) == [("ERR-8", outcome) for outcome in expected]


LINKS = ["https://example.com/a.png", "a.png"]


@pytest.mark.parametrize(
    ("seen", "target", "expected"),
    [
        (refused(body_n=0, param="n"), "other", ["holds"]),
        (refused(body_n=0, param="body.n"), "other", ["holds"]),
        (refused(body_n=0, param="prompt"), "other", ["breaks"]),
        (refused(body_n=0, param=""), "other", ["breaks"]),
        (refused(body_n=0), "other", []),  # ERR-1: it may be null
        (refused(body_n=0), "emulator", ["breaks"]),
        (refused(body_input_images=LINKS, param="input_images[1]"), "other", ["holds"]),
        (refused(body_input_images=LINKS, param="input_images"), "other", ["holds"]),
        (refused(body_n=0, param=...), "other", []),
        (refused(body_n=0, body_quality="hd", param="x"), "other", []),
        (refused(body_model="dall-e-9", param="model"), "other", ["holds"]),
        (refused(body_model="dall-e-9", body_n=0, param="n"), "other", []),
        (refused(param="x"), "other", []),
    ],
)
def test_param_names_the_field(seen: Exchange, target: str, expected: list[str]) -> None:
    found = findings(errors.param_names_the_field, seen, target=target)
    assert summary(found) == [("ERR-8", outcome) for outcome in expected]
