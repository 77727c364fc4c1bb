"""Holes in who may do what."""

from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api import errors, http
from emulator.api.http import JsonAnswer
from emulator.core.errors import Refusal
from emulator.service import accounts
from emulator.service.accounts import Accounts
from emulator.service.services import Services
from emulator.service.tasks import Tasks
from emulator.store.records import Caller, StoredTask
from emulator.store.tasks import TaskQueries
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import around, entries, everywhere, handler, swap
from tests.contracts.mutants.probe import Probe


def _for_guests(operation: str) -> Patch:
    """Let everybody without a key in, as one guest."""

    async def answer(original: Any, request: Request, services: Services) -> ASGIApp:
        if http.api_key(request) is None:
            request.scope["headers"].append((b"x-api-key", b"sk-guest"))
        found: ASGIApp = await original(request, services)
        return found

    return handler(operation, answer)


async def _read_without_key(original: Any, request: Request, services: Services) -> ASGIApp:
    if http.api_key(request) is None:
        task_id = request.path_params["task_id"]
        stored = await services.accounts._database.read(lambda tx: tx.task(task_id))
        return JsonAnswer(await services.tasks.detail(stored, task_id))
    found: ASGIApp = await original(request, services)
    return found


async def _list_for_everybody(original: Any, request: Request, services: Services) -> ASGIApp:
    keys = (b"authorization", b"x-api-key")
    request.scope["headers"] = [
        (name, value) for name, value in request.scope["headers"] if name not in keys
    ]
    found: ASGIApp = await original(request, services)
    return found


def _find_anybodys(original: Any, queries: TaskQueries, key_hash: str, task_id: str) -> Any:
    caller, stored = original(queries, key_hash, task_id)
    return caller, stored or queries.task(task_id)


async def _tell_foreign_tasks_apart(
    original: Any, self: Accounts, key: str | None, task_id: str, **options: Any
) -> tuple[Caller, StoredTask | None]:
    caller, stored = await original(self, key, task_id, **options)
    if stored is None:
        anybodys = await self._database.read(lambda tx: tx.task(task_id))
        if anybodys is not None:
            raise Refusal("model_not_allowed", "This task is another account's.")
    return caller, stored


def _read_by_another(probe: Probe) -> int:
    task_id = probe.create()["task_id"]
    return probe.of().get(f"/v1/tasks/{task_id}").status_code


def _create_with_x_api_key(probe: Probe) -> int:
    return probe.send(
        "GET", "/v1/credits/balance", None, headers={"x-api-key": probe.key}
    ).status_code


MUTANTS = (
    Mutant(
        "x-api-key-is-not-read",
        "AUTH-2",
        "A key in x-api-key is not found; only Authorization is read.",
        everywhere(
            http.api_key,
            lambda original, request: (
                original(request) if http.header(request, b"authorization") else None
            ),
        ),
        lambda probe: _create_with_x_api_key(probe) == 401,
    ),
    Mutant(
        "a-missing-key-is-a-403",
        "AUTH-1",
        "A request without a known key is answered with 403 instead of 401.",
        entries(errors.STATUS_BY_CODE, {"invalid_api_key": 403}),
        lambda probe: probe.get("/v1/credits/balance", None).status_code == 403,
    ),
    Mutant(
        "any-word-is-a-key",
        "AUTH-1",
        "Any word is taken as a key, also one that does not look like sk-...",
        swap(accounts, "KEY_PREFIX", ""),
        lambda probe: probe.get("/v1/credits/balance", "not-a-key").status_code == 200,
    ),
    Mutant(
        "creating-needs-no-key",
        "AUTH-1",
        "A task is created for a caller who sends no key.",
        _for_guests("createImageTask"),
        lambda probe: probe.post(key=None).status_code == 202,
    ),
    Mutant(
        "polling-needs-no-key",
        "AUTH-1",
        "Every task can be read without a key.",
        handler("getTask", _read_without_key),
        lambda probe: probe.get("/v1/tasks/" + probe.create()["task_id"], None).status_code == 200,
    ),
    Mutant(
        "models-take-a-wrong-key",
        "AUTH-1",
        "The list of models does not look at the key that comes with it.",
        handler("listModels", _list_for_everybody),
        lambda probe: probe.get("/v1/models", "not-a-key").status_code == 200,
    ),
    Mutant(
        "a-keys-list-of-models-is-ignored",
        "AUTH-3",
        "A key may use a model that is not on its list.",
        around(
            Tasks,
            "check",
            lambda original, self, caller, request: original(
                self, caller._replace(models=None), request
            ),
        ),
        lambda probe: probe.of(models=["another-model"]).post().status_code == 202,
    ),
    Mutant(
        "another-accounts-task-is-readable",
        "TASK-10",
        "A task can be read with any account's key.",
        around(TaskQueries, "caller_and_task", _find_anybodys),
        lambda probe: _read_by_another(probe) == 200,
    ),
    Mutant(
        "another-accounts-task-is-told-apart",
        "TASK-10",
        "Another account's task is a 403, an unknown one a 404: ids can be tried out.",
        around(Accounts, "authenticate_for_task", _tell_foreign_tasks_apart),
        lambda probe: _read_by_another(probe) == 403,
    ),
)
