"""Price tables from reservations."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.calibration.price_fit import Reservation, fit_prices
from emulator.core.frame import TIERS
from emulator.core.pricing import PriceTable

ASSUMED = PriceTable()
SIZES = ("auto", "16:9", "1:1", "1024x1024", "1280x720", "2048x2048", "2048x1152", "3840x2160")
SHAPES = st.tuples(
    st.sampled_from(SIZES),
    st.sampled_from(TIERS),
    st.sampled_from(("low", "medium", "high", "auto")),
    st.integers(1, 10),
)


def reserved(table: PriceTable, shape: tuple[str, str, str, int]) -> Reservation:
    size, tier, quality, n = shape
    return Reservation(*shape, table.credits_per_image(size, tier, quality) * n)


@st.composite
def tables(draw: st.DrawFn) -> PriceTable:
    credits = st.integers(1, 2000)
    factors = st.integers(5, 500).map(lambda percent: percent * 10_000)
    first, second = sorted((draw(st.integers(0, 10**7)), draw(st.integers(0, 10**7))))
    own = draw(st.booleans())
    return PriceTable(
        {tier: draw(credits) for tier in TIERS},
        {
            "low": draw(factors),
            "medium": 1_000_000,
            "high": draw(factors),
            "auto": draw(factors) if own else 1_000_000,
        },
        {"1K": first, "2K": second},
    )


@given(tables(), st.lists(SHAPES, max_size=12))
def test_what_a_table_reserved_is_reproduced(
    table: PriceTable, shapes: list[tuple[str, str, str, int]]
) -> None:
    shapes = [*shapes, *(("16:9", tier, "medium", 1) for tier in TIERS)]
    seen = Counter(reserved(table, shape) for shape in shapes)
    fit = fit_prices(seen, ASSUMED)
    assert fit.missed == ()
    for shape in shapes:
        assert reserved(fit.table, shape) == reserved(table, shape)


def prices(*cells: tuple[str, str, int]) -> Counter[Reservation]:
    """Reservations for one image, by tier and quality."""
    return Counter(Reservation("16:9", tier, quality, 1, price) for tier, quality, price in cells)


@pytest.mark.parametrize(
    ("seen", "credits", "factors"),
    [
        pytest.param(prices(), {}, {}, id="nothing"),
        pytest.param(prices(("1K", "medium", 40)), {"1K": 40}, {}, id="one price"),
        pytest.param(prices(("2K", "auto", 70)), {"2K": 70}, {}, id="auto is medium"),
        pytest.param(
            prices(("1K", "auto", 45), ("1K", "medium", 30)), {}, {"auto": 1.5}, id="unless not"
        ),
        pytest.param(prices(("4K", "low", 100)), {"4K": 200}, {}, id="by the assumed factor"),
        pytest.param(prices(("1K", "high", 75)), {"1K": 37}, {"high": 2.02}, id="as near as is"),
        pytest.param(
            prices(("1K", "medium", 4), ("1K", "low", 1), ("2K", "medium", 99), ("2K", "low", 25)),
            {"1K": 4, "2K": 99}, {"low": 0.25}, id="a table",
        ),
        pytest.param(
            prices(("1K", "medium", 30), ("1K", "low", 10), ("2K", "low", 34)),
            {"2K": 100}, {"low": 0.333}, id="a tier without medium",
        ),
        pytest.param(prices(("1K", "medium", 0)), {"1K": 0}, {}, id="for free"),
    ],
)  # fmt: skip
def test_tables(
    seen: Counter[Reservation], credits: dict[str, int], factors: dict[str, float]
) -> None:
    fit = fit_prices(seen, ASSUMED)
    assert fit.missed == ()
    assert fit.table.credits_by_tier == {**ASSUMED.credits_by_tier, **credits}
    found = {quality: value / 1e6 for quality, value in fit.table.millionths_by_quality.items()}
    assert found == {"low": 0.5, "medium": 1, "high": 2, "auto": 1, **factors}
    assert fit.table.pixels_by_tier == ASSUMED.pixels_by_tier


def test_the_limits_of_pixels_move_as_little_as_they_must() -> None:
    seen = prices(("1K", "medium", 30), ("2K", "medium", 60), ("4K", "medium", 120))
    for size, price in (("1024x1024", 30), ("1280x1024", 60), ("2560x1600", 120)):
        seen[Reservation(size, "1K", "medium", 1, price)] += 1
    fit = fit_prices(seen, ASSUMED)
    assert fit.missed == ()
    assert fit.table.pixels_by_tier == {"1K": 1280 * 1024 - 1, "2K": 2560 * 1600 - 1}


@pytest.mark.parametrize(
    ("odd", "given"),
    [
        (Reservation("16:9", "2K", "low", 1, 60), 30),  # not separable
        (Reservation("16:9", "1K", "medium", 4, 100), 120),  # cheaper by the dozen
        (Reservation("auto", "4K", "medium", 1, 120), 30),  # a tier for auto
    ],
)
def test_what_no_table_gives_is_told(odd: Reservation, given: int) -> None:
    seen = prices(("1K", "medium", 30), ("2K", "medium", 60), ("1K", "low", 15))
    seen = Counter(dict.fromkeys(seen, 3))
    seen[odd] = 1
    fit = fit_prices(seen, ASSUMED)
    assert fit.missed == ((odd, 1, given),)
    assert (fit.table.credits_by_tier, fit.weight) == (ASSUMED.credits_by_tier, 1)


def test_many_sizes_and_no_table_end_soon() -> None:
    seen: Any = Counter(
        Reservation(f"{edge}x1024", "1K", ("low", "high")[edge % 2], edge % 7 + 1, edge * edge)
        for edge in range(64, 400)
    )
    assert fit_prices(seen, ASSUMED).weight > 0
