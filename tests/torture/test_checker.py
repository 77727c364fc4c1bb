"""A history without fault passes; with one fault seeded in it, the checker names that fault."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from emulator.core.callback import signature_headers
from scripts.torture.checker import violations
from scripts.torture.history import (
    Callback,
    Creation,
    FinalAccount,
    FinalTask,
    History,
    Outcome,
    Poll,
)

KEY, SECRET = "sk-a", b"s" * 24
PRICE = 30


def detail(task_id: str, status: str = "succeeded") -> dict[str, Any]:
    charged = PRICE if status == "succeeded" else 0
    refunded = PRICE if status == "failed" else 0
    credits = {"reserved": PRICE, "charged": charged, "refunded": refunded}
    return {"task_id": task_id, "status": status, "credits": credits}


def callback(task_id: str, delivery: str, *, accepted: bool = True) -> Callback:
    body = json.dumps(detail(task_id)).encode()
    return Callback(signature_headers(SECRET, delivery, 1_800_000_000_000, body), body, accepted)


def entry(number: int, kind: str, task_id: str | None, after: int, **moved: int) -> dict[str, Any]:
    sums = {"granted": 0, "available": 0, "reserved": 0, "charged": 0, **moved}
    return {"number": number, "kind": kind, "task_id": task_id, "available_after": after, **sums}


def good() -> History:
    """Three creations: t1 succeeded with a callback (first refused by its receiver), t2 failed and
    its answer was lost, m3 was refused."""
    ledger = [
        entry(1, "grant", None, 100, granted=100, available=100),
        entry(2, "reservation", "t1", 70, available=-PRICE, reserved=PRICE),
        entry(3, "reservation", "t2", 40, available=-PRICE, reserved=PRICE),
        entry(4, "consumption", "t1", 40, reserved=-PRICE, charged=PRICE),
        entry(5, "refund", "t2", 70, available=PRICE, reserved=-PRICE),
    ]
    tasks = {
        "t1": FinalTask(detail("t1"), "m1 x", [{"delivery_id": "msg_1", "state": "delivered"}]),
        "t2": FinalTask(detail("t2", "failed"), "m2 x", []),
    }
    sums = {"granted": 100, "available": 70, "reserved": 0, "charged": 30}
    return History(
        SECRET,
        [
            Creation("m1", KEY, 0, 1, Outcome.ACKNOWLEDGED, True, "t1"),
            Creation("m2", KEY, 0, 2, Outcome.UNKNOWN, False),
            Creation("m3", KEY, 0, 2, Outcome.REFUSED, False),
        ],
        [
            Poll("t1", 2, 3, detail("t1", "pending")),
            Poll("t1", 4, 8, detail("t1", "processing")),
            Poll("t1", 5, 6, detail("t1", "processing")),
            Poll("t1", 7, 9, detail("t1")),
        ],
        [callback("t1", "msg_1", accepted=False), callback("t1", "msg_1")],
        {KEY: FinalAccount(sums, 70, ledger, tasks)},
    )


def test_a_history_without_fault_passes() -> None:
    assert violations(good()) == []


Seed = Callable[[History, FinalAccount], object]


def replaced(task_id: str, **fields: Any) -> Seed:
    def seed(_: History, account: FinalAccount) -> None:
        account.tasks[task_id] = replace(account.tasks[task_id], **fields)

    return seed


def credit(name: str, by: int) -> Seed:
    return lambda _, account: account.credits.update({name: account.credits[name] + by})


def poll(*fields: Any) -> Seed:
    return lambda history, _: history.polls.append(Poll(*fields))


def late(history: History, _: FinalAccount) -> None:
    """The request that was refused made a task all the same."""
    history.accounts[KEY].tasks["t3"] = FinalTask(detail("t3", "failed"), "m3 x", [])


def lost_callback(history: History, _: FinalAccount) -> None:
    history.callbacks.pop()


def unsigned(history: History, _: FinalAccount) -> None:
    history.callbacks[1].headers["webhook-signature"] = "v1,AAAA"


def other_body(history: History, _: FinalAccount) -> None:
    body = history.callbacks[1].body.replace(b" ", b"")
    headers = signature_headers(SECRET, "msg_1", 1_800_000_000_000, body)
    history.callbacks[1] = Callback(headers, body, True)


SEEDS: dict[str, tuple[Seed, str]] = {
    "task lost": (lambda _, account: account.tasks.pop("t1"), "t1 was acknowledged and is gone"),
    "task gone": (replaced("t1", detail=None), "t1 was acknowledged and is gone"),
    "another's task": (replaced("t1", prompt="m9 x"), "is not what the request m1 asked for"),
    "made twice": (replaced("t2", prompt="m1 x"), "the request m1 made 2 tasks"),
    "invented": (replaced("t2", prompt="m9 x"), "t2 exists, and nobody asked for it"),
    "refused, made": (late, "t3 exists, and its request m3 was refused"),
    "not found": (poll("t1", 2, 3, None), "t1 was acknowledged, and a poll did not find it"),
    "changed": (poll("t1", 9, 9, detail("t1", "failed")), "t1 changed after its end"),
    "went back": (poll("t1", 6.5, 7, detail("t1", "pending")), "was processing, and then pending"),
    "reopened": (poll("t1", 9, 9, detail("t1", "pending")), "was succeeded, and then pending"),
    "never ended": (replaced("t2", detail=detail("t2", "pending")), "t2 never ended"),
    "one credit lost": (credit("available", -1), "the sums do not add up"),
    "one credit charged too much": (credit("charged", 1), "31 credits are charged"),
    "still reserved": (credit("reserved", 1), "1 credits are reserved"),
    "ledger gap": (lambda _, a: a.ledger[4].update(number=6), "the ledger's numbers have gaps"),
    "ledger off": (lambda _, a: a.ledger[2].update(available_after=41), "entry 3 says 41"),
    "entry lost": (lambda _, a: a.ledger.pop(), "the ledger's available add up to 40, not 70"),
    "settled twice": (
        lambda _, a: a.ledger.append({**a.ledger[3], "number": 6}),
        "t1 was not booked once",
    ),
    "callback lost": (lost_callback, "the callback of t1 never came"),
    "not delivered": (
        replaced("t1", deliveries=[{"delivery_id": "msg_1", "state": "pending"}]),
        "the deliveries of t1 are",
    ),
    "two deliveries": (
        lambda history, _: history.callbacks.append(callback("t1", "msg_2")),
        "the callback of t1 came with several ids: ['msg_1', 'msg_2']",
    ),
    "two bodies": (other_body, "the callback of t1 came with several bodies"),
    "wrong signature": (unsigned, "its signature is not valid"),
    "callback of nothing": (
        lambda history, _: history.callbacks.append(callback("t9", "msg_9")),
        "a callback came for t9, which does not exist",
    ),
    "callback unasked": (
        lambda history, _: history.callbacks.append(callback("t2", "msg_2")),
        "a callback came for t2, which asked for none",
    ),
}


@pytest.mark.parametrize("name", SEEDS)
def test_a_seeded_fault_is_found(name: str) -> None:
    seed, expected = SEEDS[name]
    history = copy.deepcopy(good())
    seed(history, history.accounts[KEY])
    assert [line for line in violations(history) if expected in line]
