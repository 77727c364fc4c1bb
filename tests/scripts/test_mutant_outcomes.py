"""A matrix that was stopped is taken up again, as long as the code is the same."""

from pathlib import Path

import pytest

from scripts import mutant_outcomes
from scripts.mutant_matrix import Matrix, planned_runs
from scripts.mutant_outcomes import Outcomes, fingerprint
from scripts.mutant_runs import SCHEMATHESIS, Outcome, Run
from tests.contracts.mutants import MUTANTS

ONE, OTHER = (mutant.name for mutant in MUTANTS[:2])
RUN = Run(ONE, "model-page", 10, 3)
FOUND = Outcome(("TASK-2",), ("CB-1: nothing came",), 1.5)


def test_outcomes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    Outcomes(path).add(RUN, FOUND)
    again = Outcomes(path)
    assert again[RUN] == FOUND
    assert Run(ONE, "model-page", 10, 4) not in again


def test_a_line_that_was_cut_off_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    Outcomes(path).add(RUN, FOUND)
    path.write_text(path.read_text()[:-3])
    assert RUN not in Outcomes(path)
    Outcomes(path).add(RUN, FOUND)
    Outcomes(path).add(RUN, FOUND)
    assert RUN in Outcomes(path)


def test_outcomes_of_other_code_count_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.jsonl"
    Outcomes(path).add(RUN, FOUND)
    monkeypatch.setattr(mutant_outcomes, "fingerprint", lambda column: "other")
    assert RUN not in Outcomes(path)


def test_the_kit_is_no_part_of_what_schemathesis_finds() -> None:
    assert fingerprint(10) == fingerprint(30) != fingerprint(SCHEMATHESIS)


def test_each_column_has_runs_of_its_own(tmp_path: Path) -> None:
    seeds, clean = {10: 2, SCHEMATHESIS: 1}, {10: 3, SCHEMATHESIS: 1}
    runs = planned_runs([ONE, OTHER], seeds, clean)
    assert len(runs) == len(set(runs)) == (2 * 2 + 2 * 3) + (2 + 2)
    outcomes = Outcomes(tmp_path / "kept.jsonl")
    for run in runs:
        outcomes.add(run, FOUND)
    matrix = Matrix.of(outcomes, [ONE, OTHER], seeds, clean)
    assert len(matrix.found[OTHER][10]) == 2
    assert len(matrix.unchanged["reference", 10]) == 3
