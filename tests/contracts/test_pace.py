"""How far apart requests are, on a clock that only pretends to run."""

import threading

import pytest

from contracts import pace
from contracts.pace import Pace


class Time:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(pace, "time", clock)
    return clock


def test_the_first_goes_at_once_and_the_next_a_gap_later(clock: Time) -> None:
    paced = Pace(60)
    for _ in range(4):
        paced.wait()
    assert clock.slept == [0, 1, 1, 1]


def test_time_that_passed_by_itself_counts(clock: Time) -> None:
    paced = Pace(30)
    paced.wait()
    clock.now += 1.5
    paced.wait()
    clock.now += 10
    paced.wait()
    paced.wait()
    assert clock.slept == [0, 0.5, 0, 2]


def test_threads_take_turns(clock: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(clock, "sleep", slept.append)
    paced = Pace(60)
    threads = [threading.Thread(target=paced.wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slept) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_without_a_rate_nobody_waits(clock: Time) -> None:
    Pace(None).wait()
    assert clock.slept == []
