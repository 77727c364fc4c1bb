"""A request and its answer as the journal keeps them: collected while it runs, written later."""

from typing import Any
from urllib.parse import unquote

from pydantic_core import to_json
from starlette.types import Scope

from emulator.api.http import Call
from emulator.core.redaction import plain, redact
from emulator.store.journal import JournalEntry

_LONGEST_PATH = 2000
_LONGEST_HEADER = 300
_BODY_TYPES = ("application/json", "text/")  # answers of another type are pictures


class Exchange:
    """References to all that an entry is made of; ``entry`` does the work.

    Args:
        scope: the request.
        call: what is known of it.
        seconds: how long it took.
        headers: the answer's.
        body: the answer's, as much of it as is kept.
        answer_bytes: how long the answer's body is.
    """

    __slots__ = ("_answer_bytes", "_body", "_call", "_headers", "_scope", "_seconds")

    def __init__(
        self,
        scope: Scope,
        call: Call,
        seconds: float,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        answer_bytes: int,
    ) -> None:
        self._scope = scope
        self._call = call
        self._seconds = seconds
        self._headers = headers
        self._body = body
        self._answer_bytes = answer_bytes

    def entry(self) -> JournalEntry:
        """Write it down, without secrets."""
        scope, call = self._scope, self._call
        method = scope["method"]
        answer_type = _header(self._headers, b"content-type")
        has_answer = method != "HEAD" and answer_type.startswith(_BODY_TYPES)
        notes = {
            "request": {
                "content_type": _header(scope["headers"], b"content-type") or None,
                "user_agent": _header(scope["headers"], b"user-agent") or None,
                "cut": call.sent_is_cut,
            },
            "answer": {
                "content_type": answer_type or None,
                "bytes": 0 if method == "HEAD" else self._answer_bytes,
                "cut": has_answer and self._answer_bytes > len(self._body),
            },
            "refusal": _refusal(call),
            "faults": call.faults,
        }
        return JournalEntry(
            at=call.now,
            operation=_operation(method, call.operation),
            method=method,
            path=_path(scope),
            status=call.status,
            duration_ms=round(self._seconds * 1000),
            request_id=call.request_id,
            task_id=call.task_id and redact(call.task_id)[:_LONGEST_HEADER],
            request=_text(call.sent) if call.sent else "",
            answer=_text(self._body) if has_answer else "",
            notes=to_json(notes).decode(),
        )


def _operation(method: str, operation: str) -> str:
    """HEAD has operations of its own."""
    return "head" + operation.removeprefix("get") if method == "HEAD" else operation


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    query = scope["query_string"]
    if query:
        path = f"{path}?{unquote(query.decode('latin-1'))}"
    return _encodable(redact(path)[:_LONGEST_PATH])


def _text(body: bytes) -> str:
    return redact(plain(body.decode("utf-8", "replace")))


def _header(headers: list[tuple[bytes, bytes]], name: bytes) -> str:
    for sent_name, value in headers:
        if sent_name == name:
            return redact(value.decode("latin-1")[:_LONGEST_HEADER])
    return ""


def _refusal(call: Call) -> dict[str, Any] | None:
    if call.refusal is None:
        return None
    code, param, claim, message = call.refusal
    return {
        "code": code,
        "param": param and _encodable(param),
        "claim": claim,
        "message": _encodable(redact(message)),
    }


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
