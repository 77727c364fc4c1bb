"""/_emulator/events: what changed on an account, as server-sent events."""

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from emulator.api.http import authenticate
from emulator.service.services import Services
from emulator.service.watch import Change
from emulator.store.records import Caller

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def stream(request: Request, services: Services) -> Response:
    """Tell each change of the caller's account until the caller goes."""
    caller = await authenticate(request, services, counted=False)
    if request.method == "HEAD":
        return Response(headers=_HEADERS, media_type="text/event-stream")
    return StreamingResponse(_events(services, caller), 200, _HEADERS, "text/event-stream")


async def _events(services: Services, caller: Caller) -> AsyncIterator[str]:
    number = 0
    async for change in services.watch.changes(caller):
        if change is None:
            yield ": still here\n\n"
            continue
        number += 1
        yield f"id: {number}\nevent: changed\ndata: {json.dumps(_shown(services, change))}\n\n"


def _shown(services: Services, change: Change) -> dict[str, object]:
    return {
        "topics": list(change.topics),
        "clock": services.clocks.shown(change.clock, change.real_now),
    }
