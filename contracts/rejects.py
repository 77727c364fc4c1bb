"""Requests that must be refused: what they are made of, and how they are sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from contracts.exchange import Headers, Part

_BOUNDARY = "gpt-image-contracts"
_PATHS = {
    "generations": "/v1/images/generations",
    "sync": "/v1/images/generations/sync",
    "edits": "/v1/images/edits",
    "upload": "/v1/images/upload",
    "balance": "/v1/credits/balance",
}

Operation = Literal["generations", "sync", "edits", "upload", "tasks", "balance"]


class Sendable(NamedTuple):
    """A request, ready to be sent to any base URL."""

    method: str
    path: str
    headers: Headers
    content: bytes


@dataclass(frozen=True)
class Reject:
    """A request that the documents don't allow.

    Attributes:
        name: unique; for people and for reports.
        claims: those that don't allow it, the most direct one first.
        operation: where it goes.
        fields: of the JSON object, or of the form.
        files: of the form, which edits and uploads are.
        body: what is sent instead of the fields and files.
        content_type: instead of the one that the body has.
        key_headers: instead of a good key's.
        task_id: of a read.
        param: what an error should blame; None where it need not blame anything.
        documented: a source says it; else it is assumed.
    """

    name: str
    claims: tuple[str, ...]
    operation: Operation = "generations"
    fields: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[Part, ...] = ()
    body: bytes | None = None
    content_type: str | None = None
    key_headers: Headers | None = None
    task_id: str = ""
    param: str | None = None
    documented: bool = True


def build(reject: Reject, key: str) -> Sendable:
    """Make the request.

    Args:
        reject: what to send.
        key: a good key; it is sent unless the reject is about keys.
    """
    headers: Headers = (("Authorization", f"Bearer {key}"),)
    if reject.key_headers is not None:
        headers = reject.key_headers
    if reject.operation == "tasks":
        return Sendable("GET", f"/v1/tasks/{reject.task_id}", headers, b"")
    if reject.operation == "balance":
        return Sendable("GET", _PATHS["balance"], headers, b"")
    if reject.operation in ("edits", "upload"):
        content_type = f"multipart/form-data; boundary={_BOUNDARY}"
        content = form_body(reject.fields, reject.files)
    else:
        content_type, content = "application/json", json.dumps(dict(reject.fields)).encode()
    content = content if reject.body is None else reject.body
    headers += (("Content-Type", reject.content_type or content_type),)
    return Sendable("POST", _PATHS[reject.operation], headers, content)


def form_body(texts: Mapping[str, Any], files: tuple[Part, ...]) -> bytes:
    """Write a multipart form, with the kit's own boundary."""
    chunks = [
        (f'form-data; name="{name}"', "text/plain; charset=utf-8", str(text).encode())
        for name, text in texts.items()
    ]
    chunks += [
        (f'form-data; name="{part.name}"; filename="{part.filename}"', part.media_type,
         part.content)
        for part in files
    ]  # fmt: skip
    written = [
        f"--{_BOUNDARY}\r\nContent-Disposition: {place}\r\nContent-Type: {kind}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for place, kind, content in chunks
    ]
    return b"".join([*written, f"--{_BOUNDARY}--\r\n".encode()])
