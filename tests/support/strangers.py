"""Requests that no honest client sends, straight into the application: any path, header, body."""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Scope

# The normal run tries a few; a torture run says how many.
EXAMPLES = int(os.environ.get("TORTURE_EXAMPLES", "150"))
LONGEST_SECONDS = 20
GOOD_HOST = (b"host", b"127.0.0.1:8080")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as an HTTP server hands it over.

    ``path`` is already percent-decoded; ``chunks`` are the body as it arrives.
    """

    method: str
    path: str
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = (GOOD_HOST,)
    chunks: tuple[bytes, ...] = (b"",)


@dataclass(slots=True)
class Answered:
    """What came back; ``status`` is 0 where nothing did."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""

    @property
    def error(self) -> dict[str, Any]:
        """The body as an error of ours; fails where it is none."""
        error: dict[str, Any] = json.loads(self.body)["error"]
        assert error.keys() == {"message", "type", "code", "param"}, self
        assert isinstance(error["message"], str), self
        assert "\n" not in error["message"], self
        assert len(error["message"]) < 2_000, self
        return error


async def answer(app: ASGIApp, sent: Sent) -> Answered:
    """Send a request; the client is gone once its body is sent, so that no stream is endless.

    Raises:
        TimeoutError: the application hangs.
    """
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
        "method": sent.method, "path": sent.path, "raw_path": sent.path.encode("utf-8", "replace"),
        "query_string": sent.query, "headers": list(sent.headers), "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080),
    }  # fmt: skip
    messages: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": position < len(sent.chunks)}
        for position, chunk in enumerate(sent.chunks, 1)
    ]
    answered = Answered()

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert not answered.status, "two answers to one request"
            answered.status, answered.headers = message["status"], dict(message["headers"])
        else:
            answered.body += message.get("body", b"")

    async with asyncio.timeout(LONGEST_SECONDS):
        await app(scope, receive, send)
    return answered


ODD_TEXTS = (
    "", ".", "..", "../../etc/passwd", "..\\..\\x", "%2e%2e", "%00", "\0", "\r\nX-Injected: 1",
    "task_000000000000000000000000", "TASK_0", "-1", "0", "1", "1e9", "9" * 400, "١", "²", "½",
    "ﬀ", "İ", "\u202e", "\ufeff", "😀" * 40, "x" * 5_000, "' OR 1=1 --", '"', "${7*7}", "{{7*7}}",
    "[[fault: nonsense]]", "<script>", "sk-", "null", "true", "NaN", "file:///etc/passwd",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1,
    10**400, float("nan"), float("inf"), "\ud800", "a\udfffb", [], {}, [[]], {"": {}}, [None] * 20,
    {"a": [{"b": [1, "x", None]}]},
)  # fmt: skip
odd_texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=12)
odd_values = (
    st.sampled_from(ODD_VALUES) | odd_texts | st.integers() | st.floats() | st.lists(odd_texts)
)


@st.composite
def mutated(draw: st.DrawFn, value: Any, steps: int = 2) -> Any:
    """A JSON value with a few of its places dropped, renamed or replaced."""
    for _ in range(draw(st.integers(0, steps))):
        value = _mutate(draw, value)
    return value


def _mutate(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        name = draw(st.sampled_from(sorted(value)))
        change = draw(st.sampled_from(["inside", "inside", "inside", "drop", "rename", "add"]))
        if change == "drop":
            return {key: held for key, held in value.items() if key != name}
        if change == "rename":
            return {draw(odd_texts) if key == name else key: held for key, held in value.items()}
        if change == "add":
            return {**value, draw(odd_texts): draw(odd_values)}
        return {**value, name: _mutate(draw, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], _mutate(draw, value[place]), *value[place + 1 :]]
    return draw(odd_values)


@st.composite
def json_bodies(draw: st.DrawFn, valid: Sequence[Any]) -> bytes:
    """A JSON body near a valid one, or one that JSON does not have, or hardly."""
    text = json.dumps(draw(mutated(draw(st.sampled_from(list(valid))))))
    kind = draw(st.sampled_from(["as it is"] * 6 + ["twice", "deep", "cut", "bytes", "padded"]))
    if kind == "twice" and text.startswith("{") and len(text) > 2:
        text = f"{text[:-1]}, {text[1:]}"
    if kind == "deep":
        text = '{"a":' * 3_000 + text + "}" * 3_000
    if kind == "padded":
        text = " " * 70_000 + text
    body = text.encode("utf-8", "surrogatepass")
    if kind == "cut":
        body = body[: draw(st.integers(0, len(body)))]
    return draw(st.binary(max_size=60)) if kind == "bytes" else body


@st.composite
def form_bodies(
    draw: st.DrawFn, texts: dict[str, str], files: dict[str, bytes]
) -> tuple[str, bytes]:
    """A multipart body near a valid one; returns its Content-Type too."""
    boundary = draw(
        st.sampled_from(["x", "x" * 70, "-", "--", "a b", "'", "\xe9", "x" * 5_000, ""])
    )
    edge = b"--" + boundary.encode("latin-1", "replace")
    parts: list[bytes] = []
    for name, text in texts.items():
        if draw(st.integers(0, 9)):
            parts.append(_part(draw, name, text.encode(), None))
    for name, content in files.items():
        if draw(st.integers(0, 9)):
            name_of_file = draw(odd_texts)
            cut = content[: draw(st.sampled_from([len(content)] * 4 + [0, 1, 30]))]
            parts.append(_part(draw, name, cut, name_of_file))
    parts *= draw(st.sampled_from([1] * 8 + [20, 200]))
    body = b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts)
    body += draw(st.sampled_from([edge + b"--\r\n"] * 6 + [b"", edge, edge + b"--", b"\r\n"]))
    quoted = draw(
        st.sampled_from(["boundary={}"] * 4 + ['boundary="{}"', "boundary", "", "charset=utf-16"])
    )
    return f"multipart/form-data; {quoted.format(boundary)}", body


