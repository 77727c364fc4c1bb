"""Keys come from the environment or from a person, and are not shown."""

import io
from collections.abc import Callable

import pytest

from contracts.keys import KEY_VARIABLE, asked_key, environment_key
from contracts.options import EXIT_USAGE, EngineError

BAD_KEYS = ["sk-two words", "sk-schlüssel", "sk-line\nend", "sk-\x1b[31m", "sk-\u200bhidden"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "key"), [("sk-key", "sk-key"), ("  sk-key\n", "sk-key"), ("", None), (" \n", None)]
)
def test_the_environment_holds_a_key_or_none(
    text: str, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, text)
    assert environment_key(KEY_VARIABLE) == key


@pytest.mark.parametrize("text", BAD_KEYS)
def test_what_no_request_can_carry_is_not_shown(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, text)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: text)
    asks: list[Callable[[], object]] = [lambda: environment_key(KEY_VARIABLE), asked_key]
    for ask in asks:
        with pytest.raises(EngineError, match="holds no API key") as error:
            ask()
        assert error.value.exit_code == EXIT_USAGE
        assert "sk-" not in str(error.value)


def test_a_person_types_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    typed = iter([" sk-key ", ""])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    assert asked_key() == "sk-key"
    with pytest.raises(EngineError, match="no API key was typed"):
        asked_key()


def test_where_nobody_is_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(EngineError, match=f"set {KEY_VARIABLE}") as error:
        asked_key()
    assert error.value.exit_code == EXIT_USAGE
