"""An account's own time: real time plus an offset, or frozen.

An instant is an ``int``: milliseconds since the Unix epoch. Real instants come from the
machine's clock, account instants from an account's clock; names say which is which.
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from emulator.core.errors import Refusal

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

LATEST_INSTANT = 253_402_300_799_000  # 9999-12-31T23:59:59Z, the last that RFC 3339 can write

_UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_SHORT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)?", re.ASCII)
_ISO = re.compile(
    r"P(?:(\d{1,9}(?:\.\d{1,6})?)W)?(?:(\d{1,9}(?:\.\d{1,6})?)D)?"
    r"(?:T(?:(\d{1,9}(?:\.\d{1,6})?)H)?(?:(\d{1,9}(?:\.\d{1,6})?)M)?(?:(\d{1,12}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)


class AccountClock(NamedTuple):
    """A clock that an account can freeze and move forward.

    Attributes:
        offset_ms: what is added to real time while the clock runs.
        frozen_at: the account instant at which it stands, or None while it runs.
    """

    offset_ms: int = 0
    frozen_at: int | None = None

    def now(self, real_now: int) -> int:
        """Return the account's instant at a real instant."""
        if self.frozen_at is not None:
            return self.frozen_at
        return min(real_now + self.offset_ms, LATEST_INSTANT)

    def reached(self, real_now: int) -> int:
        """Return the instant up to which everything is due, which may be past the last one."""
        return real_now + self.offset_ms if self.frozen_at is None else self.frozen_at

    def frozen(self, real_now: int) -> "AccountClock":
        """Return this clock, standing at its present instant."""
        return self._replace(frozen_at=self.now(real_now))

    def running(self, real_now: int) -> "AccountClock":
        """Return this clock, running on from its present instant."""
        return AccountClock(offset_ms=self.now(real_now) - real_now)

    def moved_to(self, instant: int, real_now: int) -> "AccountClock":
        """Return this clock at ``instant``, or unchanged where it is there or past it."""
        if instant <= self.now(real_now):
            return self
        if self.frozen_at is not None:
            return self._replace(frozen_at=instant)
        return AccountClock(offset_ms=instant - real_now)

    def real_time_of(self, instant: int, real_now: int) -> int | None:
        """Return the real instant at which this clock shows ``instant``.

        A frozen clock shows what is past already (``real_now``), and the rest never (None).
        """
        if self.frozen_at is None:
            return instant - self.offset_ms
        return real_now if instant <= self.frozen_at else None


def parse_duration(value: object, param: str = "advance") -> int:
    """Read a duration: ``"25h"``, ``"90s"``, ``"500ms"``, a number of seconds, or ``"P1DT1H"``.

    Returns:
        Milliseconds, zero or more.

    Raises:
        Refusal: it is none of these.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e12:
        return round(value * SECOND)
    if isinstance(value, str):
        text = value.strip()
        if short := _SHORT.fullmatch(text):
            return round(float(short[1]) * _UNITS[short[2] or "s"])
        iso = _ISO.fullmatch(text)
        if iso and any(iso.groups()):
            units = (7 * DAY, DAY, HOUR, MINUTE, SECOND)
            return round(sum(float(n or 0) * ms for n, ms in zip(iso.groups(), units, strict=True)))
    raise Refusal.invalid_value(
        param,
        value,
        'a duration of zero or more, such as "25h", "500ms", a number of seconds, or "PT25H"',
    )


def parse_instant(value: object, param: str = "set") -> int:
    """Read an RFC 3339 time with its offset, such as ``2027-01-01T00:00:00Z``.

    Raises:
        Refusal: it is no such time.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return round(moment.timestamp() * SECOND)
        except (ValueError, OverflowError):
            pass
    raise Refusal.invalid_value(
        param, value, 'an RFC 3339 time with its offset, such as "2027-01-01T00:00:00Z"'
    )


def rfc3339(instant: int) -> str:
    """Write an instant as RFC 3339 in UTC, with milliseconds; nothing is later than 9999."""
    seconds, milliseconds = divmod(min(instant, LATEST_INSTANT), SECOND)
    return f"{_rfc3339_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=256)
def _rfc3339_second(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat().removesuffix("+00:00")


def http_date(instant: int) -> str:
    """Write an instant as an HTTP ``Date`` header's value."""
    return format_datetime(datetime.fromtimestamp(instant // SECOND, UTC), usegmt=True)
