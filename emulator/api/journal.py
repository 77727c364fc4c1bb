"""/_emulator/journal: what an account's clients sent, and what they were answered."""

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api.control import after_and_before, number_of
from emulator.api.http import UNKNOWN_OPERATION, JsonAnswer, authenticate
from emulator.api.schemas import FIELD_NAMES, Creation
from emulator.core.clock import rfc3339
from emulator.core.errors import Refusal, shown
from emulator.service.services import Services
from emulator.service.shown_body import is_showable, shown_body
from emulator.settings import Settings
from emulator.store.journal import JournalEntry, JournalFilter
from emulator.store.records import Caller

OPERATIONS = (
    "createImageTask", "createImageSync", "editImage", "uploadImage", "getTask", "getBalance",
    "listModels", "getImage", "headImage", "getUpload", "headUpload", UNKNOWN_OPERATION,
)  # fmt: skip
_CREATIONS = ("createImageTask", "createImageSync")
_IMAGE_PARTS = ("image", "image[]", "mask")
_METHODS = ("GET", "HEAD", "POST")
_FILTERS = ("operation", "method", "path", "status", "body", "task_id", "after", "before")
_MOST_ENTRIES = 1000
_LONGEST_FILTER = 1000
_STATUS = re.compile(r"([1-5])(?:([0-9]{2})|[xX]{2})", re.ASCII)


async def read(request: Request, services: Services) -> ASGIApp:
    """Answer the account's journal, oldest entry first, or newest."""
    caller = await _caller(request, services)
    only = _filter(request, *_FILTERS, "limit")
    limit = number_of(request, "limit", 100, _MOST_ENTRIES)
    found = await services.journal.find(caller.account_id, only, limit)
    render = _Renderer(services, caller)
    data = [render(entry) for entry in found.entries]
    return JsonAnswer({"data": data, "total": found.total, "lost": found.lost})


async def count(request: Request, services: Services) -> ASGIApp:
    """Answer how many entries there are."""
    caller = await _caller(request, services)
    found = await services.journal.find(caller.account_id, _filter(request, *_FILTERS), 0)
    return JsonAnswer({"count": found.total, "lost": found.lost})


async def clear(request: Request, services: Services) -> ASGIApp:
    """Forget the account's journal; numbers begin at 1 again."""
    caller = await _caller(request, services)
    return JsonAnswer({"removed": await services.journal.clear(caller.account_id)})


async def _caller(request: Request, services: Services) -> Caller:
    caller = await authenticate(request, services, counted=False)
    if not services.settings.journal_entries:  # a count of 0 would look like an answer
        message = "This server keeps no journal (--journal-entries 0)."
        raise Refusal("not_found", message)
    return caller


def _filter(request: Request, *known: str) -> JournalFilter:
    query = request.query_params
    for name, value in query.items():
        if name not in known:
            message = f"There is no filter {shown(name)}; there are {', '.join(known)}."
            raise Refusal("invalid_value", message, name.encode("utf-8", "replace").decode())
        if len(value) > _LONGEST_FILTER:
            raise Refusal.invalid_value(name, value, f"at most {_LONGEST_FILTER:,} characters")
    operation, method = query.get("operation"), query.get("method")
    if operation is not None and operation not in OPERATIONS:
        raise Refusal.invalid_value("operation", operation, OPERATIONS)
    if method is not None and method not in _METHODS:
        raise Refusal.invalid_value("method", method, _METHODS)
    least, most = _statuses(query.get("status"))
    after, before = after_and_before(request)
    return JournalFilter(
        operation=operation,
        method=method,
        task_id=query.get("task_id"),
        path=query.get("path", ""),
        body=query.get("body", ""),
        least_status=least,
        most_status=most,
        after=after,
        before=before,
    )


def _statuses(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 999
    match = _STATUS.fullmatch(text)
    if match is None:
        raise Refusal.invalid_value("status", text, "a status such as 429, or a class such as 4xx")
    least = int(match[1]) * 100
    return (least, least + 99) if match[2] is None else (int(text), int(text))


class _Renderer:
    """Shows entries to a caller; what can be worked out from an entry is, here."""

    def __init__(self, services: Services, caller: Caller) -> None:
        self._settings: Settings = services.settings
        self._services, self._caller = services, caller

    def __call__(self, entry: JournalEntry) -> dict[str, Any]:
        notes = json.loads(entry.notes)
        request, answer, refusal = notes["request"], notes["answer"], notes["refusal"]
        body = _body(entry.request, request)
        return {
            "number": entry.number,
            "at": rfc3339(entry.at),
            "operation": entry.operation,
            "method": entry.method,
            "path": entry.path,
            "status": entry.status,
            "duration_ms": entry.duration_ms,
            "request_id": entry.request_id,
            "task_id": entry.task_id,
            "faults": notes["faults"],
            "request": {**request, "body": body},
            "answer": {**answer, "body": _body(entry.answer, answer)},
            "refusal": refusal,
            "ignored_fields": ignored_fields(entry.operation, body),
            "nearest_valid": None if notes["faults"] else self._nearest(entry, request, refusal),
        }

    def _check(self, creation: Creation) -> None:
        """Refuse what a creation would refuse, once its fields are valid."""
        self._services.faults.check_prompt(creation.request.prompt)
        self._services.tasks.check(self._caller, creation.request)

    def _nearest(
        self, entry: JournalEntry, request: dict[str, Any], refusal: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        if refusal is None or refusal["param"] is None or entry.status not in (400, 404):
            return None
        is_json = (request["content_type"] or "").startswith("application/json")
        if entry.operation not in _CREATIONS or request["cut"] or not is_json:
            return None
        from emulator.api.nearest import nearest_valid  # late: few ask for it, and each start waits

        found = nearest_valid(entry.request, refusal["param"], self._settings, self._check)
        if found is None or not is_showable(found.body):
            return None
        return {"body": found.body, "changes": found.changes}


def ignored_fields(operation: str, body: Any) -> list[str]:
    """Fields of a creation or an edit that no source names (GEN-15)."""
    if not isinstance(body, dict):
        return []
    if operation in _CREATIONS:
        return [name for name in body if name not in FIELD_NAMES]
    if operation != "editImage":
        return []
    fields, files = body.get("fields"), body.get("files")
    if not isinstance(fields, dict) or not isinstance(files, list):
        return []  # no summary of a form
    parts = [*fields, *(str(file.get("param")) for file in files if isinstance(file, dict))]
    known = (*FIELD_NAMES, *_IMAGE_PARTS)
    return [name for name in dict.fromkeys(parts) if name not in known]


def _body(text: str, notes: dict[str, Any]) -> Any:
    """A body as JSON, where it is whole and can be shown as that; else as text; None: empty."""
    if not text:
        return None
    media_type = (notes["content_type"] or "").partition(";")[0].strip().lower()
    is_form = media_type == "multipart/form-data"
    if not is_form and (notes["cut"] or media_type != "application/json"):
        return text
    return shown_body(text)
