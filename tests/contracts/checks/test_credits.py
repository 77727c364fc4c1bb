"""Judges of what creations, tasks and balances tell about credits."""

from typing import Any

import pytest

from contracts.checks import credits
from contracts.checks.credits import settled
from contracts.exchange import Exchange
from contracts.findings import Judge
from contracts.observed import Life, Read
from contracts.view import View
from tests.contracts.support import (
    callback,
    creation,
    exchange,
    findings,
    summary,
    task_read,
    trace,
)

HOLDS, BREAKS = "holds", "breaks"
TWO_IMAGES = {"data": [{"url": f"http://t.test/{number}.png"} for number in (1, 2)]}


def outcomes(judge: Judge, *exchanges: Exchange, **facts: Any) -> list[str]:
    return [outcome for _, outcome in summary(findings(judge, *exchanges, **facts))]


def reserving(credits: Any, task_id: str = "task_1", **fields: Any) -> Exchange:
    """A creation that reserves so much."""
    return creation(task_id, {"task_id": task_id, "credits": {"reserved": credits}}, **fields)


def read(status: str, reserved: Any, charged: Any, refunded: Any, **fields: Any) -> Exchange:
    told = {"reserved": reserved, "charged": charged, "refunded": refunded}
    return task_read(status=status, credits=told, **fields)


def balance(answer: Any, status: int = 200) -> Exchange:
    return exchange("GET", "/v1/credits/balance", answer=answer, status=status)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, HOLDS), (30, HOLDS), (30.0, HOLDS), (30.5, BREAKS), (-1, BREAKS), ("30", BREAKS),
     (True, BREAKS), ([], BREAKS), (1e400, BREAKS), (10**30, HOLDS)],
)  # fmt: skip
def test_are_whole_numbers(value: Any, expected: str) -> None:
    judge = credits.are_whole_numbers
    assert outcomes(judge, reserving(value)) == [expected]
    assert outcomes(judge, task_read(credits={"charged": value})) == [expected]
    assert outcomes(judge, balance({"credits": value, "currency": "credits"})) == [expected]


@pytest.mark.parametrize(
    "seen",
    [
        reserving(None),
        task_read(credits={"charged": None, "usd": 0.03, "currency": "credits"}),
        task_read(credits=...),
        task_read(credits=[0.5]),
        balance({}),
        balance({"credits": 0.5}, status=401),
        exchange("POST", "/v1/images/generations", answer={"credits": {"reserved": 0.5}}),
    ],
)
def test_what_is_no_number_of_credits_is_let_be(seen: Exchange) -> None:
    assert outcomes(credits.are_whole_numbers, seen) == []


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (read("succeeded", 30, 30, 0), HOLDS),
        (read("completed", 60, 30, 30), HOLDS),
        (read("failed", 30, 0, 30), HOLDS),
        (read("pending", 30, 0, 0), HOLDS),
        (read("processing", 30, 30, 0), "30 reserved, 30 charged, 0 refunded"),
        (read("succeeded", 30, 20, 0), "30 reserved, 20 charged, 0 refunded"),
        (read("failed", 30, 30, 30), "30 reserved, 30 charged, 30 refunded"),
        (read("failed", 30, None, 30), None),
        (task_read(credits={"used": 30}), None),
        (task_read(credits=None), None),
    ],
)
def test_add_up(seen: Exchange, expected: str | None) -> None:
    assert outcomes(credits.add_up, seen) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([reserving(30)], [HOLDS]),
        ([reserving(None)], [BREAKS]),
        ([reserving("30")], [BREAKS]),
        ([reserving(0)], [BREAKS]),
        ([creation(answer={"task_id": "task_1"})], [BREAKS]),
        ([creation(answer=[])], [BREAKS]),
        ([reserving(30), read("pending", 30, 0, 0), read("failed", 30, 0, 30)], [HOLDS] * 3),
        ([reserving(1000), read("pending", 30, 0, 0)],
         [HOLDS, "30 reserved, 0 charged, 0 refunded"]),
        ([reserving(30), callback({"task_id": "task_1", "credits":
          {"reserved": 40, "charged": 40, "refunded": 0}}, "http://kit.test/")],
         [HOLDS, "40 reserved, 40 charged, 0 refunded"]),
        ([reserving(30), task_read(credits={"used": 30})], [HOLDS]),
        ([exchange("POST", "/v1/images/generations", status=402, body={})], []),
    ],
)  # fmt: skip
def test_reservation_is_told_and_kept(exchanges: list[Exchange], expected: list[str]) -> None:
    assert outcomes(credits.reservation_is_told_and_kept, *exchanges) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (reserving(30), [HOLDS]),
        (reserving(1000), [BREAKS]),
        (reserving(30, callback_url="https://a.test/"), [HOLDS]),
        (reserving(60, n=2), []),
        (reserving(1000, size="auto"), []),
        (reserving(None), []),
    ],
)
def test_plain_image_costs_30(seen: Exchange, expected: list[str]) -> None:
    assert outcomes(credits.plain_image_costs_30, seen) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([(30, {})], ["A"]),
        ([(60, {"size": "1:1", "resolution": "2K"}), (15, {"quality": "low"})], ["A", "A"]),
        ([(30, {"size": "auto", "resolution": "4K"}), (120, {"size": "3840x2160"})], ["A", "A"]),
        ([(40, {})], ["40 credits where 30 are assumed"]),
        ([(30, {}), (80, {"n": 2})], ["A", "80 credits where 60 are assumed"]),
        ([(1000, {}), (4000, {"n": 2, "quality": "high"})],
         ["the table's proportions, with 1000 for a default image"] * 2),
        ([(25, {"size": "1:1", "resolution": "2K"}), (50, {"n": 2, "size": "1:1",
          "resolution": "2K"})], ["the table's proportions, with 25/2 for a default image"] * 2),
        ([(30, {"n": 0})], []),
        ([(None, {})], []),
    ],
)  # fmt: skip
def test_price_table(asked: list[tuple[Any, dict[str, Any]]], expected: list[str]) -> None:
    made = [reserving(price, f"task_{number}", **fields)
            for number, (price, fields) in enumerate(asked)]  # fmt: skip
    assert outcomes(credits.price_table, *made) == expected


