"""GET /v1/tasks/{task_id}."""

from starlette.requests import Request
from starlette.responses import Response

from emulator.api.http import authenticate, json_response
from emulator.service.services import Services


async def read(request: Request, services: Services) -> Response:
    """Answer the task as it is now (TASK-5)."""
    caller = await authenticate(request, services)
    task_id: str = request.path_params["task_id"]
    return json_response(await services.tasks.detail(caller.account_id, task_id))
