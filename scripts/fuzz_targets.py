"""What ``scripts.fuzz`` fuzzes: one small function for each parser that meets strangers' bytes.

A target takes any bytes. It may raise what its parser promises to raise, and nothing else.
"""

import asyncio
import json
import struct
import zlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from emulator.adapters.picture.inspect import ImageRejected, inspect
from emulator.api.form_summary import form_summary
from emulator.api.json_body import check_characters, parse_json_object
from emulator.api.schemas import parse_creation
from emulator.api.snapshot_file import FORMAT, VERSION, parse_snapshot
from emulator.calibration.har import TraceError, parse_har
from emulator.core.address import allowed_addresses, literal_address, split_http_url
from emulator.core.clock import LATEST_INSTANT, parse_duration, parse_instant, rfc3339
from emulator.core.errors import Refusal
from emulator.core.fault import parse_directives, parse_fault
from emulator.core.frame import is_drawable, resolve_frame
from emulator.core.profile import MODEL_PAGE, REFERENCE
from emulator.settings import Settings

_MOST_BYTES, _MOST_PIXELS = 1_000_000, 1_000_000
_BOUNDARY = "x"


@dataclass(frozen=True, slots=True)
class Target:
    """A parser under fuzzing.

    Attributes:
        run: feeds it bytes.
        allowed: the exceptions that it promises.
        seeds: inputs to begin with.
    """

    run: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]


def check(target: Target, content: bytes) -> None:
    """Feed a target; whatever it does not promise to raise comes out."""
    try:
        target.run(content)
    except target.allowed:
        pass


def _text(content: bytes) -> str:
    """Any text: with surrogates, where the bytes are no UTF-8."""
    return content.decode("utf-8", "surrogatepass" if b"\xed" in content else "replace")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _image(content: bytes) -> None:
    facts = inspect(_with_right_sums(content), _MOST_BYTES, _MOST_PIXELS)
    assert 0 < facts.width_px * facts.height_px <= _MOST_PIXELS


