"""What an account is asked about its callbacks, each once, for both faces."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from emulator.core.clock import parse_duration
from emulator.core.errors import Refusal
from emulator.testing import account_steps, explain
from emulator.testing.account_steps import CLOCK_PATH, Duration
from emulator.testing.errors import ExpectationFailed
from emulator.testing.values import Callback, Delivery, Message, instant, instant_or_none
from emulator.testing.wire import Request, Steps

__tracebackhide__ = True  # a failed test shows its own lines, not these

Answer = int | Mapping[str, Any]

_PAGE = 1000


def inbox_path(name: str) -> str:
    """The route of an inbox."""
    return f"/_emulator/inbox/{name}"


def received(key: str, name: str) -> Steps[list[Message]]:
    """Ask what an inbox received; nothing, where nobody used it."""
    answer = yield Request("GET", inbox_path(name), key, parameters={"limit": _PAGE})
    return [Message.of(document) for document in answer["data"]]


def answer_with(key: str, name: str, answers: Answer | Sequence[Answer]) -> Steps[None]:
    """Tell an inbox how to answer."""
    chosen = [answers] if isinstance(answers, int | Mapping) else list(answers)
    body = {"answers": [{"status": one} if isinstance(one, int) else one for one in chosen]}
    yield Request("PUT", inbox_path(name), key, body)


def clear(key: str, name: str) -> Steps[int]:
    """Empty an inbox."""
    return int((yield Request("DELETE", inbox_path(name), key))["removed"])


def deliveries(key: str, task_id: str | None) -> Steps[list[Delivery]]:
    """Ask for deliveries, newest first."""
    answer = yield Request(
        "GET", "/_emulator/deliveries", key, parameters={"task_id": task_id, "limit": _PAGE}
    )
    found = [Delivery.of(document) for document in answer["data"]]
    return [one for one in found if task_id is None or one.task_id == task_id]


def redeliver(key: str, delivery_id: str) -> Steps[Delivery]:
    """Make one more attempt now."""
    answer = yield Request("POST", f"/_emulator/deliveries/{delivery_id}/redeliver", key, {})
    return Delivery.of(answer)


def score(key: str, url: str) -> Steps[dict[str, Any]]:
    """Have a receiver tried."""
    return (yield Request("POST", "/_emulator/receiver-score", key, {"url": url}))


def expect(key: str, task_id: str, within: Duration | None) -> Steps[Callback]:
    """Expect that a task's callback is taken; move the clock no further than that takes."""
    seconds = _seconds(within)
    start = yield from account_steps.now(key)
    deadline = start + timedelta(seconds=seconds)
    while True:
        # What is due by now, and what is under way, is done before anything is judged.
        moved = yield Request("POST", CLOCK_PATH, key, {"advance": 0})
        now = instant(moved["now"])
        found = yield from deliveries(key, task_id)
        for delivery in reversed(found):
            if delivery.state == "delivered":
                whole = yield Request("GET", f"/_emulator/deliveries/{delivery.delivery_id}", key)
                return Callback(delivery, whole["body"])
        due_at = yield from _next_due(key, task_id, found)
        if due_at is None or not now < due_at <= deadline:
            break
        # Not "set": a clock that runs may be past that instant already.
        yield Request("POST", CLOCK_PATH, key, {"advance": (due_at - now).total_seconds()})
    ahead = f"within {seconds:g} s" if seconds else "by now"
    story = yield from _story(key, task_id)
    raise ExpectationFailed(f"expected the callback of {task_id} {ahead}; none was taken.\n{story}")


def expect_none(key: str, within: Duration | None, task_id: str | None) -> Steps[None]:
    """Expect that nothing is called back, also while the clock moves on."""
    seconds = _seconds(within)
    yield Request("POST", CLOCK_PATH, key, {"advance": seconds})
    found = yield from deliveries(key, task_id)
    made = sum(len(delivery.attempts) for delivery in found)
    if made:
        of = f" of {task_id}" if task_id else ""
        story = yield from _story(key, task_id)
        raise ExpectationFailed(
            f"expected no callback{of} within {seconds:g} s; attempts made: {made}.\n{story}"
        )


def journal_text(key: str) -> Steps[str]:
    """Show what happened in the account: requests, tasks, deliveries."""
    requests = yield from account_steps.journal_story(key)
    tasks = yield from account_steps.tasks(key, None)
    parts = [requests, explain.tasks_text(tasks)]
    faults = yield from account_steps.faults(key)
    if faults:
        parts.append(explain.faults_text(faults))
    found = yield from deliveries(key, None)
    clock = yield Request("GET", CLOCK_PATH, key)
    if found:
        parts.append(explain.deliveries_text(found, clock["now"]))
    else:
        parts.append(f"The account's clock shows {clock['now']}.")
    return "\n".join(parts)


def _next_due(key: str, task_id: str, found: Sequence[Delivery]) -> Steps[datetime | None]:
    """When something happens next that may bring the callback: an attempt, or the task's end."""
    if found:
        due = [delivery.next_attempt_at for delivery in found]
        return min((instant for instant in due if instant is not None), default=None)
    for row in (yield from account_steps.tasks(key, None)):
        if row["task_id"] == task_id:
            return instant_or_none(row["ends_at"])
    return None


def _story(key: str, task_id: str | None) -> Steps[str]:
    clock = yield Request("GET", CLOCK_PATH, key)
    found = yield from deliveries(key, task_id)
    text = explain.deliveries_text(found, clock["now"])
    if found:
        return text
    tasks = yield from account_steps.tasks(key, None)
    chosen = [row for row in tasks if task_id is None or row["task_id"] == task_id]
    if task_id is not None:
        text += f"\n{explain.why_no_delivery(task_id, chosen)}"
    return f"{text}\n{explain.tasks_text(chosen)}"


def _seconds(duration: Duration | None) -> float:
    if duration is None:
        return 0
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    try:
        return parse_duration(duration, "within") / 1000
    except Refusal as refusal:
        raise ValueError(refusal.message) from None
