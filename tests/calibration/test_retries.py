"""When callbacks are tried again."""

from typing import Any

import pytest

from emulator.calibration.har import parse_har
from emulator.calibration.learn import learn
from emulator.calibration.observe import observe
from tests.calibration.traces import creation, detail, entry, finding, har, lessons, values

SETTING = "callback_retry_delays_seconds"


def callbacks(task: int, *attempts: tuple[float, int]) -> list[dict[str, Any]]:
    """Attempts at a task that ended at 5 seconds: when after its end, and what was answered."""
    return [
        entry(
            "POST", "https://receiver.example/hook", status, detail(task), seconds=5 + seconds,
            _direction="callback",
        )
        for seconds, status in attempts
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("attempts", "delays"),
    [
        ([(0.3, 200)], "0,5,30,120,600,3600"),
        ([(0.1, 500), (5.4, 500), (37, 204)], "0,5,30,120,600,3600"),
        ([(3, 500), (13, 500), (73.04, 200)], "3,10,60,120,600,3600"),
        ([(0, 500), (1, 0), (2, 302), (3, 400), (4, 500), (5, 500), (6, 500)],
         "0,1,1,1,1,1,1"),
        ([(0, 200), (1, 200)], "0,5,30,120,600,3600"),  # delivered: a copy is no retry
        ([(-4, 200)], "0,5,30,120,600,3600"),
    ],
)  # fmt: skip
def test_delays(attempts: list[tuple[float, int]], delays: str) -> None:
    assert values(creation(1), *callbacks(1, *attempts)).get(SETTING) == delays


def test_the_shortest_wait_counts_and_what_is_not_seen_stays() -> None:
    entries = [
        *callbacks(1, (0, 500), (12, 200)),
        *callbacks(2, (0, 500), (10, 200)),
    ]
    found = lessons(creation(1), *entries)
    second, third = (finding(found, SETTING, f"attempt {number}") for number in (2, 3))
    assert (second.assumed, second.seen, second.count) == ("5", "10", 2)
    assert third.verdict == "not seen"


def test_a_moved_clock_shows_no_waits() -> None:
    content = har(creation(1), *callbacks(1, (100, 500), (100, 200)))
    content["log"]["_contracts"] = {"facts": {"target": "emulator"}}
    found = {one.setting: one for one in learn(observe(parse_har(content, "a.har")))}
    assert found[SETTING].value is None
    assert "moved the target's clock" in found[SETTING].notes[0]
    assert "latency" in {name for name, one in found.items() if one.value is not None}


def test_a_callback_is_a_task_that_was_read() -> None:
    assert values(*callbacks(1, (1, 200)))["success_status"] == "succeeded"
