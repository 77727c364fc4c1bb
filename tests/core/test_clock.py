"""Accounts' clocks, durations and instants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.clock import (
    DAY,
    HOUR,
    LATEST_INSTANT,
    MINUTE,
    AccountClock,
    http_date,
    parse_duration,
    parse_instant,
    rfc3339,
)
from emulator.core.errors import Refusal

STEPS = st.lists(
    st.tuples(st.sampled_from(["freeze", "resume", "move"]), st.integers(0, DAY)), max_size=20
)


@given(STEPS)
def test_a_clock_never_goes_back(steps: list[tuple[str, int]]) -> None:
    clock, real_now = AccountClock(), 1_000_000
    last = clock.now(real_now)
    for step, amount in steps:
        real_now += amount // 7
        match step:
            case "freeze":
                clock = clock.frozen(real_now)
            case "resume":
                clock = clock.running(real_now)
            case _:
                target = clock.now(real_now) + amount
                clock = clock.moved_to(target, real_now)
                assert clock.now(real_now) == target
        assert clock.now(real_now) >= last
        last = clock.now(real_now)


@given(st.integers(-DAY, DAY), st.integers(0, 10**12))
def test_real_time_of_is_when_the_clock_shows_it(offset_ms: int, instant: int) -> None:
    clock = AccountClock(offset_ms)
    real = clock.real_time_of(instant, 0)
    assert real is not None
    assert clock.now(real) == instant


def test_a_frozen_clock_shows_the_past_already_and_the_future_never() -> None:
    clock = AccountClock(frozen_at=500)
    assert clock.real_time_of(500, 77) == 77
    assert clock.real_time_of(501, 77) is None


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [
        ("25h", 25 * HOUR),
        ("1.5m", 90_000),
        ("10", 10_000),
        (" 90 s ", 90_000),
        ("500ms", 500),
        ("2d", 2 * DAY),
        (3600, HOUR),
        (0.25, 250),
        (0, 0),
        ("PT25H", 25 * HOUR),
        ("P1DT2H3M4.5S", DAY + 2 * HOUR + 3 * MINUTE + 4_500),
        ("P1W", 7 * DAY),
    ],
)
def test_durations(text: object, duration_ms: int) -> None:
    assert parse_duration(text) == duration_ms


@given(st.text() | st.floats() | st.none() | st.booleans() | st.integers())
def test_anything_is_a_duration_or_a_refusal(value: object) -> None:
    try:
        assert parse_duration(value) >= 0
    except Refusal as refusal:
        assert refusal.param == "advance"


@given(st.integers(0, LATEST_INSTANT))
def test_an_instant_survives_being_written(instant: int) -> None:
    assert parse_instant(rfc3339(instant)) == instant
    assert http_date(instant).endswith("GMT")