def _part(draw: st.DrawFn, name: str, content: bytes, filename: str | None) -> bytes:
    shown = name if draw(st.integers(0, 5)) else draw(odd_texts)
    head = f'Content-Disposition: form-data; name="{shown}"'
    if filename is not None:
        head += f'; filename="{filename}"'
    head = draw(st.sampled_from([head] * 8 + ["", "Content-Disposition", head * 2, "X: y", "\0"]))
    more = draw(
        st.sampled_from([""] * 4 + ['\r\nContent-Type: image/png; x="', "\r\nA: " + "b" * 9_000])
    )
    return (head + more).encode("utf-8", "replace") + b"\r\n\r\n" + content


ODD_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"authorization", b""), (b"authorization", b"Bearer"), (b"authorization", b"Bearer "),
    (b"authorization", b"Basic c2s6eA=="), (b"authorization", b"sk-x"), (b"authorization", b"\xff"),
    (b"authorization", b"bearer\tsk-x"), (b"authorization", b"Bearer sk-" + b"x" * 9_000),
    (b"authorization", b"Bearer sk-\xe9\x00"), (b"x-api-key", b""), (b"x-api-key", b"sk-\xff"),
    (b"host", b""), (b"host", b"evil.example"), (b"host", b"[::1"), (b"host", b"a:99999999"),
    (b"host", b"\xff\xfe"), (b"host", b"127.0.0.1@evil.example"), (b"host", b"a/../b"),
    (b"content-type", b""), (b"content-type", b"application/json; charset=utf-16"),
    (b"content-type", b"application/json;charset=\"" ), (b"content-type", b"\xff/\xff"),
    (b"content-type", b"text/plain"), (b"content-length", b"-1"), (b"content-length", b"\xb2"),
    (b"content-length", b"9" * 40), (b"content-length", b"99999999999"), (b"content-length", b"+5"),
    (b"expect", b"100-continue"), (b"expect", b"nonsense"), (b"transfer-encoding", b"chunked"),
    (b"transfer-encoding", b"gzip, chunked"), (b"content-encoding", b"gzip"),
    (b"range", b"bytes=9-1"), (b"if-none-match", b"*"), (b"if-none-match", b"\"\xff"),
    (b"origin", b"null"), (b"origin", b"\xff"),
    (b"sec-fetch-site", b"cross-site"), (b"x-emulator-token", b"\xff"), (b"last-event-id", b"x"),
    (b"x-forwarded-for", b"169.254.169.254"), (b"x-http-method-override", b"DELETE"),
    (b"cookie", b"a=" + b"x" * 9_000), (b"accept", b"\xff"), (b"x" * 300, b"y"),
    (b"user-agent", b"\xff\x00"),
)  # fmt: skip
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "get",
    "X",
)


@st.composite
def odd_headers(draw: st.DrawFn, *usual: tuple[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
    """Some usual headers, and some odd ones in their place or beside them."""
    odd = draw(st.lists(st.sampled_from(ODD_HEADERS), max_size=2))
    if draw(st.booleans()):
        replaced = {name for name, _ in odd}
        usual = tuple(header for header in usual if header[0] not in replaced)
    return (*usual, *odd)


@st.composite
def queries(draw: st.DrawFn, names: Sequence[str]) -> bytes:
    """A query string of known and unknown names."""
    pairs = draw(st.lists(st.tuples(st.sampled_from(list(names)), odd_texts), max_size=3))
    text = "&".join(f"{name}={value}" for name, value in pairs)
    return text.encode("latin-1", "replace") + draw(
        st.sampled_from([b""] * 6 + [b"&&=", b"%", b"\xff", b"%ff%0"])
    )
