"""Whether a series stays where it was. Pure."""

from collections.abc import Sequence
from statistics import median

WARM_UP_PART = 0.1
ALLOWED_GROWTH = 0.2


def growth(series: Sequence[float]) -> tuple[float, float, float]:
    """Compare the end of a series with its beginning, after a warm-up.

    Args:
        series: samples at equal distances, at least 6.

    Returns:
        The median of the first third; the median of the last third; the highest that the latter
        may be: a fifth more than the former, and the noise that was seen in the first third.
    """
    warm = series[max(1, round(len(series) * WARM_UP_PART)) :]
    third = max(2, len(warm) // 3)
    first, last = warm[:third], warm[-third:]
    noise = (max(first) - min(first)) / 2
    return median(first), median(last), median(first) * (1 + ALLOWED_GROWTH) + noise


def is_flat(series: Sequence[float]) -> bool:
    """Whether the last third of a series is no higher than it may be."""
    _, last, most = growth(series)
    return last <= most
