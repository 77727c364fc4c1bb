"""Holds a history against what is promised; each violation is one line. Pure."""

import base64
import hashlib
import hmac
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from scripts.torture.history import Callback, Creation, FinalAccount, FinalTask, History, Outcome

SUMS = ("granted", "available", "reserved", "charged")
ENDED = frozenset({"succeeded", "completed", "failed", "expired"})
_RANK = {"pending": 0, "processing": 1}
_ENDED_RANK = 2
_SETTLING = frozenset({"consumption", "refund"})


def violations(history: History) -> list[str]:
    """Find what breaks a promise.

    Returns:
        One line each, in no particular order; none: all promises were kept.
    """
    return [
        *lost_or_invented(history),
        *changed(history),
        *unended(history),
        *(line for key in history.accounts for line in credits_off(key, history.accounts[key])),
        *callbacks_off(history),
    ]


def lost_or_invented(history: History) -> Iterator[str]:
    """Each acknowledged task exists; each task was asked for once, by a request that may count."""
    creations = {creation.mark: creation for creation in history.creations}
    tasks = {name: task for name, task in _tasks(history).items() if task.detail is not None}
    for creation in history.creations:
        if creation.task_id is not None:
            task = tasks.get(creation.task_id)
            if task is None:
                yield f"{creation.task_id} was acknowledged and is gone"
            elif mark_of(task.prompt) != creation.mark:
                yield f"{creation.task_id} is not what the request {creation.mark} asked for"
    for mark, count in Counter(mark_of(task.prompt) for task in tasks.values()).items():
        if count > 1:
            yield f"the request {mark} made {count} tasks"
    for task_id, task in tasks.items():
        yield from _not_wanted(task_id, creations.get(mark_of(task.prompt)))


def _not_wanted(task_id: str, creation: Creation | None) -> Iterator[str]:
    if creation is None:
        yield f"{task_id} exists, and nobody asked for it"
    elif creation.outcome in (Outcome.REFUSED, Outcome.NOT_SENT):
        yield f"{task_id} exists, and its request {creation.mark} was {creation.outcome.value}"


def changed(history: History) -> Iterator[str]:
    """What was acknowledged is there at once, goes forward only, and stays once it has ended."""
    polls = defaultdict(list)
    for poll in history.polls:
        polls[poll.task_id].append(poll)
    tasks = _tasks(history)
    for task_id, seen in polls.items():
        if any(poll.detail is None for poll in seen):
            yield f"{task_id} was acknowledged, and a poll did not find it"
        found = [(p.started, p.ended, p.detail) for p in seen if p.detail is not None]
        last = tasks[task_id].detail if task_id in tasks else None
        if last is not None:
            found.append((float("inf"), float("inf"), last))
        yield from _went_back(task_id, found)
        ends = {json.dumps(d, sort_keys=True) for _, _, d in found if d["status"] in ENDED}
        if len(ends) > 1:
            yield f"{task_id} changed after its end: {' and '.join(sorted(ends))}"


def _went_back(task_id: str, seen: list[tuple[float, float, dict[str, Any]]]) -> Iterator[str]:
    """A poll that began when another was answered must not see an earlier state."""
    by_end, highest, position = sorted(seen, key=lambda poll: poll[1]), "pending", 0
    for started, _, detail in sorted(seen, key=lambda poll: poll[0]):
        while position < len(by_end) and by_end[position][1] <= started:
            highest = max(highest, by_end[position][2]["status"], key=_rank)
            position += 1
        if _rank(detail["status"]) < _rank(highest):
            yield f"{task_id} was {highest}, and then {detail['status']}"


def _rank(status: str) -> int:
    return _RANK.get(status, _ENDED_RANK)


def unended(history: History) -> Iterator[str]:
    """When all is over, each task has ended."""
    for task_id, task in _tasks(history).items():
        if task.detail is not None and task.detail["status"] not in ENDED:
            yield f"{task_id} never ended: it is {task.detail['status']}"


def credits_off(key: str, account: FinalAccount) -> Iterator[str]:
    """Credits balance to the unit: sums, ledger and tasks tell the same."""
    sums = account.credits
    if sums["granted"] != sums["available"] + sums["reserved"] + sums["charged"]:
        yield f"{key}: the sums do not add up: {sums}"
    if min(sums.values()) < 0:
        yield f"{key}: a sum is below zero: {sums}"
    if sums["reserved"]:
        yield f"{key}: {sums['reserved']} credits are reserved, and all tasks have ended"
    if account.balance != sums["available"]:
        yield f"{key}: the balance is {account.balance}, {sums['available']} are available"
    charged = sum(t.detail["credits"]["charged"] for t in account.tasks.values() if t.detail)
    if charged != sums["charged"]:
        yield f"{key}: {sums['charged']} credits are charged, its tasks say {charged}"
    yield from _ledger_off(key, account)


