"""A trace as HAR 1.2, which browsers, proxies and test tools read and write too."""

import base64
import binascii
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from contracts.exchange import (
    CALLBACK,
    SENT,
    Exchange,
    Headers,
    ImageFacts,
    Request,
    Response,
    Trace,
    header,
    media_type,
)
from contracts.foreign_trace import of_the_api, without_masked_keys
from contracts.images import image_facts
from contracts.redact import Redactor

_LARGEST_FILE_BYTES = 1 << 30
_IMAGE_FACTS = ("format", "width_px", "height_px", "pixels_digest", "problem")


class TraceError(Exception):
    """A file that is no usable trace; the message says why."""


def to_har(trace: Trace) -> dict[str, Any]:
    """Write a trace as HAR; what HAR has no place for is in members that begin with ``_``."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "gpt-image-contracts", "version": version("gpt-image-emulator")},
            "_contracts": {
                "base_url": trace.base_url,
                "exclusive": trace.exclusive,
                "facts": trace.facts,
            },
            "entries": [har_entry(exchange) for exchange in trace],
        }
    }


def read_har(path: Path) -> Trace:
    """Read a trace from a HAR file, without its secrets.

    Raises:
        TraceError: there is no such file, or it is no HAR.
    """
    try:
        if not path.is_file() and path.exists():
            raise TraceError(f"{path} is no file that can be read to its end")
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise TraceError(f"{path} is larger than 1 GiB; cut the trace into several files")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise TraceError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise TraceError(f"{path} is no HAR: it is no JSON ({error})") from error
    return from_har(content, str(path))


def from_har(content: Any, name: str = "the trace") -> Trace:
    """Build a trace from parsed HAR.

    Args:
        content: the parsed JSON.
        name: what error messages call it.

    Raises:
        TraceError: it is no HAR.
    """
    log = content.get("log") if isinstance(content, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise TraceError(f"{name} is no HAR: a HAR is a JSON object with log.entries")
    own = log.get("_contracts") if isinstance(log, dict) else None
    own = own if isinstance(own, dict) else {}
    redactor = Redactor()
    _learn_keys(entries, redactor)
    exchanges = []
    for number, entry in enumerate(entries, 1):
        try:
            exchanges.append(_exchange(number, entry, redactor, bool(own)))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            problem = f"entry {number} of {name} is no HAR entry: {_in_words(error)}"
            raise TraceError(problem) from error
    if not own:
        exchanges = _in_order(of_the_api(exchanges))
    facts = own.get("facts")
    return Trace(
        str(own.get("base_url", "")),
        exchanges,
        own.get("exclusive") is True,
        facts if isinstance(facts, dict) else {},
    )


def _in_words(error: Exception) -> str:
    """What is wrong with an entry."""
    if isinstance(error, KeyError):
        return f"it lacks {error}"
    kind = "a member has another type: " if isinstance(error, TypeError | AttributeError) else ""
    return f"{kind}{error}"


def _learn_keys(entries: list[Any], redactor: Redactor) -> None:
    """Note all keys that were sent, so that none is shown in an entry before it was."""
    for entry in entries:
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            _sender(_headers(entry["request"]), redactor)


def _in_order(exchanges: list[Exchange]) -> list[Exchange]:
    """Order by time: browsers group what they export by page."""
    ordered = sorted(exchanges, key=lambda exchange: exchange.sent_at)
    return [replace(exchange, number=number) for number, exchange in enumerate(ordered, 1)]


def har_entry(exchange: Exchange) -> dict[str, Any]:
    """Write an exchange as an entry of a HAR."""
    request, response = exchange.request, exchange.response
    at = datetime.fromtimestamp(exchange.sent_at, UTC).isoformat(timespec="microseconds")
    entry: dict[str, Any] = {
        "startedDateTime": at.replace("+00:00", "Z"),
        "time": round(exchange.seconds * 1000, 3),
        "request": {
            "method": request.method,
            "url": request.url,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _name_values(request.headers),
            "queryString": [],
            "headersSize": -1,
            "bodySize": len(request.body),
        },
        "response": _response_entry(response),
        "cache": {},
        "timings": {"send": 0, "wait": round(exchange.seconds * 1000, 3), "receive": 0},
        "_direction": exchange.direction,
        "_sender": exchange.sender,
        "_purpose": exchange.purpose,
        "_late_by_seconds": exchange.late_by_seconds,
    }
    if request.body:
        content_type = header(request.headers, "content-type") or "application/octet-stream"
        entry["request"]["postData"] = {"mimeType": content_type, **_text(request.body, "_")}
    if exchange.failure is not None:
        entry["_failure"] = exchange.failure
    return entry


def _response_entry(response: Response | None) -> dict[str, Any]:
    headers = () if response is None else response.headers
    body = b"" if response is None else response.body
    content: dict[str, Any] = {"size": len(body), "mimeType": media_type(headers)}
    if body:
        content |= _text(body)
    if response is not None and response.image is not None:
        facts = response.image
        content["_image"] = {name: getattr(facts, name) for name in _IMAGE_FACTS}
        content["_image"]["thumbnail"] = base64.b64encode(facts.thumbnail).decode()
    return {
        "status": 0 if response is None else response.status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _name_values(headers),
        "content": content,
        "redirectURL": header(headers, "location") or "",
        "headersSize": -1,
        "bodySize": len(body),
    }


def _name_values(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _text(body: bytes, prefix: str = "") -> dict[str, str]:
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), f"{prefix}encoding": "base64"}


def _exchange(number: int, entry: Mapping[str, Any], redactor: Redactor, is_own: bool) -> Exchange:
    sent, got = entry["request"], entry["response"]
    if not isinstance(sent, dict) or not isinstance(got, dict):
        raise TypeError("its request and its response have to be objects")
    headers = _headers(sent) if is_own else without_masked_keys(_headers(sent))
    sender = _sender(headers, redactor)
    at = datetime.fromisoformat(entry["startedDateTime"].replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise ValueError(f"startedDateTime {entry['startedDateTime']!r} has no offset")
    if not 1970 <= at.year <= 9998:
        raise ValueError(
            f"startedDateTime {entry['startedDateTime']!r} lies outside of 1970 to 9998"
        )
    post = sent.get("postData") or {}
    body = redactor.body(_body(post, post.get("_encoding", post.get("encoding"))))
    request = Request(
        str(sent["method"]).upper(), redactor.url(str(sent["url"])), redactor.headers(headers), body
    )
    response = _response(got, redactor, is_own) if got.get("status") else None
    failure = entry.get("_failure") or (None if response else "the trace has no answer")
    return Exchange(
        number,
        at.timestamp(),
        _seconds(entry.get("time")),
        request,
        response,
        None if failure is None else str(failure),
        CALLBACK if entry.get("_direction") == CALLBACK else SENT,
        str(entry.get("_sender", sender)),
        str(entry.get("_purpose", "")),
        float(entry.get("_late_by_seconds") or 0.0),
    )


def _seconds(milliseconds: Any) -> float:
    seconds = float(milliseconds or 0) / 1000
    return round(seconds, 6) if 0 <= seconds < math.inf else 0.0


def _response(got: Mapping[str, Any], redactor: Redactor, is_own: bool) -> Response:
    headers = redactor.headers(_headers(got))
    content = got.get("content") or {}
    body = _body(content, content.get("encoding"))
    own = content.get("_image")
    image = None
    if isinstance(own, dict):
        thumbnail = base64.b64decode(str(own.get("thumbnail", "")))
        image = ImageFacts(**{name: own[name] for name in _IMAGE_FACTS}, thumbnail=thumbnail)
    elif body and not is_own and media_type(headers).startswith("image/"):
        image = image_facts(body)
    return Response(int(got["status"]), headers, b"" if image else redactor.body(body), image)


def _headers(message: Mapping[str, Any]) -> Headers:
    return tuple(
        (str(item["name"]), str(item["value"]))
        for item in message.get("headers") or ()
        if not str(item["name"]).startswith(":")
    )


def _sender(headers: Headers, redactor: Redactor) -> str:
    value = header(headers, "authorization") or header(headers, "x-api-key") or ""
    return redactor.key_label(value.rpartition(" ")[2])


def _body(content: Mapping[str, Any], encoding: object) -> bytes:
    text = content.get("text") or ""
    if encoding == "base64":
        try:
            return base64.b64decode(text)
        except binascii.Error as error:
            raise ValueError(f"its body is no base64: {error}") from error
    return str(text).encode("utf-8", "surrogatepass")
