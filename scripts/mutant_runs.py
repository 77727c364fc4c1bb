"""Runs the kit, and Schemathesis, against the emulator with a bug in it, and without."""

import json
import logging
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contracts.kit import run_kit
from contracts.options import Options
from contracts.verdict import Verdict
from emulator.testing import Emulator
from tests.contracts.mutants import MUTANTS
from tests.contracts.mutants.mutant import Mutant

ROOT = Path(__file__).parents[1]
SCHEMATHESIS = 0  # the column of Schemathesis; any other is a number of paid tasks

_PLENTY_OF_CREDITS = 10**9
_LATENCY = "fast"  # long enough that a poll sees each state
# Schemathesis never waits for a task: with shorter ones it sees more of them end.
_LATENCY_FOR_SCHEMATHESIS = 0.05
_LONGEST_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run said.

    Attributes:
        failed: claims that it says are broken; or, of Schemathesis, what failed where.
        problems: claims that it could not judge, with the reason; or why it ended early.
        seconds: how long it took.
    """

    failed: tuple[str, ...]
    problems: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        mutant: the bug's name; None: the emulator as it is.
        profile: what the emulator speaks.
        column: the number of paid tasks, or ``SCHEMATHESIS``.
        seed: what is random follows from it.
    """

    mutant: str | None
    profile: str
    column: int
    seed: int


def run_once(run: Run) -> Outcome:
    """Run the kit, or Schemathesis, against a fresh emulator in this process."""
    logging.disable(logging.CRITICAL)  # a bug may make it fail over and over
    latency = _LATENCY if run.column != SCHEMATHESIS else _LATENCY_FOR_SCHEMATHESIS
    tool = _run_schemathesis if run.column == SCHEMATHESIS else _run_kit
    bug = nullcontext() if run.mutant is None else mutant_named(run.mutant).apply()
    with (
        bug,
        Emulator.start(
            latency=latency, profile=run.profile, initial_credits=_PLENTY_OF_CREDITS
        ) as emulator,
    ):
        started = time.perf_counter()
        failed, problems = tool(emulator, run.column, run.seed)
        return Outcome(failed, problems, time.perf_counter() - started)


@cache
def mutant_named(name: str) -> Mutant:
    """The mutant of a name."""
    return next(mutant for mutant in MUTANTS if mutant.name == name)


_Found = tuple[tuple[str, ...], tuple[str, ...]]


def _run_kit(emulator: Emulator, tasks: int, seed: int) -> _Found:
    options = Options(tasks=tasks, seed=seed, max_credits=_PLENTY_OF_CREDITS, strict=True)
    try:
        report = run_kit(emulator.url, options)
    except Exception as error:  # the kit's own fault, which is no finding
        return (), (f"the kit stopped: {type(error).__name__}: {error}",)
    failed = report.judgement.having(Verdict.FAIL, Verdict.NON_STRICT)
    stopped = report.judgement.having(Verdict.ENGINE_ERROR)
    problems = [f"{verdict.claim_id}: {verdict.reason}" for verdict in stopped]
    if report.stopped is not None:
        problems.append(report.stopped)
    return tuple(verdict.claim_id for verdict in failed), tuple(problems)


def _run_schemathesis(emulator: Emulator, _: int, seed: int) -> _Found:
    key = emulator.new_account().api_key
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable, "-m", "schemathesis.cli", "run", str(ROOT / "openapi.yaml"),
            "--url", emulator.url, "--header", f"Authorization: Bearer {key}",
            "--seed", str(seed), "--report", "json", "--report-json-path", str(report),
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST_SECONDS,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return (), (f"Schemathesis took more than {_LONGEST_SECONDS} s",)
        if done.returncode not in (0, 1) or not report.exists():
            return (), (f"Schemathesis ended with {done.returncode}: {done.stderr[-200:]}",)
        document = json.loads(report.read_text())
    failed = {
        f"{operation}: {failure['title']}"
        for failure in document["failures"]
        for operation in failure["operations"]
    }
    return tuple(sorted(failed)), ()
