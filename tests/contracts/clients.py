"""Clients for tests, with a clock that only pretends to wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from contracts.client import Client
from contracts.exchange import Trace
from contracts.ledger import DayFile, SpendLedger
from contracts.pace import Pace
from contracts.price_book import PriceBook
from contracts.recorder import Recorder
from contracts.redact import Redactor
from contracts.target import Clock
from contracts.wire import Wire

KEY = "sk-client-0123456789abcdef"


class PatientClock(Clock):
    """A clock that jumps where others wait.

    Attributes:
        waits: how long it was asked to wait, in seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        """Jump."""
        self.waits.append(seconds)
        self._offset_seconds += seconds


@contextmanager
def client_of(
    url: str,
    limit_credits: int | None = None,
    day_path: Path | None = None,
    credits_per_image: int | None = None,
    timeout_seconds: float = 5.0,
    key: str = KEY,
) -> Iterator[Client]:
    """A client of a target."""
    redactor = Redactor()
    redactor.key_label(key)
    client = Client(
        key,
        Recorder(Trace(url), redactor, PatientClock()),
        SpendLedger(limit_credits, None if day_path is None else DayFile(day_path)),
        PriceBook(None if credits_per_image is None else Fraction(credits_per_image)),
        Pace(None),
        Wire(url, timeout_seconds),
    )
    try:
        yield client
    finally:
        client.close()


def waits_of(client: Client) -> list[float]:
    """How long a client waited, in seconds."""
    clock = client.recorder.clock
    assert isinstance(clock, PatientClock)
    return clock.waits
