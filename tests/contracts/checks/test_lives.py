"""Judges of a task's life."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.checks import lives as judges
from contracts.exchange import Exchange, Response
from contracts.findings import Outcome
from tests.contracts.support import (
    LINK,
    START,
    callback,
    creation,
    exchange,
    findings,
    rfc3339,
    task_read,
    told,
)

OTHER, EMULATOR = {"target": "other"}, {"target": "emulator"}
HOUR = 3600.0
HOOK = "https://hooks.example.com/"
DATED = "Fri, 15 Jan 2027 08:02:00 GMT"  # two minutes after START
TOLD_AT_9, TOLD_AT_90 = "Fri, 15 Jan 2027 08:00:09 GMT", "Fri, 15 Jan 2027 08:01:30 GMT"


def read_404(at: float, **options: Any) -> Exchange:
    error = {"error": {"message": "No.", "type": "not_found_error", "code": None, "param": None}}
    return exchange("GET", "/v1/tasks/task_1", status=404, answer=error, at=at, **options)


def created(**members: Any) -> Exchange:
    return creation(answer={"task_id": "task_1", "status": "pending", **members})


def dated(seen: Exchange, date: str = DATED) -> Exchange:
    assert seen.response is not None
    headers = (*seen.response.headers, ("Date", date))
    return replace(seen, response=replace(seen.response, headers=headers))


def taking(seen: Exchange, seconds: float) -> Exchange:
    return replace(seen, seconds=seconds)


def with_link(url: str, **members: Any) -> dict[str, Any]:
    return {"result": {"created": int(START) + 1, "data": [{"url": url}]}, **members}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (created(), "TASK-1 holds"),
        (created(result=None), "TASK-1 holds"),
        (created(result={"data": []}), "TASK-1 breaks"),
        (created(status="succeeded"), "TASK-1 breaks"),
        (
            exchange("POST", "/v1/images/generations", answer={"created": 1, "data": [{}]}),
            "TASK-1 breaks",
        ),
        (exchange("POST", "/v1/images/generations/sync", answer={"created": 1, "data": [{}]}), ""),
        (exchange("POST", "/v1/images/generations", status=400, answer={"result": 1}), ""),
    ],
)
def test_creation_never_waits(seen: Exchange, expected: str) -> None:
    assert told(judges.creation_never_waits, seen) == expected


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        ([creation(), task_read()], OTHER, "TASK-1 holds"),
        ([task_read(status="failed")], OTHER, "TASK-1 holds"),
        ([creation(), read_404(1), task_read()], OTHER, "TASK-1 breaks, TASK-1 holds"),
        ([read_404(0), creation(at=1), task_read()], OTHER, "TASK-1 holds"),
        ([creation(), read_404(1, sender="key-2")], OTHER, ""),
        ([creation(), read_404(30 * HOUR)], OTHER, ""),  # how long tasks are kept: no document
        ([creation(), read_404(30 * HOUR)], EMULATOR, "TASK-1 breaks"),
        ([creation(), task_read(status="processing", at=50 * 60)], OTHER, ""),
        ([creation(), task_read(status="processing", at=2 * HOUR)], OTHER, "TASK-1 breaks"),
        ([creation(), task_read(status="done", at=2 * HOUR)], OTHER, ""),  # TASK-3
        ([creation()], OTHER, ""),
    ],
)
def test_task_can_be_polled_to_its_end(
    seen: list[Exchange], facts: dict[str, Any], expected: str
) -> None:
    assert told(judges.task_can_be_polled_to_its_end, *seen, **facts) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([task_read()], "TASK-2 A"),
        ([task_read(status="completed")], "TASK-2 B"),
        ([task_read(), task_read(status="completed")], "TASK-2 A, TASK-2 B"),
        ([task_read(status="done", **with_link("https://a.test/1"))], "TASK-2 breaks"),
        ([task_read(status="done")], ""),
        ([task_read(status="processing", **with_link("https://a.test/1"))], ""),  # TASK-5
        ([task_read(status="failed")], ""),
    ],
)
def test_word_for_success(seen: list[Exchange], expected: str) -> None:
    assert told(judges.word_for_success, *seen) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([creation(), task_read(status="processing"), task_read(status="expired")], "holds"),
        ([task_read(status="done")], "breaks"),
        ([creation(answer={"task_id": "task_1", "status": "queued"})], "breaks"),
        ([callback({"task_id": "task_1", "status": "ok"}, HOOK)], "breaks"),
        ([task_read(status=["succeeded"])], "breaks"),  # type: ignore[arg-type]
        ([creation(answer={"task_id": "task_1"})], ""),
    ],
)
def test_status_is_known(seen: list[Exchange], expected: str) -> None:
    assert told(judges.status_is_known, *seen) == (expected and f"TASK-3 {expected}")


def at(*statuses: str) -> list[Exchange]:
    return [task_read(status=status, at=float(at)) for at, status in enumerate(statuses, 1)]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([creation(), *at("pending", "processing", "succeeded", "succeeded")], "holds"),
        (at("processing", "failed", "failed"), "holds"),
        (at("completed", "expired", "expired"), "holds"),
        (at("processing", "pending"), "breaks"),
        (at("succeeded", "processing"), "breaks"),
        (at("succeeded", "failed"), "breaks"),
        (at("succeeded", "completed"), "breaks"),
        (at("failed", "expired"), "breaks"),
        (at("expired", "succeeded"), "breaks"),
        (at("processing", "done", "pending"), "breaks"),  # an unknown word hides nothing
        (
            [creation(answer={"task_id": "task_1", "status": "processing"}), *at("pending")],
            "breaks",
        ),
        ([callback({"task_id": "task_1", "status": "failed"}, HOOK), *at("x", "failed")], "holds"),
        (
            [callback({"task_id": "task_1", "status": "failed"}, HOOK), *at("x", "x", "pending")],
            "breaks",
        ),
        (at("succeeded"), ""),
    ],
)
def test_status_moves_forward_only(seen: list[Exchange], expected: str) -> None:
    found = told(judges.status_moves_forward_only, *seen)
    assert ("TASK-4 breaks" in found) == (expected == "breaks"), found
    assert bool(found) == bool(expected)


def test_reads_that_overlap_may_end_in_any_order() -> None:
    slow = taking(task_read(status="processing", at=1), 5.0)
    quick = task_read(status="succeeded", at=2)
    assert told(judges.status_moves_forward_only, quick, slow) == ""
    assert told(judges.status_moves_forward_only, quick, replace(slow, sent_at=START + 3)) == (
        "TASK-4 breaks"
    )


def test_a_callback_that_came_during_a_wait_may_have_come_before_a_read() -> None:
    told_early = callback({"task_id": "task_1", "status": "pending"}, HOOK, at=9)
    seen = [task_read(at=5), replace(told_early, late_by_seconds=6.0)]
    assert told(judges.status_moves_forward_only, *seen) == ""
    assert told(judges.status_moves_forward_only, seen[0], told_early) == "TASK-4 breaks"


@pytest.mark.parametrize(
    ("later", "facts", "expected"),
    [
        (task_read(at=9), EMULATOR, "holds"),
        (task_read(at=9, completed_at=rfc3339(2)), OTHER, "breaks"),
        (task_read(at=9, credits=...), OTHER, "breaks"),
        (task_read(at=9, more=1), OTHER, "breaks"),
        (task_read(at=9, **with_link("http://target.test/media/task_1/1.png?s=2")), OTHER, "holds"),
        (task_read(at=9, **with_link("http://target.test/media/task_1/1.png?s=2")), EMULATOR,
         "breaks"),
        (task_read(at=9, **with_link("http://target.test/media/task_1/2.png")), OTHER, "breaks"),
        (task_read(status="expired", at=9, credits={"reserved": 30, "charged": 30, "refunded": 0}),
         OTHER, "holds"),
        (task_read(status="expired", at=9, model="another"), OTHER, "breaks"),
        (task_read(status="processing", at=9), OTHER, ""),  # it moves back
    ],
)  # fmt: skip
def test_ended_task_never_changes(later: Exchange, facts: dict[str, Any], expected: str) -> None:
    found = told(judges.ended_task_never_changes, task_read(), later, **facts)
    assert found == (expected and f"TASK-4 {expected}")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (task_read(), ""),
        (task_read(status="pending"), ""),
        (task_read(more=1, credits=...), ""),
        (task_read(error=...), "error is missing"),
        (task_read(status="pending", completed_at=...), "completed_at is missing"),
        (task_read(type="video"), "type is video, not image"),
        (task_read(created_at=1_800_000_000_000), "created_at is 1800000000000"),
        (task_read(result=[], model=None), "model is null; result is []"),
    ],
)
def test_body_has_its_members(seen: Exchange, expected: str) -> None:
    [found] = findings(judges.body_has_its_members, seen)
    assert found.message.partition(": ")[2] == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([creation(), task_read()], "TASK-5 holds"),
        ([task_read(model="another")], "TASK-5 holds"),
        ([creation(), task_read(model="another")], "TASK-5 breaks, TASK-5 holds"),
        ([task_read(task_id="task_1", model=1)], "TASK-5 holds"),
        ([creation()], ""),
    ],
)
def test_ids_echo(seen: list[Exchange], expected: str) -> None:
    assert told(judges.ids_echo, *seen) == expected


def test_a_task_that_tells_another_id_is_another() -> None:
    answer = task_read("task_2").response
    seen = replace(task_read("task_1"), response=answer)
    assert told(judges.ids_echo, seen) == "TASK-5 breaks"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([creation(), task_read()], ""),
        ([creation(), task_read(status="pending")], ""),
        ([creation(at=4), task_read()], ""),
        ([task_read(created_at="yesterday")], "is no RFC 3339 time"),
        ([task_read(created_at="2027-01-15T08:00:00")], "is no RFC 3339 time"),
        ([task_read(created_at=1_800_000_000_000)], "is no RFC 3339 time"),
        ([task_read(created_at="2027-01-15T09:00:00+01:00")], ""),
        ([task_read(status="pending"), task_read(created_at=rfc3339(1))], "before"),
        ([task_read(status="pending", completed_at=rfc3339(1))], "before the end"),
        ([task_read(completed_at=None)], "completed_at null is no RFC 3339 time"),
        ([task_read(completed_at=rfc3339(-1))], "is before created_at"),
        ([task_read(completed_at=rfc3339(6))], ""),
        ([task_read(completed_at=rfc3339(60))], "was 58 s ahead"),
        ([task_read(status="failed", completed_at=None)], ""),
        ([task_read(status="expired", completed_at=None)], ""),
        ([task_read(status="failed", completed_at="soon")], "is no RFC 3339 time"),
        ([task_read(status="done", completed_at="soon")], ""),
    ],
)
def test_times_are_in_order(seen: list[Exchange], expected: str) -> None:
    found = [one.message for one in findings(judges.times_are_in_order, *seen)]
    assert found, "each read is a witness"
    assert any(expected in message for message in found if message) == bool(expected), found


@pytest.mark.parametrize(
    ("made", "target", "expected"),
    [
        (creation(at=9), "emulator", "-9 s from its creation"),
        (creation(at=-9), "emulator", "+9 s from its creation"),
        (taking(creation(at=-9), 8), "emulator", None),
        (creation(at=90), "other", None),  # nothing tells the target's time
        (dated(creation(at=9), TOLD_AT_9), "other", None),
        (dated(creation(at=90), TOLD_AT_90), "other", "-90 s from its creation"),
    ],
)
def test_a_task_says_when_it_was_made(made: Exchange, target: str, expected: str | None) -> None:
    found = findings(judges.times_are_in_order, made, task_read(at=100), target=target)
    messages = [one.message for one in found if one.outcome is Outcome.BREAKS]
    assert [str(expected) in message for message in messages] == [True] * (expected is not None)


def test_an_emulator_says_when_a_failed_task_ended() -> None:
    seen = task_read(status="failed", completed_at=None)
    assert told(judges.times_are_in_order, seen, **EMULATOR) == "TASK-5 breaks"


def test_a_recorder_whose_clock_is_late_accuses_nobody() -> None:
    later: dict[str, Any] = {"created_at": rfc3339(120), "completed_at": rfc3339(121)}
    seen = [creation(), task_read(**later)]
    assert told(judges.times_are_in_order, *seen) == "TASK-5 breaks"
    assert told(judges.times_are_in_order, *map(dated, seen)) == "TASK-5 holds"
    # An emulator's own clock is the account's, which Date is not about.
    assert told(judges.times_are_in_order, *map(dated, seen), **EMULATOR) == "TASK-5 breaks"
    garbled = [dated(one, "tomorrow") for one in seen]
    assert told(judges.times_are_in_order, *garbled) == "TASK-5 breaks"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (task_read(), "holds"),
        (task_read(status="failed"), "holds"),
        (task_read(status="pending"), "holds"),
        (task_read(result=None), "breaks"),
        (task_read(status="processing", **with_link(LINK)), "breaks"),
        (task_read(status="failed", result={}), "breaks"),
        (task_read(status="expired", **with_link(LINK)), ""),  # TASK-8
        (task_read(status="done", **with_link(LINK)), ""),  # TASK-3
    ],
)
def test_result_only_after_success(seen: Exchange, expected: str) -> None:
    found = told(judges.result_only_after_success, seen)
    assert found == (expected and f"TASK-5 {expected}")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (task_read(), "holds"),
        (task_read(status="failed"), "holds"),
        (task_read(status="failed", error=None), "breaks"),
        (task_read(status="failed", error="It failed."), "breaks"),
        (task_read(error={}), "breaks"),
        (task_read(status="pending", error={"type": "api_error"}), "breaks"),
        (task_read(status="expired", error={"type": "api_error"}), ""),
    ],
)
def test_error_only_after_failure(seen: Exchange, expected: str) -> None:
    found = told(judges.error_only_after_failure, seen)
    assert found == (expected and f"TASK-5 {expected}")


def test_an_answer_that_is_no_object_is_a_task_without_members() -> None:
    seen = replace(task_read(), response=Response(200, (), b"<html>"))
    assert told(judges.body_has_its_members, seen) == "TASK-5 breaks"
    assert told(judges.status_is_known, seen) == ""
