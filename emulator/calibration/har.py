"""A recorded trace: HAR 1.2 -> entries. What is no entry is left out; nothing in one can fail."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from emulator.adapters.picture.containers import Damaged, read
from emulator.core.clock import LATEST_INSTANT, SECOND, parse_instant
from emulator.core.errors import Refusal
from emulator.core.frame import Frame

MIB = 1024 * 1024
_LARGEST_FILE_MIB = 512
_EARLIEST_MS = 10**11  # Unix seconds are smaller for thousands of years, milliseconds larger
_LARGEST_EDGE_PX = 100_000
_LARGEST_NUMBER = 1e15


class TraceError(Exception):
    """A file that is no usable trace; the message says why."""


@dataclass(frozen=True, slots=True)
class Har:
    """A HAR file.

    Attributes:
        entries: in the file's order.
        clock_moved: whether the recorder moved the target's clock, as the contract kit does with
            an emulator's.
    """

    entries: list["Entry"]
    clock_moved: bool


def read_har(path: Path) -> Har:
    """Read a trace.

    Raises:
        TraceError: there is no such file, it is too large, or it is no HAR.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE_MIB * MIB:
            raise TraceError(
                f"{path} is larger than {_LARGEST_FILE_MIB} MiB; record a shorter trace, or one"
                " without the pictures' bodies"
            )
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise TraceError(f"{path} can't be read: {error.strerror or error}") from error
    except RecursionError as error:
        raise TraceError(f"{path} is no HAR: it is nested too deeply") from error
    except ValueError as error:
        raise TraceError(f"{path} is no HAR: it is no JSON ({error})") from error
    return parse_har(content, str(path))


def parse_har(content: Any, name: str) -> Har:
    """Take parsed JSON as a trace; ``name`` is what errors call it.

    Raises:
        TraceError: it is no HAR.
    """
    entries = member(content, "log", "entries")
    if not isinstance(entries, list):
        raise TraceError(f"{name} is no HAR: a HAR is a JSON object with log.entries")
    target = member(content, "log", "_contracts", "facts", "target")
    found = [Entry(entry) for entry in entries if isinstance(entry, dict)]
    return Har(found, clock_moved=target == "emulator")


def member(value: Any, *names: str) -> Any:
    """A member of nested JSON objects; None where it is not there."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_member(value: Any, *names: str) -> str:
    """A text in nested JSON objects; empty where it is none."""
    found = member(value, *names)
    return found if isinstance(found, str) else ""


def number(value: Any) -> float | None:
    """A JSON number that is zero or more and can be reckoned with; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _LARGEST_NUMBER else None


def instant(value: Any) -> int | None:
    """Read a time, RFC 3339 or Unix seconds or milliseconds, as an instant; None where it is none.

    A time before 1970 or after 9999 is none.
    """
    found = None
    if isinstance(value, str):
        try:
            found = parse_instant(value)
        except Refusal:
            return None
    elif (count := number(value)) is not None:
        found = round(count if count >= _EARLIEST_MS else count * SECOND)
    return found if found is not None and 0 < found <= LATEST_INSTANT else None


class Entry:
    """One request and its answer.

    Attributes:
        at: when it was sent, an instant of the target's clock; None where the trace says nothing.
        duration_ms: how long the answer took; None where the trace says nothing.
        method: in capitals.
        url: absolute; empty where it is no URL.
        path: of the URL.
        status: of the answer; 0 where none came.
        is_callback: the target called the recorder.
    """

    def __init__(self, entry: dict[str, Any]) -> None:
        self._request = entry.get("request")
        self._response = entry.get("response")
        self.at = instant(entry.get("startedDateTime"))
        self.duration_ms = number(entry.get("time"))
        self.method = text_member(self._request, "method").upper()
        self.url, self.path = _split(text_member(self._request, "url"))
        status = number(member(self._response, "status"))
        self.status = 0 if status is None else int(status)
        self.is_callback = entry.get("_direction") == "callback"

    @property
    def succeeded(self) -> bool:
        """Whether the answer is a 2xx."""
        return 200 <= self.status < 300

    @cached_property
    def fields(self) -> dict[str, Any]:
        """What was sent, a JSON object's members; empty where it is none."""
        fields = _parsed(self._sent_body())
        return fields if isinstance(fields, dict) else {}

    @cached_property
    def form(self) -> dict[str, str]:
        """The text fields of a form that was sent."""
        params = member(self._request, "postData", "params")
        if isinstance(params, list) and params:
            named = [p for p in params if isinstance(p, dict) and not p.get("fileName")]
            return {text_member(p, "name"): text_member(p, "value") for p in named}
        content_type = text_member(self._request, "postData", "mimeType")
        return dict(_form_texts(content_type, self._sent_body()))

    @cached_property
    def answer(self) -> dict[str, Any]:
        """What was answered, a JSON object's members; empty where it is none."""
        content = member(self._response, "content")
        answer = _parsed(_body(content, text_member(content, "encoding")))
        return answer if isinstance(answer, dict) else {}

    @cached_property
    def frame(self) -> Frame | None:
        """The pixels of the picture that was answered; None where there is none."""
        content = member(self._response, "content")
        for facts in (member(content, "_image"), member(self._response, "_image")):
            width, height = number(member(facts, "width_px")), number(member(facts, "height_px"))
            if width and height:
                return _frame(int(width), int(height))
        return picture_frame(_body(content, text_member(content, "encoding")))

    def absolute(self, url: str) -> str:
        """A URL of the answer's body, which may be relative; empty where it is none."""
        try:
            return _split(urljoin(self.url, url))[0]
        except ValueError:
            return ""

    def _sent_body(self) -> bytes:
        data = member(self._request, "postData")
        return _body(data, text_member(data, "_encoding") or text_member(data, "encoding"))


def picture_frame(content: bytes) -> Frame | None:
    """The pixels of a PNG, JPEG or WebP file; None where it is none of them, or damaged."""
    try:
        container = read(content)
    except Damaged:
        return None
    return None if container is None else _frame(container.width_px, container.height_px)


def _frame(width_px: int, height_px: int) -> Frame | None:
    within = all(0 < edge <= _LARGEST_EDGE_PX for edge in (width_px, height_px))
    return Frame(width_px, height_px) if within else None


def decoded(text: str) -> bytes:
    """Decode base64; empty where it is none."""
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _split(url: str) -> tuple[str, str]:
    try:
        return url, urlsplit(url).path
    except ValueError:
        return "", ""


def _body(content: Any, encoding: str) -> bytes:
    text = text_member(content, "text")
    return decoded(text) if encoding == "base64" else text.encode("utf-8", "replace")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _form_texts(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    """The parts of a multipart body that are no files: name, text."""
    header = Message()
    header["Content-Type"] = content_type.encode("ascii", "replace").decode()
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        return
    marker = b"\r\n--" + boundary.encode("utf-8", "replace")
    for part in (b"\r\n" + body).split(marker)[1:]:
        head, separator, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        described = head.decode("utf-8", "replace")
        name = described.partition('name="')[2].partition('"')[0]
        if separator and name and "filename" not in described:
            yield name, content.decode("utf-8", "replace")
