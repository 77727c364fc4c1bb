"""How fast requests go out, and how long a target asks to wait."""

import math
import threading
import time
from email.utils import parsedate_to_datetime

from contracts.exchange import Response, header

_DEFAULT_RETRY_AFTER_SECONDS = 2.0


class Pace:
    """Keeps requests apart.

    Args:
        requests_per_minute: the rate that is not exceeded; None: no limit.
    """

    def __init__(self, requests_per_minute: float | None) -> None:
        self._gap_seconds = 60 / requests_per_minute if requests_per_minute else 0.0
        self._lock = threading.Lock()
        self._next_at = 0.0

    def wait(self) -> None:
        """Wait for one's turn."""
        if not self._gap_seconds:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next_at)
            self._next_at = turn + self._gap_seconds
        time.sleep(turn - now)


def retry_after_seconds(response: Response | None, now: float) -> float | None:
    """How long a target asks to wait; None where it does not.

    Args:
        response: its answer; None where none came.
        now: Unix seconds on the target's clock.
    """
    if response is None or response.status not in (429, 503):
        return None
    text = header(response.headers, "retry-after")
    if text is None:
        return _DEFAULT_RETRY_AFTER_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text, now)
    return max(0.0, seconds) if math.isfinite(seconds) else _DEFAULT_RETRY_AFTER_SECONDS


def _seconds_until(text: str, now: float) -> float:
    """How far an HTTP date is away; the default where a text is none."""
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return _DEFAULT_RETRY_AFTER_SECONDS
