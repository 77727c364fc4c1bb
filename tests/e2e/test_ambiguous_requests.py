"""Requests whose end two servers could see in two places: never two answers for one's bytes."""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.support.process import KEY, Process

HEALTH = b"GET /_emulator/health HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"  # there is no such route: 404
HEAD = (
    b"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"x-api-key: " + KEY.encode() + b"\r\n"
)
BODY = b'{"model": "gpt-image-2", "prompt": "x"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SIZE = b"%x" % len(BODY)
END = b"0\r\n\r\n"
IN_CHUNKS = HEAD + CHUNKED + b"\r\n"
BODY_END = BODY + b"\r\n" + END
CHUNKS = SIZE + b"\r\n" + BODY_END

# What a request's framing is -> its bytes; refused with one 400, and the connection is closed.
REFUSED = {
    "length and chunked": HEAD + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n" + CHUNKS,
    "chunked and length": HEAD + CHUNKED + b"Content-Length: 4\r\n\r\n" + CHUNKS,
    "length hides a request": HEAD + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n" + END + HEALTH,
    "two lengths": HEAD + LENGTH + b"Content-Length: 5\r\n\r\n" + BODY,
    "the same length twice": HEAD + LENGTH + LENGTH + b"\r\n" + BODY,
    "a list of lengths": HEAD + b"Content-Length: 39, 39\r\n\r\n" + BODY,
    "length with a plus": HEAD + b"Content-Length: +39\r\n\r\n" + BODY,
    "length with a minus": HEAD + b"Content-Length: -1\r\n\r\n" + BODY,
    "length in hex": HEAD + b"Content-Length: 0x27\r\n\r\n" + BODY,
    "length with an underscore": HEAD + b"Content-Length: 3_9\r\n\r\n" + BODY,
    "an empty length": HEAD + b"Content-Length: \r\n\r\n" + BODY,
    "a length over 64 bits": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n" + BODY,
    "length after a vertical tab": HEAD + b"Content-Length: \x0b39\r\n\r\n" + BODY,
    "length with a space before its colon": HEAD + b"Content-Length : 39\r\n\r\n" + BODY,
    "chunked with a space before its colon": HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKS,
    "chunked after a vertical tab": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNKS,
    "chunked in quotes": HEAD + b'Transfer-Encoding: "chunked"\r\n\r\n' + CHUNKS,
    "chunked, but not last": HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNKS,
    "chunked twice": HEAD + CHUNKED + CHUNKED + b"\r\n" + CHUNKS,
    "chunked and identity": HEAD + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + CHUNKS,
    "another coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "another coding and a length": HEAD + b"Transfer-Encoding: x\r\n" + LENGTH + b"\r\n" + BODY,
    "a folded header": HEAD + b"X: a\r\n b\r\n" + LENGTH + b"\r\n" + BODY,
    "a folded chunked": HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS,
    "a fold before all headers": b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "bare line feeds": HEALTH.replace(b"\r\n", b"\n"),
    "one bare line feed": HEAD + b"X: a\nTransfer-Encoding: chunked\r\n" + LENGTH + b"\r\n" + BODY,
    "a bare carriage return": HEAD + b"X: a\rX: b\r\n" + LENGTH + b"\r\n" + BODY,
    "a NUL": HEAD + b"X: a\0b\r\n" + LENGTH + b"\r\n" + BODY,
    "a header's name with a space": HEAD + b"X Y: a\r\n" + LENGTH + b"\r\n" + BODY,
    "a header without a name": HEAD + b": a\r\n" + LENGTH + b"\r\n" + BODY,
    "a header without a colon": HEAD + b"Host\r\n" + LENGTH + b"\r\n" + BODY,
    "a header's name beyond ASCII": HEAD + b"X\xff: a\r\n" + LENGTH + b"\r\n" + BODY,
    "a chunk's extension with a line feed": IN_CHUNKS + b"27;a\nb\r\n" + BODY_END,
    "chunks between line feeds": IN_CHUNKS + b"27\n" + BODY + b"\n0\n\n",
    "a chunk that is longer": IN_CHUNKS + b"20\r\n" + BODY_END,
    "a chunk that is shorter": IN_CHUNKS + b"2a\r\n" + BODY_END,
    "a chunk's size with a minus": IN_CHUNKS + b"-1\r\n" + BODY_END,
    "a chunk's size with a plus": IN_CHUNKS + b"+27\r\n" + BODY_END,
    "a chunk's size with 0x": IN_CHUNKS + b"0x27\r\n" + BODY_END,
    "a chunk's size with a space": IN_CHUNKS + b"27 \r\n" + BODY_END,
    "a chunk's size over 64 bits": IN_CHUNKS + b"f" * 17 + b"\r\n" + BODY_END,
    "a chunk without a size": IN_CHUNKS + b"\r\n" + BODY_END,
    "a length among the trailers": (
        IN_CHUNKS + SIZE + b"\r\n" + BODY + b"\r\n0\r\nContent-Length: 4\r\n\r\n"
    ),
    "a method in lower case": HEALTH.replace(b"GET", b"get"),
    "an unknown method": HEALTH.replace(b"GET", b"FROB"),
    "a tab after the method": HEALTH.replace(b"GET ", b"GET\t"),
    "a target with a space": HEALTH.replace(b"health", b"hea lth"),
    "a target without a slash": HEALTH.replace(b"/_emulator/", b""),
    "a target that is no URL": b"GET :// HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path beyond ASCII": b"GET /v1/tasks/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "a query beyond ASCII": b"GET /v1/tasks?\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/0.9": b"GET /_emulator/health\r\n",
    "HTTP/1.2": HEALTH.replace(b"1.1", b"1.2"),
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40,
}  # fmt: skip

