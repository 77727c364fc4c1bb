"""GET /metrics: what the server did, in Prometheus' text format.

What is counted waits in plain numbers; prometheus-client is loaded when somebody asks for the first
time. Where several processes serve together, each writes its numbers into a folder that they share,
five times a second, and whichever is asked adds them up.
"""

import asyncio
import logging
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from emulator.api.finished import FLUSH_SECONDS, Batch
from emulator.service.services import Services
from emulator.service.tally import Tally

if TYPE_CHECKING:
    from emulator.api.prometheus import Instruments

_log = logging.getLogger("emulator.metrics")

METRICS = "/metrics"
REQUEST_BUCKETS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
)  # fmt: skip
_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Durations:
    """Durations by bucket, as a histogram takes them.

    Attributes:
        counts: how many fell into each of ``REQUEST_BUCKETS``; the last is of longer ones.
        sum_seconds: all of them together.
    """

    __slots__ = ("counts", "sum_seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(REQUEST_BUCKETS) + 1)
        self.sum_seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self.counts[bisect_left(REQUEST_BUCKETS, seconds)] += 1
        self.sum_seconds += seconds


class RequestCounts:
    """What is counted of finished requests.

    Attributes:
        answers: operation, method and status -> how many.
        durations: operation -> how long they took.
    """

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str, int]] = Counter()
        self.durations: dict[str, Durations] = {}

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        answers, durations = self.answers, self.durations
        for method, _, operation, call, _ in batch.calls:
            answers[operation, method, call.status] += 1
            if operation not in durations:
                durations[operation] = Durations()
            durations[operation].add(call.seconds)


class Metrics:
    """A server's metrics.

    Args:
        tally: what use cases count.
        gauges: a gauge's name -> how to read it.
        shared: whether several processes add theirs up, in ``PROMETHEUS_MULTIPROC_DIR``.
    """

    def __init__(
        self, tally: Tally, gauges: Mapping[str, Callable[[], float]], *, shared: bool
    ) -> None:
        self._tally = tally
        self._gauges = gauges
        self._shared = shared
        self._requests = RequestCounts()
        self._instruments: Instruments | None = None
        self._loading = asyncio.Lock()

    def take(self, batch: Batch) -> None:
        """Count a batch of finished requests."""
        self._requests.add(batch)

    def handler(
        self, flush: Callable[[], None]
    ) -> Callable[[Request, Services], Awaitable[ASGIApp]]:
        """Make the handler of ``METRICS``.

        Args:
            flush: hands on what is finished, so that the answer tells of it.
        """

        async def handle(request: Request, services: Services) -> ASGIApp:
            flush()
            return Response(await self.text(), media_type=_MEDIA_TYPE)

        return handle

    async def text(self) -> bytes:
        """All metrics as they are now."""
        instruments = await self._write()
        return await asyncio.to_thread(instruments.text)

    async def run(self) -> None:
        """Write what others add up, again and again, until cancelled."""
        try:
            while self._shared:
                await asyncio.sleep(FLUSH_SECONDS)
                await self._write()
        except Exception:
            _log.exception("this process's metrics are no longer written")
        finally:
            if self._shared and self._instruments is not None:
                self._fill(self._instruments)

    async def _write(self) -> "Instruments":
        """Let the instruments have what was counted since the last time."""
        async with self._loading:
            if self._instruments is None:  # in a thread: loading takes a tenth of a second
                self._instruments = await asyncio.to_thread(_load, self._shared)
        self._fill(self._instruments)
        return self._instruments

    def _fill(self, instruments: "Instruments") -> None:
        requests, self._requests = self._requests, RequestCounts()
        instruments.add(requests.answers, requests.durations, self._tally)
        for name, read in self._gauges.items():
            instruments.set_gauge(name, read())


def _load(shared: bool) -> "Instruments":
    from emulator.api.prometheus import Instruments

    return Instruments(shared=shared)
