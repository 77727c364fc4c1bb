"""What an account is told and asked, each once, for both faces."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from emulator.testing import explain
from emulator.testing.errors import EmulatorError
from emulator.testing.values import Credits, Entry, Moved, Requests, instant
from emulator.testing.wire import Request, Steps

__tracebackhide__ = True  # a failed test shows its own lines, not these

Duration = str | float | timedelta

CLOCK_PATH = "/_emulator/clock"
_PAGE = 1000


def new_key(
    credits: int | None,
    budget_credits: int | None,
    requests_per_minute: int | None,
    models: Sequence[str] | None,
) -> Steps[str]:
    """Have a key with limits made."""
    fields = {
        "credits": credits,
        "budget_credits": budget_credits,
        "requests_per_minute": requests_per_minute,
        "models": None if models is None else list(models),
    }
    body = {name: value for name, value in fields.items() if value is not None}
    answer = yield Request("POST", "/_emulator/keys", body=body)
    return str(answer["key"])


def prepare(key: str, seed: int | None, credits: int | None, *, frozen: bool) -> Steps[None]:
    """Bring a new account into the state that a test begins with."""
    if seed is not None:
        yield from reset(key, seed)
    if credits is not None:
        yield from move_credits(key, "set", credits)
    if frozen:
        yield from switch_clock(key, "freeze")


def credits(key: str) -> Steps[Credits]:
    """Ask for the sums."""
    answer = yield Request("GET", "/_emulator/account", key)
    return Credits.of(answer["credits"])


def move_credits(key: str, verb: str, amount: int) -> Steps[Credits]:
    """Grant credits, or set what is available."""
    answer = yield Request("POST", "/_emulator/account/credits", key, {verb: amount})
    return Credits.of(answer["credits"])


def reset(key: str, seed: int | None) -> Steps[None]:
    """Make the account as fresh."""
    yield Request("POST", "/_emulator/account/reset", key, {} if seed is None else {"seed": seed})


def delete(key: str) -> Steps[None]:
    """Delete the account."""
    yield Request("DELETE", "/_emulator/account", key)


def snapshot(key: str) -> Steps[dict[str, Any]]:
    """Ask for the account as one document."""
    return (yield Request("GET", "/_emulator/snapshot", key))


def restore(key: str, document: Mapping[str, Any]) -> Steps[dict[str, Any]]:
    """Put a snapshot in the account's place."""
    return (yield Request("POST", "/_emulator/snapshot", key, document))


def task(key: str, task_id: str) -> Steps[dict[str, Any]]:
    """Ask for a task as polling shows it; this is no poll that a fault meets or a test counts."""
    return (yield Request("GET", f"/_emulator/tasks/{task_id}", key))


def tasks(key: str, status: str | None) -> Steps[list[dict[str, Any]]]:
    """Ask for the account's tasks, newest first."""
    answer = yield Request(
        "GET", "/_emulator/tasks", key, parameters={"status": status, "limit": _PAGE}
    )
    rows: list[dict[str, Any]] = answer["data"]
    return rows


def finish(key: str, task_id: str, status: str, code: str | None) -> Steps[dict[str, Any]]:
    """End a task now."""
    body = {"status": status} if code is None else {"status": status, "code": code}
    return (yield Request("POST", f"/_emulator/tasks/{task_id}/finish", key, body))


def wait_for(key: str, task_id: str) -> Steps[dict[str, Any]]:
    """Move the clock to a task's end; return the task."""
    yield from run_until(key, {"task_ended": task_id})
    return (yield from task(key, task_id))


def now(key: str) -> Steps[datetime]:
    """Ask what the clock shows."""
    answer = yield Request("GET", CLOCK_PATH, key)
    return instant(answer["now"])


def switch_clock(key: str, verb: str) -> Steps[datetime]:
    """Freeze the clock, or let it run."""
    answer = yield Request("POST", CLOCK_PATH, key, {verb: True})
    return instant(answer["now"])


def advance(
    key: str, duration: Duration, days: float, hours: float, minutes: float, seconds: float
) -> Steps[Moved]:
    """Move the clock by a duration."""
    parts = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if isinstance(duration, str):
        if parts:
            raise TypeError(f"advance takes a text or days, hours, minutes, seconds; {duration!r}")
        sent: str | float = duration
    else:
        whole = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        sent = (whole + parts).total_seconds()
    return Moved.of((yield Request("POST", CLOCK_PATH, key, {"advance": sent})))


def set_clock(key: str, to: str | datetime) -> Steps[Moved]:
    """Move the clock to an instant."""
    if isinstance(to, datetime):
        if to.tzinfo is None:
            raise ValueError(f"{to!r} has no time zone; give one, such as tzinfo=datetime.UTC")
        to = to.isoformat()
    return Moved.of((yield Request("POST", CLOCK_PATH, key, {"set": to})))


def run_until(key: str, condition: dict[str, Any]) -> Steps[Moved]:
    """Move the clock until a condition holds."""
    return Moved.of((yield Request("POST", CLOCK_PATH, key, {"run_until": condition})))


def requests(key: str, criteria: dict[str, Any]) -> Steps[Requests]:
    """Ask for the requests that match; what else came is kept for messages."""
    entries = []
    after = 0
    while True:
        page = yield Request(
            "GET",
            "/_emulator/journal",
            key,
            parameters={**criteria, "after": after, "limit": _PAGE},
        )
        entries += [Entry.of(document) for document in page["data"]]
        if len(page["data"]) < _PAGE:
            break
        after = entries[-1].number
    story = yield from journal_story(key)
    return Requests(entries, explain.criteria_text(criteria), story, page["lost"])


def journal_story(key: str) -> Steps[str]:
    """The last requests of the account, as text."""
    counted = yield Request("GET", "/_emulator/journal/count", key)
    omitted = max(0, counted["count"] - explain.MOST_LINES)
    last = yield Request(
        "GET",
        "/_emulator/journal",
        key,
        parameters={"after": omitted + counted["lost"], "limit": explain.MOST_LINES},
    )
    entries = [Entry.of(document) for document in last["data"]]
    return explain.requests_text(entries, omitted + counted["lost"])


def clear_requests(key: str) -> Steps[int]:
    """Empty the journal."""
    answer = yield Request("DELETE", "/_emulator/journal", key)
    return int(answer["removed"])


def faults(key: str) -> Steps[list[dict[str, Any]]]:
    """Ask for the faults."""
    answer = yield Request("GET", "/_emulator/faults", key)
    found: list[dict[str, Any]] = answer["data"]
    return found


def add_faults(key: str, body: Mapping[str, Any]) -> Steps[list[dict[str, Any]]]:
    """Add faults."""
    answer = yield Request("POST", "/_emulator/faults", key, body)
    added: list[dict[str, Any]] = answer["data"]
    return added


def remove_faults(key: str, number: int | None = None) -> Steps[int]:
    """Remove one fault, or all."""
    path = "/_emulator/faults" if number is None else f"/_emulator/faults/{number}"
    return int((yield Request("DELETE", path, key))["removed"])


def fault_hits(key: str, number: int) -> Steps[int]:
    """Ask how often a fault met something."""
    for fault in (yield from faults(key)):
        if fault["number"] == number:
            return int(fault["hits"])
    raise EmulatorError(f"there is no fault {number} any more")
