"""Headers that are too large, clients that are too slow, connections that are too many."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from tests.e2e.conftest import Serve
from tests.support.process import KEY, Process

TIMEOUT_SECONDS = 0.5
LATEST_SECONDS = 5  # by then a client that was too slow is cut off, on a busy machine too
HEALTH = b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n"
POLL = b"GET /v1/tasks/task_0 HTTP/1.1\r\nHost: localhost\r\nx-api-key: " + KEY.encode() + b"\r\n"
CREATION = POLL.replace(b"GET /v1/tasks/task_0", b"POST /v1/images/generations")
JSON = b"Content-Type: application/json\r\n"
KIB = 1024


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    flags = ("--max-header-kib", "8", "--receive-timeout-seconds", str(TIMEOUT_SECONDS))
    with Process("--database", ":memory:", "--log", "none", *flags) as process:
        yield process


def connect(process: Process) -> socket.socket:
    port = int(process.url.rpartition(":")[2])
    connection = socket.create_connection(("127.0.0.1", port), timeout=LATEST_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def rest(connection: socket.socket) -> bytes:
    """What the server sends until it closes."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def next_status(connection: socket.socket) -> int:
    """Read one whole answer, in however many pieces; return its status, 0 where there is none."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return 0
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return int(head[9:12])


def assert_refused(received: bytes, status: int, code: str) -> None:
    """See that it is one answer of the API's shape, and the connection's last."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert statuses(head) == [status]
    assert b"\r\nconnection: close" in head
    assert f"content-length: {len(body)}".encode() in head
    error = json.loads(body)["error"]
    assert (error["code"], error["param"]) == (code, None)


def head_of(size: int, start: bytes = HEALTH) -> bytes:
    """A request whose line and headers have so many bytes in all."""
    return start + b"X: " + b"x" * (size - len(start) - 7) + b"\r\n\r\n"


@pytest.mark.parametrize("start", [HEALTH, POLL], ids=["health", "a poll"])
def test_headers_may_be_as_large_as_the_limit(process: Process, start: bytes) -> None:
    with connect(process) as connection:
        connection.sendall(head_of(8 * KIB, start))
        assert next_status(connection) == (200 if start == HEALTH else 404)


@pytest.mark.parametrize(
    "sent",
    {
        "a whole head": head_of(8 * KIB + 1),
        "of a request on the fast lane": head_of(8 * KIB + 1, POLL),
        "a line": b"GET /" + b"a" * 8 * KIB + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        "many headers": HEALTH + b"".join(b"X-%d: x\r\n" % n for n in range(1000)) + b"\r\n",
        "a head without an end": head_of(9 * KIB)[:-4],
        "much more than anyone reads at once": head_of(4 * KIB * KIB),
    }.items(),
    ids=lambda item: item[0],
)
def test_larger_headers_are_refused(process: Process, sent: tuple[str, bytes]) -> None:
    with connect(process) as connection:
        connection.sendall(sent[1])
        assert_refused(rest(connection), 431, "headers_too_large")


def test_headers_that_come_in_pieces_are_refused_too(process: Process) -> None:
    with connect(process) as connection:
        connection.sendall(HEALTH)
        for _ in range(10):
            connection.sendall(b"X-More: " + b"x" * KIB + b"\r\n")
        assert_refused(rest(connection), 431, "headers_too_large")


def test_headers_of_a_later_request_are_refused_too(process: Process) -> None:
    with connect(process) as connection:
        connection.sendall(HEALTH + b"\r\n")
        assert next_status(connection) == 200
        connection.sendall(head_of(9 * KIB))
        assert_refused(rest(connection), 431, "headers_too_large")


def test_a_body_is_no_header(process: Process) -> None:
    body = json.dumps({"model": "gpt-image-2", "prompt": "x" * 20_000}).encode()
    request = CREATION + JSON + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with connect(process) as connection:
        connection.sendall(request * 2 + request[:40])
        connection.settimeout(LATEST_SECONDS)
        received = b""
        while received.count(b"}}") < 2:  # both answers, whole
            part = connection.recv(65536)
            assert part, received
            received += part
        connection.sendall(request[40:])
        assert next_status(connection) == 202


