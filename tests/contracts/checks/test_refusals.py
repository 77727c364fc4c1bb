"""Judges of what refusals do, and of which fault is told."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.checks import refusals
from contracts.exchange import Exchange
from tests.contracts.support import creation, exchange, findings, summary, task_read

GENERATIONS = "/v1/images/generations"
BROKE = {"key-1": {"credits": 0}}
TOO_FEW: dict[str, Any] = {"code": "insufficient_credits", "type": "insufficient_quota"}
BAD = "A bad stone"
KNOWN = {"refused_prompts": [BAD]}


def balance(credits: int, sender: str = "key-1", at: float = 0.0) -> Exchange:
    answer = {"credits": credits, "currency": "credits"}
    return exchange("GET", "/v1/credits/balance", answer=answer, sender=sender, at=at)


def refused(status: int = 400, sender: str = "key-1", **fields: Any) -> Exchange:
    """A refused creation; ``code``, ``type`` and ``param`` are the error's, the rest is sent."""
    told = {name: fields.pop(name, None) for name in ("code", "type", "param")}
    body = {"model": "gpt-image-2", "prompt": "A stone", **fields}
    answer = {"error": {"message": "No.", **told}}
    return exchange("POST", GENERATIONS, body=body, status=status, answer=answer, sender=sender)


@pytest.mark.parametrize(
    ("exchanges", "facts", "expected"),
    [
        ([refused(402, **TOO_FEW)], {}, ["holds"]),
        ([refused(402, code="no_money", type="insufficient_quota")], {}, ["breaks"]),
        ([refused(402, code="insufficient_credits", type="api_error")], {}, ["breaks"]),
        ([refused(402, code="api_key_budget_exhausted")], {}, []),
        ([creation()], {"keys": BROKE, "target": "emulator"}, ["breaks"]),
        ([refused(403, **TOO_FEW)], {"keys": BROKE, "target": "emulator"}, ["breaks"]),
        ([refused(403)], {"keys": {"key-1": {"credits": 0, "models": []}}}, []),
        ([creation()], {"keys": BROKE}, []),  # nobody knows its price
        ([creation(), balance(29), task_read(), balance(29), creation("task_2")], {}, ["breaks"]),
        ([creation(), balance(29), task_read(), balance(30), creation("task_2")], {}, []),
        ([creation(), balance(29), creation("task_2")], {}, []),  # a task is open
        ([balance(29), creation()], {"target": "emulator"}, ["breaks"]),
        ([balance(29), creation(), creation("task_2", at=1)], {"target": "emulator"}, ["breaks"]),
        ([balance(29, "key-2"), creation()], {"target": "emulator"}, []),
        ([refused(400, n=0)], {"keys": BROKE}, []),
    ],
)
def test_too_few_credits_is_402(
    exchanges: list[Exchange], facts: dict[str, Any], expected: list[str]
) -> None:
    found = findings(refusals.too_few_credits_is_402, *exchanges, **facts)
    assert summary(found) == [("ERR-3", outcome) for outcome in expected]


def test_a_balance_that_others_move_tells_nothing() -> None:
    exchanges = balance(29), refused(n=0), balance(0), creation()
    for judge in (refusals.too_few_credits_is_402, refusals.refusal_moves_no_credits):
        assert findings(judge, *exchanges, target="emulator")
        assert not findings(judge, *exchanges, exclusive=False, target="emulator")


POLICY = refused(code="content_policy")
REFUSED_AT_402 = refused(402, **TOO_FEW)


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([balance(9), refused(n=0), balance(9)], [("ERR-9", "holds")]),
        ([balance(9), refused(n=0), balance(8)], [("ERR-9", "breaks")]),
        (
            [balance(9), REFUSED_AT_402, REFUSED_AT_402, balance(9)],
            [("ERR-9", "holds"), ("ERR-3", "holds")],
        ),
        ([balance(9), REFUSED_AT_402, POLICY, balance(9)], [("ERR-9", "holds")]),
        ([balance(9), POLICY, balance(8)], [("ERR-9", "breaks"), ("ERR-6", "breaks")]),
        ([balance(9), refused(n=0), creation(), balance(8)], []),
        ([balance(9), refused(n=0), refused(500), balance(8)], []),
        ([creation(), balance(9), refused(n=0), balance(39)], []),  # a refund may be due
        ([creation(), task_read(), balance(9), refused(n=0), balance(8)], [("ERR-9", "breaks")]),
        ([creation(), balance(9), refused(n=0), balance(9)], [("ERR-9", "holds")]),
        ([balance(9), refused(sender="key-2"), balance(8)], []),
        ([balance(9), balance(8)], []),
        ([refused(n=0), balance(9)], []),
    ],
)
def test_refusal_moves_no_credits(
    exchanges: list[Exchange], expected: list[tuple[str, str]]
) -> None:
    assert summary(findings(refusals.refusal_moves_no_credits, *exchanges)) == expected


def test_a_refusal_names_no_task() -> None:
    answer = {"error": {"message": "No."}, "task_id": "task_1"}
    body = {"model": "gpt-image-2"}
    seen = exchange("POST", GENERATIONS, body=body, status=400, answer=answer)
    found = findings(refusals.refusal_moves_no_credits, seen, exclusive=False)
    assert summary(found) == [("ERR-9", "breaks")]


def test_a_creation_that_was_under_way_makes_balances_useless() -> None:
    slow = replace(creation(at=1.0), seconds=9.0)  # it ended after the second balance was read
    exchanges = balance(39), refused(n=0), balance(9, at=5.0), slow
    assert not findings(refusals.refusal_moves_no_credits, *exchanges)


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (refused(401, "", n=0), {}, ["A"]),
        (refused(400, "", n=0), {}, ["fields before key"]),
        (refused(404, "", model="dall-e-9"), {}, ["model before key"]),
        (refused(400, model="dall-e-9", n=0, param="n"), {}, ["A"]),
        (refused(400, model="dall-e-9", n=0, param="model"), {}, ["model before fields"]),
        (refused(404, model="dall-e-9", n=0), {}, ["model before fields"]),
        (refused(400, n=0), {"keys": BROKE}, ["A"]),
        (refused(402, n=0), {"keys": BROKE}, ["credits before fields"]),
        (refused(402, prompt=BAD), {"keys": BROKE}, []),
        (refused(402, prompt=BAD), {"keys": BROKE, **KNOWN}, ["credits before content"]),
        (refused(400, prompt=BAD, n=0, code="content_policy"), KNOWN, ["content before fields"]),
        (refused(503, "", n=0), {}, []),
        (refused(401, ""), {}, []),
        (refused(400, n=0), {}, []),
    ],
)  # fmt: skip
def test_first_of_two_faults_answers(
    seen: Exchange, facts: dict[str, Any], expected: list[str]
) -> None:
    found = findings(refusals.first_of_two_faults_answers, seen, **facts)
    assert summary(found) == [("ERR-9", outcome) for outcome in expected]


@pytest.mark.parametrize(("status", "reading"), [(401, "A"), (404, "task before key")])
def test_the_key_comes_before_the_task(status: int, reading: str) -> None:
    answer = {"error": {"message": "No."}}
    path = "/v1/tasks/task_no_such_task"
    seen = exchange("GET", path, status=status, answer=answer, sender="")
    found = findings(refusals.first_of_two_faults_answers, seen)
    assert summary(found) == [("ERR-9", reading)]
