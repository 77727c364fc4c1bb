"""The metrics as prometheus-client keeps them; loaded once somebody asks for them."""

import os
from collections import Counter as Counts
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from emulator.api.finished import known_method
from emulator.api.metrics import REQUEST_BUCKETS, Durations
from emulator.service.tally import Tally

PREFIX = "gpt_image_emulator_"
LATENESS_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
# Name, what it says, what divides it. Counters get the ending _total.
COUNTERS = (
    ("requests", "Requests that were answered; status 0: no answer was sent",
     ("operation", "method", "status")),
    ("tasks_created", "Tasks that were created", ()),
    ("tasks_settled", "Tasks that were settled", ("outcome",)),
    ("credits", "Credits that were reserved, charged and refunded", ("movement",)),
    ("callback_attempts", "Callback attempts by what they met", ("result",)),
    ("pictures_drawn", "Pictures that were drawn", ()),
    ("picture_drawing_seconds", "Seconds of drawing pictures", ()),
)  # fmt: skip
GAUGES = (
    ("picture_cache_bytes", "Bytes of pictures in memory"),
    ("open_connections", "Connections that clients hold open"),
)
HISTOGRAMS = (
    ("request_duration_seconds", "Time from a request to its answer",
     ("operation",), REQUEST_BUCKETS),
    ("runner_lateness_seconds", "How long after its due time something was done",
     (), LATENESS_BUCKETS),
)  # fmt: skip


class Instruments:
    """The counters, gauges and histograms of one server.

    Args:
        shared: whether their values are in the folder of ``PROMETHEUS_MULTIPROC_DIR``, which has
            to be set before prometheus-client is loaded.
    """

    def __init__(self, *, shared: bool) -> None:
        self._folder = os.environ["PROMETHEUS_MULTIPROC_DIR"] if shared else None
        own = self._registry = CollectorRegistry()
        self._counters = {
            name: Counter(PREFIX + name, text, labels, registry=own)
            for name, text, labels in COUNTERS
        }
        self._gauges = {
            name: Gauge(PREFIX + name, text, registry=own, multiprocess_mode="livesum")
            for name, text in GAUGES
        }
        self._histograms = {
            name: _Histogram(PREFIX + name, text, labels, registry=own, buckets=bounds)
            for name, text, labels, bounds in HISTOGRAMS
        }
        self._told: Counts[Hashable] = Counts()

    def add(
        self,
        answers: Mapping[tuple[str, str, int], int],
        durations: Mapping[str, Durations],
        tally: Tally,
    ) -> None:
        """Add what was counted.

        Args:
            answers, durations: of the requests since the last time.
            tally: of all that was done since the server's start.
        """
        requests = self._counters["requests"]
        for (operation, method, status), count in answers.items():
            requests.labels(operation, known_method(method), str(status)).inc(count)
        for operation, took in durations.items():
            self._histograms["request_duration_seconds"].labels(operation).add(took)
        lateness = self._histograms["runner_lateness_seconds"]
        while tally.lateness_seconds:
            lateness.observe(tally.lateness_seconds.popleft())
        self._tell("tasks_created", tally.tasks_created)
        self._tell("pictures_drawn", tally.pictures_drawn)
        self._tell("picture_drawing_seconds", tally.drawing_seconds)
        for name, totals in (
            ("tasks_settled", tally.tasks_settled),
            ("credits", tally.credits),
            ("callback_attempts", tally.attempts),
        ):
            for label, total in totals.items():
                self._tell(name, total, label)

    def set_gauge(self, name: str, value: float) -> None:
        """Say what a gauge shows."""
        self._gauges[name].set(value)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format, of all processes where they are shared."""
        if self._folder is None:
            return generate_latest(_WithoutStarts(self._registry))
        _forget_dead(Path(self._folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _tell(self, name: str, total: float, *labels: str) -> None:
        counter = self._counters[name]
        child = counter.labels(*labels) if labels else counter
        child.inc(total - self._told[name, labels])
        self._told[name, labels] = total  # type: ignore[assignment]  # seconds are no whole number


class _Histogram(Histogram):
    """A histogram that takes durations that were sorted into its buckets before."""

    def add(self, durations: Durations) -> None:
        """Count durations."""
        self._sum.inc(durations.sum_seconds)
        for bucket, count in zip(self._buckets, durations.counts, strict=True):
            if count:
                bucket.inc(count)


class _WithoutStarts(Collector):
    """A registry without the instants at which each value began: they double what is sent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        for metric in self._registry.collect():
            metric.samples = [s for s in metric.samples if not s.name.endswith("_created")]
            yield metric


def _forget_dead(folder: Path) -> None:
    """Forget the gauges of processes that ended: they hold no connection and no picture."""
    for file in folder.glob("gauge_live*_*.db"):
        if not _is_alive(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)


def _is_alive(process_id: int) -> bool:
    if os.name != "posix":  # asking would end it
        return True
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
