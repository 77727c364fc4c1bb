"""``pytest --pyargs contracts``, from a folder that knows nothing of the kit."""

import json
import re
import secrets
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from contracts.claims import load_claims
from contracts.keys import KEY_VARIABLE
from contracts.options import (
    EXIT_KEY_REFUSED,
    EXIT_LIMIT,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
)
from emulator.testing import Emulator
from tests.contracts.stand_in import Served, new_key, upstream
from tests.support.contract import ROOT

CLAIMS = len(tuple(load_claims()))
PLUGINS = ("-p", "contracts.pytest_plugin", "-p", "no:cacheprovider")


class Ran(NamedTuple):
    """What a run of pytest came to."""

    code: int
    text: str

    @property
    def tests(self) -> dict[str, int]:
        """How many tests had which end."""
        found = re.findall(r"(\d+) (passed|skipped|failed|xfailed|error)", self.text)
        return {end: int(number) for number, end in found}

    @property
    def about_the_kit(self) -> set[str]:
        """The lines in which the kit says why it could not run."""
        assert "Traceback" not in self.text
        lines = [line.strip("! ") for line in self.text.splitlines() if "contracts: " in line]
        return {line.removeprefix("_pytest.outcomes.") for line in lines}


Pytest = Callable[..., Ran]


@pytest.fixture
def run_pytest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Pytest:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv(KEY_VARIABLE, raising=False)

    def run(*arguments: str) -> Ran:
        if "-n" in arguments:
            monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            command = [sys.executable, "-m", "pytest", "-p", "xdist.plugin", *PLUGINS, *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            return Ran(done.returncode, done.stdout + done.stderr)
        # In this process: to load all of pytest again takes longer than all that is tested.
        code = pytest.main([*PLUGINS, "--capture=no", *arguments])
        return Ran(code, "".join(capsys.readouterr()))

    return run


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch, run_pytest: Pytest) -> str:
    key = f"sk-pytest-{secrets.token_hex(12)}"
    monkeypatch.setenv(KEY_VARIABLE, key)
    return key


def test_it_is_found_where_it_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    plugins = project["entry-points"]["pytest11"]
    assert plugins["contracts.pytest_plugin"] == "contracts.pytest_plugin"


def test_each_claim_is_a_test(run_pytest: Pytest) -> None:
    with Emulator.start() as emulator:
        ran = run_pytest("--pyargs", "contracts", "--base-url", emulator.url, "--mode", "read-only")
    assert ran.code == pytest.ExitCode.OK
    assert sum(ran.tests.values()) == CLAIMS
    assert set(ran.tests) <= {"passed", "skipped"}


def test_workers_share_one_run(run_pytest: Pytest, key: str, stand_in: Served) -> None:
    ran = run_pytest(
        "--pyargs", "contracts", "--base-url", stand_in.url, "--mode", "read-only", "-n", "2"
    )
    asked = [asked.path for asked in stand_in.asked if asked.key == key]
    assert asked.count("/v1/no-such-route") == 1
    assert sum(ran.tests.values()) == CLAIMS
    assert ran.code == pytest.ExitCode.OK


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_where_nobody_is_it_ends_with_one_line(run_pytest: Pytest, workers: tuple[str]) -> None:
    ran = run_pytest("--pyargs", "contracts", "--base-url", "http://127.0.0.1:9", *workers)
    assert ran.code == EXIT_UNREACHABLE
    (line,) = ran.about_the_kit
    assert "http://127.0.0.1:9 can't be reached" in line


def test_a_key_that_is_refused_ends_with_one_line(
    run_pytest: Pytest, monkeypatch: pytest.MonkeyPatch, stand_in: Served
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "no-key-of-anybody")
    ran = run_pytest("--pyargs", "contracts", "--base-url", stand_in.url, "--max-credits", "9")
    assert ran.code == EXIT_KEY_REFUSED
    assert len(ran.about_the_kit) == 1
    assert "no-key-of-anybody" not in ran.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--base-url URL says where the API is"),
        (("--base-url", "nonsense"), "--base-url takes an http or https URL"),
        (("--base-url", "STAND_IN"), "what may cost credits needs a limit"),
        (("--base-url", "STAND_IN", "--max-credits", "-1"), "--max-credits a whole number from 0"),
        (("--base-url", "STAND_IN", "--tasks", "0"), "--tasks takes 1 to 1,000"),
    ],
)
def test_a_wrong_call_ends_with_one_line(
    arguments: tuple[str, ...], words: str, run_pytest: Pytest, key: str, stand_in: Served
) -> None:
    arguments = tuple(stand_in.url if part == "STAND_IN" else part for part in arguments)
    ran = run_pytest("--pyargs", "contracts", *arguments)
    assert ran.code == EXIT_USAGE
    (line,) = ran.about_the_kit
    assert words in line
    assert not any(asked.key == key for asked in stand_in.asked)


def test_a_run_that_the_limit_stopped_is_no_success(
    run_pytest: Pytest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with upstream(keys="strict") as server:
        key = new_key(server)
        monkeypatch.setenv(KEY_VARIABLE, key)
        ran = run_pytest(
            "--pyargs", "contracts", "--base-url", server.url, "--max-credits", "0", "-rs",
            "--requests-per-minute", "100000", "--contracts-output", "reports",
        )  # fmt: skip
    assert ran.code == EXIT_LIMIT
    assert server.creations(key) == []
    assert "today's limit of 0" in ran.text
    report = json.loads(Path("reports/report.json").read_text())
    assert report["spend"]["spent_credits"] == 0
    assert Path("reports/trace.har").exists()


def test_other_tests_do_not_see_its_options(run_pytest: Pytest, tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass")
    assert run_pytest("--max-credits", "5").code == pytest.ExitCode.USAGE_ERROR
    assert run_pytest().code == pytest.ExitCode.OK