def _ledger_off(key: str, account: FinalAccount) -> Iterator[str]:
    numbers = [entry["number"] for entry in account.ledger]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{key}: the ledger's numbers have gaps"
    available = 0
    for entry in account.ledger:
        available += entry["available"]
        if entry["available_after"] != available:
            number, after = entry["number"], entry["available_after"]
            yield f"{key}: entry {number} says {after} are available; the entries add up to {available}"  # noqa: E501
            break
    for name in SUMS:
        total = sum(entry[name] for entry in account.ledger)
        if total != account.credits[name]:
            yield f"{key}: the ledger's {name} add up to {total}, not {account.credits[name]}"
    moves = defaultdict(list)
    for entry in account.ledger:
        if entry["task_id"] is not None:
            moves[entry["task_id"]].append(entry)
    for task_id, task in account.tasks.items():
        if task.detail is not None:
            yield from _booked_wrongly(task_id, task.detail["credits"], moves[task_id])


def _booked_wrongly(
    task_id: str, credits: dict[str, int], entries: list[dict[str, Any]]
) -> Iterator[str]:
    """A task is reserved once, and settled once, for what it says."""
    kinds = Counter(entry["kind"] for entry in entries)
    if kinds["reservation"] != 1 or any(kinds[kind] > 1 for kind in _SETTLING):
        yield f"{task_id} was not booked once: {dict(kinds)}"
        return
    booked = {
        "reserved": sum(e["reserved"] for e in entries if e["kind"] == "reservation"),
        "charged": sum(e["charged"] for e in entries),
        "refunded": sum(e["available"] for e in entries if e["kind"] == "refund"),
    }
    if booked != credits:
        yield f"{task_id} says {credits}, the ledger {booked}"


def callbacks_off(history: History) -> Iterator[str]:
    """Each callback that was asked for came, always as one delivery; no other came."""
    tasks = _tasks(history)
    asked = {creation.mark for creation in history.creations if creation.has_callback}
    wanting = {task_id for task_id, task in tasks.items() if mark_of(task.prompt) in asked}
    received = defaultdict(list)
    for callback in history.callbacks:
        task_id, problem = _read(callback, history.secret)
        if problem is not None:
            yield f"a callback of {task_id} is wrong: {problem}"
        received[task_id].append(callback)
    for task_id, copies in received.items():
        if task_id not in tasks:
            yield f"a callback came for {task_id}, which does not exist"
        elif task_id not in wanting:
            yield f"a callback came for {task_id}, which asked for none"
        else:
            yield from _copies_differ(task_id, copies, tasks[task_id])
    for task_id in wanting:
        if not any(callback.accepted for callback in received[task_id]):
            yield f"the callback of {task_id} never came"
        rows = tasks[task_id].deliveries
        if [row["state"] for row in rows] != ["delivered"]:
            yield f"the deliveries of {task_id} are {rows}, not one, delivered"


def _copies_differ(task_id: str, copies: list[Callback], task: FinalTask) -> Iterator[str]:
    ids = {copy.headers.get("webhook-id", "") for copy in copies}
    told = {row["delivery_id"] for row in task.deliveries}
    if len(ids) > 1:
        yield f"the callback of {task_id} came with several ids: {sorted(ids)}"
    elif ids != told:
        yield f"the callback of {task_id} came as {sorted(ids)}, the API says {sorted(told)}"
    if len({copy.body for copy in copies}) > 1:
        yield f"the callback of {task_id} came with several bodies"
    elif task.detail is not None and json.loads(copies[0].body) != task.detail:
        yield f"the callback of {task_id} is not what polling shows"


def _read(callback: Callback, secret: bytes) -> tuple[str, str | None]:
    """Whose callback it is, and what is wrong with it."""
    try:
        task_id = str(json.loads(callback.body)["task_id"])
    except (ValueError, KeyError, TypeError):
        return "nobody", f"its body is {callback.body[:80]!r}"
    name, at = callback.headers.get("webhook-id"), callback.headers.get("webhook-timestamp")
    signed = b".".join((str(name).encode(), str(at).encode(), callback.body))
    digest = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    valid = callback.headers.get("webhook-signature") == f"v1,{digest}"
    return task_id, None if valid else "its signature is not valid"


def mark_of(prompt: str) -> str:
    """The creation's mark: a prompt's first word."""
    return prompt.partition(" ")[0]


def _tasks(history: History) -> dict[str, FinalTask]:
    return {
        task_id: task
        for account in history.accounts.values()
        for task_id, task in account.tasks.items()
    }
