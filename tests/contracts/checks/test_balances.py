"""Judges of how balances move, with requests one after the other, and at the same time."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.checks import balances
from contracts.exchange import Exchange
from contracts.findings import Judge
from tests.contracts.checks.account import traffic
from tests.contracts.support import creation, exchange, findings, summary, task_read

HOLDS, BREAKS = "holds", "breaks"
WITHOUT, INCLUDED = "A", "what is reserved is in the balance"
SYNC = "/v1/images/generations/sync"
BODY = {"model": "gpt-image-2", "prompt": "A stone"}
RUNNING = task_read(status="processing", at=3)
FAILED = task_read(status="failed", at=5)
EMULATOR: dict[str, Any] = {"target": "emulator"}


def outcomes(judge: Judge, *exchanges: Exchange, **facts: Any) -> list[str]:
    return [outcome for _, outcome in summary(findings(judge, *exchanges, **facts))]


def balance(credits: int, at: float, sender: str = "key-1") -> Exchange:
    answer = {"credits": credits, "currency": "credits"}
    return exchange("GET", "/v1/credits/balance", answer=answer, at=at, sender=sender)


def lasting(seconds: float, one: Exchange) -> Exchange:
    return replace(one, seconds=seconds)


def waiting(status: int = 200, at: float = 1.0, images: int = 1, **fields: Any) -> Exchange:
    """A call that waits for its images."""
    data = [{"url": f"http://t.test/{number}.png"} for number in range(images)]
    answer = {"created": 1, "data": data} if status == 200 else {"error": {"message": "No."}}
    return exchange("POST", SYNC, body={**BODY, **fields}, status=status, answer=answer, at=at)


def lost(at: float = 1.0) -> Exchange:
    return exchange("POST", "/v1/images/generations", body=BODY, status=0, at=at)


def partial(charged: int, **fields: Any) -> Exchange:
    credits = {"reserved": 60, "charged": charged, "refunded": 60 - charged}
    return task_read(credits=credits, at=4, **fields)


MOVES = balances.balance_moves_by_what_was_charged


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([balance(100, 0), creation(at=1), task_read(at=3), balance(70, 5)], [HOLDS]),
        ([balance(100, 0), creation(at=1), task_read(at=3), balance(69, 5)], [BREAKS]),
        ([balance(100, 0), creation(at=1), task_read(at=3), balance(100, 5)], [BREAKS]),
        ([balance(100, 0), creation(at=1), FAILED, balance(100, 15)], [HOLDS]),
        ([balance(100, 0), creation(at=1), FAILED, balance(70, 15)], [BREAKS]),
        # Still open, or nobody knows.
        ([balance(100, 0), creation(at=1), balance(7, 2), RUNNING], []),
        ([balance(100, 0), creation(at=1), balance(7, 5)], []),
        ([balance(100, 0), creation(at=1), balance(7, 5), task_read(at=6)], []),
        # A balance in between is passed over.
        ([balance(100, 0), creation(at=1), balance(7, 2), task_read(at=3), balance(70, 5)],
         [HOLDS]),
        ([balance(100, 0), creation(at=1), creation("task_2", at=1), task_read(at=3),
          task_read("task_2", at=3), balance(40, 5)], [HOLDS]),
        ([balance(100, 0), creation(at=1, n=2, answer={"task_id": "task_1", "credits":
          {"reserved": 60}}), partial(30), balance(70, 15)], [HOLDS]),
        ([balance(100, 0), creation(at=1, n=2, answer={"task_id": "task_1", "credits":
          {"reserved": 60}}), partial(30), balance(40, 15)], [BREAKS]),
        # What it tells does not fit, so anything up to all of it may be right.
        ([balance(100, 0), creation(at=1, n=2, answer={"task_id": "task_1", "credits":
          {"reserved": 60}}), partial(90), balance(80, 15)], []),
        ([balance(100, 0), creation(at=1, n=2, answer={"task_id": "task_1", "credits":
          {"reserved": 60}}), partial(90), balance(10, 15)], [BREAKS]),
        ([balance(100, 0), balance(100, 1)], []),  # CRED-7
        ([balance(100, 0), creation(at=1, answer={"task_id": "task_1"}), task_read(at=3),
          balance(7, 5)], []),
        ([creation(at=1), task_read(at=3), balance(70, 5)], []),
        # Of another account.
        ([balance(100, 0), balance(5, 0, "key-2"), creation(at=1), task_read(at=3),
          balance(5, 4, "key-2"), balance(70, 5)], [HOLDS]),
        ([balance(10**30, 0), creation(at=1), task_read(at=3), balance(0, 5)], []),
    ],
)  # fmt: skip
def test_balance_moves_by_what_was_charged(exchanges: list[Exchange], expected: list[str]) -> None:
    assert outcomes(MOVES, *exchanges) == expected
    assert outcomes(MOVES, *exchanges, **EMULATOR) == expected
    assert outcomes(MOVES, *exchanges, exclusive=False) == []


@pytest.mark.parametrize(("at", "expected"), [(6.0, []), (10.0, [BREAKS])])
def test_a_refund_may_take_a_moment_elsewhere(at: float, expected: list[str]) -> None:
    exchanges = balance(100, 0), creation(at=1), FAILED, balance(70, at)
    assert outcomes(MOVES, *exchanges) == expected
    assert outcomes(MOVES, *exchanges, **EMULATOR) == [BREAKS]


@pytest.mark.parametrize(("at", "expected"), [(3600.0, [BREAKS]), (3601.0, [])])
def test_credits_may_expire_elsewhere(at: float, expected: list[str]) -> None:
    exchanges = balance(100, 0), creation(at=1), task_read(at=3), balance(60, at)
    assert outcomes(MOVES, *exchanges) == expected
    assert outcomes(MOVES, *exchanges, **EMULATOR) == [BREAKS]


@pytest.mark.parametrize(
    "between",
    [
        [creation(at=1), lasting(2.5, task_read(at=2.6))],  # its end was seen too late for it
        [lasting(9, creation(at=1)), task_read(at=3)],
        [lasting(9, waiting(at=1))],
        [lasting(9, waiting(429, at=1))],
        [lost()],
        [exchange("POST", "/v1/images/generations", body=BODY, status=502, at=1)],
    ],
)
def test_what_overlaps_or_is_lost_is_not_judged(between: list[Exchange]) -> None:
    for judge in (MOVES, balances.nothing_moves_without_a_task):
        assert outcomes(judge, balance(100, 0), *between, balance(7, 5)) == []
    later = balance(100, 0), balance(7, 5), *between
    if between[0].seconds:
        assert outcomes(balances.nothing_moves_without_a_task, *later) == []


def test_what_a_lost_answer_may_have_begun_is_over_one_day() -> None:
    exchanges = balance(100, 0), lost(), balance(70, 5), balance(71, 2000), balance(71, 2001)
    assert outcomes(balances.nothing_moves_without_a_task, *exchanges) == [HOLDS]
    again = *exchanges, creation(at=2002), task_read(at=2004), balance(7, 2006)
    assert outcomes(MOVES, *again) == [BREAKS]  # until then up to the price is unknown


@pytest.mark.parametrize(
    ("exchanges", "elsewhere", "at_emulator"),
    [
        ([waiting(), balance(70, 5)], [], [HOLDS]),
        ([waiting(), balance(40, 5)], [], [BREAKS]),
        ([waiting(), balance(100, 5)], [BREAKS], [BREAKS]),  # it costs something
        ([waiting(quality="high"), balance(40, 5)], [], [HOLDS]),
        ([waiting(n=3, images=2), balance(40, 5)], [], []),  # CRED-6 is not sure of that
        ([waiting(images=0), balance(100, 5)], [], []),
        ([waiting(502), balance(100, 5)], [], [HOLDS]),
        ([waiting(502), balance(70, 5)], [], [BREAKS]),
        ([waiting(400), balance(100, 5)], [HOLDS], [HOLDS]),
        ([waiting(400), balance(70, 5)], [BREAKS], [BREAKS]),
        ([waiting(n=10**9), balance(70, 5)], [], []),
        ([waiting(400, n=99), balance(100, 5)], [], []),  # nothing was begun
    ],
)
def test_calls_that_wait(
    exchanges: list[Exchange], elsewhere: list[str], at_emulator: list[str]
) -> None:
    assert outcomes(MOVES, balance(100, 0), *exchanges) == elsewhere
    assert outcomes(MOVES, balance(100, 0), *exchanges, **EMULATOR) == at_emulator


@pytest.mark.parametrize(
    ("fields", "left", "expected"),
    [({}, 60, HOLDS), ({}, 61, BREAKS), ({"n": 2}, 20, HOLDS), ({"n": 2}, 60, BREAKS)],
)
def test_a_task_that_asked_for_the_same_tells_the_price(
    fields: dict[str, Any], left: int, expected: str
) -> None:
    priced = creation(answer={"task_id": "task_1", "credits": {"reserved": 40}}, at=0)
    waited = waiting(at=21, images=2, **fields)
    exchanges = priced, task_read(at=1), balance(100, 20), waited, balance(left, 25)
    for target in ("emulator", "other"):
        assert outcomes(MOVES, *exchanges, target=target) == [expected]


FREE = balances.failures_cost_nothing
SECOND = [creation("task_2", at=1), task_read("task_2", status="failed", at=5)]


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([balance(100, 0), creation(at=1), FAILED, balance(100, 15)], [HOLDS]),
        ([balance(100, 0), creation(at=1), FAILED, balance(99, 15)], [BREAKS]),
        ([balance(100, 0), creation(at=1), FAILED, *SECOND, balance(99, 15)], [BREAKS]),
        ([balance(100, 0), creation(at=1), task_read(at=3), *SECOND, balance(99, 15)], []),
        ([balance(100, 0), balance(99, 15)], []),
        ([balance(100, 0), waiting(400), balance(99, 15)], []),
    ],
)
def test_failures_cost_nothing(exchanges: list[Exchange], expected: list[str]) -> None:
    assert outcomes(FREE, *exchanges) == expected


STAYS = balances.nothing_moves_without_a_task
REFUSED = exchange("POST", "/v1/images/generations", body=BODY, status=400, at=1)


@pytest.mark.parametrize(
    ("exchanges", "elsewhere", "at_emulator"),
    [
        ([balance(100, 0), balance(100, 1)], [HOLDS], [HOLDS]),
        ([balance(100, 0), balance(99, 1)], [BREAKS], [BREAKS]),
        ([balance(100, 0), balance(101, 1)], [], [BREAKS]),  # a grant
        ([balance(100, 0), balance(99, 4000)], [], [BREAKS]),  # they expired
        ([balance(100, 0), REFUSED, balance(99, 2)], [BREAKS], [BREAKS]),
        ([balance(100, 0), creation(at=1), task_read(at=2), balance(70, 3)], [], []),
        ([creation(at=0), balance(70, 1), balance(69, 2), RUNNING], [BREAKS], [BREAKS]),
        ([creation(at=0), task_read(at=1), balance(70, 2), task_read(at=3), balance(69, 4)],
         [BREAKS], [BREAKS]),
        ([balance(100, 0)], [], []),
        ([balance(100, 0), balance(7, 1, "key-2"), balance(100, 2)], [HOLDS], [HOLDS]),
    ],
)  # fmt: skip
def test_nothing_moves_without_a_task(
    exchanges: list[Exchange], elsewhere: list[str], at_emulator: list[str]
) -> None:
    assert outcomes(STAYS, *exchanges) == elsewhere
    assert outcomes(STAYS, *exchanges, **EMULATOR) == at_emulator
    assert outcomes(STAYS, *exchanges, exclusive=False) == []


@pytest.mark.parametrize(
    ("exchanges", "granted", "expected"),
    [
        ([balance(100, 0)], 100, [HOLDS]),
        ([balance(100, 0)], 90, [BREAKS]),
        ([balance(100, 0)], None, []),
        ([balance(100, 0)], "100", []),
        ([creation(), balance(70, 2)], 100, []),
        ([REFUSED, balance(100, 2)], 100, [HOLDS]),
    ],
)
def test_the_first_balance_is_what_was_granted(
    exchanges: list[Exchange], granted: Any, expected: list[str]
) -> None:
    assert outcomes(STAYS, *exchanges, keys={"key-1": {"credits": granted}}) == expected


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([balance(100, 0), creation(at=1), balance(70, 2), RUNNING], [WITHOUT]),
        ([balance(100, 0), creation(at=1), balance(100, 2), RUNNING], [INCLUDED]),
        ([balance(100, 0), creation(at=1), balance(90, 2), RUNNING], ["it fell by 10"]),
        ([creation(), balance(70, 2), RUNNING, task_read(at=4), balance(70, 5)], [WITHOUT]),
        ([creation(), balance(100, 2), RUNNING, task_read(at=4), balance(70, 5)], [INCLUDED]),
        ([creation(), balance(70, 2), RUNNING, task_read(at=4), balance(75, 5)],
         ["it fell by -5"]),
        ([creation(), balance(70, 2), RUNNING, FAILED, balance(100, 15)], [WITHOUT]),
        # It may have ended, or not.
        ([balance(100, 0), creation(at=1), balance(70, 2), task_read(at=3)], []),
        ([balance(100, 0), creation(at=1), balance(69, 2), task_read(at=3)], ["it fell by 31"]),
        ([balance(100, 0), creation(at=1), balance(70, 2), lasting(5, task_read(status="pending",
          at=1.5))], []),
        ([balance(100, 0), creation(at=1), task_read(at=3), balance(70, 5)], []),
        ([balance(100, 0), lost(), balance(70, 5)], []),
    ],
)  # fmt: skip
def test_balance_leaves_out_the_reserved(exchanges: list[Exchange], expected: list[str]) -> None:
    assert outcomes(balances.balance_leaves_out_the_reserved, *exchanges) == expected
    assert outcomes(balances.balance_leaves_out_the_reserved, *exchanges, exclusive=False) == []


JUDGED = (MOVES, FREE, STAYS)


@given(st.integers(0, 2**32), st.booleans(), st.booleans(), st.booleans())
@settings(max_examples=150)
def test_an_account_that_is_kept_well_is_never_blamed(
    seed: int, is_emulator: bool, leaves_out: bool, some_are_lost: bool
) -> None:
    """Whatever overlaps, gets lost or ends unseen, and whichever reading of CRED-8 is true."""
    seen = traffic(random.Random(seed), some_are_lost)
    facts = {"target": "emulator" if is_emulator else "other"}
    exchanges = seen.exchanges(leaves_out, 0.0 if is_emulator else 5.0)
    for judge in JUDGED:
        assert BREAKS not in outcomes(judge, *exchanges, **facts)
    readings = outcomes(balances.balance_leaves_out_the_reserved, *exchanges, **facts)
    assert set(readings) <= {WITHOUT if leaves_out else INCLUDED}
