"""The kill matrix' column of ten tasks, with one seed: the kit finds nine of ten seeded bugs.

All of them take twelve minutes of a processor, so it is a third of the bugs, another one whenever
the code changes. ``make mutants`` runs all.
"""

from scripts.mutant_matrix import Matrix, planned_runs
from scripts.mutant_outcomes import Outcomes, fingerprint
from scripts.mutants import run_all
from tests.contracts.mutants import MUTANTS

TASKS = 10
PARTS = 3


def test_ten_tasks_find_nine_of_ten_bugs_and_none_where_there_is_none() -> None:
    first = int(fingerprint(TASKS), 16) % PARTS
    names = [mutant.name for mutant in MUTANTS[first::PARTS]]
    seeds, outcomes = {TASKS: 1}, Outcomes(None)
    run_all(planned_runs(names, seeds, seeds), outcomes, jobs=2)
    matrix = Matrix.of(outcomes, names, seeds, seeds)
    assert list(matrix.missed_targets()) == [], matrix.survivors(TASKS)
