"""/_emulator/deliveries/{delivery_id} and /_emulator/receiver-score."""

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api.http import JsonAnswer, authenticate, base_url, read_json_object
from emulator.core.address import split_http_url
from emulator.core.errors import Refusal
from emulator.core.inbox import own_inbox
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


async def score_receiver(request: Request, services: Services) -> ASGIApp:
    """Send callbacks to the user's own receiver, and report how it did."""
    caller = await authenticate(request, services, counted=False)
    body = await read_json_object(request, services)
    url, base = body.get("url"), base_url(request, services)
    if body.keys() != {"url"}:
        raise Refusal.invalid_value("body", body, '{"url": "http://127.0.0.1:9000/callbacks"}')
    if not isinstance(url, str) or split_http_url(url) is None or own_inbox(url, base) is not None:
        accepted = "the absolute http(s) URL of your own receiver"
        raise Refusal.invalid_value("url", url, accepted)
    return JsonAnswer(await services.receiver_score.run(caller, url, base))
