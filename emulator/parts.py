"""The parts of a server that depend on its settings, or are loaded late."""

import os
from typing import TYPE_CHECKING, cast

from emulator.adapters.pictures import ImageInspector
from emulator.api.access_log import AccessLog
from emulator.api.connections import Connections
from emulator.api.finished import Finished
from emulator.api.metrics import Metrics
from emulator.api.plain_calls import PlainCalls
from emulator.core.callback import AttemptResult
from emulator.core.ports import Fetcher, Sender
from emulator.service.ground import Ground
from emulator.service.media import Media
from emulator.service.services import Services
from emulator.settings import MEGABYTE, SettingError, Settings
from emulator.store.opening import is_postgres
from emulator.store.records import Database

if TYPE_CHECKING:
    from emulator.api.traces import Traces
    from emulator.store.sqlite import SqliteDatabase

_MEGAPIXEL = 1_000_000


class LateSender:
    """Loads the HTTP client at the first callback: starting need not wait for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sender: Sender | None = None

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
        """POST ``body`` to ``url`` and say what came of it; never raises."""
        if self._sender is None:
            self._sender = _sender_of(self._settings)
        return await self._sender.send(url, body, headers)

    async def close(self) -> None:
        """Let go of all connections."""
        if self._sender is not None:
            await self._sender.close()


def metrics_of(ground: Ground, media: Media, connections: Connections) -> Metrics:
    gauges = {
        "picture_cache_bytes": lambda: media.cache.bytes_cached,
        "open_connections": lambda: connections.open,
    }
    # prometheus-client takes the variable as the order to keep its values in files.
    return Metrics(ground.tally, gauges, shared="PROMETHEUS_MULTIPROC_DIR" in os.environ)


def finished_calls(ground: Ground, metrics: Metrics, traces: "Traces | None") -> Finished:
    takers = [AccessLog(ground.settings.log).write, metrics.take]
    if traces is not None:
        takers.append(traces.take)
    return Finished(ground.tally, takers, keeps_traceparent=traces is not None)


def traces_of(settings: Settings) -> "Traces | None":
    if settings.otlp_endpoint is None:
        return None
    try:
        from emulator.api.traces import Traces  # late: it loads a third of a second
    except ModuleNotFoundError as error:
        message = (
            "--otlp-endpoint needs the extra traces, which is not installed:"
            " pip install 'gpt-image-emulator[traces]'"
        )
        raise SettingError(message) from error
    return Traces(settings.otlp_endpoint)


def plain_calls_of(services: Services, database: Database, finished: Finished) -> PlainCalls | None:
    """What answers plain calls; None: the database is one that has to be waited for."""
    if is_postgres(services.settings.database):
        return None
    return PlainCalls(services, cast("SqliteDatabase", database), finished)


def _sender_of(settings: Settings) -> Sender:
    from emulator.adapters.http import CallbackSender, HttpCaller

    timeout_seconds = settings.callback_timeout_seconds
    return CallbackSender(HttpCaller(settings.callbacks, timeout_seconds), timeout_seconds)


def inspector_of(settings: Settings) -> ImageInspector:
    return ImageInspector(
        settings.max_image_mb * MEGABYTE, settings.max_image_megapixels * _MEGAPIXEL
    )


def fetcher_of(settings: Settings) -> Fetcher | None:
    if not settings.fetch_references:
        return None
    from emulator.adapters.http import HttpCaller, ReferenceFetcher

    timeout_seconds = settings.fetch_timeout_seconds
    caller = HttpCaller(settings.callbacks, timeout_seconds)
    return ReferenceFetcher(caller, timeout_seconds, settings.max_image_mb * MEGABYTE)
