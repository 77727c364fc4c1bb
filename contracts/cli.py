"""The command line of the contract kit."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from contracts.options import EXIT_INTERRUPTED, EXIT_USAGE, MODES, EngineError

PROGRAM = "gpt-image-contracts"
KEY_VARIABLE = "GPT_IMAGE_CONTRACTS_KEY"
SECOND_KEY_VARIABLE = "GPT_IMAGE_CONTRACTS_SECOND_KEY"
TOKEN_VARIABLE = "GPT_IMAGE_CONTRACTS_EMULATOR_TOKEN"  # noqa: S105  # the variable's name

_DESCRIPTION = "Does a server do what the upstream's documents say? Checks it, claim by claim."
_EPILOG = f"""\
environment:
  {KEY_VARIABLE}             the API key; asked for where it is needed and missing,
                                      made up for an emulator
  {SECOND_KEY_VARIABLE}      a key of another account, to look for what it must not see
  {TOKEN_VARIABLE}  opens an emulator that was started with --control-token

exit codes:
  0  no claim failed               5  the key is refused
  1  a claim failed                6  the spend limit stopped the run
  2  a wrong call                  7  a file can't be used
  3  the target can't be reached   8  the kit could not judge a claim
  4  the target is not the API     9  nothing is due for a recheck yet
  130  interrupted; what was seen is judged and written
"""
DEFAULT_FOLDER = Path("contract-report")
_PER_MINUTE_ELSEWHERE = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The process's exit code.
    """
    parsed = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupted)
    # Imported here: --help and wrong calls are answered at once.
    from contracts import commands

    try:
        code: int = getattr(commands, parsed.command)(parsed)
    except EngineError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)  # noqa: T201
        return EXIT_INTERRUPTED
    return code


def _interrupted(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the call, and end."""
        self.exit(EXIT_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def _number(convert: Any, least: float, words: str) -> Any:
    def read(text: str) -> Any:
        try:
            value = convert(text)
        except (ValueError, ZeroDivisionError):
            value = None
        if value is None or not least <= value < 10**12:
            raise argparse.ArgumentTypeError(f"must be {words}; {text!r} was given")
        return value

    return read


_WHOLE = _number(int, 0, "a whole number from 0")
_POSITIVE = _number(int, 1, "a whole number from 1")
_SECONDS = _number(float, 0.1, "a number of seconds from 0.1")


def _parser() -> argparse.ArgumentParser:
    style: Any = argparse.RawDescriptionHelpFormatter
    parser = _Parser(PROGRAM, description=_DESCRIPTION, epilog=_EPILOG, formatter_class=style)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=text, epilog=_EPILOG, formatter_class=style
        )

    plan = command("plan", "print what would be sent and what it can cost at most; send nothing")
    _add_target(plan)
    _add_plan(plan)
    run = command("run", "send it, judge it, write reports")
    _add_target(run)
    _add_plan(run)
    _add_run(run)
    again = command("recheck", "finish another day what only time could show, at no cost")
    again.add_argument("state", type=Path, help="state.json of the run")
    again.add_argument(
        "--timeout",
        dest="timeout_seconds",
        type=_SECONDS,
        default=60.0,
        metavar="SECONDS",
        help="how long an answer may take (default: 60)",
    )
    _add_output(again, None)
    compare = command("compare", "put reports side by side: two targets, or two days")
    compare.add_argument("reports", type=Path, nargs="+", metavar="REPORT.json")
    compare.add_argument("--all", action="store_true", help="show what is the same too")
    compare.add_argument("--json", type=Path, help="write the comparison here as JSON")
    report = command("report", "judge a recorded trace again; send nothing")
    report.add_argument(
        "--from",
        dest="trace",
        type=Path,
        required=True,
        metavar="TRACE.har",
        help="a HAR file: a run's own, or any recorded traffic",
    )
    _add_strict(report)
    _add_output(report, DEFAULT_FOLDER)
    return parser


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--base-url",
        required=True,
        metavar="URL",
        help="where the API is, such as http://127.0.0.1:8080",
    )


def _add_plan(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--mode",
        choices=MODES[1:],
        default=None,
        help="read-only: free reads; must-reject: and what has to be refused; paid: and tasks"
        " (default: paid)",
    )
    add(
        "--tasks",
        type=_POSITIVE,
        default=10,
        metavar="N",
        help="how many paid tasks the plan may have (default: 10)",
    )
    add(
        "--task-id",
        dest="task_ids",
        action="append",
        default=[],
        metavar="TASK_ID",
        help="a task to read, made earlier; may be given several times",
    )
    add(
        "--credits-per-image",
        type=_number(Fraction, 1, "a number of credits from 1"),
        metavar="CREDITS",
        help="what one image at the default settings costs at most (default:"
        " what the target says, or 1000)",
    )
    add(
        "--max-credits",
        type=_WHOLE,
        metavar="CREDITS",
        help="the most that may be spent in a day (UTC), all runs at this target with this key"
        " together; needed for must-reject and paid runs, but not against an emulator",
    )
    add(
        "--public-callback-url",
        metavar="URL",
        help="how the target reaches this machine's --callback-port",
    )
    add(
        "--callback-port",
        type=_WHOLE,
        default=0,
        metavar="PORT",
        help="where callbacks are received (default: a free one)",
    )
    add("--seed", type=_WHOLE, default=0, help="what is random follows from it (default: 0)")


def _add_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--requests-per-minute",
        type=_number(float, 0.1, "a number from 0.1"),
        metavar="N",
        help="the rate that is not exceeded (default: 60, without limit against an emulator)",
    )
    add(
        "--concurrency",
        type=_POSITIVE,
        default=1,
        metavar="N",
        help="tasks under way at the same time (default: 1)",
    )
    add(
        "--timeout",
        dest="timeout_seconds",
        type=_SECONDS,
        default=60.0,
        metavar="SECONDS",
        help="how long an answer may take (default: 60)",
    )
    add(
        "--task-timeout",
        dest="task_timeout_seconds",
        type=_SECONDS,
        default=900.0,
        metavar="SECONDS",
        help="how long a task may take (default: 900)",
    )
    add(
        "--callback-wait",
        dest="callback_wait_seconds",
        type=_SECONDS,
        default=60.0,
        metavar="SECONDS",
        help="how long a callback is waited for (default: 60)",
    )
    add(
        "--explore",
        type=_WHOLE,
        default=None,
        metavar="N",
        help="random lives that a state machine tries, on an emulator (default: 20)",
    )
    add(
        "--schema-examples",
        type=_WHOLE,
        default=None,
        metavar="N",
        help="examples an operation that Schemathesis tries, on an emulator (default: 10)",
    )
    _add_strict(parser)
    _add_output(parser, DEFAULT_FOLDER)


def _add_strict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="assumed readings and advice fail too (default: against an emulator)",
    )


def _add_output(parser: argparse.ArgumentParser, folder: Path | None) -> None:
    shown = "the state file's folder" if folder is None else str(folder)
    parser.add_argument(
        "--output",
        type=Path,
        default=folder,
        metavar="FOLDER",
        help=f"where the reports go (default: {shown})",
    )
    parser.add_argument("--quiet", action="store_true", help="print the failures only")


def environment_key(name: str) -> str | None:
    """A key from the environment; None where there is none."""
    return os.environ.get(name, "").strip() or None


if __name__ == "__main__":
    sys.exit(main())
