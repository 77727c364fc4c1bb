"""When things happened, on the target's own clock."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from statistics import median
from typing import Any

from contracts.checks.evidence import is_emulator
from contracts.exchange import Exchange, header
from contracts.view import View

HOUR_SECONDS = 3600.0
DAY_SECONDS = 24 * HOUR_SECONDS
TOLERANCE_SECONDS = 5.0
_NO_SECONDS = 10**11  # milliseconds are beyond it


def unix_seconds(value: Any) -> int | None:
    """A whole number that can be Unix seconds; None for all else."""
    return value if type(value) is int and 0 <= value < _NO_SECONDS else None


class TargetTime:
    """Moments of a trace on the target's clock.

    An emulator's clock is known. Another target says in ``Date`` what time it is, and whoever
    recorded the trace may have had a clock that was minutes off.

    Args:
        view: the trace.

    Attributes:
        is_known: whether anything tells the target's time.
    """

    def __init__(self, view: View) -> None:
        ahead = () if is_emulator(view) else tuple(_seconds_ahead(view))
        self._seconds_ahead = median(ahead) if ahead else 0.0
        self.is_known = is_emulator(view) or bool(ahead)

    def sent(self, exchange: Exchange) -> float:
        """When a request was sent, in Unix seconds."""
        return exchange.sent_at + self._seconds_ahead

    def answered(self, exchange: Exchange) -> float:
        """When its answer had come, in Unix seconds."""
        return self.sent(exchange) + exchange.seconds


def _seconds_ahead(view: View) -> Iterator[float]:
    """How far the target's clock is ahead, by each answer that tells."""
    for exchange in view.api:
        told = header(exchange.response.headers, "date") if exchange.response else None
        try:
            at = parsedate_to_datetime(told or "").timestamp()
        except (TypeError, ValueError, OverflowError):
            continue
        # A Date has no fractions; it is from somewhere between the request and its answer.
        yield at + 0.5 - (exchange.sent_at + exchange.seconds / 2)
