"""/_emulator/inbox: the built-in receiver."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from emulator.api.control import number_of
from emulator.api.http import (
    JsonAnswer,
    authenticate,
    base_url,
    limited_receive,
    read_json_object,
)
from emulator.core.errors import Refusal
from emulator.core.inbox import KEPT_MESSAGES, MOST_BODY_BYTES, PATH
from emulator.service.services import Services

_NO_BODY = (204, 304)


async def list_inboxes(request: Request, services: Services) -> ASGIApp:
    """Answer the account's inboxes."""
    caller = await authenticate(request, services, counted=False)
    return JsonAnswer(
        {
            "data": [
                {"name": name, "url": _url(request, services, name), "messages": messages}
                for name, messages in await services.inboxes.list_inboxes(caller)
            ]
        }
    )


async def read(request: Request, services: Services) -> ASGIApp:
    """Answer what arrived in an inbox, oldest first."""
    caller = await authenticate(request, services, counted=False)
    name = request.path_params["name"]
    after = number_of(request, "after", 0, 10**15)
    limit = number_of(request, "limit", KEPT_MESSAGES, KEPT_MESSAGES)
    answers, messages = await services.inboxes.read(caller, name, after, limit)
    return JsonAnswer(
        {
            "name": name,
            "url": _url(request, services, name),
            "answers": [answer.as_dict() for answer in answers],
            "data": messages,
        }
    )


async def set_answers(request: Request, services: Services) -> ASGIApp:
    """Choose what an inbox answers."""
    caller = await authenticate(request, services, counted=False)
    name, body = request.path_params["name"], await read_json_object(request, services)
    answers = [
        answer.as_dict() for answer in await services.inboxes.set_answers(caller, name, body)
    ]
    return JsonAnswer({"name": name, "url": _url(request, services, name), "answers": answers})


async def post(request: Request, services: Services) -> ASGIApp:
    """Take a callback over HTTP, and answer as told."""
    caller = await authenticate(request, services, counted=False)
    limited = Request(request.scope, limited_receive(request, services))
    body = await limited.body()
    if len(body) > MOST_BODY_BYTES:
        message = f"An inbox takes {MOST_BODY_BYTES:,} bytes at most; {len(body):,} were sent."
        raise Refusal("body_too_large", message, "body")
    name, headers = request.path_params["name"], dict(request.headers)
    answer = await services.inboxes.post(caller, name, headers, body)
    # HTTP ends no answer with a status below 200: a client would wait on.
    status = answer.status if answer.status >= 200 else 500
    return Response(None if status in _NO_BODY else answer.body, status, media_type="text/plain")


async def delete(request: Request, services: Services) -> ASGIApp:
    """Delete an inbox."""
    caller = await authenticate(request, services, counted=False)
    return JsonAnswer(
        {"removed": await services.inboxes.delete(caller, request.path_params["name"])}
    )


def _url(request: Request, services: Services, name: str) -> str:
    return base_url(request, services) + PATH + name
