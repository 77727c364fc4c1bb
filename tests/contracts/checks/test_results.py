"""Judges of what a task says at its end."""

from typing import Any

import pytest

from contracts.checks import results as judges
from contracts.exchange import Exchange
from tests.contracts.support import (
    START,
    callback,
    creation,
    exchange,
    findings,
    rfc3339,
    summary,
    task_read,
    told,
)

OTHER, EMULATOR = {"target": "other"}, {"target": "emulator"}
HOOK = "https://hooks.example.com/"
HOUR = 3600.0
NOW = int(START) + 1
ONE, TWO = {"url": "https://a.test/1.png?s=1"}, {"url": "https://a.test/2.png"}
INLINE = {"b64_json": "iVBORw0KGgo="}


def result(*data: Any, created: Any = NOW) -> dict[str, Any]:
    return {"result": {"created": created, "data": list(data)}}


def waited(*data: Any, at: float = 0.0) -> Exchange:
    return exchange(
        "POST", "/v1/images/generations/sync", body={"model": "gpt-image-2", "prompt": "A stone"},
        answer={"created": NOW, "data": list(data)}, at=at,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (task_read(), ""),
        (task_read(**result(ONE, TWO)), ""),
        (task_read(**result(INLINE, INLINE)), ""),
        (task_read(**result(INLINE, ONE)), ""),
        (task_read(**result()), "data is [], no list of images"),
        (task_read(result={"created": NOW}), "data is null, no list of images"),
        (task_read(**result(ONE, ONE)), "two images share a link"),
        (task_read(**result({"url": "/media/1.png"})), "neither an absolute url nor b64_json"),
        (task_read(**result({"b64_json": ""})), "neither an absolute url nor b64_json"),
        (task_read(**result("https://a.test/1.png")), "neither an absolute url nor b64_json"),
        (task_read(**result(ONE, created=NOW * 1000)), "no Unix seconds"),
        (task_read(**result(ONE, created=float(NOW))), "no Unix seconds"),
        (task_read(**result(ONE, created=None)), "no Unix seconds"),
        (task_read(**result(ONE, created=NOW + 60)), "60 s after completed_at"),
        (task_read(**result(ONE, created=NOW - 60)), "59 s before created_at"),
        (task_read(**result(ONE, created=NOW + 60), completed_at=rfc3339(90)), ""),
    ],
)
def test_result_has_its_links(seen: Exchange, expected: str) -> None:
    [found] = findings(judges.result_has_its_links, seen)
    assert expected in found.message
    assert bool(found.message) == bool(expected)


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        ([task_read(), task_read(), task_read("task_2")], OTHER, "holds"),
        ([task_read(), task_read("task_2")], EMULATOR, "holds"),
        ([task_read(**result(ONE)), task_read("task_2", **result(ONE))], OTHER, "breaks, holds"),
        ([task_read(**result(ONE)), callback({"task_id": "task_2", **result(ONE)}, HOOK)],
         OTHER, "breaks, holds"),
        ([creation(), task_read(**result(ONE)), waited(ONE)], OTHER, "breaks, holds"),
        ([waited(ONE), waited(ONE, TWO)], OTHER, "breaks, holds"),
        # It may be the call's own task that was called back.
        ([waited(ONE), callback({"task_id": "task_1", **result(ONE)}, HOOK)], OTHER, "holds"),
        # What tells links apart may be in the query.
        ([task_read(**result({"url": "https://a.test/get?id=1"})),
          task_read("task_2", **result({"url": "https://a.test/get?id=2"}))], OTHER, "holds"),
        ([task_read(**result({"url": "https://a.test/task_2/1.png"}))], EMULATOR, "breaks"),
        ([task_read(status="pending")], OTHER, ""),
    ],
)  # fmt: skip
def test_result_belongs_to_one_task(
    seen: list[Exchange], facts: dict[str, Any], expected: str
) -> None:
    said = {
        what for _, what in summary(findings(judges.result_belongs_to_one_task, *seen, **facts))
    }
    assert ", ".join(sorted(said)) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (task_read(), "TASK-7 A, TASK-7 holds"),
        (task_read(status="failed"), "TASK-7 A, TASK-7 holds"),
        (task_read(credits={"reserved": 30, "charged": 30}),
         "TASK-7 credits.reserved, credits.charged, TASK-7 holds"),
        (task_read(credits={"reserved": "30", "charged": "30", "refunded": "0"}),
         "TASK-7 credits.reserved, credits.charged, credits.refunded, TASK-7 holds"),
        (task_read(credits=30), "TASK-7 credits, TASK-7 holds"),
        (task_read(credits=..., cost=30), "TASK-7 cost, TASK-7 holds"),
        (task_read(credits=..., billing={"charged_credits": 30}),
         "TASK-7 billing.charged_credits, TASK-7 holds"),
        (task_read(credits=...), "TASK-7 breaks"),
        (task_read(credits={}), "TASK-7 breaks"),
        (task_read(credits=..., result={"credits": 30}), "TASK-7 breaks"),
        (task_read(status="pending", credits=...), ""),
    ],
)  # fmt: skip
def test_credits_are_reported(seen: Exchange, expected: str) -> None:
    assert told(judges.credits_are_reported, seen) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([task_read(), task_read(at=25 * HOUR)], "A"),
        ([task_read(), task_read(status="expired", at=25 * HOUR)], "B"),
        ([task_read(status="expired", at=25 * HOUR)], "B"),
        ([task_read(), task_read(at=23 * HOUR)], ""),
        ([task_read(), task_read(status="expired", at=13 * HOUR)], "expired within the day"),
        ([task_read(), task_read(status="expired", at=25 * HOUR, **result(ONE))],
         "expired, with a result"),
        ([task_read(), task_read(at=25 * HOUR, result=None)], "succeeded without a result"),
        ([task_read(status="failed", at=25 * HOUR)], ""),
        ([task_read(completed_at=None, at=25 * HOUR)], ""),
        ([task_read(), task_read(at=24 * HOUR)], ""),  # too near to tell
    ],
)  # fmt: skip
def test_lapsed_result(seen: list[Exchange], expected: str) -> None:
    assert told(judges.lapsed_result, *seen) == (expected and f"TASK-8 {expected}")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"type": "api_error", "message": "No."}, "holds"),
        ({"type": "api_error", "message": "No.", "code": "timeout"}, "holds"),
        ({"type": "api_error", "message": "No.", "code": None}, "holds"),
        ({"type": "api_error", "message": "No.", "code": 5}, "breaks"),
        ({"type": "api_error", "message": " "}, "breaks"),
        ({"message": "No."}, "breaks"),
        (None, "breaks"),
        ("It failed.", "breaks"),
    ],
)
def test_failed_task_explains(error: Any, expected: str) -> None:
    seen = task_read(status="failed", error=error)
    assert told(judges.failed_task_explains, seen) == f"TASK-9 {expected}"


def test_what_did_not_fail_explains_nothing() -> None:
    assert told(judges.failed_task_explains, task_read(), task_read(status="pending")) == ""


def swept(after: float = 600.0, **overrides: Any) -> Exchange:
    members = {"completed_at": rfc3339(after), **overrides}
    return task_read(status="failed", at=after + 9, **members)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (swept(), "TASK-11 A, TASK-11 holds"),
        (swept(603), "TASK-11 A, TASK-11 holds"),
        (swept(120), "TASK-11 after 120 s, TASK-11 holds"),
        (swept(credits={"reserved": 30, "charged": 30, "refunded": 0}),
         "TASK-11 A, TASK-11 breaks"),
        (swept(credits=...), "TASK-11 A"),
        (swept(completed_at=None), "TASK-11 holds"),
        (swept(error={"type": "api_error", "code": "not_found", "message": "No."}), ""),
        (task_read(status="processing", at=2 * HOUR), "TASK-11 breaks"),
        (task_read(status="processing", at=0.9 * HOUR), ""),
        (task_read(at=2 * HOUR), ""),
    ],
)  # fmt: skip
def test_hung_task_is_swept(seen: Exchange, expected: str) -> None:
    assert told(judges.hung_task_is_swept, seen) == expected
