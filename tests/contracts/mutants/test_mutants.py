"""Each mutant is a real bug, and is gone when its context was left."""

import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator.testing import Emulator
from tests.contracts.mutants import KINDS, MUTANTS
from tests.contracts.mutants.mutant import Mutant
from tests.contracts.mutants.probe import Probe
from tests.support.contract import ROOT

LATENCY_SECONDS = 0.05


@pytest.fixture(scope="module")
def unchanged() -> Iterator[dict[str, Emulator]]:
    with (
        Emulator.start(latency=LATENCY_SECONDS) as model_page,
        Emulator.start(latency=LATENCY_SECONDS, profile="reference") as reference,
    ):
        yield {"model-page": model_page, "reference": reference}


def everything_in_the_emulator() -> dict[tuple[Any, ...], Any]:
    """All that a patch can change: what its modules, classes and tables hold."""
    found: dict[tuple[Any, ...], Any] = {}
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("emulator."):
            for name, value in list(vars(module).items()):
                if name.startswith("__"):
                    continue
                found[module.__name__, name] = value
                if isinstance(value, dict):
                    inside = value
                elif isinstance(value, type) and value.__module__ == module.__name__:
                    inside = dict(vars(value))
                else:
                    continue
                found.update({(module.__name__, name, key): one for key, one in inside.items()})
    return found


def by_name(mutant: Mutant) -> str:
    return mutant.name


@pytest.fixture(scope="module")
def stop_aside() -> Iterator[Callable[[Emulator], None]]:
    """Stop servers, each in a fifth of a second, while tests go on."""
    with ThreadPoolExecutor(8) as pool:
        stopping = []
        yield lambda emulator: stopping.append(pool.submit(emulator.stop))
        for stopped in stopping:
            stopped.result()


@pytest.mark.parametrize("mutant", MUTANTS, ids=by_name)
def test_a_mutant_shows_and_is_gone_afterwards(
    mutant: Mutant, stop_aside: Callable[[Emulator], None]
) -> None:
    before = everything_in_the_emulator()
    with mutant.apply():
        emulator = Emulator.start(latency=LATENCY_SECONDS, profile=mutant.profile)
        try:
            assert mutant.symptom(Probe(emulator)), mutant.says
        finally:
            stop_aside(emulator)
    after = everything_in_the_emulator()
    assert [name for name in before if after.get(name) is not before[name]] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=by_name)
def test_the_unchanged_emulator_does_not_show_it(
    mutant: Mutant, unchanged: dict[str, Emulator]
) -> None:
    assert not mutant.symptom(Probe(unchanged[mutant.profile]))


def test_names_are_unique_and_claims_exist() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    claims = set(re.findall(r"^\| ([A-Z]+-\d+) \|", (ROOT / "docs/fidelity.md").read_text(), re.M))
    assert {mutant.claim for mutant in MUTANTS} <= claims


def test_there_are_enough_of_each_kind() -> None:
    assert len(MUTANTS) >= 60
    assert min(map(len, KINDS.values())) >= 5
    assert len({mutant.claim for mutant in MUTANTS}) >= 40
