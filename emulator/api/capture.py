"""A request and its answer as the journal keeps them: collected while it runs, written later."""

from typing import Any
from urllib.parse import unquote

from pydantic_core import to_json

from emulator.api.headers import Headers
from emulator.api.http import Call
from emulator.core.redaction import plain, redact
from emulator.store.journal import JournalEntry

_LONGEST_PATH = 2000
_LONGEST_HEADER = 300
_BODY_TYPES = ("application/json", "text/")  # answers of another type are pictures


# All that an entry is made of: the request (method, path, query, Content-Type, User-Agent), what is
# known of it, the answer's body as far as it is kept, and how long that body is. Plain tuples, and
# few objects: what waits here long is what makes a request slower.
NotedRequest = tuple[str, str, bytes, bytes, bytes]
Exchange = tuple[NotedRequest, Call, bytes, int]


def noted_request(method: str, path: str, query: bytes, headers: Headers) -> NotedRequest:
    """What is noted of a request while it runs."""
    content_type = user_agent = b""
    for name, value in headers:
        if name == b"content-type":
            content_type = value
        elif name == b"user-agent":
            user_agent = value
    return method, path, query, content_type, user_agent


def journal_entry(exchange: Exchange) -> JournalEntry:
    """Write an exchange down, without secrets."""
    (method, path, query, content_type, user_agent), call, body, answer_bytes = exchange
    answer_type = _header(call.answer_type)
    has_answer = method != "HEAD" and answer_type.startswith(_BODY_TYPES)
    notes = {
        "request": {
            "content_type": _header(content_type) or None,
            "user_agent": _header(user_agent) or None,
            "cut": call.sent_is_cut,
        },
        "answer": {
            "content_type": answer_type or None,
            "bytes": 0 if method == "HEAD" else answer_bytes,
            "cut": has_answer and answer_bytes > len(body),
        },
        "refusal": _refusal(call),
        "faults": call.faults,
    }
    return JournalEntry(
        at=call.now,
        operation=_operation(method, call.operation),
        method=method,
        path=_path(path, query),
        status=call.status,
        duration_ms=round(call.seconds * 1000),
        request_id=call.request_id,
        task_id=call.task_id and _encodable(redact(call.task_id))[:_LONGEST_HEADER],
        request=_text(call.sent) if call.sent else "",
        answer=_text(body) if has_answer else "",
        notes=to_json(notes).decode(),
    )


def _operation(method: str, operation: str) -> str:
    """HEAD has operations of its own."""
    return "head" + operation.removeprefix("get") if method == "HEAD" else operation


def _path(path: str, query: bytes) -> str:
    if query:
        # Both as it was sent, where a value's end is known, and as it reads.
        path = f"{path}?{unquote(redact(query.decode('latin-1')))}"
    return _encodable(redact(path)[:_LONGEST_PATH])


def _text(body: bytes) -> str:
    return redact(plain(body.decode("utf-8", "replace")))


def _header(value: bytes) -> str:
    return redact(value.decode("latin-1")[:_LONGEST_HEADER])


def _refusal(call: Call) -> dict[str, Any] | None:
    if call.refusal is None:
        return None
    code, param, claim, message = call.refusal
    return {
        "code": code,
        "param": param and _encodable(redact(param)),
        "claim": claim,
        "message": _encodable(redact(message)),
    }


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