# What a client sends and then leaves at that -> the statuses of what it is answered.
UNFINISHED = {
    "nothing": (b"", []),
    "an empty line": (b"\r\n", []),
    "half a line": (HEALTH[:10], [408]),
    "half a head": (HEALTH, [408]),
    "half a body": (CREATION + JSON + b"Content-Length: 9\r\n\r\n{", []),
    "half a chunk": (CREATION + JSON + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{", []),
}


def give_up(process: Process, sent: bytes, answered: list[int]) -> None:
    with connect(process) as connection:
        connection.sendall(sent)
        received = rest(connection)
    assert statuses(received) == answered
    if answered:
        assert_refused(received, 408, "request_timeout")


def give_up_a_later_one(process: Process) -> None:
    with connect(process) as connection:
        connection.sendall(HEALTH + b"\r\n")
        assert next_status(connection) == 200
        connection.sendall(HEALTH)
        assert_refused(rest(connection), 408, "request_timeout")


# What a client sends before it sends a byte now and then.
TRICKLED = {
    "a head": HEALTH + b"X: ",
    "a body": CREATION + JSON + b"Content-Length: 1000000\r\n\r\n{",
    # The early answer must not start the time again.
    "a body that was refused at once": (
        b"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{"
    ),
}


def trickle(process: Process, start: bytes) -> None:
    with connect(process) as connection:
        connection.sendall(start)
        send_until_cut_off(connection)


def send_until_cut_off(connection: socket.socket) -> None:
    began = time.monotonic()
    try:
        while time.monotonic() - began < LATEST_SECONDS:
            time.sleep(0.1)
            connection.sendall(b"x")
    except (BrokenPipeError, ConnectionResetError):
        return
    pytest.fail("it was not cut off")


def ask_and_not_read(process: Process) -> None:
    answer_bytes = len(process.client.get("/openapi.yaml").content)
    times = 40_000_000 // answer_bytes  # more than the kernel takes
    received = 0
    with connect(process) as connection:
        connection.sendall(b"GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n" * times)
        time.sleep(TIMEOUT_SECONDS + 2)
        try:
            while part := connection.recv(1_000_000):
                received += len(part)
        except ConnectionResetError:
            pass
    assert 0 < received < times * answer_bytes


def listen_for_long(process: Process) -> None:
    """Be in no hurry, and not too slow either: hear events, and ask in pieces."""
    began = time.monotonic()
    events = b"GET /_emulator/events HTTP/1.1\r\nHost: localhost\r\nx-api-key: sk-slow\r\n\r\n"
    with connect(process) as listening, connect(process) as asking:
        listening.sendall(events)
        assert next_status(listening) == 200
        while time.monotonic() - began < TIMEOUT_SECONDS + 2.5:
            asking.sendall(HEALTH)
            time.sleep(0.1)
            asking.sendall(b"\r\n" + HEALTH[:5])
            assert next_status(asking) == 200
            asking.sendall(HEALTH[5:] + b"\r\n")
            assert next_status(asking) == 200
        listening.setblocking(False)
        try:
            assert listening.recv(65536)
        except BlockingIOError:
            pass  # nothing happened


Scenario = Callable[[Process], None]
SLOW: dict[str, Scenario] = {
    "a later request": give_up_a_later_one,
    "an answer that nobody reads": ask_and_not_read,
    "events, and requests in pieces": listen_for_long,
}
SLOW |= {name: partial(give_up, sent=s, answered=a) for name, (s, a) in UNFINISHED.items()}
SLOW |= {f"{name}, bit by bit": partial(trickle, start=start) for name, start in TRICKLED.items()}


@pytest.fixture(scope="module")
def outcomes(process: Process) -> Iterator[dict[str, Future[None]]]:
    """All slow clients at the same time."""
    with ThreadPoolExecutor(len(SLOW)) as pool:
        yield {name: pool.submit(scenario, process) for name, scenario in SLOW.items()}


@pytest.mark.parametrize("name", SLOW)
def test_slow_clients(outcomes: dict[str, Future[None]], name: str) -> None:
    outcomes[name].result()


def test_connections_beyond_the_limit_are_refused(serve: Serve) -> None:
    process = serve("--log", "none", "--max-connections", "3")
    idle = [connect(process) for _ in range(3)]
    for connection in idle:
        connection.sendall(HEALTH + b"\r\n")
        assert next_status(connection) == 200
        connection.sendall(HEALTH)  # so that it is not idle
    with connect(process) as beyond:
        beyond.sendall(HEALTH + b"\r\n")
        received = rest(beyond)
    assert_refused(received, 503, "service_unavailable")
    assert b"\r\nretry-after: 1\r\n" in received
    idle[0].sendall(b"\r\n")
    assert next_status(idle[0]) == 200
    for connection in idle:
        connection.close()
    for _ in range(50):
        with connect(process) as connection:
            connection.sendall(HEALTH + b"\r\n")
            if next_status(connection) == 200:
                return
        time.sleep(0.05)
    pytest.fail("no place became free")


def test_refused_connections_that_stay_are_cut_off(serve: Serve) -> None:
    process = serve("--log", "none", "--max-connections", "1")
    with connect(process) as first, connect(process) as second:
        first.sendall(HEALTH)
        assert_refused(rest(second), 503, "service_unavailable")
        send_until_cut_off(second)
