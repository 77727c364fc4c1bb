"""Puts a server together: the only module that knows every concrete class."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

from starlette.types import ASGIApp

from emulator.adapters.entropy import SystemEntropy
from emulator.adapters.pictures import LateRenderer
from emulator.adapters.real_clock import SystemClock
from emulator.api.app import Lifespan, build_app
from emulator.api.capture import journal_entry
from emulator.api.connections import Connections
from emulator.api.metrics import METRICS
from emulator.api.plain_calls import PlainCalls
from emulator.core.latency import Latency
from emulator.core.ports import Pause, RealClock, Sender
from emulator.parts import (
    LateSender,
    fetcher_of,
    finished_calls,
    inspector_of,
    metrics_of,
    plain_calls_of,
    traces_of,
)
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
from emulator.service.readiness import Readiness
from emulator.service.receiver_score import ReceiverScore
from emulator.service.references import References
from emulator.service.replicas import Replicas
from emulator.service.resets import Resets
from emulator.service.retention import Retention
from emulator.service.sending import Sending
from emulator.service.services import Services
from emulator.service.settlement import Settlement
from emulator.service.snapshots import Snapshots
from emulator.service.tasks import Tasks
from emulator.service.wakeups import Wakeups
from emulator.service.watch import Watch
from emulator.settings import Settings
from emulator.store.opening import open_database
from emulator.store.records import Database
from emulator.ui.pages import Pages


class Server(NamedTuple):
    """A server that was put together.

    Attributes:
        app: the ASGI application; its lifespan starts and stops the runner.
        services: the use cases behind it.
        runner: does what is due.
        retention: removes what is old.
        wakeups: ends all waiting when the server stops.
        database: is closed by ``close``.
        connections: those that whoever serves ``app`` opens, so that a fault can cut one.
        image_work: draws and checks pictures; is ended by ``close``.
        plain_calls: answers what needs no application, where the database can be asked at once.
    """

    app: ASGIApp
    services: Services
    runner: Runner
    retention: Retention
    wakeups: Wakeups
    database: Database
    connections: Connections
    image_work: ImageWork
    plain_calls: PlainCalls | None

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
        SettingError: what a setting needs is not installed.
    """
    traces = traces_of(settings)
    clock, entropy, wakeups = clock or SystemClock(), SystemEntropy(), Wakeups()
    database = open_database(settings.database, settings.database_connections)
    pause, sender = pause or wakeups.pause, sender or LateSender(settings)
    secret = bytes.fromhex(database.write_now(lambda tx: tx.meta("media_secret", entropy.token())))
    ground = Ground(database, clock, settings, secret, wakeups, replica=entropy.token())
    faults, journal = Faults(database, settings), Journal(database, settings, journal_entry)
    settlement, inboxes = Settlement(settings, faults), Inboxes(ground)
    deliveries = Deliveries(ground, Sending(ground, sender, inboxes), faults)
    clocks = Clocks(ground, deliveries, settlement)
    image_work = ImageWork(settings.max_renders, settings.max_renders_waiting)
    media = Media(ground, LateRenderer(), faults, image_work)
    resets = Resets(ground, clocks, deliveries, faults, journal)
    inspector, connections = inspector_of(settings), Connections()

    services = Services(
        settings=settings,
        clock=clock,
        pause=pause,
        entropy=entropy,
        media_secret=secret,
        accounts=Accounts(database, clock, entropy, settings),
        tasks=Tasks(ground, faults, settlement, deliveries),
        media=media,
        references=References(ground, inspector, fetcher_of(settings), media, image_work),
        deliveries=deliveries,
        inboxes=inboxes,
        receiver_score=ReceiverScore(
            ground, sender, _instant_tasks(ground, faults, settlement, deliveries)
        ),
        clocks=clocks,
        faults=faults,
        journal=journal,
        readiness=Readiness(ground),
        watch=Watch(ground, journal),
        forcing=Forcing(ground, settlement),
        resets=resets,
        snapshots=Snapshots(ground, resets, journal, inspector, image_work),
    )
    metrics = metrics_of(ground, media, connections)
    runner, retention = Runner(ground, deliveries, settlement), Retention(ground, faults, pause)
    finished, replicas = finished_calls(ground, metrics, traces), Replicas(ground)
    beside = [runner.run, retention.run, replicas.run, journal.run, finished.run, metrics.run]
    lifespan = _lifespan(beside + ([traces.run] if traces else []), services, wakeups)
    pages = (*Pages(settings).routes(), ("GET", METRICS, metrics.handler(finished.flush)))
    app = build_app(services, finished, connections, lifespan, pages)
    plain = plain_calls_of(services, database, finished)
    return Server(
        app, services, runner, retention, wakeups, database, connections, image_work, plain
    )


def _instant_tasks(
    ground: Ground, faults: Faults, settlement: Settlement, deliveries: Deliveries
) -> Callable[[RealClock], Tasks]:
    """Tasks that end at once, on another clock."""
    instant = replace(ground.settings, latency=Latency("instant"))

    def tasks_on(clock: RealClock) -> Tasks:
        place = replace(ground, clock=clock, settings=instant)
        return Tasks(place, faults, settlement, deliveries)

    return tasks_on


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
