"""/_emulator/faults: add, list and remove what goes wrong."""

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api.http import JsonAnswer, authenticate, read_json_object
from emulator.core.errors import Refusal
from emulator.core.fault_catalogue import FAULTS, PRESETS
from emulator.service.services import Services

_LONGEST_NUMBER = 15


async def add(request: Request, services: Services) -> ASGIApp:
    """Add a fault, a sequence of them, or a preset."""
    caller = await authenticate(request, services, counted=False)
    body = await read_json_object(request, services)
    return JsonAnswer({"data": await services.faults.add(caller, body)}, 201)


async def list_faults(request: Request, services: Services) -> ASGIApp:
    """Answer the account's faults, with how often they acted."""
    caller = await authenticate(request, services, counted=False)
    return JsonAnswer({"data": await services.faults.listed(caller)})


async def remove_all(request: Request, services: Services) -> ASGIApp:
    """Remove all faults of the account."""
    caller = await authenticate(request, services, counted=False)
    return JsonAnswer({"removed": await services.faults.remove(caller)})


async def remove(request: Request, services: Services) -> ASGIApp:
    """Remove one fault."""
    caller = await authenticate(request, services, counted=False)
    text: str = request.path_params["number"]
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_NUMBER:
        raise Refusal.invalid_value("number", text, "a fault's number")
    return JsonAnswer({"removed": await services.faults.remove(caller, int(text))})


async def catalogue(request: Request, services: Services) -> ASGIApp:
    """Answer all faults that there are, and the presets."""
    faults = [
        {
            "fault": name,
            "group": kind.group,
            "help": kind.help,
            "operations": list(kind.operations),
            "parameters": {
                key: {"accepted": parameter.accepted, "default": parameter.default}
                for key, parameter in kind.parameters.items()
            },
        }
        for name, kind in FAULTS.items()
    ]
    return JsonAnswer({"data": faults, "presets": PRESETS})
