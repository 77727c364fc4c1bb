"""Callbacks and fetched references over real sockets."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

from tests.e2e.conftest import Serve
from tests.support.serving import QuietHandler, serving


class Receiver(ThreadingHTTPServer):
    """An HTTP server that remembers what it got and answers as told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.body = b"ok"
        self.hold = threading.Event()
        self.hold.set()
        self.arrived = threading.Semaphore(0)
        self.url = f"http://localhost:{self.server_port}/hook?x=1"


class Handler(QuietHandler, BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.received.append(
            {"path": self.path, "host": self.headers["host"], "body": json.loads(self.body())}
        )
        self.server.arrived.release()
        self.do_GET()

    def do_GET(self) -> None:
        self.server.hold.wait(20)
        self.send_response(self.server.status)
        self.send_header("location", "http://127.0.0.1:1/")
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        try:
            self.wfile.write(self.server.body)
        except OSError:
            pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    with serving(receiver):
        yield receiver
        receiver.hold.set()


def attempts(server: Any) -> list[dict[str, Any]]:
    (delivery,) = server.client.get("/_emulator/deliveries").json()["data"]
    found: list[dict[str, Any]] = delivery["attempts"]
    return found


def test_a_callback_arrives_by_itself(serve: Serve, receiver: Receiver) -> None:
    server = serve("--latency", "instant")
    task_id = server.client.create(callback_url=receiver.url)["task_id"]
    assert receiver.arrived.acquire(timeout=10)
    (got,) = receiver.received
    assert got["path"] == "/hook?x=1"
    assert got["host"] == f"localhost:{receiver.server_port}"
    assert got["body"] == server.client.task(task_id)


def test_redirects_are_not_followed_and_answers_are_kept(serve: Serve, receiver: Receiver) -> None:
    server = serve("--latency", "instant")
    receiver.status, receiver.body = 302, b"x" * 5000
    server.client.post("/_emulator/clock", json={"freeze": True})
    server.client.create(callback_url=receiver.url)
    server.client.advance(0)
    (attempt,) = attempts(server)
    assert (attempt["status"], attempt["error"]) == (302, None)
    assert attempt["answer"] == "x" * 1024


def test_a_slow_receiver_is_given_up(serve: Serve, receiver: Receiver) -> None:
    server = serve("--latency", "instant", "--callback-timeout-seconds", "0.1")
    receiver.hold.clear()
    server.client.post("/_emulator/clock", json={"freeze": True})
    server.client.create(callback_url=receiver.url)
    server.client.advance(0)
    (attempt,) = attempts(server)
    assert attempt["status"] is None
    assert "0.1 s" in attempt["error"]


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://169.254.169.254/latest/meta-data", "never called"),
        ("http://[::ffff:169.254.169.254]/", "never called"),
        ("http://0.0.0.0:1/", "no host's address"),
        ("http://93.184.216.34/", "not a loopback or private address"),
        ("http://2130706433:1/", "no connection to 127.0.0.1:1"),
        ("http://localhost:1/", "Connection refused"),
        ("http://no-such-host.invalid/", "no-such-host.invalid has no address"),
    ],
)
def test_the_address_policy_is_on_the_resolved_address(serve: Serve, url: str, named: str) -> None:
    server = serve("--latency", "instant")
    server.client.post("/_emulator/clock", json={"freeze": True})
    server.client.create(callback_url=url)
    server.client.advance(0)
    (attempt,) = attempts(server)
    assert named in attempt["error"]


def test_undelivered_callbacks_go_out_after_kill_9(serve: Serve, receiver: Receiver) -> None:
    first = serve("--latency", "instant")
    receiver.hold.clear()
    task_id = first.client.create(callback_url=receiver.url)["task_id"]
    assert receiver.arrived.acquire(timeout=10)
    first.kill()
    receiver.hold.set()
    serve("--latency", "instant")
    assert receiver.arrived.acquire(timeout=10)
    assert [got["body"]["task_id"] for got in receiver.received] == [task_id, task_id]


def png(color: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), color).save(file, "PNG")
    return file.getvalue()


def test_references_are_fetched_where_asked(serve: Serve, receiver: Receiver) -> None:
    server = serve("--latency", "instant", "--fetch-references", "--max-image-mb", "1")
    receiver.body = png("#ff0000")
    url = f"http://127.0.0.1:{receiver.server_port}/a.png"
    task = server.client.task(server.client.create(input_images=[url])["task_id"])
    drawn = server.client.get(task["result"]["data"][0]["url"]).content
    picture = Image.open(io.BytesIO(drawn)).convert("RGB")
    colors = picture.getcolors(1 << 24)
    assert colors is not None
    assert any(color == (255, 0, 0) and count > 1000 for count, color in colors)


@pytest.mark.parametrize(
    ("status", "body", "named"),
    [
        (404, b"", "answered 404, not 200"),
        (302, b"", "answered 302, not 200"),
        (200, b"<html>", "PNG"),
        (200, b"x" * 1_000_001, "over 1,000,000 bytes"),
    ],
)
def test_references_that_can_not_be_fetched(
    serve: Serve, receiver: Receiver, status: int, body: bytes, named: str
) -> None:
    server = serve("--fetch-references", "on", "--max-image-mb", "1")
    receiver.status, receiver.body = status, body
    url = f"http://127.0.0.1:{receiver.server_port}/a.png"
    creation = {"model": "gpt-image-2", "prompt": "x", "input_images": [url]}
    response = server.client.post("/v1/images/generations", json=creation)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("invalid_image", "input_images[0]")
    assert named in error["message"]


def test_forbidden_references_are_not_fetched(serve: Serve) -> None:
    server = serve("--fetch-references", "on")
    creation = {
        "model": "gpt-image-2",
        "prompt": "x",
        "input_images": ["http://169.254.169.254/a.png"],
    }
    response = server.client.post("/v1/images/generations", json=creation)
    assert response.status_code == 400
    assert "never called" in response.json()["error"]["message"]


def test_a_data_url_is_read(serve: Serve) -> None:
    server = serve("--latency", "instant")
    url = "data:image/png;base64," + base64.b64encode(png("#00ff00")).decode()
    task = server.client.task(server.client.create(input_images=[url])["task_id"])
    assert task["status"] == "succeeded"
