"""/_emulator/deliveries/{delivery_id} and /_emulator/receiver-score."""

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api.http import JsonAnswer, authenticate, read_json_object
from emulator.core.errors import Refusal
from emulator.service.services import Services


async def read(request: Request, services: Services) -> ASGIApp:
    """Answer one delivery with its attempts and its body."""
    caller = await authenticate(request, services, counted=False)
    delivery_id = request.path_params["delivery_id"]
    return JsonAnswer(await services.deliveries.read(caller, delivery_id))


async def redeliver(request: Request, services: Services) -> ASGIApp:
    """Make one more attempt now."""
    caller = await authenticate(request, services, counted=False)
    body = await read_json_object(request, services)
    if body:
        raise Refusal.invalid_value("body", body, "{}")
    delivery_id = request.path_params["delivery_id"]
    return JsonAnswer(await services.deliveries.redeliver(caller, delivery_id))
