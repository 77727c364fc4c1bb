"""Judges of callbacks."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.checks import callbacks
from contracts.exchange import Exchange, Response
from contracts.findings import Finding, Judge
from tests.contracts.support import (
    START,
    callback,
    creation,
    exchange,
    findings,
    summary,
    task_read,
)

HOOK = "http://kit.test/hook/1"
OTHER_HOOK = "http://kit.test/hook/2"
MOVED = "http://kit.test/moved"
CREATED = creation(callback_url=HOOK)
DAY: dict[str, Any] = {"callback_hooks": {HOOK: [204], OTHER_HOOK: [204]},
                       "ended_at": START + 86_400}  # fmt: skip
EMULATOR: dict[str, Any] = {**DAY, "target": "emulator"}


def body(status: str = "succeeded", **overrides: Any) -> dict[str, Any]:
    response = task_read(status=status, **overrides).response
    assert response is not None
    return dict(response.json)


def called(at: float = 2.0, answered: int = 204, url: str = HOOK, **overrides: Any) -> Exchange:
    """A callback that tells a success."""
    return callback(body(**overrides), url, answered, at)


def redirected(at: float = 2.0) -> Exchange:
    """An attempt that the receiver sends on."""
    answer = Response(307, (("Location", MOVED),))
    return replace(called(at), response=answer)


def outcomes(judge: Judge, *exchanges: Exchange, **facts: Any) -> list[str]:
    return [outcome for _, outcome in summary(findings(judge, *exchanges, **facts))]


def messages(found: list[Finding]) -> str:
    return "; ".join(one.message for one in found)


ARRIVE = callbacks.arrive_once_after_the_end


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([CREATED], []),
        ([CREATED, called()], ["holds"]),
        ([CREATED, called(answered=500), called(at=7, answered=204)], ["holds", "holds"]),
        ([CREATED, called(answered=200), called(at=7)], ["holds", "breaks"]),
        ([creation(), called()], ["breaks"]),  # nobody asked for it
        ([CREATED, called(url=OTHER_HOOK)], ["breaks"]),
        ([CREATED, called(task_id="task_2")], ["breaks"]),  # the URL is another task's
        ([called(task_id="task_2", url="http://else.test/")], ["holds"]),  # from before the trace
        ([CREATED, called(status="processing")], ["breaks"]),
        ([CREATED, called(status=["odd"])], ["breaks"]),
        ([CREATED, called(at=-10)], ["breaks"]),  # 11 s before completed_at
        ([CREATED, called(at=-3)], ["holds"]),
        ([CREATED, called(), task_read(status="processing", at=3)], ["breaks"]),
        # It was sent before the callback came, and answered later.
        ([CREATED, called(), task_read(status="processing", at=1)], ["holds"]),
        ([CREATED, called(), task_read(at=3)], ["holds"]),
        ([CREATED, redirected(), called(2, url=MOVED)], ["holds"]),  # CB-3 says something of it
        ([CREATED, callback({}, HOOK)], ["breaks"]),
        ([CREATED, callback({"task_id": 7}, HOOK)], ["breaks"]),
    ],
)
def test_arrive_once_after_the_end(exchanges: list[Exchange], expected: list[str]) -> None:
    assert outcomes(ARRIVE, *exchanges, **DAY) == expected


@pytest.mark.parametrize(("target", "expected"), [("emulator", "breaks"), ("other", "holds")])
def test_only_an_emulator_promises_to_take_a_204_for_a_success(target: str, expected: str) -> None:
    seen = outcomes(ARRIVE, CREATED, called(answered=204), called(at=7), target=target)
    assert seen == ["holds", expected]


def test_an_answer_that_came_too_late_may_not_have_been_heard() -> None:
    slow = replace(called(answered=200), seconds=9.0)
    assert outcomes(ARRIVE, CREATED, slow, called(at=17), **EMULATOR) == ["holds", "holds"]


def test_a_callback_is_a_post() -> None:
    sent = called()
    sent = replace(sent, request=replace(sent.request, method="PUT"))
    assert "PUT" in messages(findings(ARRIVE, CREATED, sent))


def test_a_clock_that_is_off_is_no_early_callback() -> None:
    """The recorder's clock is an hour behind the target's, which says so in ``Date``."""
    late = "Fri, 15 Jan 2027 09:00:00 GMT"  # an hour after START
    dated = exchange("GET", "/v1/credits/balance", answer={}, answer_headers={"Date": late})
    sent = called(completed_at="2027-01-15T09:00:01Z")
    assert outcomes(ARRIVE, CREATED, dated, sent, **DAY) == ["holds"]
    assert outcomes(ARRIVE, CREATED, sent, **DAY) == ["breaks"]


TOLD = callbacks.every_end_is_told
SYNC = exchange(
    "POST", "/v1/images/generations/sync", answer={"created": 1, "data": []},
    body={"model": "gpt-image-2", "prompt": "A stone", "callback_url": HOOK},
)  # fmt: skip


@pytest.mark.parametrize(
    ("exchanges", "facts", "expected"),
    [
        ([CREATED, task_read()], DAY, ["breaks"]),
        ([CREATED, task_read(status="failed")], DAY, ["breaks"]),
        ([CREATED, task_read(), called()], DAY, []),
        ([CREATED, task_read(status="processing")], DAY, []),
        ([CREATED], DAY, []),
        ([creation(), task_read()], DAY, []),
        ([creation(callback_url="https://else.test/"), task_read()], DAY, []),
        ([CREATED, task_read()], {**DAY, "ended_at": START + 60}, []),  # it was 58 s
        ([CREATED, task_read()], {"callback_hooks": DAY["callback_hooks"]}, []),
        ([CREATED, task_read()], {"ended_at": START + 9000}, []),  # nobody listened
        ([SYNC], DAY, []),
        ([SYNC], EMULATOR, ["breaks"]),
    ],
)
def test_every_end_is_told(
    exchanges: list[Exchange], facts: dict[str, Any], expected: list[str]
) -> None:
    assert outcomes(TOLD, *exchanges, **facts) == expected


EQUAL = callbacks.equal_the_polled_task


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([called()], []),
        ([called(), task_read()], ["holds"]),
        ([called(), task_read(status="processing")], []),
        ([called(result=None), task_read()], ["breaks"]),
        ([called(), task_read(status="failed")], ["breaks"]),
        ([called(), task_read(status="expired", result=None)], []),
        ([called(), task_read(), task_read(status="expired", result=None)], ["holds"]),
        ([called(status={}), task_read()], ["breaks"]),
        ([called(answered=500), called(at=7)], ["holds"]),
        ([called(), called(at=7)], ["holds"]),
        ([called(), called(at=7, model="other")], ["breaks"]),
        ([callback({"task_id": "task_1"}, HOOK), task_read()], ["breaks"]),
    ],
)
def test_equal_the_polled_task(exchanges: list[Exchange], expected: list[str]) -> None:
    assert outcomes(EQUAL, *exchanges) == expected


SIGNED = {"data": [{"url": "http://t.test/a.png?s=1"}]}
SIGNED_ANEW = {"data": [{"url": "http://t.test/a.png?s=2"}]}


@pytest.mark.parametrize(
    ("told", "polled", "is_emulator_alone"),
    [
        ({"result": SIGNED}, {"result": SIGNED_ANEW}, None),
        ({"event": "task.completed"}, {}, True),
        ({"credits": {"charged": 30}}, {}, True),  # it may be settled a moment later
        ({"completed_at": "2027-01-15T08:00:01.4Z"},
         {"completed_at": "2027-01-15T08:00:01+00:00"}, True),
        ({"completed_at": "2027-01-15T08:00:01Z"},
         {"completed_at": "2027-01-15T08:00:03Z"}, False),
        ({"completed_at": "soon"}, {"completed_at": "later"}, False),
    ],
)  # fmt: skip
def test_what_may_differ(
    told: dict[str, Any], polled: dict[str, Any], is_emulator_alone: bool | None
) -> None:
    exchanges = (called(**told), task_read(**polled))
    elsewhere = "breaks" if is_emulator_alone is False else "holds"
    assert outcomes(EQUAL, *exchanges) == [elsewhere]
    there = "holds" if is_emulator_alone is None else "breaks"
    assert outcomes(EQUAL, *exchanges, **EMULATOR) == [there]


RETRIED = callbacks.retried_after_a_failure


@pytest.mark.parametrize(
    ("exchanges", "facts", "expected"),
    [
        ([called()], DAY, []),
        ([called(answered=500), called(at=7)], DAY, ["holds"]),
        (
            [called(answered=307), called(at=7, answered=500), called(at=40)],
            DAY,
            ["holds", "holds"],
        ),
        ([called(answered=500)], DAY, ["breaks"]),
        ([called(answered=500)], {"ended_at": START + 30}, []),
        ([called(answered=500)], {"ended_at": START + 90}, ["not tried again within 88 s"]),
        ([called(answered=500)], {"ended_at": START + 90, "target": "emulator"}, ["breaks"]),
        ([called(answered=500)], {}, []),
        ([redirected(), called(url=MOVED)], DAY, []),
        ([called(answered=500), called(at=7, answered=500)], DAY, ["holds"]),
    ],
)
def test_retried_after_a_failure(
    exchanges: list[Exchange], facts: dict[str, Any], expected: list[str]
) -> None:
    assert outcomes(RETRIED, *exchanges, **facts) == expected


LEAVES = callbacks.failed_delivery_leaves_the_task
FAILED_READ = task_read(status="failed", at=3)


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([called(), task_read(at=3)], []),
        ([called(answered=500), FAILED_READ], ["breaks"]),
        ([task_read(at=1), called(answered=500), FAILED_READ], ["breaks"]),
        ([called(answered=500), task_read(at=3), called(at=7)], ["holds"]),
        ([called(answered=500), task_read(at=3)], []),  # half of the claim is still to be seen
        ([called(answered=500), task_read(status="expired", at=3)], []),
        ([called(answered=500), called(at=7)], []),
        ([called(answered=500), task_read(status="failed", at=1)], []),
        ([callback({"task_id": "task_1"}, HOOK, 500), FAILED_READ], []),
    ],
)
def test_failed_delivery_leaves_the_task(exchanges: list[Exchange], expected: list[str]) -> None:
    assert outcomes(LEAVES, *exchanges) == expected


POLICY = callbacks.attempts_keep_the_policy
MOMENTS = (2.0, 7.1, 38.0, 160.0, 770.0, 4500.0)
ATTEMPTS = [called(at, 500) for at in MOMENTS]
LATE = replace(called(at=20.0, answered=500), late_by_seconds=15.0)


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([called()], []),
        (ATTEMPTS, ["A"] * 5),
        ([*ATTEMPTS, called(at=8000)], ["7 attempts", *["A"] * 5]),
        (ATTEMPTS[:2], ["A", "2 attempts"]),
        ([called(answered=500)], ["1 attempts"]),
        ([called(answered=500), called(at=2.1)], ["0 s where 5 s are assumed"]),
        ([called(answered=500), called(at=62)], ["60 s where 5 s are assumed"]),
        ([called(answered=204), called(at=7)], ["called again after a 204"]),
        ([called(answered=500), LATE, called(at=37)], ["A", "A"]),
        ([redirected(), called(at=7)], ["A"]),
        ([redirected(), called(url=MOVED)], ["redirects are followed"]),
    ],
)
def test_attempts_keep_the_policy(exchanges: list[Exchange], expected: list[str]) -> None:
    assert outcomes(POLICY, *exchanges, **DAY) == expected


def test_attempts_that_the_run_did_not_wait_for_are_not_missed() -> None:
    seen = outcomes(POLICY, *ATTEMPTS[:3], ended_at=START + 130)
    assert seen == ["A", "A"]


STANDARD = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}


def with_headers(headers: dict[str, str], at: float = 2.0) -> Exchange:
    sent = called(at)
    return replace(sent, request=replace(sent.request, headers=tuple(headers.items())))


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([{}], ["A"]),
        ([{"Content-Type": "application/json", "User-Agent": "x"}], ["A"]),
        ([STANDARD, STANDARD], ["B", "B"]),
        ([STANDARD, {**STANDARD, "Webhook-Id": "x", "webhook-id": "msg_2"}],
         ["B", "each attempt has its own webhook-id"]),
        ([{"webhook-id": "msg_1"}], ["signed with webhook-id"]),
        ([{"X-Hub-Signature-256": "sha256=1"}], ["signed with X-Hub-Signature-256"]),
    ],
)  # fmt: skip
def test_signature_headers(attempts: list[dict[str, str]], expected: list[str]) -> None:
    sent = [with_headers(headers, at) for at, headers in enumerate(attempts)]
    assert outcomes(callbacks.signature_headers, *sent) == expected


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([called()], []),
        ([called(), task_read(at=3)], ["holds"]),
        ([called(), task_read(status="processing", at=3), task_read(at=4)], ["breaks"]),
        ([called(), task_read(status="processing", at=1)], []),  # it was under way
        ([called(), task_read(status="expired", at=90_000)], []),
        ([called(answered=500), called(at=7), FAILED_READ], ["breaks"]),
    ],
)
def test_task_reads_as_told(exchanges: list[Exchange], expected: list[str]) -> None:
    assert outcomes(callbacks.task_reads_as_told, *exchanges) == expected
