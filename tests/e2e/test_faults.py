"""Faults of the transport over real sockets."""

import httpx2
import pytest

from tests.e2e.conftest import Serve
from tests.support.process import Process

CREATION = {"model": "gpt-image-2", "prompt": "A lighthouse at dawn"}
FLAGS = ("--latency", "instant")


def add(server: Process, fault: str, **more: object) -> None:
    answer = server.client.post("/_emulator/faults", json={"fault": fault, "times": 1, **more})
    assert answer.status_code == 201, answer.text


def create(server: Process) -> httpx2.Response:
    return server.client.post("/v1/images/generations", json=CREATION)


def tasks_made(server: Process) -> int:
    entries = server.client.get("/_emulator/ledger").json()["data"]
    return sum(entry["kind"] == "reservation" for entry in entries)


@pytest.mark.parametrize(("fault", "made"), [("reset_before_work", 0), ("reset_after_work", 1)])
def test_a_connection_is_reset(serve: Serve, fault: str, made: int) -> None:
    server = serve(*FLAGS)
    add(server, fault)
    with pytest.raises(httpx2.ReadError, match="reset"):
        create(server)
    assert tasks_made(server) == made
    assert create(server).status_code == 202
    assert server.stop() == 0
    assert not [line for line in server.errors if "ASGI" in line or "Traceback" in line]


def test_an_answer_ends_in_its_middle(serve: Serve) -> None:
    server = serve(*FLAGS)
    add(server, "truncated_body")
    with pytest.raises(httpx2.RemoteProtocolError, match=r"incomplete|without sending complete"):
        create(server)
    assert tasks_made(server) == 1
    assert server.stop() == 0
    assert not [line for line in server.errors if "ASGI" in line or "Traceback" in line]


def test_a_picture_ends_in_its_middle(serve: Serve) -> None:
    server = serve(*FLAGS)
    link = server.client.task(create(server).json()["task_id"])["result"]["data"][0]["url"]
    add(server, "media_truncated")
    with pytest.raises(httpx2.RemoteProtocolError):
        server.client.get(link)
    assert server.client.get(link).status_code == 200


def test_a_client_gives_up_on_a_slow_answer_and_its_task_is_there(serve: Serve) -> None:
    server = serve(*FLAGS)
    add(server, "slow_first_byte", seconds=300)
    with pytest.raises(httpx2.ReadTimeout):
        server.client.post("/v1/images/generations", json=CREATION, timeout=0.2)
    assert tasks_made(server) == 1
    assert server.stop() == 0  # without waiting for the 300 seconds


def test_a_client_that_went_before_its_connection_is_cut_leaves_no_trace(serve: Serve) -> None:
    server = serve(*FLAGS)
    sequence = [{"fault": "media_slow", "seconds": 300}, {"fault": "slow_first_byte"}]
    answer = server.client.post("/_emulator/faults", json={"faults": sequence})
    assert answer.status_code == 201
    with pytest.raises(httpx2.ReadTimeout):
        server.client.post("/v1/images/generations", json=CREATION, timeout=0.2)
    assert server.stop() == 0
    assert not [line for line in server.errors if "Traceback" in line or "ASGI" in line]
