"""Judges of keys, prefixes and request ids."""

from dataclasses import replace

import pytest

from contracts.checks import transport
from contracts.exchange import Exchange
from contracts.findings import Judge
from tests.contracts.support import callback, creation, exchange, findings, summary, task_read

BALANCE = "/v1/credits/balance"
NO_KEY = {"error": {"message": "No key.", "type": "auth_error", "code": None, "param": None}}
BODY = {"model": "gpt-image-2", "prompt": "A stone"}
GENERATIONS = "/v1/images/generations"
GOOD = exchange("GET", BALANCE, answer={"credits": 1})
ONE_ID = {"X-Request-Id": "req_1"}
OTHER_ID = {"X-Request-Id": "req_2"}
ODD_BODY = {**BODY, "n": 0}


def keyless(status: int, method: str = "GET", path: str = BALANCE, body: object = None) -> Exchange:
    return exchange(method, path, body=body, status=status, answer=NO_KEY, sender="")


def with_unknown_key(status: int, path: str = BALANCE) -> Exchange:
    return exchange("GET", path, status=status, answer={}, sender="unknown-key")


def with_x_api_key(status: int, path: str = BALANCE, sender: str = "key-1") -> Exchange:
    headers = {"x-api-key": sender}
    return exchange("GET", path, status=status, headers=headers, answer={}, sender=sender)


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([keyless(401)], ["holds"]),
        ([GOOD, with_unknown_key(401)], ["holds"]),
        ([GOOD, keyless(200)], ["breaks"]),
        ([GOOD, keyless(403)], ["breaks"]),
        ([GOOD, keyless(202, "POST", GENERATIONS, BODY)], ["breaks"]),
        ([GOOD, keyless(400, "POST", GENERATIONS, BODY)], ["breaks"]),
        ([GOOD, keyless(404, path="/v1/tasks/task_no_such_task")], ["breaks"]),
        ([GOOD, with_unknown_key(200)], ["breaks"]),
        ([keyless(200)], []),  # a recorder that leaves all keys out
        ([GOOD, keyless(400, "POST", GENERATIONS, ODD_BODY)], []),  # two faults
        ([GOOD, keyless(429)], []),
        ([GOOD, keyless(503)], []),
        ([GOOD, keyless(200, path="/v1/models")], []),
        ([GOOD, keyless(404, path="/v1/no-such-route")], []),
        ([GOOD, with_unknown_key(200, "/v1/models")], []),
        ([GOOD], []),
    ],
)
def test_no_usable_key_is_401(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(transport.no_usable_key_is_401, *exchanges)
    assert summary(found) == [("AUTH-1", outcome) for outcome in expected]


def test_an_emulator_looks_at_a_wrong_key_for_the_models_too() -> None:
    wrong = with_unknown_key(200, "/v1/models")
    found = findings(transport.no_usable_key_is_401, GOOD, wrong, target="emulator")
    assert summary(found) == [("AUTH-1", "breaks")]


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([GOOD, with_x_api_key(200)], ["holds"]),
        ([GOOD, with_x_api_key(404)], ["holds"]),
        ([with_x_api_key(401), GOOD], ["breaks"]),
        ([GOOD, with_x_api_key(403)], ["breaks"]),
        ([GOOD, with_x_api_key(403, "/v1/models")], []),
        ([GOOD, with_x_api_key(503)], []),
        ([GOOD, with_x_api_key(401, sender="key-2")], []),  # never seen as a Bearer token
        ([with_x_api_key(200)], []),
        ([GOOD, exchange("GET", BALANCE, status=401, answer=NO_KEY), with_x_api_key(401)], []),
    ],
)
def test_x_api_key_works(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(transport.x_api_key_works, *exchanges)
    assert summary(found) == [("AUTH-2", outcome) for outcome in expected]


LEAK = {"error": {"message": "The key key-1 has no credits.", "type": "insufficient_quota"}}


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([GOOD, exchange("GET", BALANCE, sender="key-2", answer={})], ["holds", "holds"]),
        ([GOOD, exchange("GET", BALANCE, status=402, answer=LEAK)], ["breaks"]),
        ([exchange("GET", BALANCE, answer_headers={"X-Key": "key-1"})], ["breaks"]),
        ([GOOD, callback({"key": "key-1"}, "http://kit.test/hook")], ["breaks"]),
        ([exchange("GET", BALANCE, answer={"a": "monkey-1", "b": "key-12"})], ["holds"]),
        ([creation(prompt="key-1"), exchange("GET", BALANCE, answer={"p": "key-1"})], []),
        ([with_unknown_key(401)], []),
        ([keyless(401)], []),
    ],
)
def test_key_is_never_repeated(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(transport.key_is_never_repeated, *exchanges)
    assert summary(found) == [("AUTH-3", outcome) for outcome in expected]


def prefixed(path: str, status: int = 200, answer: object = None) -> Exchange:
    return exchange("GET", f"/api{path}", status=status, answer=answer or {"credits": 1})


UNDER_API = replace(
    task_read(), request=replace(task_read().request, url="http://target.test/api/v1/tasks/task_1")
)
MISSING_UNDER_API = exchange("GET", "/api/v1/tasks/task_1", status=404, answer=NO_KEY)


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([GOOD, prefixed(BALANCE)], ["holds", "holds"]),  # the route, and the read
        ([GOOD, prefixed(BALANCE, 404)], ["breaks", "breaks"]),
        ([GOOD, prefixed(BALANCE, answer={"balance": 1})], ["holds", "breaks"]),
        ([creation(), task_read(), UNDER_API], ["holds", "holds"]),
        ([creation(), task_read(), MISSING_UNDER_API], ["breaks", "breaks"]),
        ([GOOD, prefixed(BALANCE, 503)], []),
        ([GOOD, prefixed(BALANCE, 429)], []),
        ([GOOD, GOOD], []),
        ([prefixed(BALANCE)], []),
        ([task_read(), MISSING_UNDER_API], ["breaks"]),  # whose task it is nobody knows
    ],
)
def test_same_api_under_both_prefixes(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(transport.same_api_under_both_prefixes, *exchanges)
    assert summary(found) == [("BASE-1", outcome) for outcome in expected]


def test_another_task_under_the_other_prefix_shows_a_missing_route() -> None:
    missing = exchange("GET", "/api/v1/tasks/task_2", status=404, answer=NO_KEY)
    exchanges = creation(), task_read(), creation("task_2"), missing
    found = findings(transport.same_api_under_both_prefixes, *exchanges)
    assert summary(found) == [("BASE-1", "breaks")]
    assert found[0].message == ("/v1/tasks/ answers, /api/v1/tasks/ does not: 404 (No key.)")


def test_a_task_that_went_on_meanwhile_is_the_same() -> None:
    open_task = task_read(status="pending", completed_at=...)
    found = findings(transport.same_api_under_both_prefixes, creation(), open_task, UNDER_API)
    assert summary(found) == [("BASE-1", "holds"), ("BASE-1", "holds")]


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([exchange("GET", BALANCE, answer={}, answer_headers=ONE_ID)], ["A"]),
        ([GOOD], ["not on every answer"]),
        ([exchange("GET", BALANCE, status=401, answer_headers=ONE_ID)], ["holds"]),
        ([exchange("GET", BALANCE, status=401, answer=NO_KEY)], ["breaks"]),
        ([exchange("GET", BALANCE, status=502, answer=b"<html>")], []),
        ([exchange("GET", "/llms.txt", answer=b"text")], []),
        ([exchange("GET", BALANCE, status=0)], []),
    ],
)
def test_request_id_on_every_answer(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(transport.request_id_on_every_answer, *exchanges)
    assert summary(found) == [("REQ-1", outcome) for outcome in expected]


def test_two_posts_never_share_an_id() -> None:
    found = findings(transport.request_id_on_every_answer, creation(), creation())
    assert summary(found) == [("REQ-1", "A"), ("REQ-1", "A"), ("REQ-1", "breaks")]
    assert found[-1].exchanges == (1, 2)


@pytest.mark.parametrize(
    ("answer", "headers", "expected"),
    [
        ({"request_id": "req_1"}, ONE_ID, ["holds"]),
        ({"request_id": "req_1"}, OTHER_ID, ["breaks"]),
        ({}, ONE_ID, ["breaks"]),
        ({"request_id": 7}, ONE_ID, ["breaks"]),
        ({"request_id": "req_1"}, {}, []),  # REQ-1 says that it is missing
    ],
)
def test_creation_repeats_request_id(
    answer: object, headers: dict[str, str], expected: list[str]
) -> None:
    made = exchange(
        "POST", GENERATIONS, body=BODY, status=202, answer=answer, answer_headers=headers
    )
    found = findings(transport.creation_repeats_request_id, made)
    assert summary(found) == [("REQ-2", outcome) for outcome in expected]


@pytest.mark.parametrize(
    "judge",
    [transport.no_usable_key_is_401, transport.creation_repeats_request_id],
)
def test_an_empty_trace_says_nothing(judge: Judge) -> None:
    assert findings(judge) == []
