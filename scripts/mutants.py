"""Prints the kill matrix: python -m scripts.mutants --help."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path

from scripts.mutant_matrix import Matrix, heading, markdown, planned_runs
from scripts.mutant_outcomes import Outcomes
from scripts.mutant_runs import SCHEMATHESIS, Run, run_once
from tests.contracts.mutants import MUTANTS


def main() -> int:
    """Run what was asked, print the matrix; 1 where a target is missed."""
    arguments = _parser().parse_args()
    names = [mutant.name for mutant in MUTANTS if arguments.only in mutant.name]
    if not names:
        print(f"no mutant's name contains {arguments.only!r}", file=sys.stderr)
        return 2
    seeds = dict(zip(arguments.tasks, cycle(arguments.seeds), strict=False))
    clean = dict.fromkeys(arguments.tasks, arguments.clean_seeds)
    if arguments.schemathesis_seeds:
        seeds[SCHEMATHESIS] = clean[SCHEMATHESIS] = arguments.schemathesis_seeds
    outcomes = Outcomes(arguments.keep)
    run_all(planned_runs(names, seeds, clean), outcomes, arguments.jobs)
    matrix = Matrix.of(outcomes, names, seeds, clean)
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


def run_all(runs: Sequence[Run], outcomes: Outcomes, jobs: int) -> None:
    """Run what is not kept yet, in processes of their own: a bug changes a whole process.

    Args:
        runs: what is wanted.
        outcomes: where it goes; what it has is not run again.
        jobs: the number of processes.
    """
    missing = [run for run in runs if run not in outcomes]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        waiting = {pool.submit(run_once, run): run for run in missing}
        try:
            for number, future in enumerate(as_completed(waiting), 1):
                run = waiting[future]
                outcomes.add(run, future.result())
                told = f"{run.mutant or 'unchanged'}, {heading(run.column)}, seed {run.seed}"
                print(f"{number}/{len(waiting)} {told}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m scripts.mutants", description=__doc__)
    parser.add_argument(
        "--tasks", type=_numbers, default=[3, 10, 30], help="a column for each, such as 3,10,30"
    )
    parser.add_argument(
        "--seeds", type=_numbers, default=[5], help="runs of each mutant, for each column in turn"
    )
    parser.add_argument(
        "--clean-seeds", type=int, default=20, help="runs of the unchanged emulator a column"
    )
    parser.add_argument(
        "--schemathesis-seeds",
        type=int,
        default=0,
        help="runs of each mutant in a column for Schemathesis' default run (default: no column)",
    )
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--keep", type=Path, help="keep what each run said in this file, and take it up from there"
    )
    parser.add_argument("--write", type=Path, help="write the matrix to this Markdown file too")
    return parser


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


if __name__ == "__main__":
    sys.exit(main())
