"""Puts a server together: the only module that knows every concrete class."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from starlette.types import ASGIApp

from emulator.adapters.entropy import SystemEntropy
from emulator.adapters.pictures import ImageInspector, LateRenderer
from emulator.adapters.real_clock import SystemClock
from emulator.api.access_log import AccessLog
from emulator.api.app import Lifespan, build_app
from emulator.api.capture import journal_entry
from emulator.api.connections import Connections
from emulator.core.callback import AttemptResult
from emulator.core.latency import Latency
from emulator.core.ports import Fetcher, Pause, RealClock, Sender
from emulator.runner import Runner
from emulator.service.accounts import Accounts
from emulator.service.clocks import Clocks
from emulator.service.deliveries import Deliveries
from emulator.service.faults import Faults
from emulator.service.forcing import Forcing
from emulator.service.ground import Ground
from emulator.service.image_work import ImageWork
from emulator.service.inboxes import Inboxes
from emulator.service.journal import Journal
from emulator.service.media import Media
from emulator.service.receiver_score import ReceiverScore
from emulator.service.references import References
from emulator.service.resets import Resets
from emulator.service.services import Services
from emulator.service.settlement import Settlement
from emulator.service.snapshots import Snapshots
from emulator.service.tasks import Tasks
from emulator.service.wakeups import Wakeups
from emulator.service.watch import Watch
from emulator.settings import MEGABYTE, Settings
from emulator.store.sqlite import SqliteDatabase
from emulator.ui.pages import Pages

_MEGAPIXEL = 1_000_000


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was put together.

    Attributes:
        app: the ASGI application; its lifespan starts and stops the runner.
        services: the use cases behind it.
        runner: does what is due.
        wakeups: ends all waiting when the server stops.
        database: is closed by ``close``.
        connections: those that whoever serves ``app`` opens, so that a fault can cut one.
        image_work: draws and checks pictures; is ended by ``close``.
    """

    app: ASGIApp
    services: Services
    runner: Runner
    wakeups: Wakeups
    database: SqliteDatabase
    connections: Connections
    image_work: ImageWork

    def close(self) -> None:
        """Let go of the database and the drawing threads."""
        self.image_work.close()
        self.database.close()


def compose(
    settings: Settings,
    clock: RealClock | None = None,
    sender: Sender | None = None,
    pause: Pause | None = None,
) -> Server:
    """Put a server together.

    Args:
        settings: with ``database`` set.
        clock: the machine's clock, unless a test brings one that it moves by hand.
        sender: delivers callbacks, unless a test brings one that needs no socket.
        pause: lets real time pass, unless a test brings one that does not.

    Raises:
        StoreError: the database can't be used.
    """
    clock, entropy, wakeups = clock or SystemClock(), SystemEntropy(), Wakeups()
    database = SqliteDatabase(settings.database)
    secret = bytes.fromhex(database.write_now(lambda tx: tx.meta("media_secret", entropy.token())))
    sender = sender or _LateSender(settings)
    ground = Ground(database, clock, settings, secret, wakeups)
    faults = Faults(database, settings)
    settlement = Settlement(settings, faults)
    inboxes = Inboxes(ground)
    deliveries = Deliveries(ground, sender, inboxes, faults)
    clocks = Clocks(ground, deliveries, settlement)
    image_work = ImageWork(settings.max_renders, settings.max_renders_waiting)
    media = Media(ground, LateRenderer(), faults, image_work)
    journal = Journal(database, settings, journal_entry)
    resets = Resets(ground, clocks, deliveries, faults, journal)
    inspector = _inspector(settings)

    def instant_tasks(clock: RealClock) -> Tasks:
        instant = replace(settings, latency=Latency("instant"))
        place = replace(ground, clock=clock, settings=instant)
        return Tasks(place, faults, settlement, deliveries)

    services = Services(
        settings=settings,
        clock=clock,
        pause=pause or wakeups.pause,
        entropy=entropy,
        media_secret=secret,
        accounts=Accounts(database, clock, entropy, settings),
        tasks=Tasks(ground, faults, settlement, deliveries),
        media=media,
        references=References(ground, inspector, _fetcher(settings), media, image_work),
        deliveries=deliveries,
        inboxes=inboxes,
        receiver_score=ReceiverScore(ground, sender, deliveries, instant_tasks),
        clocks=clocks,
        faults=faults,
        journal=journal,
        watch=Watch(ground, journal),
        forcing=Forcing(ground, settlement),
        resets=resets,
        snapshots=Snapshots(ground, resets, journal, inspector, image_work),
    )
    runner = Runner(ground, deliveries, clocks, settlement)
    access_log, connections = AccessLog(settings.log), Connections()
    beside = (runner.run, access_log.run, journal.run)
    lifespan = _lifespan(beside, services, wakeups)
    app = build_app(services, access_log, connections, lifespan, Pages(settings).routes())
    return Server(app, services, runner, wakeups, database, connections, image_work)


def _lifespan(
    beside: Sequence[Callable[[], Coroutine[None, None, None]]],
    services: Services,
    wakeups: Wakeups,
) -> Lifespan:
    """What runs beside the requests, from the server's start to its stop."""

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        running = [asyncio.create_task(run()) for run in beside]
        yield
        wakeups.stop()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await services.journal.flush()
        await services.deliveries.stop()

    return lifespan


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


def _inspector(settings: Settings) -> ImageInspector:
    return ImageInspector(
        settings.max_image_mb * MEGABYTE, settings.max_image_megapixels * _MEGAPIXEL
    )


def _fetcher(settings: Settings) -> Fetcher | None:
    if not settings.fetch_references:
        return None
    from emulator.adapters.http import HttpCaller, ReferenceFetcher

    timeout_seconds = settings.fetch_timeout_seconds
    caller = HttpCaller(settings.callbacks, timeout_seconds)
    return ReferenceFetcher(caller, timeout_seconds, settings.max_image_mb * MEGABYTE)
