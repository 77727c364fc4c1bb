"""Lets random lives happen on an emulator, and keeps what is worth keeping of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from contracts.exchange import Exchange, Trace
from contracts.findings import Finding
from contracts.machine import DeviationError, LifeMachine
from contracts.options import EXIT_ENGINE, EngineError

_STEPS = 14
_MOST_LIVES = 120


@dataclass
class Explorer:
    """Runs random lives.

    Attributes:
        base_url: of the emulator.
        control_token: opens its control API.
        timeout_seconds: how long an answer may take.
        lives: how many were tried.
        kept: exchanges of the lives that are kept, each a list.
        findings: what the model found.
    """

    base_url: str
    control_token: str | None
    timeout_seconds: float
    lives: int = 0
    kept: list[list[Exchange]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def explore(self, lives: int, with_seed: int, told: Callable[[str], None]) -> None:
        """Let random lives happen; stops at the first that goes wrong.

        Args:
            lives: how many.
            with_seed: what is random follows from it.
            told: called after each.

        Raises:
            EngineError: the emulator does not answer, or the same life goes another way.
        """
        machine = self._machine(told)
        quiet = settings(
            max_examples=lives,
            stateful_step_count=_STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        )
        try:
            run_state_machine_as_test(seed(with_seed)(machine), settings=quiet)
        except DeviationError:
            pass  # it is among the findings
        except Flaky as error:
            if not self.findings:  # else only the shrinking was cut short
                raise _cause_of(error) from error

    def _machine(self, told: Callable[[str], None]) -> type[LifeMachine]:
        explorer = self

        class Machine(LifeMachine):
            def __init__(self) -> None:
                explorer.lives += 1
                super().__init__(explorer)

            def teardown(self) -> None:
                super().teardown()
                told("a life")

        return Machine

    @property
    def is_tired(self) -> bool:
        """Whether enough lives were tried to shrink a wrong one."""
        return bool(self.findings) and self.lives > _MOST_LIVES

    def keep(self, trace: Trace, wrong: Finding | None) -> None:
        """Keep a life; of those that went wrong only the last, which is the shortest."""
        if wrong is None:
            if not self.findings:
                self.kept.append(trace.exchanges)
            return
        if self.findings:
            self.kept.pop()
        self.findings = [wrong]
        self.kept.append(trace.exchanges)


def _cause_of(error: Flaky) -> EngineError:
    """Why lives could not be repeated: often the emulator is gone."""
    if isinstance(error.__context__, EngineError):
        return error.__context__
    return EngineError(f"random lives can't be repeated: {error}", EXIT_ENGINE)


def exchanges_of(lives: list[list[Exchange]], first_number: int) -> Iterator[Exchange]:
    """Exchanges of several lives, numbered on from those of a run, each life with its own key."""
    number = first_number
    for index, life in enumerate(lives, 1):
        for exchange in life:
            sender = exchange.sender and f"{exchange.sender}-{index}"
            yield replace(exchange, number=number, sender=sender)
            number += 1
