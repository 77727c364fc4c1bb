"""GET /v1/tasks/{task_id}."""

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api.disturbance import meet_faults
from emulator.api.http import JsonAnswer, api_key, call_of, note_caller
from emulator.service.services import Services


async def read(request: Request, services: Services) -> ASGIApp:
    """Answer the task as it is now (TASK-5)."""
    task_id: str = request.path_params["task_id"]
    call_of(request).task_id = task_id
    key = api_key(request)
    caller, stored = await services.accounts.authenticate_for_task(key, task_id)
    note_caller(request, services, caller)
    if caller.faults_version:
        await meet_faults(request, services, caller, task_id=task_id)
    return JsonAnswer(await services.tasks.detail(stored, task_id))
