"""How long a task takes."""

from dataclasses import dataclass

from emulator.core.clock import SECOND
from emulator.core.errors import Refusal
from emulator.core.seed import fraction

PRESETS = ("instant", "fast", "realistic")

# Seconds for one image: (shortest, longest) by quality, and how a bigger frame slows it.
_REALISTIC_SECONDS = {"low": (8, 14), "medium": (15, 28), "high": (30, 55), "auto": (15, 28)}
_REALISTIC_TIER_FACTOR = {"1K": 1.0, "2K": 1.4, "4K": 2.0}
_REALISTIC_SHARE_OF_EACH_FURTHER_IMAGE = 0.15
_FAST_SECONDS = (0.7, 1.3)


@dataclass(frozen=True, slots=True)
class Latency:
    """A latency preset, or a fixed time.

    Attributes:
        preset: instant, fast or realistic; None for a fixed time.
        fixed_seconds: the fixed time, used where there is no preset.
    """

    preset: str | None = "fast"
    fixed_seconds: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Latency":
        """Read a preset's name or a number of seconds.

        Raises:
            Refusal: it is neither.
        """
        if text in PRESETS:
            return cls(text)
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= 1e9:
            raise Refusal.invalid_value("latency", text, (*PRESETS, "or a number of seconds"))
        return cls(None, seconds)

    def duration_ms(self, seed: int, number: int, quality: str, tier: str, images: int) -> int:
        """Decide a task's duration from its account's seed and its number, in milliseconds."""
        if self.preset == "instant":
            return 0
        if self.preset is None:
            return round(self.fixed_seconds * SECOND)
        shortest, longest = _FAST_SECONDS
        factor = 1.0
        if self.preset == "realistic":
            shortest, longest = _REALISTIC_SECONDS[quality]
            factor = _REALISTIC_TIER_FACTOR[tier]
            factor *= 1 + _REALISTIC_SHARE_OF_EACH_FURTHER_IMAGE * (images - 1)
        seconds = shortest + (longest - shortest) * fraction(seed, "latency", number)
        return round(seconds * factor * SECOND)