ONE = reserving(30)


@pytest.mark.parametrize(
    ("others", "at_emulator", "elsewhere"),
    [
        ([reserving(60, "task_2", n=2)], [HOLDS], [HOLDS]),
        ([reserving(30, "task_2", n=2)], [BREAKS], [BREAKS]),
        ([reserving(75, "task_2", n=2, callback_url="https://a.test/")], [BREAKS], [BREAKS]),
        ([reserving(90, "task_2", n=3), reserving(300, "task_3", n=10)], [HOLDS] * 2, [HOLDS] * 2),
        ([reserving(40, "task_2", n=1)], [], []),
        # A reference image may have a price of its own; an emulator has none for it.
        ([reserving(70, "task_2", n=2, image_urls=["https://a.test/"])], [BREAKS], []),
        ([reserving(70, "task_2", n=2, size="1:1")], [], []),
        ([reserving(70, "task_2", n=2, quality="high")], [], []),
        ([reserving(None, "task_2", n=2)], [], []),
        ([reserving(60, "task_2", n=2, resolution="4K")], [HOLDS], [HOLDS]),  # GEN-5
    ],
)
def test_scale_with_n(others: list[Exchange], at_emulator: list[str], elsewhere: list[str]) -> None:
    judge = credits.scale_with_n
    assert outcomes(judge, ONE, *others, target="emulator") == at_emulator
    assert outcomes(judge, ONE, *others, target="other") == elsewhere


def test_ratios_have_one_price_in_an_emulator_alone() -> None:
    made = reserving(30, size="1:1"), reserving(75, "task_2", n=2, size="16:9")
    assert outcomes(credits.scale_with_n, *made, target="emulator") == [BREAKS]
    assert outcomes(credits.scale_with_n, *made) == []


PAIR = creation(n=2)


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([creation(), task_read()], [HOLDS]),
        ([creation(), task_read(status="failed")], [HOLDS]),
        ([creation(), read("succeeded", 30, 15, 15)], ["30 reserved, 15 charged, 15 refunded"]),
        ([creation(), read("failed", 30, 1, 29)], ["30 reserved, 1 charged, 29 refunded"]),
        ([PAIR, read("succeeded", 60, 60, 0, result=TWO_IMAGES)], [HOLDS]),
        ([PAIR, read("succeeded", 60, 30, 30)], ["A"]),
        ([PAIR, read("succeeded", 25, 13, 12)], ["A"]),
        ([PAIR, read("succeeded", 60, 60, 0)], ["charged 60, not 30"]),
        ([PAIR, read("succeeded", 60, 0, 60, result={"data": []})], []),
        ([task_read()], []),  # nobody knows what it was asked for
        ([task_read(status="failed")], [HOLDS]),
        ([creation(), task_read(status="processing")], []),
        ([creation(), task_read(credits={})], []),
        ([creation(), task_read(status="expired", result=None)], []),
    ],
)
def test_end_settles_the_reservation(exchanges: list[Exchange], expected: list[str]) -> None:
    assert outcomes(credits.end_settles_the_reservation, *exchanges) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (balance({"credits": 3, "currency": "credits"}), [HOLDS]),
        (balance({"credits": 3, "currency": "credits", "plan": "pro"}), [HOLDS]),
        (balance({"credits": 3.5, "currency": "credits"}), [HOLDS]),  # CRED-1 is about that
        (balance({"credits": 3, "currency": "USD"}), [BREAKS]),
        (balance({"credits": 3}), [BREAKS]),
        (balance({"credits": "3", "currency": "credits"}), [BREAKS]),
        (balance({"credits": True, "currency": "credits"}), [BREAKS]),
        (balance([]), [BREAKS]),
        (balance(b"<html>"), [BREAKS]),
        (balance({"error": {"message": "No.", "type": "auth_error"}}, 401), []),
        (balance(b"Not found", 404), ["unsupported"]),
        (balance(None, 0), []),
    ],
)
def test_balance_has_its_members(seen: Exchange, expected: list[str]) -> None:
    assert outcomes(credits.balance_has_its_members, seen) == expected


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (task_read(), (30, 30)),
        (task_read(status="failed"), (0, 0)),
        (read("failed", 30, 30, 0), (0, 0)),  # CRED-6, whatever it tells
        (read("succeeded", 30, 20, 10), (20, 20)),
        (read("succeeded", 30, 20, 0), (30, 30)),
        (read("succeeded", 40, 40, 0), (30, 30)),
        (task_read(credits={}), (30, 30)),
        (task_read(credits={}, result={"data": []}), (0, 30)),
        (task_read(status="expired", credits={}, result=None), (0, 30)),
        (read("expired", 30, 30, 0, result=None), (30, 30)),
    ],
)
def test_what_a_task_costs_after_its_end(end: Exchange, expected: tuple[int, int]) -> None:
    life = View(trace(creation(), end)).lives["task_1"]
    assert settled(life, life.ends[0], 30) == expected


def test_what_nobody_saw_created_costs_as_much_as_it_tells() -> None:
    life = Life("task_1")
    response = task_read(credits={}).response
    assert response is not None
    assert settled(life, Read(task_read(), response.json), 30) == (0, 30)
