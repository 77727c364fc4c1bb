"""What the kit records is what the emulator learns from."""

import json
import math
from fractions import Fraction
from pathlib import Path

import pytest

from contracts.har import to_har
from contracts.kit import run_kit
from contracts.options import Options
from emulator.cli import main
from emulator.settings_sources import read_file
from emulator.testing import Emulator

ODD = {
    "profile": "reference",
    "first_status": "pending",
    "success_status": "completed",
    "latency": "3-9",
    "prices": "1K=40,2K=90,4K=200",
    "quality_factors": "low=0.3,medium=1,high=1.7",
    "media_ttl_hours": "6",
    "media_expired_status": "404",
    "stuck_after_seconds": "120",
}


def test_a_run_of_the_kit_is_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Emulator.start(**ODD) as emulator:
        trace = run_kit(emulator.url, Options(tasks=30, seed=2)).trace
    Path("trace.har").write_text(json.dumps(to_har(trace)), "utf-8")
    assert main(["calibrate", "trace.har"]) == 0
    learned = read_file("calibrated.toml")
    shortest, longest = map(float, learned.pop("latency").split("-"))
    assert 3 <= shortest < longest <= 9
    # The run had 4K pictures in low quality only: what they cost is kept to the credit.
    prices = dict(entry.split("=") for entry in learned.pop("prices").split(","))
    assert (prices["1K"], prices["2K"]) == ("40", "90")
    assert math.ceil(Fraction(prices["4K"]) * Fraction("0.3")) == 200 * Fraction("0.3")
    same = set(ODD) - {"latency", "prices"}
    assert {name: learned[name] for name in same} == {name: ODD[name] for name in same}
    assert set(learned) - set(ODD) <= {"price_pixels"}  # no frames: the profile's rule holds
