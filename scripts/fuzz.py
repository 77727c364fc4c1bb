"""Fuzzes the parsers with coverage as its guide: ``python -m scripts.fuzz --seconds 60 [TARGET]``.

Each target of ``scripts.fuzz_targets`` runs in a process of its own, for the same share of the
seconds. An input that makes an error which the parser does not promise, takes ten seconds or more
than a gigabyte, is left in ``.fuzz/TARGET`` and makes the exit code 1.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]

FOLDER = Path(".fuzz")
_SLOWEST_SECONDS = 10
_MOST_MIB = 1024


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one target in this process, which ends with it."""
    with atheris.instrument_imports(include=["emulator", "starlette.formparsers"]):
        from scripts.fuzz_targets import TARGETS, check

    corpus, findings = FOLDER / name / "corpus", FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    target = TARGETS[name]
    options = (
        f"-max_total_time={seconds}", f"-timeout={_SLOWEST_SECONDS}", f"-rss_limit_mb={_MOST_MIB}",
        f"-artifact_prefix={findings}/", "-max_len=65536", "-verbosity=0", "-print_final_stats=1",
    )  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda content: check(target, content))
    atheris.Fuzz()


def fuzz_in_a_process(name: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own; whether it held."""
    command = [sys.executable, "-m", "scripts.fuzz", "--seconds", str(seconds), "--here", name]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False,
        timeout=seconds + 120,
    )  # fmt: skip
    said = done.stdout + done.stderr
    counts = [line for line in said.splitlines() if "number_of_executed_units" in line]
    runs = int(counts[0].rpartition(" ")[2]) if counts else 0
    print(f"{name:<12} {runs:>10,} inputs  {'ok' if done.returncode == 0 else 'FAILED'}")
    if done.returncode:
        print(said[-4000:])
    return done.returncode == 0


def main(arguments: list[str]) -> int:
    """Fuzz one target or all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="else all of them")
    parser.add_argument("--seconds", type=int, default=60, help="for all of them together")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.here:
        fuzz(given.targets[0], given.seconds)
    from scripts.fuzz_targets import TARGETS  # late: a process that fuzzes instruments its imports

    names = given.targets or list(TARGETS)
    if unknown := set(names) - TARGETS.keys():
        parser.error(f"there is no target {min(unknown)!r}; there are {', '.join(TARGETS)}")
    share = max(1, given.seconds // len(names))
    return 0 if all([fuzz_in_a_process(name, share) for name in names]) else 1  # noqa: C419


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
