"""GET and HEAD /media/...: no key, the link is the permission (MEDIA-3)."""

from starlette.requests import Request
from starlette.responses import Response

from emulator.api.http import call_of
from emulator.service.media import MediaFile
from emulator.service.services import Services


async def picture(request: Request, services: Services) -> Response:
    """Answer a task's image."""
    path, query = request.path_params, request.query_params
    call_of(request).task_id = path["task_id"]
    file = await services.media.open_picture(
        path["task_id"], path["index"], query.get("expires", ""), query.get("signature", "")
    )
    return await _answer(request, services, file)


async def upload(request: Request, services: Services) -> Response:
    """Answer an uploaded file."""
    query = request.query_params
    file = await services.media.open_upload(
        request.path_params["upload_id"], query.get("expires", ""), query.get("signature", "")
    )
    return await _answer(request, services, file)


async def _answer(request: Request, services: Services, file: MediaFile) -> Response:
    call = call_of(request)
    call.now, call.account_id = file.now, file.account_id
    etag = f'"{file.etag}"'
    # no-cache: ask each time, since the account's clock can move the expiry into the past.
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    asked = request.headers.get("if-none-match", "")
    if asked.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in asked.split(",")]:
        return Response(None, 304, headers)
    headers["X-Content-Type-Options"] = "nosniff"
    content = await services.media.content(file)
    hit = await services.media.meet(file) if request.method == "GET" else None
    if hit is not None:
        call.hit, call.faults = hit, (*call.faults, hit.name)
    return Response(content, 200, headers, file.media_type)
