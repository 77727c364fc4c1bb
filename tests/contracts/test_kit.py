"""The whole kit against the unchanged emulator: nothing fails, whatever the seed."""

import pytest

from contracts.kit import run_kit
from contracts.options import Options
from contracts.verdict import Verdict
from emulator.testing import Emulator

PROFILES = ("model-page", "reference")
_WRONG = (Verdict.FAIL, Verdict.NON_STRICT, Verdict.ENGINE_ERROR)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("tasks", "seed"), [(3, 1), (10, 2), (30, 3)])
def test_no_false_alarm(profile: str, tasks: int, seed: int) -> None:
    with Emulator.start(profile=profile) as emulator:
        report = run_kit(emulator.url, Options(tasks=tasks, seed=seed, explore=3))
    wrong = [f"{v.claim_id}: {v.reason}" for v in report.judgement.having(*_WRONG)]
    assert wrong == []
    assert report.stopped is None
    assert report.judgement.profile == profile


@pytest.mark.parametrize("profile", PROFILES)
def test_every_claim_is_decided(profile: str) -> None:
    with Emulator.start(profile=profile) as emulator:
        report = run_kit(emulator.url, Options(tasks=30, seed=0))
    undecided = {
        v.claim_id: v.reason for v in report.judgement.having(Verdict.NOT_RUN, Verdict.UNSUPPORTED)
    }
    assert undecided == {}
