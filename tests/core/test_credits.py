"""Movements of credits."""

from hypothesis import given
from hypothesis import strategies as st

from emulator.core.credits import Movement, adjust


@given(st.integers(-(10**12), 10**12))
def test_an_adjustment_keeps_the_invariant(credits: int) -> None:
    movement = adjust(credits)
    assert movement == Movement("adjustment", granted=credits, available=credits)
    assert movement.granted == movement.available + movement.reserved + movement.charged
