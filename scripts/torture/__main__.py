"""Proof by force; see docs/torture.md.

    python -m scripts.torture [--kills 20] [--seed 1] [--seconds 60]     all of it, bounded
    python -m scripts.torture crash --engine sqlite --replicas 1 --kills 200 --seed 1
    python -m scripts.torture concurrency --engine sqlite --replicas 2 --rounds 10 --seed 1
    python -m scripts.torture soak --engine sqlite --seconds 600 [--rate 1000]

One line a check. Exit status: 0 if every promise was kept, 1 if one was broken, 2 if a check could
not be run.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from scripts.postgres import NoPostgres, is_there
from scripts.torture.concurrency import concurrency
from scripts.torture.crash import crash
from scripts.torture.result import Result
from scripts.torture.servers import ENGINES, NotUp
from scripts.torture.soak import soak

_MOST_SHOWN = 10
Check = tuple[str, Callable[[], Result]]


def main() -> int:
    """Run what is asked for."""
    arguments = _parser().parse_args()
    try:
        kept = [_report(name, check) for name, check in _checks(arguments)]
    except (NotUp, NoPostgres) as error:
        print(f"torture: {error}", file=sys.stderr)
        return 2
    return int(not all(kept))


def _checks(chosen: argparse.Namespace) -> Iterator[Check]:
    engines = ENGINES if chosen.engine is None else (chosen.engine,)
    if chosen.engine is None and not is_there():
        print("PostgreSQL is missing, so what needs it is skipped: apt-get install postgresql")
        engines = ENGINES[:1]
    counts = (1, 2) if chosen.replicas is None else (chosen.replicas,)
    fleets = [(engine, count) for engine in engines for count in counts]
    if chosen.what in ("all", "crash"):
        for engine, count in fleets:
            run = partial(crash, engine, count, chosen.workers, chosen.kills, chosen.seed)
            yield _name("crash", engine, count, chosen.workers), run
    if chosen.what in ("all", "concurrency"):
        for engine, count in fleets:
            run = partial(concurrency, engine, count, chosen.rounds, chosen.seed)
            yield _name("concurrency", engine, count), run
    if chosen.what in ("all", "soak"):
        engine = chosen.engine or ENGINES[0]
        show = print if chosen.what == "soak" else lambda _: None
        yield _name("soak", engine, 1), lambda: soak(engine, chosen.seconds, chosen.rate, show)


def _name(what: str, engine: str, replicas: int, workers: int = 1) -> str:
    each = f" of {workers} workers each" if workers > 1 else ""
    return f"{what}, {engine}, {replicas} process{'es' if replicas > 1 else ''}{each}"


def _report(name: str, check: Callable[[], Result]) -> bool:
    started = time.monotonic()
    result = check()
    verdict = f"{len(result.problems)} BROKEN" if result.problems else "ok"
    seconds = time.monotonic() - started
    print(f"{name}: {verdict} ({seconds:.0f} s) {result.summary}", flush=True)
    for problem in result.problems[:_MOST_SHOWN]:
        print(f"  {problem}", flush=True)
    return not result.problems


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Proof by force.")
    parser.add_argument(
        "what", nargs="?", choices=("all", "crash", "concurrency", "soak"), default="all"
    )
    parser.add_argument("--engine", choices=ENGINES, help="default: all that are there")
    parser.add_argument("--replicas", type=_count, help="processes (default: 1, then 2)")
    parser.add_argument("--workers", type=_count, default=1, help="of each process, in crash")
    parser.add_argument("--kills", type=_count, default=20, help="default: %(default)s")
    parser.add_argument("--rounds", type=_count, default=6, help="default: %(default)s accounts")
    parser.add_argument("--seconds", type=_count, default=60, help="default: %(default)s, of soak")
    parser.add_argument("--rate", type=_count, help="requests a second (default: half of the most)")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(
            f"a whole number from 1 to 100,000 is needed, not {text!r}"
        )
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
