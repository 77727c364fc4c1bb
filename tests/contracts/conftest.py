"""What the kit's tests stand on: an upstream, a desk to call the kit from, a clock in a hurry."""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from contracts.cli import main
from contracts.keys import KEY_VARIABLE, SECOND_KEY_VARIABLE, TOKEN_VARIABLE
from contracts.target import Clock
from tests.contracts.stand_in import Served, upstream

_HURRY = 20


class Outcome(NamedTuple):
    """What a call of the kit came to."""

    code: int
    out: str
    err: str


@dataclass
class Desk:
    """Where the kit is called from: a folder of its own, with a key of its own.

    Attributes:
        folder: the working directory.
        key: in the environment.
    """

    folder: Path
    key: str
    _capture: pytest.CaptureFixture[str]

    def call(self, *arguments: object) -> Outcome:
        """Call the kit as a shell would; checks that no key and no traceback is shown."""
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1
        out, err = self._capture.readouterr()
        assert self.key not in out + err
        assert "Traceback" not in out + err
        return Outcome(code, out, err)

    def day(self) -> list[dict[str, Any]]:
        """The lines of today's spend, in all its files."""
        return day_lines(self.folder)

    def report(self) -> dict[str, Any]:
        """The report of the last run."""
        content: dict[str, Any] = json.loads(
            (self.folder / "contract-report/report.json").read_text()
        )
        return content


def day_lines(folder: Path) -> list[dict[str, Any]]:
    """The lines of all spend files below a folder."""
    files = sorted((folder / "state").rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture(scope="session")
def stand_in() -> Iterator[Served]:
    with upstream() as server:
        yield server


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    key = f"sk-desk-{secrets.token_hex(12)}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv(KEY_VARIABLE, key)
    monkeypatch.delenv(SECOND_KEY_VARIABLE, raising=False)
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return Desk(tmp_path, key, capsys)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a target that is no emulator only as long as the tests' own needs it."""
    monkeypatch.setattr(Clock, "wait", lambda self, seconds: time.sleep(seconds / _HURRY))
