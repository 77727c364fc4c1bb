"""Settings of a server that a test starts."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from emulator.settings import SettingError, Settings
from emulator.settings_sources import FILE_SETTING, read_file

# A port that is free, no file, no output, and tasks that are pending for a moment.
DEFAULTS: Mapping[str, object] = {
    "port": 0,
    "database": ":memory:",
    "log": "none",
    "latency": 0.05,
}


def read_settings(given: Mapping[str, object]) -> Settings:
    """Make settings of texts, as on the command line, or real values.

    Args:
        given: wins over the file that ``settings`` names, which wins over ``DEFAULTS``.

    Raises:
        TypeError: there is no such setting.
        ValueError: a setting does not take that value, or the file can't be read.
    """
    by_name = {setting.name: setting for setting in fields(Settings)}
    given = dict(given)
    path = given.pop(FILE_SETTING, None)
    unknown = [name for name in given if name not in by_name]
    if unknown:
        raise TypeError(f"there is no setting {unknown[0]!r}; there are {', '.join(by_name)}")
    chosen = {**DEFAULTS, **_in_file(path), **given}
    return Settings(**{name: _value(by_name[name], value) for name, value in chosen.items()})


def _in_file(path: object) -> dict[str, str]:
    if path is None:
        return {}
    try:
        return read_file(str(path))
    except SettingError as error:
        raise ValueError(str(error)) from error


def _value(setting: "Field[Any]", value: object) -> Any:
    default = setting.default if setting.default_factory is MISSING else setting.default_factory()
    if isinstance(value, str) or _is_number(value):
        text = str(value)
    elif value is default or type(value) is (bytes if default is None else type(default)):
        return value
    else:
        text = repr(value)
    try:
        return setting.metadata["parse"](text)
    except ValueError as error:
        raise ValueError(f"{setting.name} takes {error}; {value!r} was given") from error


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
