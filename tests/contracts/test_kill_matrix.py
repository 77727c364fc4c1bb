"""The kill matrix' column of ten tasks, with one seed: the kit finds nine of ten seeded bugs."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from scripts.mutant_matrix import Matrix
from scripts.mutant_runs import run_column, run_mutant
from tests.contracts.mutants import MUTANTS

TASKS = 10
PROFILES = ("model-page", "reference")


def test_ten_tasks_find_nine_of_ten_bugs_and_none_where_there_is_none() -> None:
    matrix = Matrix([TASKS], seeds=1, clean_seeds=1)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        unchanged = {name: pool.submit(run_column, TASKS, range(1), name) for name in PROFILES}
        found = {m.name: pool.submit(run_mutant, m.name, [TASKS], 1) for m in MUTANTS}
        matrix.unchanged = {(name, TASKS): run.result() for name, run in unchanged.items()}
        matrix.found = {name: run.result() for name, run in found.items()}
    assert list(matrix.missed_targets()) == [], matrix.survivors(TASKS)
