"""Starting, connecting, stopping."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
import pytest

from emulator.core.latency import Latency
from emulator.store.records import StoreError
from emulator.testing import AsyncEmulator, Emulator, EmulatorError
from emulator.testing.start_settings import read_settings
from tests.support.client import CREATION, create_task, create_task_async


def test_a_server_in_a_thread() -> None:
    threads = threading.active_count()
    with Emulator.start() as emulator:
        assert emulator.base_url == f"{emulator.url}/v1"
        account = emulator.new_account()
        task_id = create_task(account)
        assert account.task(task_id)["task_id"] == task_id
    assert threading.active_count() == threads
    with pytest.raises(EmulatorError, match=f"no answer from an emulator at {emulator.url}"):
        Emulator.connect(emulator.url)


def test_a_stopped_server_can_be_stopped_again() -> None:
    emulator = Emulator.start()
    emulator.stop()
    emulator.stop()


def test_two_servers_share_nothing() -> None:
    with Emulator.start(initial_credits=5) as one, Emulator.start(initial_credits=7) as other:
        key = "sk-the-same"
        assert one.new_account(key).credits.available == 5
        assert other.new_account(key).credits.available == 7


def test_settings_are_texts_or_values() -> None:
    texts = read_settings({"latency": "0.2", "prices": "1K=1,2K=2,4K=3", "fetch_references": "on"})
    values = read_settings(
        {
            "latency": Latency(None, 0.2),
            "prices": {"1K": 1, "2K": 2, "4K": 3},
            "fetch_references": True,
        }
    )
    assert texts == values
    assert read_settings({"latency": 0.2, "initial_credits": 5}).latency == texts.latency
    assert read_settings({"callback_secret": b"x" * 32}).callback_secret == b"x" * 32


def test_a_settings_file_wins_over_what_tests_default_to(tmp_path: Path) -> None:
    path = tmp_path / "emulator.toml"
    path.write_text('latency = "3-9"\ninitial_credits = 5', "utf-8")
    read = read_settings({"settings": path, "initial_credits": 7})
    assert (read.latency, read.initial_credits) == (Latency(None, 3.0, 9.0), 7)
    assert (read.port, read.database) == (0, ":memory:")
    with pytest.raises(ValueError, match=r"no\.toml can't be read"):
        read_settings({"settings": "no.toml"})


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"colour": "red"}, TypeError, "no setting 'colour'; there are host, port, database,"),
        ({"keys": "both"}, ValueError, "keys takes one of open, strict; 'both' was given"),
        ({"port": 70_000}, ValueError, "port takes a whole number from 0 to 65,535; 70000"),
        ({"latency": []}, ValueError, "latency takes instant, fast"),
        ({"initial_credits": True}, ValueError, "initial_credits takes a whole number"),
        ({"fetch_references": "yes"}, ValueError, "fetch_references takes one of on, off"),
    ],
)
def test_wrong_settings(settings: dict[str, object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        Emulator.start(**settings)


def test_an_error_at_the_start_has_its_cause(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database")
    with pytest.raises(EmulatorError, match="can't start: StoreError: ") as caught:
        Emulator.start(database=str(tmp_path / "file"))
    assert isinstance(caught.value.__cause__, StoreError)


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(EmulatorError, match="can't start: OSError: ") as caught:
            Emulator.start(port=taken.getsockname()[1])
        assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_connecting(image_emulator: Emulator, path: str) -> None:
    with Emulator.connect(image_emulator.url + path) as emulator:
        assert emulator.url == image_emulator.url


def test_no_url() -> None:
    with pytest.raises(ValueError, match=r"looks like http://127\.0\.0\.1:8080; 'localhost'"):
        Emulator.connect("localhost")


class _Shop(BaseHTTPRequestHandler):
    """Something else that listens."""

    def do_GET(self) -> None:
        body = b"<h1>Shop</h1>" if self.path.startswith("/html") else b'{"status": "up"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Shop) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("path", "found"), [("", "{'status': 'up'}"), ("/html", "<h1>Shop</h1>")])
def test_something_else_answers(shop: str, path: str, found: str) -> None:
    with pytest.raises(
        EmulatorError, match=f"what answers at {shop}{path} is no emulator: .*{found}"
    ):
        Emulator.connect(shop + path)


async def test_something_else_answers_with_await(shop: str) -> None:
    with pytest.raises(EmulatorError, match="is no emulator"):
        await AsyncEmulator.connect(shop)


def test_a_control_token() -> None:
    with Emulator.start(control_token="a-token-of-a-test") as emulator:
        assert emulator.new_account(clock="frozen").credits.available == 100_000
        with Emulator.connect(emulator.url, "a-token-of-a-test") as connected:
            assert connected.new_account().tasks() == []
        with pytest.raises(EmulatorError, match=r"X-Emulator-Token.*connect\(.*control_token="):
            Emulator.connect(emulator.url)


async def test_in_process_without_a_socket() -> None:
    async with AsyncEmulator.in_process(latency="instant") as emulator:
        account = await emulator.new_account()
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(emulator.app), base_url=account.base_url
        ) as client:
            response = await client.post(
                "/images/generations",
                json=CREATION,
                headers={"Authorization": f"Bearer {account.api_key}"},
            )
        assert (await account.task(response.json()["task_id"]))["status"] == "succeeded"


async def test_async_over_a_socket() -> None:
    async with AsyncEmulator.start(latency="60") as started:
        connected = await AsyncEmulator.connect(started.url)
        account = await connected.new_account()
        await create_task_async(account)
        assert (await account.credits()).reserved > 0
        with pytest.raises(AttributeError, match="in_process"):
            print(started.app)
    with pytest.raises(EmulatorError, match="no answer"):
        await AsyncEmulator.connect(started.url)
