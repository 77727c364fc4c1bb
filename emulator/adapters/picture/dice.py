"""Numbers that look random and are the same on every machine."""

from collections.abc import Sequence
from hashlib import shake_128
from struct import unpack
from typing import Final, TypeVar

_Choice = TypeVar("_Choice")
_RESERVE: Final = 512


class Dice:
    """A stream of numbers from a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._refills = 0
        self._waiting: list[float] = []

    def fractions(self, count: int) -> list[float]:
        """Roll many numbers in [0, 1) at once."""
        return [value / 65536 for value in unpack(f"<{count}H", self.bytes(count * 2))]

    def bytes(self, count: int) -> bytes:
        """Roll many bytes at once."""
        self._refills += 1
        return shake_128(f"{self._seed}/{self._refills}".encode()).digest(count)

    def fraction(self) -> float:
        """Roll a number in [0, 1)."""
        if not self._waiting:
            self._waiting = self.fractions(_RESERVE)
        return self._waiting.pop()

    def between(self, low: float, high: float) -> float:
        """Roll a number from ``low`` to ``high``."""
        return low + (high - low) * self.fraction()

    def whole(self, below: int) -> int:
        """Roll a whole number from 0 to ``below`` - 1, at most 65,536."""
        return int(self.fraction() * below)

    def pick(self, choices: Sequence[_Choice]) -> _Choice:
        """Pick one of several."""
        return choices[self.whole(len(choices))]
