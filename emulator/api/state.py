"""/_emulator: an account's state: forced, reset, copied to another emulator."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from emulator import __version__
from emulator.api.http import (
    JsonAnswer,
    api_key,
    authenticate,
    base_url,
    call_of,
    note_caller,
    read_json_object,
)
from emulator.core.errors import Refusal
from emulator.core.fault_catalogue import PROVOKED_FAILURES
from emulator.core.request import MAX_IMAGES
from emulator.core.task_detail import status_words
from emulator.service.services import Services

_PICTURE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_MOST_CREDITS = 10**12
_MOST_ROWS = 1000
_MOST_SEED = 2**63 - 1


async def force_credits(request: Request, services: Services) -> ASGIApp:
    """Grant credits, buy them, or set what is available."""
    caller = await authenticate(request, services, counted=False)
    body = await read_json_object(request, services)
    actions = {
        "grant": services.forcing.grant_credits,
        "purchase": services.forcing.buy_credits,
        "set": services.forcing.set_credits,
    }
    if len(body) != 1 or not body.keys() <= actions.keys():
        accepted = '{"grant": 100}, {"purchase": 100} or {"set": 500}'
        raise Refusal.invalid_value("body", body, accepted)
    ((name, value),) = body.items()
    credits = _whole_number(name, value, _MOST_CREDITS)
    await actions[name](caller, credits)
    return JsonAnswer(await services.accounts.overview(caller))


async def reset_account(request: Request, services: Services) -> ASGIApp:
    """Make the account as fresh."""
    caller = await authenticate(request, services, counted=False)
    body = await read_json_object(request, services)
    if not body.keys() <= {"seed"}:
        raise Refusal.invalid_value("body", body, '{} or {"seed": 42}')
    seed = _whole_number("seed", body["seed"], _MOST_SEED) if "seed" in body else None
    await services.resets.reset(caller, seed)
    call_of(request).now = services.clock.now()
    return JsonAnswer(await services.accounts.overview(caller))


async def delete_account(request: Request, services: Services) -> ASGIApp:
    """Delete the account and its key; in open mode the key's next use makes a new one."""
    caller = await authenticate(request, services, counted=False)
    await services.resets.delete(caller)
    call_of(request).now = services.clock.now()
    return JsonAnswer({"deleted": caller.account_id})


async def list_tasks(request: Request, services: Services) -> ASGIApp:
    """Answer the account's tasks with their timelines, newest first."""
    caller = await authenticate(request, services, counted=False)
    text = request.query_params.get("limit", "100")
    known = text.isascii() and text.isdigit() and len(text) < 10
    limit = _whole_number("limit", int(text) if known else text, _MOST_ROWS)
    status, words = request.query_params.get("status"), status_words(services.settings.profile)
    if status is not None and status not in words:
        raise Refusal.invalid_value("status", status, words)
    task_id = request.query_params.get("task_id")
    return JsonAnswer({"data": await services.forcing.list_tasks(caller, limit, status, task_id)})


async def read_task(request: Request, services: Services) -> ASGIApp:
    """Answer a task as polling does, without being a poll: nothing counts it, no fault meets it."""
    task_id: str = request.path_params["task_id"]
    caller, stored = await services.accounts.authenticate_for_task(
        api_key(request), task_id, counted=False
    )
    note_caller(request, services, caller)
    return JsonAnswer(await services.tasks.detail(stored, task_id))


async def read_picture(request: Request, services: Services) -> ASGIApp:
    """Answer a task's picture without its link: nothing counts it, no fault meets it."""
    caller = await authenticate(request, services, counted=False)
    task_id, index = request.path_params["task_id"], request.path_params["index"]
    if not (index.isascii() and index.isdigit() and len(index) <= len(str(MAX_IMAGES))):
        raise Refusal.invalid_value("index", index, f"a number from 1 to {MAX_IMAGES}")
    content = await services.media.picture_of(caller, task_id, int(index))
    return Response(content, headers=_PICTURE_HEADERS, media_type="image/png")


async def finish_task(request: Request, services: Services) -> ASGIApp:
    """End a task now, and answer it as polling does."""
    caller = await authenticate(request, services, counted=False)
    error_code = _end(await read_json_object(request, services))
    task_id: str = request.path_params["task_id"]
    stored = await services.forcing.finish(caller, task_id, error_code)
    return JsonAnswer(await services.tasks.detail(stored, task_id))


async def export_snapshot(request: Request, services: Services) -> ASGIApp:
    """Answer the account as one file."""
    caller = await authenticate(request, services, counted=False)
    snapshot = await services.snapshots.export(caller)
    content = await asyncio.to_thread(_written, snapshot)
    return Response(content, media_type="application/json")


async def import_snapshot(request: Request, services: Services) -> ASGIApp:
    """Replace the account by what a file says."""
    caller = await authenticate(request, services, counted=False)
    body = await read_json_object(request, services)
    snapshot = await asyncio.to_thread(_read, body)
    base = base_url(request, services)
    differences = await services.snapshots.restore(caller, snapshot, base)
    call_of(request).now = snapshot["account"]["clock"]["now"]
    restored = {name: len(rows) for name, rows in snapshot.items() if isinstance(rows, list)}
    answer = {"account_id": caller.account_id, "restored": restored, "differences": differences}
    return JsonAnswer(answer)


def _written(snapshot: dict[str, Any]) -> bytes:
    # Late, and in a thread: models take 0.1 s to load, in which others are answered.
    from emulator.api.snapshot_file import snapshot_json

    return snapshot_json(snapshot, __version__)


def _read(body: dict[str, Any]) -> dict[str, Any]:
    from emulator.api.snapshot_file import parse_snapshot

    return parse_snapshot(body)


def _end(body: dict[str, Any]) -> str | None:
    """Read how a task shall end: the error's code, or None for success."""
    status, code = body.get("status"), body.get("code")
    if status not in ("succeeded", "failed"):
        raise Refusal.invalid_value("status", status, ("succeeded", "failed"))
    unknown = sorted(body.keys() - ({"status"} if status == "succeeded" else {"status", "code"}))
    if unknown:
        accepted = '{"status": "succeeded"} or {"status": "failed", "code": "image_safety"}'
        raise Refusal.invalid_value(unknown[0], body, f"left out: the body is {accepted}")
    if status == "failed" and code not in PROVOKED_FAILURES:
        raise Refusal.invalid_value("code", code, PROVOKED_FAILURES)
    return code


def _whole_number(param: str, value: object, most: int) -> int:
    if type(value) is int and 0 <= value <= most:
        return value
    raise Refusal.invalid_value(param, value, f"a whole number from 0 to {most:,}")
