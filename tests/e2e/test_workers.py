"""Several processes as an operator meets them: on one socket, and on one database."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from scripts.torture.servers import is_running, workers_of
from tests.e2e.conftest import Serve
from tests.e2e.test_server import run
from tests.support.engines import SHARED, database_of
from tests.support.postgres import needs_postgres, own_cluster
from tests.support.process import KEY, Process
from tests.support.serving import QuietHandler, serving

CREATION = {"model": "gpt-image-2", "prompt": "A lighthouse"}
PATIENCE_SECONDS = 30


@pytest.fixture
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database_of(request.param, tmp_path) as name:
        yield name


def children(process: Process) -> list[int]:
    """The workers of a server."""
    return workers_of(process.process.pid)


def eventually(condition: Any) -> Any:
    """Wait for something to come true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
    return found


@contextmanager
def receiver() -> Iterator[tuple[str, list[str]]]:
    """A receiver of callbacks: its URL, and the ids that it got."""
    ids: list[str] = []

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.body()
            ids.append(self.headers["webhook-id"])
            self.send_response(200)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}/hook", ids


@pytest.mark.parametrize("where", SHARED, indirect=True)
def test_workers_share_everything_and_the_dead_are_replaced(serve: Serve, where: str) -> None:
    with receiver() as (url, ids):
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        server = serve(
            "--database", where, "--workers", "2", "--latency", "0.3", "--callback-secret", secret
        )
        first = children(server)
        assert len(first) == 2
        tasks = []
        for number in range(20):
            with server_client(server) as client:  # a connection of its own: either may answer
                body = {**CREATION, "callback_url": url}
                tasks.append(client.post("/v1/images/generations", json=body).json()["task_id"])
            if number == 10:
                os.kill(first[0], signal.SIGKILL)
        replaced = eventually(lambda: len(children(server)) == 2 and children(server) != first)
        assert replaced

        def status(task_id: str) -> str:
            with server_client(server) as client:
                word: str = client.get(f"/v1/tasks/{task_id}").json()["status"]
                return word

        eventually(lambda: {status(task_id) for task_id in tasks} == {"succeeded"})
        eventually(lambda: len(set(ids)) == 20)
        sums = server.client.get("/_emulator/account").json()["credits"]
        assert sums == {"granted": 100_000, "available": 99_400, "reserved": 0, "charged": 600}
        metrics = server.client.get("/metrics").text
        assert 'operation="createImageTask"' in metrics
        workers = children(server)
        assert server.stop() == 0
        assert not any(is_running(pid) for pid in workers)


def test_a_worker_that_is_killed_while_it_starts_is_replaced(serve: Serve) -> None:
    killed: list[int] = []

    def kill_the_first() -> None:
        killed.extend(eventually(lambda: workers_of(os.getpid())))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_the_first)
    killer.start()
    server = serve("--workers", "2")
    killer.join()
    eventually(lambda: len(workers_of(os.getpid())) == 2)
    assert not is_running(killed[0])
    assert server.client.get("/v1/credits/balance").status_code == 200


def server_client(server: Process) -> Any:
    import httpx2

    return httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {KEY}"})


def test_workers_end_with_the_process_that_looks_after_them(serve: Serve) -> None:
    server = serve("--workers", "2", "--log", "none")
    workers = children(server)
    server.kill()
    eventually(lambda: not any(is_running(pid) for pid in workers))


def test_workers_need_a_database_that_can_be_shared() -> None:
    done = run("serve", "--workers", "2", "--database", ":memory:")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--workers" in done.stderr


@needs_postgres
def test_a_finish_at_one_machine_ends_the_wait_at_another(tmp_path: Path) -> None:
    with database_of("postgres", tmp_path) as where, ExitStack() as stack:
        flags = ("--database", where, "--latency", "300", "--log", "none")
        here, there = (stack.enter_context(Process(*flags)) for _ in range(2))
        body = json.dumps(CREATION).encode()
        host, port = here.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as waiting:
            waiting.sendall(
                b"POST /v1/images/generations/sync HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: application/json\r\nAuthorization: Bearer %s\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (KEY.encode(), len(body), body)
            )
            listed = eventually(lambda: there.client.get("/_emulator/tasks").json()["data"])
            path = f"/_emulator/tasks/{listed[0]['task_id']}/finish"
            assert there.client.post(path, json={"status": "succeeded"}).status_code == 200
            assert waiting.recv(65536).startswith(b"HTTP/1.1 200")


@needs_postgres
def test_what_a_dead_machine_left_another_does(tmp_path: Path) -> None:
    with database_of("postgres", tmp_path) as where, receiver() as (url, ids), ExitStack() as stack:
        flags = ("--database", where, "--latency", "1.5", "--log", "none")
        here, there = (stack.enter_context(Process(*flags)) for _ in range(2))
        for _ in range(5):
            here.client.post("/v1/images/generations", json={**CREATION, "callback_url": url})
        here.kill()
        eventually(lambda: len(ids) == 5)
        sums = there.client.get("/_emulator/account").json()["credits"]
        assert (sums["reserved"], sums["charged"]) == (0, 150)


@needs_postgres
def test_while_the_database_is_away_the_answer_is_503_and_then_it_goes_on(tmp_path: Path) -> None:
    with database_of("postgres", tmp_path) as where, Process("--database", where) as server:
        assert server.client.get("/v1/credits/balance").status_code == 200
        name = where.partition("@/")[2].partition("?")[0]
        with psycopg.connect(own_cluster().url(), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            answer = server.client.get("/v1/credits/balance")
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
            assert server.client.get("/_emulator/health/ready").status_code == 503
            assert server.client.get("/_emulator/health/live").status_code == 200
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        eventually(lambda: server.client.get("/v1/credits/balance").status_code == 200)


@needs_postgres
def test_keys_are_made_listed_and_revoked_in_a_database_of_servers(tmp_path: Path) -> None:
    with database_of("postgres", tmp_path) as where, Process("--database", where) as server:
        made = run("keys", "create", "--name", "ci", "--credits", "60", "--database", where)
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        balance = server.client.get("/v1/credits/balance", headers=headers)
        assert balance.json()["credits"] == 60
        assert "ci" in run("keys", "list", "--database", where).stdout
        assert run("keys", "revoke", "ci", "--database", where).stdout == "1 revoked\n"
        assert server.client.get("/v1/credits/balance", headers=headers).status_code == 401


def test_ctrl_c_ends_all_workers_without_a_word(serve: Serve) -> None:
    server = serve("--workers", "2", "--log", "none")
    workers = children(server)
    for pid in (server.process.pid, *workers):  # as a terminal sends it
        os.kill(pid, signal.SIGINT)
    assert server.stop() == 0
    assert not any(is_running(pid) for pid in workers)
    assert server.errors == []
