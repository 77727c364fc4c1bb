"""Answers about the wrong task, and ends that are told wrongly."""

from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api import images
from emulator.api.http import JsonAnswer
from emulator.core import task_detail
from emulator.core.clock import DAY, SECOND, rfc3339
from emulator.core.task import Task, Timeline
from emulator.service import planning
from emulator.service.services import Services
from emulator.service.tasks import Tasks
from emulator.store.tasks import TaskQueries
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import Json, around, details, result_of, swap

HANGS = "A fox [[fault: task_hangs]]"


async def _any_task_exists(original: Any, self: Tasks, stored: Any, task_id: str) -> Json:
    if stored is None:
        nothing = {"completed_at": None, "result": None, "error": None}
        told = {"task_id": task_id, "status": "pending", "model": "gpt-image-2", "type": "image"}
        credits = {"reserved": 0, "charged": 0, "refunded": 0}
        return {**told, "created_at": rfc3339(self._clock.now()), **nothing, "credits": credits}
    body: Json = await original(self, stored, task_id)
    return body


def _newest_task(original: Any, self: TaskQueries, key_hash: str, task_id: str) -> Any:
    caller, stored = original(self, key_hash, task_id)
    if stored is None:
        return caller, None
    newest, _ = next(self.tasks_of_account(caller.account_id, caller.id_seed))
    return caller, stored._replace(task=newest)


def _before(task_id: str) -> str:
    """The id of the account's task before this one, if there was one."""
    number = int(task_id[-12:], 16)
    return f"{task_id[:-12]}{max(1, number - 1):012x}"


def _swept_after(milliseconds: int) -> Patch:
    def plan(original: Any, request: Any, **options: Any) -> Timeline:
        planned: Timeline = original(request, **options)
        if planned.error_code != "timeout":
            return planned
        return planned._replace(ends_at=options["now"] + milliseconds)

    return around(planning, "plan", plan)


def _expires_at_half_time(original: Any, task: Task, now: int, ttl_ms: int | None = None) -> Any:
    return original(task, now, None if ttl_ms is None else ttl_ms // 2)


async def _answer_at_once(request: Request, services: Services, task: Task) -> ASGIApp:
    return JsonAnswer({"created": task.created_at // SECOND, "data": []})


MUTANTS = (
    Mutant(
        "another-tasks-pictures",
        "TASK-6",
        "The links of a task lead to the pictures of the task before it.",
        around(
            task_detail,
            "media_path",
            lambda original, task_id, index: original(_before(task_id), index),
        ),
        lambda probe: (
            probe.sizes(size="2:3") + probe.sizes(size="3:2") == [(832, 1248), (832, 1248)]
        ),
    ),
    Mutant(
        "the-newest-task-answers",
        "TASK-5",
        "Reading a task answers the account's newest one, whichever was asked for.",
        around(TaskQueries, "caller_and_task", _newest_task),
        lambda probe: (
            (task_id := probe.create()["task_id"]) != probe.create()["task_id"]
            and probe.read(task_id)["task_id"] != task_id
        ),
    ),
    Mutant(
        "unknown-tasks-are-pending",
        "TASK-10",
        "A task that was never created reads as pending.",
        around(Tasks, "detail", _any_task_exists),
        lambda probe: probe.get("/v1/tasks/task_000000000000000000000000").status_code == 200,
    ),
    Mutant(
        "a-hung-task-is-never-swept",
        "TASK-11",
        "A task that hangs is still processing days later.",
        _swept_after(365 * DAY),
        lambda probe: probe.later(72, prompt=HANGS)["status"] == "processing",
    ),
    Mutant(
        "a-failure-has-no-error",
        "TASK-9",
        "A failed task does not say why: its error is null.",
        around(task_detail, "failure", lambda original, task: None),
        lambda probe: probe.failed()["error"] is None,
    ),
    Mutant(
        "an-expired-task-keeps-its-result",
        "TASK-8",
        "A task that says expired still lists its links.",
        details(
            lambda body, task, *arguments: (
                {**body, "result": result_of(task, arguments)}
                if body["status"] == "expired"
                else body
            )
        ),
        lambda probe: probe.later(25)["result"] is not None,
        profile="reference",
    ),
    Mutant(
        "a-task-expires-too-early",
        "TASK-8",
        "A task says expired after 12 hours, while its links still work.",
        around(Task, "status_at", _expires_at_half_time),
        lambda probe: probe.later(13)["status"] == "expired",
        profile="reference",
    ),
    Mutant(
        "sync-answers-too-early",
        "SYNC-1",
        "The synchronous call answers 200 at once, with an empty list of images.",
        swap(images, "_end", _answer_at_once),
        lambda probe: probe.post("/sync").json().get("data") == [],
    ),
)
