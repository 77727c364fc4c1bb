"""The command line of the contract kit."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from contracts.cli_values import (
    CREDITS,
    EXAMPLES,
    SECONDS,
    credits_per_image,
    number,
    public_url,
    task_id,
)
from contracts.keys import KEY_VARIABLE, SECOND_KEY_VARIABLE, TOKEN_VARIABLE
from contracts.options import EXIT_FILE, EXIT_INTERRUPTED, EXIT_USAGE, MODES, EngineError

PROGRAM = "gpt-image-contracts"

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The process's exit code.
    """
    parsed = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        # Imported here: --help and wrong calls are answered at once.
        from contracts import commands

        code: int = getattr(commands, parsed.command)(parsed)
    except EngineError as error:
        return _say(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _say("interrupted", EXIT_INTERRUPTED)
    except OSError as error:  # a disk that is full, a folder that is gone
        return _say(f"{error.filename or 'a file'}: {error.strerror or error}", EXIT_FILE)
    return code


def _say(message: str, exit_code: int) -> int:
    from contracts.report.text import one_line

    print(f"{PROGRAM}: {one_line(message)}", file=sys.stderr)  # noqa: T201
    return exit_code


def _interrupted(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the call, and end."""
        self.exit(EXIT_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


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
        type=SECONDS,
        default=60.0,
        metavar="SECONDS",
        help="how long an answer may take (default: 60)",
    )
    _add_output(again, None)
    compare = command("compare", "put reports side by side: two targets, or two days")
    compare.add_argument("reports", type=Path, nargs="+", metavar="REPORT.json")
    compare.add_argument("--all", action="store_true", help="show what is the same too")
    compare.add_argument("--json", type=Path, metavar="FILE", help="write it here as JSON")
    compare.add_argument("--html", type=Path, metavar="FILE", help="write it here as one page")
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
    _add_output(report, DEFAULT_FOLDER / "rejudged")
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
        type=number(int, 1, 1000, "a whole number"),
        default=10,
        metavar="N",
        help="how many paid tasks the plan may have (default: 10)",
    )
    add(
        "--task-id",
        type=task_id,
        dest="task_ids",
        action="append",
        default=[],
        metavar="TASK_ID",
        help="a task to read, made earlier; may be given several times",
    )
    add(
        "--seed",
        type=number(int, 0, 2**63 - 1, "a whole number"),
        default=0,
        metavar="N",
        help="what is random follows from it (default: 0)",
    )
    _add_limits(add)


def _add_limits(add: Callable[..., object]) -> None:
    add(
        "--credits-per-image",
        type=credits_per_image,
        metavar="CREDITS",
        help="what one image at the default settings costs at most (default:"
        " what the target says, or 1000)",
    )
    add(
        "--max-credits",
        type=CREDITS,
        metavar="CREDITS",
        help="the most that may be spent in a day (UTC), all runs at this target with this key"
        " together; needed for must-reject and paid runs, but not against an emulator",
    )
    add(
        "--public-callback-url",
        type=public_url,
        metavar="URL",
        help="how the target reaches this machine's --callback-port",
    )
    add(
        "--callback-port",
        type=number(int, 0, 65_535, "a port"),
        default=0,
        metavar="PORT",
        help="where callbacks are received (default: a free one)",
    )


_WAITS = (
    ("--timeout", "timeout_seconds", 60.0, "an answer may take"),
    ("--task-timeout", "task_timeout_seconds", 900.0, "a task may take"),
    ("--callback-wait", "callback_wait_seconds", 60.0, "a callback is waited for"),
)


def _add_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--requests-per-minute",
        type=number(float, 0.1, 10**6, "a number"),
        metavar="N",
        help="the rate that is not exceeded (default: 60, without limit against an emulator)",
    )
    add(
        "--concurrency",
        type=number(int, 1, 100, "a whole number"),
        default=1,
        metavar="N",
        help="tasks under way at the same time (default: 1; an emulator gets one after the other)",
    )
    for flag, name, seconds, what in _WAITS:
        add(
            flag,
            dest=name,
            type=SECONDS,
            default=seconds,
            metavar="SECONDS",
            help=f"how long {what} (default: {seconds:g})",
        )
    add(
        "--explore",
        type=EXAMPLES,
        default=None,
        metavar="N",
        help="random lives that a state machine tries, on an emulator (default: 20)",
    )
    add(
        "--schema-examples",
        type=EXAMPLES,
        default=None,
        metavar="N",
        help="examples an operation that Schemathesis tries, on an emulator (default: 10)",
    )
    add(
        "--exclusive",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="nobody else uses the account meanwhile: what its balance falls by is held against"
        " the limit and the claims (default: against an emulator)",
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


if __name__ == "__main__":
    sys.exit(main())
