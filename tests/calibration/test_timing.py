"""Latencies, and the sweep."""

from typing import Any

import pytest

from tests.calibration.traces import creation, entry, finding, lessons, poll, values
from tests.support.world import CREATION


def waited(milliseconds: Any) -> dict[str, Any]:
    answer = {"created": 1_800_000_000, "data": []}
    found = entry("POST", "/v1/images/edits", 200, dict(CREATION), answer)
    return {**found, "time": milliseconds}


@pytest.mark.parametrize(
    ("entries", "latency"),
    [
        ([poll(1, ended=5)], "5"),
        ([poll(1, ended=5), poll(2, "completed", ended=12.25), poll(3, ended=7)], "5-12.25"),
        ([poll(1, ended=None), poll(2, ended=0)], "0"),
        ([poll(1, ended=-3)], "0"),
        ([poll(1, "failed", ended=3), poll(2, "processing", ended=None)], None),
        # A word that nobody knows, and an end all the same.
        ([poll(1, "done", ended=4, urls=("https://a.example/1",))], "4"),
        ([poll(1, "failed", ended=3), waited(2500), waited(4000.4)], "2.5-4"),
        ([poll(1, ended=5), waited(2500)], "5"),
        ([waited(None), waited("x"), waited(-1)], None),
    ],
)
def test_latency(entries: list[Any], latency: str | None) -> None:
    assert values(*entries).get("latency") == latency


def test_what_latency_goes_by_is_said() -> None:
    entries = [creation(i, quality="low" if i < 3 else "high") for i in range(1, 5)]
    entries += [poll(i, ended=i * 10) for i in range(1, 5)]
    note = finding(lessons(*entries), "latency").note
    assert note.startswith("it goes by quality (high 30-40, low 10-20), the emulator draws from")
    assert "tier" not in note
    overlapping = finding(lessons(*entries, poll(4, ended=15)), "latency").note
    assert overlapping == ""


@pytest.mark.parametrize(
    ("entries", "seconds"),
    [
        ([poll(1, "failed", ended=300.4, error="timeout")], "300"),
        ([poll(1, "failed", ended=300, error="content_filter")], None),
        ([poll(1, ended=599)], None),
        ([poll(1, ended=700.5)], "701"),
        ([poll(1, ended=700.5), poll(2, "failed", ended=650, error="timeout")], "701"),
    ],
)
def test_the_sweep(entries: list[Any], seconds: str | None) -> None:
    assert values(*entries).get("stuck_after_seconds") == seconds
