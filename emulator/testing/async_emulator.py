"""The asynchronous face of an emulator."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import httpx2
from starlette.types import ASGIApp

from emulator.testing.async_account import AsyncAccount
from emulator.testing.opening import ClockState, Limits, check_health, clean_url, open_account
from emulator.testing.server import LoopServer, ThreadServer
from emulator.testing.start_settings import read_settings
from emulator.testing.wire import AsyncDriver, Place

__tracebackhide__ = True  # a failed test shows its own lines, not these

# No socket is opened: the name only has to be one that the emulator answers to.
_IN_PROCESS_URL = "http://localhost"


class AsyncEmulator:
    """As ``Emulator``, with ``await``; use ``in_process``, ``start`` or ``connect``.

    Attributes:
        url: scheme, host and port.
        base_url: what a client is given; it ends in ``/v1``.
    """

    def __init__(
        self, driver: AsyncDriver, server: ThreadServer | None = None, app: ASGIApp | None = None
    ) -> None:
        self._driver = driver
        self._server = server
        self._app = app
        self.url = driver.place.url
        self.base_url = driver.place.url + "/v1"

    @classmethod
    @asynccontextmanager
    async def in_process(cls, **settings: object) -> AsyncIterator[Self]:
        """Run it in this event loop, without a socket; ``settings`` as for ``Emulator.start``.

        Give a client ``httpx2.ASGITransport(emulator.app)`` as its transport.
        """
        chosen = read_settings(settings)
        server = LoopServer(chosen)
        await server.start()
        try:
            place = Place(_IN_PROCESS_URL, chosen.control_token)
            driver = AsyncDriver(place, lambda: httpx2.ASGITransport(server.app))
            yield cls(driver, app=server.app)
        finally:
            await server.stop()

    @classmethod
    def start(cls, **settings: object) -> Self:
        """Start a server in a thread: see ``Emulator.start``; end it with ``await stop()``."""
        chosen = read_settings(settings)
        server = ThreadServer(chosen)
        return cls(AsyncDriver(Place(server.url, chosen.control_token)), server)

    @classmethod
    async def connect(cls, url: str, control_token: str | None = None) -> Self:
        """Use a server that runs already: see ``Emulator.connect``."""
        emulator = cls(AsyncDriver(Place(clean_url(url), control_token)))
        await emulator._driver.run(check_health(emulator.url))
        return emulator

    @property
    def app(self) -> ASGIApp:
        """The ASGI application, where it runs in this event loop.

        Raises:
            AttributeError: it runs elsewhere.
        """
        if self._app is None:
            raise AttributeError("only an emulator of AsyncEmulator.in_process() has an app")
        return self._app

    async def stop(self) -> None:
        """End the server that was started here, and wait for it."""
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def __repr__(self) -> str:
        return f"<AsyncEmulator at {self.url}>"

    async def new_account(
        self,
        key: str | None = None,
        *,
        credits: int | None = None,
        seed: int | None = None,
        clock: ClockState = "running",
        budget_credits: int | None = None,
        requests_per_minute: int | None = None,
        models: Sequence[str] | None = None,
    ) -> AsyncAccount:
        """Make an account that nobody else uses: see ``Emulator.new_account``."""
        limits = Limits(credits, budget_credits, requests_per_minute, models)
        key = await self._driver.run(open_account(key, limits, seed, clock))
        return AsyncAccount(self._driver, key)
