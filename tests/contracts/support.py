"""Small traces, built by hand."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from contracts.exchange import CALLBACK, Exchange, Headers, ImageFacts, Request, Response, Trace
from contracts.findings import Finding, Judge, Outcome
from contracts.observed import GENERATIONS
from contracts.view import View

BASE_URL = "http://target.test"
START = 1_800_000_000.0  # when traces begin, in Unix seconds
LINK = f"{BASE_URL}/media/{{task_id}}/1.png?signature=~0123456789ab"
_ENDED = ("succeeded", "completed", "failed", "expired")


def trace(*exchanges: Exchange, exclusive: bool = True, **facts: Any) -> Trace:
    """A trace of exchanges, in this order."""
    numbered = [replace(one, number=number) for number, one in enumerate(exchanges, 1)]
    return Trace(BASE_URL, numbered, exclusive, facts)


def exchange(
    method: str,
    path: str,
    *,
    body: Any = None,
    status: int = 200,
    answer: Any = None,
    headers: Mapping[str, str] | None = None,
    answer_headers: Mapping[str, str] | None = None,
    sender: str = "key-1",
    at: float = 0.0,
) -> Exchange:
    """A request and its answer.

    Args:
        method: in capitals.
        path: below the base URL, or a whole URL.
        body: what is sent: JSON, or bytes as they are; None: nothing.
        status: of the answer; 0: none came.
        answer: what comes back: JSON, or bytes as they are; None: nothing.
        headers: of the request, instead of the sender's key; its body's type is added.
        answer_headers: of the answer; its body's type is added.
        sender: whose key is sent as a Bearer token; empty: none.
        at: when, in seconds after ``START``.
    """
    if headers is None:
        headers = {"Authorization": f"Bearer {sender}"} if sender else {}
    content, sent_headers = _body(body, headers)
    returned, returned_headers = _body(answer, answer_headers or {})
    return Exchange(
        number=0,
        sent_at=START + at,
        seconds=0.0,
        request=Request(method, _url(path), sent_headers, content),
        response=Response(status, returned_headers, returned) if status else None,
        failure=None if status else "ConnectError",
        sender=sender,
    )


def creation(
    task_id: str = "task_1", answer: Any = None, at: float = 0.0, **fields: Any
) -> Exchange:
    """An asynchronous creation that is accepted.

    Args:
        task_id: the task that it makes.
        answer: all of the answer's body, instead of the usual one.
        at: when, in seconds after ``START``.
        fields: of the request, besides a model and a prompt.
    """
    number = task_id.removeprefix("task_")
    usual = {
        "task_id": task_id,
        "status": "pending",
        "poll_url": f"/v1/tasks/{task_id}",
        "request_id": f"req_{number}",
        "credits": {"reserved": 30},
    }
    return exchange(
        "POST",
        GENERATIONS,
        body={"model": "gpt-image-2", "prompt": "A stone", **fields},
        status=202,
        answer=usual if answer is None else answer,
        answer_headers={"X-Request-Id": f"req_{number}"},
        at=at,
    )


def task_read(
    task_id: str = "task_1", status: str = "succeeded", at: float = 2.0, **overrides: Any
) -> Exchange:
    """A read of a task.

    Args:
        task_id: which.
        status: what it says.
        at: when, in seconds after ``START``.
        overrides: members that are different; ``...`` leaves one out.
    """
    body = {**_task(task_id, status), **overrides}
    shown = {name: value for name, value in body.items() if value is not ...}
    return exchange("GET", f"/v1/tasks/{task_id}", answer=shown, at=at)


def callback(task: Mapping[str, Any], url: str, status: int = 200, at: float = 2.0) -> Exchange:
    """A callback, and how the receiver answered it.

    Args:
        task: its body.
        url: where it goes.
        status: of the receiver's answer.
        at: when, in seconds after ``START``.
    """
    sent = exchange("POST", url, body=dict(task), status=status, sender="", at=at)
    return replace(sent, direction=CALLBACK)


def findings(
    judge: Judge, *exchanges: Exchange, exclusive: bool = True, **facts: Any
) -> list[Finding]:
    """What a judge says about a trace of these exchanges."""
    return list(judge(View(trace(*exchanges, exclusive=exclusive, **facts))))


def summary(found: Iterable[Finding]) -> list[tuple[str, str]]:
    """Findings in short: the claim, and what is said of it or which reading was seen."""
    return [
        (one.claim_id, str(one.reading) if one.outcome is Outcome.READS else one.outcome.value)
        for one in found
    ]


def told(judge: Judge, *exchanges: Exchange, **facts: Any) -> str:
    """What a judge says about a trace of these exchanges, each thing once, in short."""
    said = {" ".join(one) for one in summary(findings(judge, *exchanges, **facts))}
    return ", ".join(sorted(said))


def download(
    url: str = LINK.format(task_id="task_1"),
    picture: ImageFacts | None = None,
    kind: str = "image/png",
    at: float = 3.0,
    **options: Any,
) -> Exchange:
    """A GET of a picture that gives it.

    Args:
        url: the link.
        picture: what decoding tells; None: a whole PNG of 1024x1024.
        kind: its declared media type.
        at: when, in seconds after ``START``.
        options: ``sender`` and ``headers`` of ``exchange``; no key unless they say so.
    """
    seen = exchange("GET", url, at=at, **{"sender": "", **options})
    facts = picture or png(1024, 1024)
    return replace(seen, response=Response(200, (("Content-Type", kind),), b"", facts))


def png(width_px: int, height_px: int, pixels: str = "") -> ImageFacts:
    """Facts about a whole PNG; pictures with the same ``pixels`` are the same."""
    return ImageFacts("PNG", width_px, height_px, pixels or f"{width_px}x{height_px}")


def rfc3339(seconds: float) -> str:
    """A time so many seconds after ``START``, as the API words it."""
    moment = datetime.fromtimestamp(START + seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _task(task_id: str, status: str) -> dict[str, Any]:
    ended, failed = status in _ENDED, status == "failed"
    succeeded = status in ("succeeded", "completed")
    link = {"url": LINK.format(task_id=task_id)}
    error = {"type": "api_error", "code": "timeout", "message": "It took too long."}
    return {
        "task_id": task_id,
        "status": status,
        "model": "gpt-image-2",
        "type": "image",
        "created_at": rfc3339(0.0),
        "completed_at": rfc3339(1.0) if ended else None,
        "result": {"created": int(START) + 1, "data": [link]} if succeeded else None,
        "error": error if failed else None,
        "credits": {
            "reserved": 30,
            "charged": 30 if ended and not failed else 0,
            "refunded": 30 if failed else 0,
        },
    }


def _url(path: str) -> str:
    return path if path.startswith("http") else BASE_URL + path


def _body(value: Any, headers: Mapping[str, str]) -> tuple[bytes, Headers]:
    if value is None:
        return b"", tuple(headers.items())
    if isinstance(value, bytes):
        return value, tuple(headers.items())
    typed = {"Content-Type": "application/json", **headers}
    return json.dumps(value).encode(), tuple(typed.items())
