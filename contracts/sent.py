"""What a request to one of the image endpoints carries, read as far as it can be read."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Any, Literal
from urllib.parse import parse_qsl

from contracts.exchange import Part, Request, header, media_type, parsed_json

Endpoint = Literal["generations", "sync", "edits", "upload"]
# Whole: as the documents say. Doubtful: read, but servers may differ about it. Unread: what it
# carries is not known here. Broken: nobody can read it.
State = Literal["whole", "doubtful", "unread", "broken"]

FORM, URLENCODED, JSON = (
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "application/json",
)
_ENDPOINT = re.compile(r"/v1/images/(generations/sync|generations|edits|upload)")
_IMAGE_ENDPOINTS: dict[str, Endpoint] = {
    "generations": "generations",
    "generations/sync": "sync",
    "edits": "edits",
    "upload": "upload",
}
_USUAL_JSON_BYTES = 1024 * 1024  # no document says how large a body may be
_USUAL_FORM_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Sent:
    """The fields of a request.

    Attributes:
        endpoint: which of the image endpoints it goes to.
        is_form: its values are texts that stand for JSON values.
        values: each field's values, in order; more than one where the field is there repeatedly.
        files: each field's file parts.
        state: how far it could be read.
        why: why it is not whole; empty where it is.
    """

    endpoint: Endpoint
    is_form: bool = False
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    files: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    state: State = "whole"
    why: str = ""

    def first(self, *names: str) -> Any:
        """The first value of the first of several spellings that is there; else None."""
        return next((self.values[name][0] for name in names if name in self.values), None)


def endpoint_of(request: Request) -> Endpoint | None:
    """The image endpoint that a request goes to; None where it goes to none."""
    match = _ENDPOINT.search(request.path)
    if request.method != "POST" or match is None or match.end() != len(request.path):
        return None
    return _IMAGE_ENDPOINTS[match[1]]


def read_sent(request: Request) -> Sent | None:
    """Read what a request carries; None where it goes to no image endpoint."""
    endpoint = endpoint_of(request)
    if endpoint is None:
        return None
    encoding = header(request.headers, "content-encoding") or "identity"
    if encoding.lower() != "identity":
        return Sent(endpoint, state="unread", why=f"the body is compressed ({encoding})")
    sent_type = media_type(request.headers)
    if sent_type == FORM:
        sent, limit = _read_form(endpoint, request), _USUAL_FORM_BYTES
    elif sent_type == URLENCODED:
        sent, limit = _read_urlencoded(endpoint, request.body), _USUAL_JSON_BYTES
    else:
        sent, limit = _read_json(endpoint, request.body), _USUAL_JSON_BYTES
    expected = FORM if endpoint in ("edits", "upload") else JSON
    if sent_type != expected:
        sent = _doubt(sent, f"the documents name {expected}; {sent_type or 'nothing'} was sent")
    charset = re.search(
        r'charset\s*=\s*"?([^";\s]+)', header(request.headers, "content-type") or "", re.IGNORECASE
    )
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        sent = _doubt(sent, f"it says that it is in {charset[1]}")
    if len(request.body) > limit:
        sent = _doubt(sent, f"the body has {len(request.body):,} bytes")
    return sent


def _doubt(sent: Sent, why: str) -> Sent:
    return replace(sent, state="doubtful", why=why) if sent.state == "whole" else sent


def _read_json(endpoint: Endpoint, body: bytes) -> Sent:
    objects: list[list[tuple[str, Any]]] = []
    doubts: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        objects.append(pairs)
        if len(dict(pairs)) < len(pairs):
            doubts.append("a field is there more than once")
        return dict(pairs)

    def read_odd_number(name: str) -> float:
        doubts.append(f"{name} is no JSON number")
        return float(name)

    try:
        text = body.decode()
        value = json.loads(text, object_pairs_hook=keep, parse_constant=read_odd_number)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        if parsed_json(body) is not None:  # a byte order mark, UTF-16
            return Sent(endpoint, state="unread", why="the JSON is not in plain UTF-8")
        return Sent(endpoint, state="broken", why=f"the body is no JSON: {error}")
    except (RecursionError, ValueError) as error:  # too deep, too many digits
        return Sent(endpoint, state="unread", why=f"the JSON is unusual: {error}")
    if not isinstance(value, dict):
        return Sent(endpoint, state="broken", why="the body is no JSON object")
    if _has_half_characters(text, value):
        doubts.append("it has half a character (a lone surrogate)")
    values = _grouped(objects[-1])  # the outermost object is read last
    state: State = "doubtful" if doubts else "whole"
    return Sent(endpoint, False, values, state=state, why="; ".join(dict.fromkeys(doubts)))


def _has_half_characters(text: str, value: dict[str, Any]) -> bool:
    if "\\ud" not in text.lower():
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _read_urlencoded(endpoint: Endpoint, body: bytes) -> Sent:
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return Sent(endpoint, True, _grouped(pairs))


def _read_form(endpoint: Endpoint, request: Request) -> Sent:
    try:
        parts = request.parts
    except ValueError as error:  # a boundary that is no text
        return Sent(endpoint, state="unread", why=f"the form can't be read: {error}")
    if not parts:
        return Sent(endpoint, True, state="broken", why="the body is no multipart form")
    texts = [part for part in parts if part.filename is None]
    files: defaultdict[str, tuple[Part, ...]] = defaultdict(tuple)
    for part in parts:
        if part.filename is not None:
            files[part.name] += (part,)
    values = _grouped([(part.name, part.content.decode("utf-8", "replace")) for part in texts])
    sent = Sent(endpoint, True, values, dict(files))
    if not _is_closed(request):
        return _doubt(sent, "the form's last boundary is missing")
    if any(not _is_utf8(part.content) for part in texts):
        return _doubt(sent, "a text of the form is not in UTF-8")
    repeated = [name for name, sent_values in values.items() if len(sent_values) > 1]
    return _doubt(sent, f"{repeated[0]} is there more than once") if repeated else sent


def _is_closed(request: Request) -> bool:
    message = Message()
    message["Content-Type"] = header(request.headers, "content-type") or ""
    return f"--{message.get_boundary()}--".encode() in request.body[-200:]


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _grouped(pairs: list[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    grouped: defaultdict[str, tuple[Any, ...]] = defaultdict(tuple)
    for name, value in pairs:
        grouped[name] += (value,)
    return dict(grouped)
