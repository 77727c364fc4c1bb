"""What was measured, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Measure:
    """One line of the table.

    `measured` and `base` are what was seen, in `unit`; `value` is what is compared with `target`,
    from above if `at_least`, else from below. `samples` are the single values behind both.
    """

    name: str
    unit: str
    measured: float
    base: float | None
    value: float
    target: float
    at_least: bool
    samples: dict[str, list[float]]

    @property
    def reached(self) -> bool:
        """Whether the target is met."""
        return self.value >= self.target if self.at_least else self.value <= self.target


def rate(samples: list[dict[str, int]]) -> str:
    """The median of wrk's answers a second, to be shown."""
    return f"{median(each['requests'] / each['microseconds'] * 1e6 for each in samples):,.0f}"


def latencies_ms(samples: list[dict[str, int]]) -> tuple[float, float]:
    """The medians of wrk's p50 and p99."""
    low, high = (median(each[name] / 1000 for each in samples) for name in ("p50_us", "p99_us"))
    return low, high


def ratio_measure(
    name: str, unit: str, samples: dict[str, list[float]], target: float, *, at_least: bool
) -> Measure:
    """Compare the medians of two series of `samples`, the measured one first."""
    measured, base = (median(series) for series in samples.values())
    return Measure(name, unit, measured, base, measured / base, target, at_least, samples)
