"""How long a task takes."""

import re
from typing import NamedTuple

from emulator.core.clock import SECOND
from emulator.core.errors import Refusal
from emulator.core.seed import fraction

PRESETS = ("instant", "fast", "realistic")

# Seconds for one image: (shortest, longest) by quality, and how a bigger frame slows it.
_REALISTIC_SECONDS = {"low": (8, 14), "medium": (15, 28), "high": (30, 55), "auto": (15, 28)}
_REALISTIC_TIER_FACTOR = {"1K": 1.0, "2K": 1.4, "4K": 2.0}
_REALISTIC_SHARE_OF_EACH_FURTHER_IMAGE = 0.15
_FAST_SECONDS = (0.7, 1.3)
_RANGE = re.compile(r"([0-9.]+)-([0-9.]+)", re.ASCII)
_LONGEST_SECONDS = 1e9


class Latency(NamedTuple):
    """A latency preset, a fixed time, or a range.

    Attributes:
        preset: instant, fast or realistic; None for a fixed time or a range.
        fixed_seconds: the fixed time, or where the range begins; used where there is no preset.
        longest_seconds: where the range ends; None for a fixed time.
    """

    preset: str | None = "fast"
    fixed_seconds: float = 0.0
    longest_seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> "Latency":
        """Read a preset's name, a number of seconds, or two with a dash between them.

        Raises:
            Refusal: it is none of these.
        """
        if text in PRESETS:
            return cls(text)
        ends = _RANGE.fullmatch(text)
        try:
            shortest, longest = map(float, ends.groups() if ends else (text, text))
        except ValueError:
            shortest = longest = -1.0
        if not 0 <= shortest <= longest <= _LONGEST_SECONDS:
            accepted = (*PRESETS, "a number of seconds", "or a range of them such as 12.5-31")
            raise Refusal.invalid_value("latency", text, accepted)
        return cls(None, shortest, longest if ends else None)

    def __str__(self) -> str:
        if self.preset is not None:
            return self.preset
        longest = "" if self.longest_seconds is None else f"-{self.longest_seconds:g}"
        return f"{self.fixed_seconds:g}{longest}"

    def duration_ms(self, seed: int, number: int, quality: str, tier: str, images: int) -> int:
        """Decide a task's duration from its account's seed and its number, in milliseconds."""
        if self.preset == "instant":
            return 0
        shortest, longest = _FAST_SECONDS
        factor = 1.0
        if self.preset is None:
            shortest = longest = self.fixed_seconds
            if self.longest_seconds is not None:
                longest = self.longest_seconds
        if self.preset == "realistic":
            shortest, longest = _REALISTIC_SECONDS[quality]
            factor = _REALISTIC_TIER_FACTOR[tier]
            factor *= 1 + _REALISTIC_SHARE_OF_EACH_FURTHER_IMAGE * (images - 1)
        seconds = shortest + (longest - shortest) * fraction(seed, "latency", number)
        return round(seconds * factor * SECOND)
