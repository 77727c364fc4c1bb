"""Whether a snapshot's parts fit together: its ids, its numbers, its credits."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from emulator.core.credits import CARRIED_FORWARD
from emulator.core.errors import Refusal, shown
from emulator.core.fault import MAX_FAULTS, parse_fault
from emulator.core.seed import numbered_id, token
from emulator.service.faults import check_patterns, compiled
from emulator.service.settlement import delivery_id
from emulator.settings import Settings

# What no two rows of a table may share, and which counter no number may pass.
_UNIQUE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("tasks", ("number",)),
    ("ledger", ("number",)),
    ("deliveries", ("task_id",)),
    ("attempts", ("delivery_id", "number")),
    ("uploads", ("id",)),
    ("faults", ("number",)),
    ("faults", ("directive",)),
    ("journal", ("number",)),
    ("inboxes", ("name",)),
    ("inbox_messages", ("inbox", "number")),
)
_COUNTERS = {"tasks": "tasks_created", "faults": "faults_created", "journal": "journal_entries"}
_SUMS = ("granted", "available", "reserved", "charged")


def check_snapshot(snapshot: dict[str, Any], settings: Settings) -> None:
    """Check what a snapshot's fields have to do with each other.

    Raises:
        Refusal: the first thing that is wrong, and where.
    """
    account = snapshot["account"]
    for table, columns in _UNIQUE:
        _check_unique(table, columns, snapshot[table])
    for table, counter in _COUNTERS.items():
        for index, row in enumerate(snapshot[table]):
            if row["number"] > account["counters"][counter]:
                raise Refusal.invalid_value(
                    f"{table}[{index}].number", row["number"], f"at most {counter}"
                )
    _check_tasks(snapshot, settings)
    _check_uploads(snapshot)
    _check_deliveries(snapshot)
    _check_faults(snapshot)
    _check_inboxes(snapshot)
    _check_credits(snapshot)


def copy_of(id_seed: int, content: bytes) -> str:
    """The id of an account's copy of another account's upload; none of its own uploads has it."""
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return f"file_{token(id_seed, 'copy', digest)}"


def _check_unique(table: str, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    seen = set()
    for index, row in enumerate(rows):
        key = tuple(row[column] for column in columns)
        if None in key:
            continue
        if key in seen:
            place = f"{table}[{index}].{columns[-1]}"
            raise Refusal.invalid_value(place, key[-1], "one that no other entry has")
        seen.add(key)


def _check_tasks(snapshot: dict[str, Any], settings: Settings) -> None:
    id_seed = snapshot["account"]["id_seed"]
    uploads = {upload["id"] for upload in snapshot["uploads"]} | {None}
    for index, task in enumerate(snapshot["tasks"]):
        place, request = f"tasks[{index}]", task["request"]
        expected = f"task_{numbered_id(id_seed, task['number'])}"
        if task["id"] != expected:
            raise Refusal.invalid_value(
                f"{place}.id", task["id"], f"{expected}, as id_seed and number have it"
            )
        now = snapshot["account"]["clock"]["now"]
        if task["settled"] and task["ends_at"] > now:
            raise Refusal.invalid_value(f"{place}.ends_at", task["ends_at"], f"at most {now}")
        limit = settings.max_prompt_characters
        if len(request["prompt"]) > limit:
            sent = len(request["prompt"])
            message = (
                f"{place}.request.prompt must have 1 to {limit:,} characters; it has {sent:,}."
            )
            raise Refusal("invalid_value", message, f"{place}.request.prompt")
        for reference in [*request["references"], *filter(None, [request["mask"]])]:
            if reference["upload_id"] not in uploads:
                raise Refusal.invalid_value(
                    f"{place}.request", reference, "free of uploads that are not in it"
                )


def _check_uploads(snapshot: dict[str, Any]) -> None:
    account = snapshot["account"]
    id_seed, created = account["id_seed"], account["counters"]["uploads_created"]
    numbered = {f"file_{token(id_seed, 'upload', number + 1)}" for number in range(created)}
    for index, upload in enumerate(snapshot["uploads"]):
        own = upload["id"] in numbered
        if not own and upload["id"] != copy_of(id_seed, upload["content"]):
            accepted = "one that id_seed and uploads_created make"
            raise Refusal.invalid_value(f"uploads[{index}].id", upload["id"], accepted)


def _check_deliveries(snapshot: dict[str, Any]) -> None:
    tasks = {task["id"]: task for task in snapshot["tasks"]}
    attempts_made = {row["id"]: row["attempts_made"] for row in snapshot["deliveries"]}
    for index, delivery in enumerate(snapshot["deliveries"]):
        place, task = f"deliveries[{index}]", tasks.get(delivery["task_id"])
        if task is None or not task["settled"] or task["request"]["callback_url"] is None:
            accepted = "that of a settled task with a callback_url"
            raise Refusal.invalid_value(f"{place}.task_id", delivery["task_id"], accepted)
        expected = delivery_id(task["seed"], task["id"])
        if delivery["id"] != expected:
            raise Refusal.invalid_value(
                f"{place}.id", delivery["id"], f"{expected}, as its task has it"
            )
    for index, attempt in enumerate(snapshot["attempts"]):
        if attempt["number"] > attempts_made.get(attempt["delivery_id"], 0):
            accepted = "at most its delivery's attempts_made"
            raise Refusal.invalid_value(f"attempts[{index}].number", attempt["number"], accepted)


def _check_faults(snapshot: dict[str, Any]) -> None:
    if len(snapshot["faults"]) > MAX_FAULTS:
        message = f"faults must be at most {MAX_FAULTS:,}; {len(snapshot['faults']):,} were sent."
        raise Refusal("invalid_value", message, "faults")
    faults = []
    for index, row in enumerate(snapshot["faults"]):
        place = f"faults[{index}]"
        try:
            fault = parse_fault(row["spec"])
            compiled(fault.prompt_regex)
        except Refusal as refusal:
            message = f"{place}.spec: {refusal.message}"
            raise Refusal("invalid_value", message, f"{place}.spec") from refusal
        faults.append(fault)
        if row["times"] != fault.times:
            raise Refusal.invalid_value(f"{place}.times", row["times"], "that of its spec")
    check_patterns(faults)


def _check_inboxes(snapshot: dict[str, Any]) -> None:
    received = {inbox["name"]: inbox["messages_received"] for inbox in snapshot["inboxes"]}
    for index, message in enumerate(snapshot["inbox_messages"]):
        if message["number"] > received.get(message["inbox"], 0):
            accepted = "at most its inbox's messages_received"
            raise Refusal.invalid_value(
                f"inbox_messages[{index}].number", message["number"], accepted
            )


def _check_credits(snapshot: dict[str, Any]) -> None:
    sums = dict.fromkeys(_SUMS, 0)
    ledger = sorted(snapshot["ledger"], key=lambda row: int(row["number"]))
    carried = [row["number"] for row in ledger if row["kind"] == CARRIED_FORWARD]
    if carried not in ([], [ledger[0]["number"]] if ledger else []):
        accepted = f"another one: only the first entry can be {CARRIED_FORWARD}"
        raise Refusal.invalid_value("ledger.kind", CARRIED_FORWARD, accepted)
    for number, entry in enumerate(ledger, carried[0] if carried else 1):
        for name in _SUMS:
            sums[name] += entry[name]
        balanced = sums["granted"] == sums["available"] + sums["reserved"] + sums["charged"]
        after = entry["available_after"]
        if entry["number"] != number or not balanced or sums["available"] != after:
            message = f"ledger: entry {entry['number']} does not add up."
            raise Refusal("invalid_value", message, "ledger")
    open_tasks = [task["reserved"] for task in snapshot["tasks"] if not task["settled"]]
    charges = [task["charge"] for task in snapshot["tasks"] if task["settled"]]
    # What was carried forward holds the charges of tasks that are gone.
    gone = max(0, sums["charged"] - sum(charges)) if carried else 0
    expected = {**sums, "reserved": sum(open_tasks), "charged": sum(charges) + gone}
    credits = snapshot["account"]["credits"]
    if not credits == sums == expected:
        message = (
            f"account.credits do not add up: {shown(credits)} were sent; the ledger makes"
            f" {shown(sums)}, the tasks {shown(expected)}."
        )
        raise Refusal("invalid_value", message, "account.credits")