def _with_right_sums(content: bytes) -> bytes:
    """A PNG with the checksum of each chunk put right, so that a changed one gets further."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    mended, place = bytearray(content), 8
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        end = place + 8 + length
        if end + 4 <= len(content):
            struct.pack_into(">I", mended, end, zlib.crc32(content[place + 4 : end]))
        place = end + 4
    return bytes(mended)


def _size(content: bytes) -> None:
    size, _, tier = content.decode("utf-8", "replace").partition("@")
    for profile in (MODEL_PAGE, REFERENCE):
        assert is_drawable(resolve_frame(size, tier, profile))


def _duration(content: bytes) -> None:
    assert parse_duration(_json(content)) >= 0


def _instant(content: bytes) -> None:
    moment = parse_instant(content.decode("utf-8", "replace"))
    if 0 <= moment <= LATEST_INSTANT:
        assert parse_instant(rfc3339(moment)) == moment


def _directives(content: bytes) -> None:
    for _, fault in parse_directives(content.decode("utf-8", "replace")):
        assert parse_fault(fault.as_json()) == fault


def _fault(content: bytes) -> None:
    body = _json(content)
    if isinstance(body, dict):
        fault = parse_fault(body)
        assert parse_fault(fault.as_json()) == fault


def _json_object(content: bytes) -> None:
    body = parse_json_object(content)
    check_characters(content, body)
    json.dumps(body, ensure_ascii=False).encode()


def _creation(content: bytes) -> None:
    parse_creation(parse_json_object(content), Settings())


def _har(content: bytes) -> None:
    for entry in parse_har(_json(content), "trace.har").entries:
        _ = (entry.fields, entry.form, entry.answer, entry.frame, entry.succeeded)
        entry.absolute(entry.url)


def _snapshot(content: bytes) -> None:
    body = _json(content)
    if isinstance(body, dict):
        parse_snapshot({"format": FORMAT, "version": VERSION, **body})


def _address(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    parts = split_http_url(text)
    if parts is not None and literal_address(parts.hostname or ""):
        allowed_addresses([parts.hostname or ""], "upstream")


def _multipart(content: bytes) -> None:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield content

    async def parse() -> None:
        headers = Headers({"content-type": f"multipart/form-data; boundary={_BOUNDARY}"})
        form = await MultiPartParser(headers, stream(), max_files=40, max_fields=100).parse()
        form_summary(form, 100)
        await form.close()

    asyncio.run(parse())


def _pictures() -> tuple[bytes, ...]:
    files = []
    options: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("PNG", "RGB", {}), ("PNG", "P", {"transparency": 0}), ("PNG", "I;16", {}),
        ("JPEG", "RGB", {}), ("JPEG", "CMYK", {"progressive": True}),
        ("WEBP", "RGB", {}), ("WEBP", "RGBA", {"lossless": True}),
        ("WEBP", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (9, 7), "red")]}),
    )  # fmt: skip
    for form, mode, more in options:
        file = BytesIO()
        Image.linear_gradient("L").resize((9, 7)).convert(mode).save(file, form, **more)
        files.append(file.getvalue())
    return tuple(files)


def _part(name: str, content: bytes, more: str = "") -> bytes:
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


_CREATION = b'{"model": "gpt-image-2", "prompt": "x", "size": "16:9", "n": 2, "imageSize": "2K"}'
_ENTRY = {
    "startedDateTime": "2026-11-22T20:44:29.413Z", "time": 12.5,
    "request": {"method": "POST", "url": "http://a/v1/images/generations", "postData": {
        "mimeType": "multipart/form-data; boundary=x", "text": "--x\r\n\r\n--x--"}},
    "response": {"status": 202, "content": {"text": "{}", "encoding": "base64"}},
}  # fmt: skip
_ROWS = {
    "account": {"id_seed": 1, "clock": {"now": 1, "frozen": True}}, "tasks": [{}],
    "ledger": [], "uploads": [{"content": "AA=="}], "deliveries": [{}], "inboxes": [{}],
    "faults": [],
}  # fmt: skip

TARGETS: dict[str, Target] = {
    "images": Target(_image, (ImageRejected,), _pictures()),
    "sizes": Target(_size, (Refusal,), (b"auto", b"16:9@2K", b"1280x720@1K", b"99999999x1")),
    "durations": Target(_duration, (Refusal,), (b'"25h"', b"90.5", b'"P1DT1H"', b'"500 ms"')),
    "instants": Target(_instant, (Refusal,), (b"2027-01-01T00:00:00Z", b"9999-12-31T23:59:59+23:59",
                                              b"2027-W01-1T00:00:00,5-01:00")),
    "directives": Target(_directives, (Refusal,), (
        b"A fox [[fault: task_fails code=image_safety]]",
        b"[[fault: http_error status=503 times=2 probability=0.5]] [[Fault : x]]")),
    "faults": Target(_fault, (Refusal,), (
        b'{"fault": "http_error", "status": 429, "times": 1, "operation": "getTask"}',
        b'{"fault": "task_fails", "code": "image_safety", "prompt_regex": "a+", "every": 2}')),
    "json": Target(_json_object, (Refusal,), (
        _CREATION, b'{"a": [NaN, 1e999, "\\ud800"], "a": 1}', b"\xef\xbb\xbf{}")),
    "creations": Target(_creation, (Refusal,), (
        _CREATION, b'{"model": "gpt-image-2", "prompt": "x", "callback_url": "http://[::1]:1/"}')),
    "har": Target(_har, (TraceError,), (json.dumps({"log": {"entries": [_ENTRY]}}).encode(),)),
    "snapshots": Target(_snapshot, (Refusal,), (json.dumps(_ROWS).encode(),)),
    "addresses": Target(_address, (), (
        b"http://127.0.0.1:80/x", b"https://[::ffff:10.0.0.1%25eth0]/", b"http://0x7f.1/")),
    "multipart": Target(_multipart, (MultiPartException, KeyError, LookupError, ValueError), (
        _part("prompt", b"x") + _part("image", b"y", '; filename="../a"') + b"--x--\r\n",)),
}  # fmt: skip
