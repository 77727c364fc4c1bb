"""Puts a server together: the only module that knows every concrete class."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from emulator.adapters.entropy import SystemEntropy
from emulator.adapters.pictures import ImageInspector, LateRenderer
from emulator.adapters.real_clock import SystemClock
from emulator.api.access_log import AccessLog
from emulator.api.app import build_app
from emulator.api.capture import journal_entry
from emulator.core.callback import AttemptResult
from emulator.core.ports import Fetcher, RealClock, Sender
from emulator.runner import Runner
from emulator.service.accounts import Accounts
from emulator.service.clocks import Clocks
from emulator.service.deliveries import Deliveries
from emulator.service.journal import Journal
from emulator.service.media import Media
from emulator.service.references import References
from emulator.service.services import Services
from emulator.service.tasks import Tasks
from emulator.service.wakeups import Wakeups
from emulator.settings import Settings
from emulator.store.sqlite import SqliteDatabase

_MEGAPIXEL = 1_000_000
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was put together.

    Attributes:
        app: the ASGI application; its lifespan starts and stops the runner.
        services: the use cases behind it.
        runner: does what is due.
        wakeups: ends all waiting when the server stops.
        database: is closed by ``close``.
    """

    app: ASGIApp
    services: Services
    runner: Runner
    wakeups: Wakeups
    database: SqliteDatabase

    def close(self) -> None:
        """Let go of the database and the drawing threads."""
        self.services.media.cache.close()
        self.database.close()


def compose(
    settings: Settings, clock: RealClock | None = None, sender: Sender | None = None
) -> Server:
    """Put a server together.

    Args:
        settings: with ``database`` set.
        clock: the machine's clock, unless a test brings one that it moves by hand.
        sender: delivers callbacks, unless a test brings one that needs no socket.

    Raises:
        StoreError: the database can't be used.
    """
    clock = clock or SystemClock()
    entropy = SystemEntropy()
    database = SqliteDatabase(settings.database)
    secret = bytes.fromhex(database.write_now(lambda tx: tx.meta("media_secret", entropy.token())))
    wakeups = Wakeups()
    media = Media(database, clock, LateRenderer(), settings, secret)
    deliveries = Deliveries(database, clock, sender or _LateSender(settings), settings, secret)
    clocks = Clocks(database, clock, deliveries, wakeups, settings)
    inspector = ImageInspector(
        settings.max_image_mb * _MEGABYTE, settings.max_image_megapixels * _MEGAPIXEL
    )
    services = Services(
        settings=settings,
        clock=clock,
        entropy=entropy,
        accounts=Accounts(database, clock, entropy, settings),
        tasks=Tasks(database, clock, settings, secret, wakeups),
        media=media,
        references=References(
            database, clock, inspector, _fetcher(settings), media, settings, secret
        ),
        deliveries=deliveries,
        clocks=clocks,
        journal=Journal(database, settings, journal_entry),
        media_secret=secret,
    )
    runner = Runner(database, clock, deliveries, clocks, wakeups, settings)
    access_log = AccessLog(settings.log)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        beside = [asyncio.create_task(runner.run()), asyncio.create_task(access_log.run())]
        beside.append(asyncio.create_task(services.journal.run()))
        yield
        wakeups.stop()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await services.journal.flush()
        await deliveries.stop()

    app = build_app(services, access_log, lifespan)
    return Server(app, services, runner, wakeups, database)


class _LateSender:
    """Loads the HTTP client at the first callback: starting need not wait for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sender: Sender | None = None

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
        """POST ``body`` to ``url`` and say what came of it; never raises."""
        if self._sender is None:
            self._sender = _sender(self._settings)
        return await self._sender.send(url, body, headers)

    async def close(self) -> None:
        """Let go of all connections."""
        if self._sender is not None:
            await self._sender.close()


def _sender(settings: Settings) -> Sender:
    from emulator.adapters.http import CallbackSender, HttpCaller

    timeout_seconds = settings.callback_timeout_seconds
    return CallbackSender(HttpCaller(settings.callbacks, timeout_seconds), timeout_seconds)


def _fetcher(settings: Settings) -> Fetcher | None:
    if not settings.fetch_references:
        return None
    from emulator.adapters.http import HttpCaller, ReferenceFetcher

    timeout_seconds = settings.fetch_timeout_seconds
    caller = HttpCaller(settings.callbacks, timeout_seconds)
    return ReferenceFetcher(caller, timeout_seconds, settings.max_image_mb * _MEGABYTE)
