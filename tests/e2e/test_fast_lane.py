"""However a request comes, whole, in pieces or with others behind it, it is answered the same."""

import json
import socket

from tests.e2e.conftest import Serve

BODY = json.dumps({"model": "gpt-image-2", "prompt": "A lighthouse"}).encode()
HEAD = b"Host: localhost\r\nAuthorization: Bearer sk-lane\r\n"
CREATION = (
    b"POST /v1/images/generations HTTP/1.1\r\n"
    + HEAD
    + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    + BODY
)
POLL = b"GET /v1/tasks/task_0 HTTP/1.1\r\n" + HEAD + b"\r\n"


def statuses(port: int, *pieces: bytes, answers: int) -> list[int]:
    """Send pieces, the next one once something came or a moment passed; return the statuses."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        for piece in pieces:
            connection.sendall(piece)
            connection.settimeout(0.05)
            try:
                received += connection.recv(65536)
            except TimeoutError:
                pass
        connection.settimeout(10)
        while received.count(b"HTTP/1.1 ") < answers or not received.endswith(b"}"):
            received += connection.recv(65536)
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def test_whole_in_pieces_and_one_behind_the_other(serve: Serve) -> None:
    port = int(serve("--log", "none").url.rpartition(":")[2])
    assert statuses(port, CREATION, answers=1) == [202]
    assert statuses(port, CREATION[:-20], CREATION[-20:], answers=1) == [202]
    assert statuses(port, CREATION[:40], CREATION[40:], answers=1) == [202]
    assert statuses(port, CREATION + POLL + CREATION, answers=3) == [202, 404, 202]
    assert statuses(port, POLL, CREATION, POLL, answers=3) == [404, 202, 404]


def test_the_last_answer_of_a_connection_says_so_and_closes_it(serve: Serve) -> None:
    port = int(serve("--log", "none").url.rpartition(":")[2])
    asks_to_close = POLL.replace(b"Host:", b"Connection: close\r\nHost:")
    for request in (asks_to_close, POLL.replace(b"HTTP/1.1", b"HTTP/1.0")):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(request)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 404 ")
        assert b"connection: close" in head.split(b"\r\n")
        assert json.loads(body)["error"]["code"] == "task_not_found"
