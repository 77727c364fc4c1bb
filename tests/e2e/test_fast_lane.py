"""However a request comes, whole, in pieces or with others behind it, it is answered the same."""

import json
import socket
import struct

import httpx2

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
            more = connection.recv(65536)
            assert more, f"closed after {received!r}"
            received += more
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def test_whole_in_pieces_and_one_behind_the_other(serve: Serve) -> None:
    port = int(serve("--log", "none").url.rpartition(":")[2])
    assert statuses(port, CREATION, answers=1) == [202]
    assert statuses(port, CREATION[:-20], CREATION[-20:], answers=1) == [202]
    assert statuses(port, CREATION[:40], CREATION[40:], answers=1) == [202]
    assert statuses(port, CREATION + POLL + CREATION, answers=3) == [202, 404, 202]
    assert statuses(port, POLL, CREATION, POLL, answers=3) == [404, 202, 404]


def test_what_came_before_is_answered_like_the_first_time(serve: Serve) -> None:
    port = int(serve("--log", "none").url.rpartition(":")[2])
    other = CREATION.replace(b"lighthouse", b"light-hus.")
    longer = CREATION.replace(b"Length: %d" % len(BODY), b"Length: %d" % (len(BODY) + 1)) + b" "
    broken = CREATION.replace(b'{"model"', b'["model"')
    assert statuses(port, *[CREATION] * 3, other, longer, answers=5) == [202] * 5
    assert statuses(port, CREATION, broken, CREATION, answers=3) == [202, 400, 202]
    assert statuses(port, CREATION, CREATION[:60], CREATION[60:], answers=2) == [202] * 2
    assert statuses(port, CREATION, CREATION[:-9], CREATION[-9:], answers=2) == [202] * 2
    assert statuses(port, CREATION, CREATION * 4, POLL * 3, CREATION, answers=9) == (
        [202] * 5 + [404] * 3 + [202]
    )
    upload = b"POST /v1/images/upload HTTP/1.1\r\n" + HEAD + b"Content-Length: 400\r\n\r\n"
    pieces = CREATION, upload + CREATION.ljust(400), CREATION
    assert statuses(port, *pieces, answers=3) == [202, 400, 202]


def test_who_goes_away_before_the_answer_has_a_task_all_the_same(serve: Serve) -> None:
    server = serve("--log", "none")
    port = int(server.url.rpartition(":")[2])
    assert statuses(port, CREATION, answers=1) == [202]
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(CREATION)
    assert statuses(port, CREATION, answers=1) == [202]
    key = {"Authorization": "Bearer sk-lane"}
    tasks = httpx2.get(f"{server.url}/_emulator/tasks?limit=100", headers=key).json()["data"]
    assert 2 <= len(tasks) <= 22
    sums = httpx2.get(f"{server.url}/_emulator/account", headers=key).json()["credits"]
    assert sums["granted"] - sums["available"] == 30 * len(tasks)


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
