"""Tasks that regress, never end, change after their end, or are somebody else's."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from emulator.core import task_detail
from emulator.core.clock import HOUR, rfc3339
from emulator.core.task import Status, Task
from emulator.service.tasks import Tasks, no_such_task
from emulator.store.records import StoredTask
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import Json, around, details, result_of
from tests.contracts.mutants.probe import Probe

Read = Callable[[Json, int], Json]


def _running(body: Json, status: str = "processing") -> Json:
    credits = {**body["credits"], "charged": 0, "refunded": 0}
    nothing = {"completed_at": None, "result": None, "error": None}
    return {**body, **nothing, "status": status, "credits": credits}


def _polls(change: Read, *, counts: Callable[[Json], bool]) -> Patch:
    """Change what a poll answers, by its number among those of its task that count."""

    def apply() -> Any:
        reads: Counter[str] = Counter()

        async def detail(original: Any, self: Tasks, stored: Any, task_id: str) -> Json:
            body: Json = await original(self, stored, task_id)
            reads[task_id] += counts(body)
            return change(body, reads[task_id])

        return around(Tasks, "detail", detail)()

    return apply


def _has_ended(body: Json) -> bool:
    return isinstance(body["completed_at"], str)


def _in_links(body: Json, text: str) -> Json:
    if body["result"] is None:
        return body
    data = [{"url": one["url"] + text} for one in body["result"]["data"]]
    return {**body, "result": {**body["result"], "data": data}}


def _first_read_is_a_404() -> Any:
    seen = set()

    async def detail(original: Any, self: Tasks, stored: StoredTask | None, task_id: str) -> Json:
        if task_id not in seen:
            seen.add(task_id)
            raise no_such_task(task_id)
        body: Json = await original(self, stored, task_id)
        return body

    return around(Tasks, "detail", detail)()


def _fails_later(original: Any, task: Task, now: int, *ttl: Any) -> Status:
    found: Status = original(task, now, *ttl)
    late = now >= task.timeline.ends_at + HOUR
    return Status.FAILED if late and found is Status.SUCCEEDED else found


def _say(word: str, status: Status) -> Patch:
    return around(
        task_detail,
        "_word",
        lambda original, found, profile: word if found is status else original(found, profile),
    )


def _fails_an_hour_later(probe: Probe) -> bool:
    task = probe.finished()
    probe.account.clock.advance(hours=2)
    return (task["status"], probe.read(task["task_id"])["status"]) == ("succeeded", "failed")


def _moves_its_end(probe: Probe) -> bool:
    task = probe.finished()
    probe.account.clock.advance(minutes=1)
    moved: bool = probe.read(task["task_id"])["completed_at"] != task["completed_at"]
    return moved


MUTANTS = (
    Mutant(
        "the-third-read-regresses",
        "TASK-4",
        "The third read of a task that ended says processing again.",
        _polls(
            lambda body, number: _running(body) if number == 3 and _has_ended(body) else body,
            counts=_has_ended,
        ),
        lambda probe: (
            [probe.read(task_id)["status"] for task_id in [probe.finished()["task_id"]] * 3]
            == ["succeeded", "processing", "succeeded"]
        ),
    ),
    Mutant(
        "processing-falls-back-to-pending",
        "TASK-4",
        "A task that was processing says pending at its next read.",
        _polls(
            lambda body, number: (
                _running(body, "pending") if number == 2 and not _has_ended(body) else body
            ),
            counts=lambda body: body["status"] == "processing",
        ),
        lambda probe: (
            (task := probe.processing())["status"] == "processing"
            and probe.read(task["task_id"])["status"] == "pending"
        ),
    ),
    Mutant(
        "tasks-never-end",
        "TASK-1",
        "A task says processing for ever, though its credits are charged.",
        details(lambda body, *_: _running(body) if _has_ended(body) else body),
        lambda probe: probe.later(1)["status"] == "processing",
    ),
    Mutant(
        "a-new-task-is-not-found",
        "TASK-1",
        "The first read of a new task is a 404.",
        _first_read_is_a_404,
        lambda probe: probe.get(probe.create()["poll_url"]).status_code == 404,
    ),
    Mutant(
        "success-has-another-word",
        "TASK-2",
        "A task that succeeded says done.",
        _say("done", Status.SUCCEEDED),
        lambda probe: probe.finished()["status"] == "done",
    ),
    Mutant(
        "waiting-has-another-word",
        "TASK-3",
        "A task that waits says queued instead of pending.",
        _say("queued", Status.PENDING),
        lambda probe: probe.read(probe.create()["task_id"])["status"] == "queued",
    ),
    Mutant(
        "a-success-fails-later",
        "TASK-4",
        "A task that succeeded says failed an hour later.",
        around(Task, "status_at", _fails_later),
        _fails_an_hour_later,
    ),
    Mutant(
        "the-end-moves",
        "TASK-4",
        "completed_at is the moment of the read instead of the task's end.",
        details(
            lambda body, task, now, *_: (
                {**body, "completed_at": rfc3339(now)} if _has_ended(body) else body
            )
        ),
        _moves_its_end,
    ),
    Mutant(
        "links-change-with-each-read",
        "TASK-4",
        "Each read of a task that ended gives other links.",
        _polls(lambda body, number: _in_links(body, f"&read={number}"), counts=_has_ended),
        lambda probe: (task := probe.finished())["result"] != probe.read(task["task_id"])["result"],
    ),
    Mutant(
        "completed-at-is-set-while-processing",
        "TASK-5",
        "A task that is processing already says when it was completed.",
        details(
            lambda body, task, *_: (
                {**body, "completed_at": rfc3339(task.timeline.ends_at)}
                if body["status"] == "processing"
                else body
            )
        ),
        lambda probe: probe.processing()["completed_at"] is not None,
    ),
    Mutant(
        "a-task-is-created-after-its-end",
        "TASK-5",
        "created_at and completed_at are mixed up in a task that ended.",
        details(
            lambda body, *_: (
                {**body, "created_at": body["completed_at"], "completed_at": body["created_at"]}
                if _has_ended(body)
                else body
            )
        ),
        lambda probe: (task := probe.finished())["created_at"] > task["completed_at"],
    ),
    Mutant(
        "the-result-comes-too-early",
        "TASK-5",
        "A task has its result while it is processing.",
        details(
            lambda body, task, *arguments: (
                {**body, "result": result_of(task, arguments)}
                if body["status"] == "processing"
                else body
            )
        ),
        lambda probe: probe.processing()["result"] is not None,
    ),
)
