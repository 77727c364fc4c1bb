"""Answers with wrong or missing fields, types and nulls."""

from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api import images
from emulator.api.http import JsonAnswer
from emulator.core.task import Task
from emulator.core.task_detail import creation_answer
from emulator.service.services import Services
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import Json, answers, around, details, swap


def _creation(**changes: Any) -> Patch:
    """Change fields of the answer to a creation; ``...`` leaves one out."""

    def changed(original: Any, task: Task, profile: Any) -> Json:
        body = {**original(task, profile), **changes}
        return {name: value for name, value in body.items() if value is not ...}

    return around(images, "creation_answer", changed)


def _poll_url_lacks_v1(original: Any, task: Task, profile: Any) -> Json:
    return {**original(task, profile), "poll_url": f"/tasks/{task.id}"}


def _accepted_under_another_id(request: Request, services: Services, task: Task) -> ASGIApp:
    return JsonAnswer(creation_answer(task, services.settings.profile), 202)


def _without(name: str, body: Json) -> Json:
    return {key: value for key, value in body.items() if key != name}


def _in_result(change: Any) -> Patch:
    def changed(body: Json, *_: Any) -> Json:
        return {**body, "result": body["result"] and change(body["result"])}

    return details(changed)


MUTANTS = (
    Mutant(
        "poll-url-lacks-v1",
        "GEN-13",
        "poll_url begins with /tasks, so whoever follows it meets a 404.",
        around(images, "creation_answer", _poll_url_lacks_v1),
        lambda probe: probe.get(probe.create()["poll_url"]).status_code == 404,
    ),
    Mutant(
        "creation-names-another-model",
        "GEN-13",
        "The answer to a creation names a model that was not asked for.",
        _creation(model="gpt-image-1"),
        lambda probe: probe.create()["model"] == "gpt-image-1",
        profile="reference",
    ),
    Mutant(
        "first-status-is-of-the-other-profile",
        "GEN-14",
        "A task is announced as processing, but its first poll says pending.",
        _creation(status="processing"),
        lambda probe: (
            (task := probe.create())["status"] == "processing"
            and probe.read(task["task_id"])["status"] == "pending"
        ),
    ),
    Mutant(
        "request-id-differs-from-its-header",
        "REQ-2",
        "The creation's request_id is another than its X-Request-Id header.",
        swap(images, "_accepted", _accepted_under_another_id),
        lambda probe: (
            (answer := probe.post()).json()["request_id"] != answer.headers["x-request-id"]
        ),
    ),
    Mutant(
        "reserved-is-a-text",
        "CRED-2",
        'The reserved credits come as a text, "30" instead of 30.',
        answers(
            "createImageTask",
            lambda body: {**body, "credits": {"reserved": str(body["credits"]["reserved"])}},
        ),
        lambda probe: probe.create()["credits"]["reserved"] == "30",
    ),
    Mutant(
        "created-at-is-a-number",
        "TASK-5",
        "created_at comes as a number of milliseconds instead of an RFC 3339 time.",
        details(lambda body, task, *_: {**body, "created_at": task.created_at}),
        lambda probe: isinstance(probe.finished()["created_at"], int),
    ),
    Mutant(
        "completed-at-is-absent-while-running",
        "TASK-5",
        "A task that has not ended lacks completed_at, where it should be null.",
        details(
            lambda body, *_: body if body["completed_at"] else _without("completed_at", body),
        ),
        lambda probe: "completed_at" not in probe.processing(),
    ),
    Mutant(
        "error-of-a-success-is-an-object",
        "TASK-5",
        "A task that succeeded has an empty object as its error, where it should be null.",
        details(lambda body, *_: {**body, "error": body["error"] or {}}),
        lambda probe: probe.finished()["error"] == {},
    ),
    Mutant(
        "task-lacks-its-credits",
        "TASK-7",
        "A task does not say what was reserved, charged and refunded.",
        details(lambda body, *_: _without("credits", body)),
        lambda probe: "credits" not in probe.finished(),
    ),
    Mutant(
        "result-created-in-milliseconds",
        "TASK-6",
        "result.created counts milliseconds instead of seconds.",
        _in_result(lambda result: {**result, "created": result["created"] * 1000}),
        lambda probe: probe.finished()["result"]["created"] > 10**12,
    ),
    Mutant(
        "sync-answer-is-wrapped",
        "SYNC-1",
        "The synchronous call puts created and data into an object named result.",
        answers("createImageSync", lambda body: {"result": body} if "data" in body else body),
        lambda probe: (
            probe.account.clock.resume() is not None and "result" in probe.post("/sync").json()
        ),
    ),
)
