"""Judges of the limits of keys."""

from typing import Any

import pytest

from contracts.checks import limits
from contracts.exchange import Exchange
from tests.contracts.support import creation, exchange, findings, summary, task_read

GENERATIONS = "/v1/images/generations"
BODY = {"model": "gpt-image-2", "prompt": "A stone"}
BUDGET: dict[str, Any] = {
    "keys": {"key-1": {"credits": 100, "budget_credits": 30}},
    "target": "emulator",
}


def balance(credits: int) -> Exchange:
    return exchange("GET", "/v1/credits/balance", answer={"credits": credits})


def refused(status: int, code: str, kind: str = "insufficient_quota", **fields: Any) -> Exchange:
    answer = {"error": {"message": "No.", "type": kind, "code": code, "param": None}}
    return exchange("POST", GENERATIONS, body={**BODY, **fields}, status=status, answer=answer)


OVER_BUDGET = refused(402, "api_key_budget_exhausted")
TOO_FEW = refused(402, "insufficient_credits")


@pytest.mark.parametrize(
    ("seen", "models", "expected"),
    [
        (refused(403, "model_not_allowed"), ["another"], ["holds"]),
        (creation(), ["another"], ["breaks"]),
        (creation(), ["gpt-image-2"], []),
        (creation(), None, []),
        (refused(402, "insufficient_credits"), ["another"], []),
        (refused(429, "rate_limit_exceeded"), ["another"], []),
    ],
)
def test_model_list_holds(seen: Exchange, models: Any, expected: list[str]) -> None:
    found = findings(limits.model_list_holds, seen, keys={"key-1": {"models": models}})
    assert summary(found) == [("AUTH-3", outcome) for outcome in expected]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (OVER_BUDGET, ["holds"]),
        (refused(403, "api_key_budget_exhausted"), ["breaks"]),
        (refused(402, "api_key_budget_exhausted", "billing"), ["breaks"]),
        (TOO_FEW, []),
    ],
)
def test_a_used_up_budget_has_its_status_and_type(seen: Exchange, expected: list[str]) -> None:
    found = findings(limits.key_budget_is_kept, seen)
    assert summary(found) == [("ERR-4", outcome) for outcome in expected]


FAILED = task_read(status="failed")


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([creation()], ["holds"]),
        ([creation(), FAILED, creation("task_2")], ["holds", "holds"]),
        ([creation(), creation("task_2")], ["holds", "holds"]),  # the first may have failed
        ([creation(), task_read(), creation("task_2")], ["holds", "breaks"]),
        ([creation(), task_read(), OVER_BUDGET], ["holds", "holds"]),
        ([creation(), FAILED, OVER_BUDGET], ["holds", "holds", "breaks"]),
        ([creation(), OVER_BUDGET], ["holds", "holds"]),
        ([creation(), task_read(), balance(70), TOO_FEW], ["holds", "breaks"]),
        ([creation(), task_read(), balance(10), TOO_FEW], ["holds"]),
        ([creation(), task_read(), TOO_FEW], ["holds"]),
        ([creation(), exchange("POST", GENERATIONS, body=BODY, status=0), creation()], ["holds"]),
    ],
)
def test_a_budget_is_followed(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(limits.key_budget_is_kept, *exchanges, **BUDGET)
    assert sorted(summary(found)) == sorted(("ERR-4", outcome) for outcome in expected)


def called(at: float) -> Exchange:
    return exchange("GET", "/v1/credits/balance", answer={"credits": 1}, at=at)


def slowed(
    at: float,
    retry_after: str | None = "10",
    code: str | None = "rate_limit_exceeded",
    **other: Any,
) -> Exchange:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    answer = {"error": {"message": "No.", "type": "rate_limit_error", "code": code}}
    call = {"method": "GET", "path": "/v1/credits/balance", **other}
    return exchange(**call, status=429, answer=answer, answer_headers=headers, at=at)


WAITED: dict[str, Any] = {"method": "POST", "path": f"{GENERATIONS}/sync", "body": BODY}


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([slowed(0), called(11)], ["holds", "A", "holds"]),
        ([slowed(0), called(9)], ["holds", "A"]),
        ([slowed(0), slowed(11)], ["holds", "A", "429 after its reset", "holds", "A"]),
        ([slowed(0), called(9), slowed(11)], ["holds", "A", "holds", "A"]),
        ([slowed(0, code="busy")], ["breaks", "A"]),
        ([slowed(0, None)], ["holds", "without Retry-After"]),
        ([slowed(0, None), called(61)], ["holds", "without Retry-After", "holds"]),
        ([slowed(0, None), slowed(61)],
         ["holds", "without Retry-After", "breaks", "holds", "A"]),
        ([slowed(0, "soon")], ["holds", "Retry-After: soon"]),
        ([slowed(0, "3600")], ["holds", "Retry-After: 3600"]),
        ([slowed(0, code="rate_limit", **WAITED)], []),  # ERR-7
        ([slowed(0, **WAITED)], ["holds", "A"]),
        ([exchange("GET", "/v1/models", status=429, answer=b"Slow down")], []),
        ([called(0)], []),
    ],
)  # fmt: skip
def test_rate_limit(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(limits.rate_limit_is_429_until_its_reset, *exchanges)
    assert summary(found) == [("ERR-5", outcome) for outcome in expected]


def test_others_may_use_the_key_as_well() -> None:
    judge = limits.rate_limit_is_429_until_its_reset
    found = findings(judge, slowed(0), slowed(11), exclusive=False)
    assert summary(found) == [("ERR-5", "holds"), ("ERR-5", "A")] * 2


@pytest.mark.parametrize(
    ("times", "target", "expected"),
    [
        ([0, 1, 2], "emulator", ["breaks"]),
        ([0, 1, 2], "other", []),  # two counted minutes may meet
        ([0, 1, 2, 3, 4], "other", ["breaks"]),
        ([0, 1, 61], "emulator", []),
        ([0, 1], "emulator", []),
    ],
)
def test_over_the_rate(times: list[float], target: str, expected: list[str]) -> None:
    keys = {"key-1": {"requests_per_minute": 2}}
    calls = [called(at) for at in times]
    found = findings(limits.rate_limit_is_429_until_its_reset, *calls, keys=keys, target=target)
    assert summary(found) == [("ERR-5", outcome) for outcome in expected]
