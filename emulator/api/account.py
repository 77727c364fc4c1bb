"""GET /v1/credits/balance and /v1/models."""

from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api.disturbance import meet_faults
from emulator.api.http import JsonAnswer, api_key, authenticate
from emulator.core.frame import SIZES, TIERS
from emulator.core.request import MAX_IMAGES, MIN_IMAGES, MODEL
from emulator.service.services import Services
from emulator.settings import Settings


async def balance(request: Request, services: Services) -> ASGIApp:
    """Answer what can be spent; reserved credits are not in it (CRED-8)."""
    caller = await authenticate(request, services)
    await meet_faults(request, services, caller)
    return JsonAnswer({"credits": caller.available, "currency": "credits"})


async def models(request: Request, services: Services) -> ASGIApp:
    """Answer the models; a key is not needed, but a wrong one is refused (MOD-1)."""
    if api_key(request) is not None:
        caller = await authenticate(request, services)
        await meet_faults(request, services, caller)
    wanted = request.query_params.get("q", "").strip().casefold()
    found = [model for model in (_model(services.settings),) if _matches(model, wanted)]
    return JsonAnswer({"object": "list", "data": found})


def _matches(model: dict[str, Any], wanted: str) -> bool:
    return any(wanted in str(model[name]).casefold() for name in ("id", "display_name"))


def _model(settings: Settings) -> dict[str, Any]:
    price = settings.price_table.credits_per_image("auto", "1K", settings.profile.default_quality)
    return {
        "id": MODEL,
        "object": "model",
        "type": "image",
        "display_name": "GPT-Image 2",
        "status": "active",
        "owned_by": "openai",
        "capability": "image",
        "capability_metadata": {"text_to_image": True, "image_to_image": True},
        "execution": "async",
        "group": "image",
        "description": "GPT-Image 2 compatible image generation and editing.",
        "pricing": {"credits_per_request": price, "currency": "credits"},
        "parameters": {
            "size": {"options": list(SIZES), "default": "auto"},
            "resolution": {"options": list(TIERS), "default": TIERS[0]},
            "quality": {
                "options": list(settings.profile.qualities),
                "default": settings.profile.default_quality,
            },
            "n": {"minimum": MIN_IMAGES, "maximum": MAX_IMAGES, "default": MIN_IMAGES},
        },
    }