# Well framed, if odd: the statuses of its answers, before that of the last request (404).
ANSWERED: dict[str, tuple[bytes, list[int]]] = {
    "a length": (HEAD + LENGTH + b"\r\n" + BODY, [202, 404]),
    "chunks": (IN_CHUNKS + CHUNKS, [202, 404]),
    "chunks with extensions": (
        IN_CHUNKS + b"27;a=b\r\n" + BODY + b"\r\n0;c\r\n\r\n", [202, 404],
    ),
    "length after a tab": (HEAD + b"Content-Length:\t39\r\n\r\n" + BODY, [202, 404]),
    "Expect: 100-continue": (
        HEAD + b"Expect: 100-continue\r\n" + LENGTH + b"\r\n" + BODY, [100, 202, 404],
    ),
    "an unknown Expect": (HEAD + b"Expect: x\r\n" + LENGTH + b"\r\n" + BODY, [202, 404]),
    "requests one after the other": (HEALTH * 3, [200, 200, 200, 404]),
    "creations one after the other": ((HEAD + LENGTH + b"\r\n" + BODY) * 2, [202, 202, 404]),
    "a request inside the body of a GET": (
        HEALTH[:-2] + b"Content-Length: %d\r\n\r\n" % len(HEALTH) + HEALTH, [200, 404],
    ),
    "empty lines before it": (b"\r\n\r\n" + HEALTH, [200, 404]),
    "an absolute target": (HEALTH.replace(b"/_emu", b"http://x/_emu"), [200, 404]),
    "a target with two slashes": (b"GET //x.example/ HTTP/1.1\r\nHost: x\r\n\r\n", [404, 404]),
    "a target that is a star": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", [404, 404]),
    "percents that mean nothing": (
        b"GET /v1/%zz%ff%00%2F..%2F HTTP/1.1\r\nHost: x\r\n\r\n", [404, 404],
    ),
    "two Hosts": (
        b"GET /_emulator/clock HTTP/1.1\r\nHost: localhost\r\nHost: x.example\r\n\r\n", [403, 404],
    ),
    # After these the connection is closed, so that what follows is nobody's.
    "HTTP/1.0": (HEALTH.replace(b"1.1", b"1.0"), [200]),
    "chunks in HTTP/1.0": (HEAD.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n" + CHUNKS, [202]),
    "Connection: close": (HEAD + b"Connection: close\r\n" + LENGTH + b"\r\n" + BODY, [202]),
}  # fmt: skip


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with Process("--database", ":memory:", "--log", "none") as process:
        yield process


def exchange(process: Process, sent: bytes) -> bytes:
    """Send bytes with one more request after them, the last, and read until the server closes."""
    host, port = process.url.removeprefix("http://").split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        try:
            connection.sendall(sent + LAST)
            while part := connection.recv(65536):
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            pass
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def tasks(process: Process) -> int:
    return len(process.client.get("/_emulator/tasks?limit=1000").json()["data"])


@pytest.mark.parametrize("framing", REFUSED)
def test_what_is_ambiguous_gets_one_400_and_the_connection_is_closed(
    process: Process, framing: str
) -> None:
    before = tasks(process)
    assert statuses(exchange(process, REFUSED[framing])) == [400]
    assert tasks(process) == before


@pytest.mark.parametrize("framing", ANSWERED)
def test_what_is_odd_but_clear_gets_one_answer_for_each_request(
    process: Process, framing: str
) -> None:
    sent, expected = ANSWERED[framing]
    before = tasks(process)
    assert statuses(exchange(process, sent)) == expected
    assert tasks(process) == before + expected.count(202)
