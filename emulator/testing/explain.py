"""What did happen, as text that a person reads in a test's report."""

import json
from collections.abc import Sequence
from typing import Any

from emulator.testing.values import Delivery, Entry

MOST_LINES = 50
_MOST_CHARACTERS = 100
_ELLIPSIS = "…"


def requests_text(entries: Sequence[Entry], omitted: int = 0) -> str:
    """Show requests, one a line."""
    if not entries:
        return "No request came."
    shown = entries[-MOST_LINES:]
    omitted += len(entries) - len(shown)
    rows: list[tuple[str, ...]] = [
        ("number", "at", "status", "operation", "request", "faults", "task or error")
    ]
    rows += [_request_row(entry) for entry in shown]
    more = [f"({omitted} earlier requests are not shown.)"] if omitted else []
    return "\n".join(["The requests that came:", *more, *_table(rows)])


def deliveries_text(deliveries: Sequence[Delivery], now: str) -> str:
    """Show deliveries with each attempt.

    Args:
        deliveries: newest first, as the emulator answers them.
        now: the account's instant.
    """
    clock = f"The account's clock shows {now}."
    if not deliveries:
        return (
            f"{clock}\nThere is no delivery: a task has one once it has ended with a callback_url."
        )
    lines = [clock, "The deliveries:"]
    for delivery in list(reversed(deliveries))[-MOST_LINES:]:
        due_at = delivery.document["next_attempt_at"]
        due = f", next attempt due {due_at}" if due_at else ""
        lines.append(f"  {delivery.task_id} to {delivery.url}: {delivery.state}{due}")
        for attempt in delivery.document["attempts"]:
            met = f"status {attempt['status']}" if attempt["error"] is None else attempt["error"]
            lines.append(f"    attempt {attempt['number']} at {attempt['at']}: {met}")
        if not delivery.attempts:
            lines.append("    no attempt was made")
    return "\n".join(lines)


def why_no_delivery(task_id: str, tasks: Sequence[dict[str, Any]]) -> str:
    """Say why a task has no delivery, given the rows that have its id."""
    if not tasks:
        return f"The account has no task {task_id}."
    if tasks[0]["callback_url"] is None:
        return f"{task_id} was created without callback_url."
    if not tasks[0]["settled"]:
        return f"{task_id} ends at {tasks[0]['ends_at']}."
    return f"{task_id} has ended, and callbacks are off."


def faults_text(faults: Sequence[dict[str, Any]]) -> str:
    """Show faults, with how often they met something and acted."""
    counts = ("number", "fault", "seen", "hits", "active")
    rows: list[tuple[str, ...]] = [("number", "fault", "seen", "hits", "given")]
    for fault in faults[-MOST_LINES:]:
        given = {name: value for name, value in fault.items() if name not in counts}
        cells = (fault["number"], fault["fault"], fault["seen"], fault["hits"])
        rows.append((*map(str, cells), _shortened(criteria_text(given) if given else "-")))
    return "\n".join(["The faults:", *_table(rows)])


def tasks_text(tasks: Sequence[dict[str, Any]]) -> str:
    """Show tasks, one a line; newest first, as the emulator answers them."""
    if not tasks:
        return "The account has no task."
    rows = [("task", "status", "created at", "ends at", "error")]
    rows += [
        (
            str(task["task_id"]),
            str(task["status"]),
            str(task["created_at"]),
            str(task["ends_at"]),
            task["error_code"] or "-",
        )
        for task in reversed(tasks[:MOST_LINES])
    ]
    return "\n".join(["The tasks:", *_table(rows)])


def criteria_text(criteria: dict[str, Any]) -> str:
    """Show what requests were asked for."""
    given = [f"{name}={value!r}" for name, value in criteria.items() if value is not None]
    return ", ".join(given) or "any operation"


def _request_row(entry: Entry) -> tuple[str, ...]:
    refusal = entry.document.get("refusal")
    end = entry.task_id or "-"
    if refusal:
        end = f"{refusal['code']}: {refusal['message']}"
    nearest = entry.document.get("nearest_valid")
    if nearest:
        changes = (f"{change['param']}={change['accepted']!r}" for change in nearest["changes"])
        end = f"nearest valid: {', '.join(changes)}; {end}"
    return (
        str(entry.number),
        str(entry.document["at"]),
        str(entry.status),
        entry.operation or "-",
        _shortened(f"{entry.method} {entry.path}{_sent(entry.body)}"),
        ", ".join(entry.faults) or "-",
        _shortened(end),
    )


def _sent(body: Any) -> str:
    if body is None:
        return ""
    return " " + (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + _ELLIPSIS


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
