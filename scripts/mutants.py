"""Prints the kill matrix: python -m scripts.mutants --help."""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from scripts.mutant_matrix import Matrix, heading, markdown
from scripts.mutant_runs import SCHEMATHESIS, Outcome, run_column, run_mutant
from tests.contracts.mutants import MUTANTS

PROFILES = ("model-page", "reference")


def main() -> int:
    """Run what was asked, print the matrix; 1 where a target is missed."""
    arguments = _parser().parse_args()
    columns = [*arguments.tasks, *([SCHEMATHESIS] if arguments.schemathesis else [])]
    names = [mutant.name for mutant in MUTANTS if arguments.only in mutant.name]
    if not names:
        print(f"no mutant's name contains {arguments.only!r}", file=sys.stderr)
        return 2
    matrix = Matrix(columns, arguments.seeds, arguments.clean_seeds)
    _fill(matrix, names, arguments.jobs)
    text = markdown(matrix)
    print(text)
    if arguments.write is not None:
        arguments.write.write_text(text, "utf-8")
    for problem in matrix.problems():
        print(f"not judged: {problem}", file=sys.stderr)
    missed = list(matrix.missed_targets())
    for sentence in missed:
        print(sentence, file=sys.stderr)
    return 1 if missed else 0


def _fill(matrix: Matrix, names: Sequence[str], jobs: int) -> None:
    """Run everything, each mutant in a process: a bug changes the whole process's code."""
    waiting: dict[Future[Any], Callable[[Any], str]] = {}
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for column in matrix.columns:
            for profile in PROFILES:
                clean = range(matrix.clean_seeds)
                future: Future[Any] = pool.submit(run_column, column, clean, profile)
                waiting[future] = partial(_keep_unchanged, matrix, profile, column)
        for name in names:
            future = pool.submit(run_mutant, name, matrix.columns, matrix.seeds)
            waiting[future] = partial(_keep, matrix, name)
        for number, future in enumerate(as_completed(waiting), 1):
            told = waiting[future](future.result())
            print(f"{number}/{len(waiting)} {told}", file=sys.stderr, flush=True)
    matrix.found = {name: matrix.found[name] for name in names}


def _keep(matrix: Matrix, name: str, found: dict[int, list[Outcome]]) -> str:
    matrix.found[name] = found
    return name


def _keep_unchanged(matrix: Matrix, profile: str, column: int, found: list[Outcome]) -> str:
    matrix.unchanged[profile, column] = found
    return f"unchanged, {profile}, {heading(column)}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m scripts.mutants", description=__doc__)
    parser.add_argument(
        "--tasks", type=_numbers, default=[3, 10, 30], help="a column for each, such as 3,10,30"
    )
    parser.add_argument("--seeds", type=int, default=5, help="runs of each mutant a column")
    parser.add_argument(
        "--clean-seeds", type=int, default=20, help="runs of the unchanged emulator a column"
    )
    parser.add_argument(
        "--schemathesis", action="store_true", help="a column for Schemathesis' default run"
    )
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--write", type=Path, help="write the matrix to this Markdown file too")
    return parser


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


if __name__ == "__main__":
    sys.exit(main())
