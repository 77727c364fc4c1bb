"""The command line: flags and environment -> Settings -> a server."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, NoReturn

from emulator import __version__
from emulator.settings import SETTINGS, SettingError, Settings
from emulator.settings_sources import FILE_SETTING, from_texts
from emulator.store.records import StoreError

PROGRAM = "gpt-image-emulator"

_DESCRIPTION = "A local, free, deterministic emulator of the asynchronous GPT-Image 2 API."
_EPILOG = (
    "Every flag can also be set by an environment variable: --media-ttl-hours is"
    " GPT_IMAGE_EMULATOR_MEDIA_TTL_HOURS, or stand in a settings file. A flag wins over its"
    " variable, that over the file."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The process's exit code: 0, 1 where the server could not run, 2 for a wrong call.
    """
    parsed = _parser().parse_args(arguments)
    if parsed.command == "calibrate":
        from emulator.calibrate_command import run_calibrate

        return run_calibrate(parsed)
    names = (FILE_SETTING, *(info.name for info in SETTINGS))
    flags = {name: text for name in names if (text := getattr(parsed, name, None)) is not None}
    try:
        settings = from_texts(flags, os.environ)
        if not settings.database:
            settings = replace(settings, database=str(default_database(os.environ)))
        return _run(parsed, settings)
    except SettingError as error:
        return _fail(2, str(error))
    except StoreError as error:
        return _fail(1, str(error))


def default_database(environment: "os._Environ[str] | dict[str, str]") -> Path:
    """The database's place in the user's state directory."""
    state = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / PROGRAM / "state.db"


def _run(parsed: argparse.Namespace, settings: Settings) -> int:
    if parsed.command == "keys":
        from emulator.keys_command import run_keys

        return run_keys(parsed, settings)
    gc.disable()  # what is loaded stays: the collector would look at it in vain, again and again
    from emulator.serve_command import run_server

    gc.freeze()
    gc.enable()
    return run_server(settings)


class _Formatter(argparse.HelpFormatter):
    """Asks once how wide the terminal is; the parser makes a formatter for each argument."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_terminal_width())


@cache
def _terminal_width() -> int:
    return get_terminal_size().columns - 2  # as argparse has it


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def __init__(self, prog: str | None = None, **options: Any) -> None:
        super().__init__(prog, **options, formatter_class=_Formatter)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the call, and end."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _fail(code: int, message: str) -> int:
    print(f"{PROGRAM}: {message}", file=sys.stderr)  # noqa: T201
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(PROGRAM, description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve", help="start the emulator", description=_DESCRIPTION, epilog=_EPILOG
    )
    _add_settings(serve, [info.name for info in SETTINGS])
    keys = commands.add_parser("keys", help="create, list and revoke API keys")
    actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="create a key with an account of its own")
    create.add_argument("--name", default="key", help="for people (default: key)")
    create.add_argument("--credits", help="credits of its account (default: --initial-credits)")
    create.add_argument("--budget", help="credits that it may spend in all (default: no limit)")
    create.add_argument("--requests-per-minute", help="how often it may call (default: no limit)")
    create.add_argument("--models", help="models that it may use, comma-separated (default: all)")
    listing = actions.add_parser("list", help="list all keys, without the keys themselves")
    revoke = actions.add_parser("revoke", help="revoke a key, by the key itself or its name")
    revoke.add_argument("name", metavar="KEY_OR_NAME")
    for action in (create, listing, revoke):
        _add_settings(action, ["database", "initial_credits"])
    calibrate = commands.add_parser(
        "calibrate", help="write a settings file that behaves as a recorded trace did"
    )
    calibrate.add_argument("trace", metavar="TRACE.har", help="HAR 1.2: creations, polls, pictures")
    calibrate.add_argument(
        "--output", metavar="FILE", default="calibrated.toml",
        help="settings file to write (default: calibrated.toml)",
    )  # fmt: skip
    calibrate.add_argument("--force", action="store_true", help="overwrite the file")
    return parser


def _add_settings(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    parser.add_argument(
        f"--{FILE_SETTING}", metavar="FILE", help="TOML file with settings (default: none)"
    )
    for info in SETTINGS:
        if info.name in names:
            text = f"{info.help} (default: {info.default})".replace("%", "%%")
            switch: dict[str, Any] = {"nargs": "?", "const": "on"} if info.is_switch else {}
            parser.add_argument(info.flag, dest=info.name, metavar="VALUE", help=text, **switch)


if __name__ == "__main__":
    sys.exit(main())
