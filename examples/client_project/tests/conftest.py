"""What the tests share: a client whose waiting moves the emulator's clock, and a receiver."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from picture_shop import CallbackReceiver, PictureClient, Sales

from emulator.testing import Account

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class Waits(list[float]):
    """Waiting without time: each wait is noted, and moves the account's clock."""

    def __init__(self, account: Account) -> None:
        super().__init__()
        self._account = account

    def __call__(self, seconds: float) -> None:
        """Wait."""
        self.append(seconds)
        self._account.clock.advance(seconds=seconds)


@pytest.fixture
def waits(image_account: Account) -> Waits:
    """How long the client waited, each time."""
    return Waits(image_account)


@pytest.fixture
def client(image_account: Account, waits: Waits) -> Iterator[PictureClient]:
    """The client under test. It needs a base URL and a key, as with the real API."""
    client = PictureClient(image_account.base_url, image_account.api_key, wait=waits)
    yield client
    client.close()


@pytest.fixture
def sales(tmp_path: Path) -> Sales:
    """An empty book."""
    return Sales(tmp_path / "sales.db")


@pytest.fixture
def callback_secret(pytestconfig: pytest.Config) -> str:
    """What the emulator signs callbacks with: see pyproject.toml."""
    lines = pytestconfig.getini("image_emulator_settings")
    settings: dict[str, str] = dict(line.split(" = ", 1) for line in lines)
    return settings["callback_secret"]


@pytest.fixture
def receiver_url(image_account: Account, sales: Sales, callback_secret: str) -> Iterator[str]:
    """The receiver under test, on a free port."""
    # It tries once: whoever calls it back waits for its answer, and will call again.
    client = PictureClient(image_account.base_url, image_account.api_key, most_attempts=1)

    def now() -> float:
        return image_account.clock.now.timestamp()

    with serve(CallbackReceiver(client, sales, callback_secret, now)) as url:
        yield url
    client.close()


@contextmanager
def serve(application: "WSGIApplication") -> Iterator[str]:
    """Serve a WSGI application on a free port of this machine, in a thread."""
    with make_server("127.0.0.1", 0, application, handler_class=QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/callbacks"
        server.shutdown()
        thread.join()


class QuietHandler(WSGIRequestHandler):
    """Writes no log."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def anyio_backend() -> str:
    """What asynchronous tests run on."""
    return "asyncio"
