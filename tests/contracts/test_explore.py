"""Random lives: what goes wrong in one is kept short, and what goes wrong around them is told."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from contracts.explore import Explorer, exchanges_of
from contracts.kit import run_kit
from contracts.machine import LifeMachine
from contracts.options import EXIT_INTERRUPTED, EXIT_UNREACHABLE, EngineError, Options
from emulator.testing import Emulator
from tests.contracts.test_runner import Stopper, interrupt


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    emulator = Emulator.start()
    yield emulator
    emulator.stop()


def explorer_at(emulator: Emulator) -> Explorer:
    return Explorer(emulator.url, None, 5.0)


def after(lives: int, act: Callable[[], None]) -> Callable[[str], None]:
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        if len(told) == lives:
            act()

    return tell


def test_lives_of_a_right_emulator_are_kept_whole(emulator: Emulator) -> None:
    explorer = explorer_at(emulator)
    explorer.explore(3, 1, lambda text: None)
    assert explorer.findings == []
    assert len(explorer.kept) == explorer.lives == 3


def test_a_life_that_goes_wrong_is_kept_alone_and_short(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = LifeMachine._read_balance
    monkeypatch.setattr(LifeMachine, "_read_balance", lambda self: (read(self) or 0) - 1)
    explorer = explorer_at(emulator)
    explorer.explore(40, 3, lambda text: None)
    (wrong,) = explorer.findings
    assert wrong.claim_id == "CRED-1"
    last = explorer.kept[-1]
    assert all(0 < number <= len(last) for number in wrong.exchanges)
    assert {exchange.request.method for exchange in last} == {"GET"}


def test_lives_are_numbered_on_with_keys_of_their_own(emulator: Emulator) -> None:
    explorer = explorer_at(emulator)
    explorer.explore(2, 5, lambda text: None)
    exchanges = list(exchanges_of(explorer.kept, 11))
    assert [exchange.number for exchange in exchanges] == list(range(11, 11 + len(exchanges)))
    assert {exchange.sender for exchange in exchanges} - {""} >= {"key-1-1", "key-1-2"}


def test_an_emulator_that_dies_meanwhile_is_unreachable(emulator: Emulator) -> None:
    explorer = explorer_at(emulator)
    with pytest.raises(EngineError) as error:
        explorer.explore(5, 1, after(2, emulator.stop))
    assert error.value.exit_code == EXIT_UNREACHABLE


def test_an_interrupt_gets_through(emulator: Emulator) -> None:
    with pytest.raises(KeyboardInterrupt):
        explorer_at(emulator).explore(5, 1, after(2, interrupt))


def test_lives_that_can_not_be_repeated_are_said_so(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = itertools.count()

    def fail_once(self: LifeMachine) -> None:
        if next(chance) == 3:
            raise ZeroDivisionError

    monkeypatch.setattr(LifeMachine, "_judge", fail_once)
    with pytest.raises(EngineError, match="random lives can't be repeated"):
        explorer_at(emulator).explore(5, 1, lambda text: None)


def test_a_run_that_is_interrupted_there_is_reported(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contracts.plan.CATALOGUE", ())
    options = Options(tasks=1, explore=3)
    report = run_kit(emulator.url, options, Stopper("random lives", 1, interrupt))
    assert report.exit_code == EXIT_INTERRUPTED
