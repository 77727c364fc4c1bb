"""Judges of tasks that are not there, or not one's own."""

from typing import Any

import pytest

from contracts.checks import strangers as judges
from contracts.exchange import Exchange
from tests.contracts.support import creation, exchange, task_read, told

OTHER, EMULATOR = {"target": "other"}, {"target": "emulator"}
STRANGER = {"target": "other", "stranger": "key-2"}
NONE = "task_no_such_task"


def read(task_id: str, status: int = 404, sender: str = "key-1", **told: Any) -> Exchange:
    """A read that is refused; ``told`` are members of the error."""
    message = f"There is no task '{task_id}'."
    error = {"message": message, "type": "not_found_error", "code": "x", "param": None, **told}
    return exchange(
        "GET", f"/v1/tasks/{task_id}", status=status, answer={"error": error}, sender=sender
    )


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (read(NONE), OTHER, "holds"),
        (read("task_of_another_day"), OTHER, "holds"),
        (read("0"), OTHER, "holds"),
        (task_read(NONE, "pending"), OTHER, "breaks"),
        (task_read("nothing", "pending"), OTHER, "breaks"),
        (read(NONE, 403), OTHER, "breaks"),
        (read(NONE, 400), OTHER, "breaks"),
        (read("0", 400), OTHER, ""),
        (read("%27%20OR%201%3D1", 403), OTHER, ""),
        (read("0", 400), EMULATOR, "breaks"),
        (exchange("GET", f"/v1/tasks/{NONE}", status=404, answer=b"<html>"), OTHER, "unsupported"),
        (read(NONE, 401), OTHER, ""),
        (read(NONE, 429), OTHER, ""),
        (read(NONE, 503), OTHER, ""),
        (read(NONE, 0), OTHER, ""),
        (read(NONE, 401, sender=""), OTHER, ""),
        (read(NONE, 401, sender="unknown-key"), OTHER, ""),
        (task_read("task_1"), OTHER, ""),
    ],
)
def test_unknown_task_is_404(seen: Exchange, facts: dict[str, Any], expected: str) -> None:
    found = told(judges.unknown_task_is_404, seen, **facts)
    assert found == (expected and f"TASK-10 {expected}")


def test_a_task_of_the_trace_is_not_unknown() -> None:
    assert told(judges.unknown_task_is_404, creation(), read("task_1")) == ""  # TASK-1


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        ([read(NONE), read("task_1", sender="key-2")], STRANGER, "A"),
        ([read(NONE), read("task_1", sender="key-2", code="y")], STRANGER,
         "a 404 in other words than for an unknown task"),
        ([read(NONE), read("task_1", sender="key-2", message="Not yours.")], STRANGER,
         "a 404 in other words than for an unknown task"),
        ([read(NONE), read("task_1", 403, sender="key-2")], STRANGER, "403 for a stranger"),
        ([exchange("GET", "/v1/tasks/task_1", answer={}, sender="key-2")], STRANGER,
         "200 for a stranger"),
        ([read("task_1", sender="key-2")], STRANGER, ""),  # nothing to compare it with
        ([read(NONE), read("task_1", 401, sender="key-2")], STRANGER, ""),
        ([read(NONE), read("task_1", 429, sender="key-2")], STRANGER, ""),
        ([read(NONE), read("task_1")], STRANGER, ""),
        # Two keys of a trace may belong to one account.
        ([exchange("GET", "/v1/tasks/task_1", answer={}, sender="key-2")], OTHER, ""),
    ],
)  # fmt: skip
def test_foreign_task_looks_unknown(
    seen: list[Exchange], facts: dict[str, Any], expected: str
) -> None:
    found = told(judges.foreign_task_looks_unknown, creation(), *seen, **facts)
    assert found == (expected and f"TASK-10 {expected}")


def test_a_task_that_nobody_saw_made_is_nobodys() -> None:
    seen = [read(NONE), task_read("task_9"), read("task_9", sender="key-2")]
    assert told(judges.foreign_task_looks_unknown, *seen, **STRANGER) == ""
