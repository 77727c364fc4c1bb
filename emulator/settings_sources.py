"""Where settings come from: flags, the environment, a settings file."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from emulator.core.errors import shown
from emulator.settings import ENVIRONMENT_PREFIX, SECRETS, SETTINGS, SettingError, Settings

# Names the settings file, as a flag and, after the prefix, as a variable.
FILE_SETTING = "settings"
_FILE_VARIABLE = ENVIRONMENT_PREFIX + FILE_SETTING.upper()
_LARGEST_FILE_BYTES = 1_000_000


def from_texts(flags: Mapping[str, str], environment: Mapping[str, str]) -> Settings:
    """Read settings: a flag, else its environment variable, else the settings file, else a default.

    Args:
        flags: a setting's name -> the text of its flag, for those that were given; ``settings``
            names a settings file.
        environment: the process's environment.

    Raises:
        SettingError: a text or the file can't be read, or a name of ours is unknown.
    """
    names = {info.variable: info.name for info in SETTINGS}
    known = {*names, _FILE_VARIABLE}
    unknown = [v for v in environment if v.startswith(ENVIRONMENT_PREFIX) and v not in known]
    if unknown:
        raise SettingError(f"unknown environment variable {unknown[0]}; see serve --help")
    path = flags.get(FILE_SETTING, environment.get(_FILE_VARIABLE))
    in_file = {} if path is None else read_file(path)
    texts = {name: (f"{path}: {name}", text) for name, text in in_file.items()}
    for variable, name in names.items():
        if variable in environment:
            texts[name] = (variable, environment[variable])
    for info in SETTINGS:
        if info.name in flags:
            texts[info.name] = (info.flag, flags[info.name])
    return _parsed(texts)


def _parsed(texts: Mapping[str, tuple[str, str]]) -> Settings:
    """Parse texts, each with the name of where it stands."""
    values = {}
    for setting in fields(Settings):
        if setting.name not in texts:
            continue
        source, text = texts[setting.name]
        try:
            values[setting.name] = setting.metadata["parse"](text)
        except ValueError as error:
            given = "(hidden)" if setting.name in SECRETS else repr(text)
            raise SettingError(f"{source} takes {error}; {given} was given") from error
    return Settings(**values)


def read_file(path: str) -> dict[str, str]:
    """Read a settings file: TOML, a key for each setting, values as flags take them.

    Returns:
        A setting's name, with underscores -> its text.

    Raises:
        SettingError: it can't be read, is no TOML, or has a key that is no setting.
    """
    import tomllib  # most servers need none

    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingError(f"the settings file {path} can't be read: {reason}") from error
    if len(content) > _LARGEST_FILE_BYTES:
        raise SettingError(f"the settings file {path} has over {_LARGEST_FILE_BYTES:,} bytes")
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        reason = str(error) or "it is nested too deeply"
        raise SettingError(f"the settings file {path} is no TOML: {reason}") from error
    known = [info.name for info in SETTINGS]
    texts: dict[str, str] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in known:
            accepted = ", ".join(known)
            raise SettingError(f"{path}: there is no setting {key!r}; there are {accepted}")
        if name in texts:
            raise SettingError(f"{path}: {name} is there twice, with dashes and with underscores")
        texts[name] = _text(value, f"{path}: {name}", hidden=name in SECRETS)
    return texts


def _text(value: Any, source: str, *, hidden: bool) -> str:
    """Write a TOML value as a flag takes it: lists with commas, tables as ``NAME=VALUE,...``."""
    try:
        if isinstance(value, list):
            return ",".join(_plain(part) for part in value)
        if isinstance(value, dict):
            return ",".join(f"{_plain(name)}={_plain(part)}" for name, part in value.items())
        return value if isinstance(value, str) else _plain(value)
    except (TypeError, ValueError) as error:
        given = "(hidden)" if hidden else shown(value)
        message = f"{source} takes a text, a number, true or false, or a list or table of these"
        raise SettingError(f"{message}; {given} was given") from error


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str) and not set(value) & {",", "="}:
        return value
    raise TypeError(type(value).__name__)
