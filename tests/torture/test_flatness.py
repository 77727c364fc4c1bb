"""What grows is told from what is noisy."""

import pytest

from scripts.torture.flatness import is_flat


@pytest.mark.parametrize(
    "series",
    [
        [5.0] * 6,
        [50.0, 5, 5, 5, 5, 5, 5, 5],  # the first is warm-up
        [5.0, 5, 7, 5, 7, 5, 7, 5, 7, 5, 7, 5],
        [10.0, 10, 10, 10, 10, 11, 11, 11, 11],
        [10.0, 9, 8, 7, 6, 5, 4, 3],  # less is no fault
    ],
)
def test_flat(series: list[float]) -> None:
    assert is_flat(series)


@pytest.mark.parametrize(
    "series",
    [
        [10.0, 10, 10, 10, 13, 13, 13],
        [float(10 + n) for n in range(12)],
        [5.0, 5, 5, 5, 5, 5, 5, 5, 50, 50, 50],
    ],
)
def test_not_flat(series: list[float]) -> None:
    assert not is_flat(series)
