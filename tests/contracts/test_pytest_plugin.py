"""``pytest --pyargs contracts``, from a folder that knows nothing of the kit."""

import secrets
import tomllib
from collections.abc import Callable

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
from tests.contracts.stand_in import Served
from tests.support.contract import ROOT

CLAIMS = len(tuple(load_claims()))
Pytest = Callable[..., pytest.RunResult]


@pytest.fixture
def run_pytest(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Pytest:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.path / "state"))
    monkeypatch.delenv(KEY_VARIABLE, raising=False)

    def run(*arguments: str) -> pytest.RunResult:
        # Whatever else is installed takes longer to load than these tests take.
        plugins = ("-p", "contracts.pytest_plugin", "-p", "no:cacheprovider")
        if "-n" not in arguments:
            return pytester.runpytest_inprocess(*plugins, *arguments)
        return pytester.runpytest_subprocess(*plugins, *arguments)

    return run


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch, run_pytest: Pytest) -> str:
    key = f"sk-pytest-{secrets.token_hex(12)}"
    monkeypatch.setenv(KEY_VARIABLE, key)
    return key


def lines_about(result: pytest.RunResult) -> list[str]:
    """The lines in which the kit says why it could not run."""
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    return [line for line in result.outlines if "contracts: " in line]


def test_it_is_found_where_it_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    plugins = project["entry-points"]["pytest11"]
    assert plugins["contracts.pytest_plugin"] == "contracts.pytest_plugin"


def test_each_claim_is_a_test(pytester: pytest.Pytester, run_pytest: Pytest) -> None:
    with Emulator.start() as emulator:
        result = pytester.runpytest_subprocess(
            "-p", "contracts.pytest_plugin", "--pyargs", "contracts", "--base-url", emulator.url,
            "--mode", "must-reject",
        )  # fmt: skip
    counts = result.parseoutcomes()
    assert result.ret == pytest.ExitCode.OK
    assert sum(counts.values()) == CLAIMS
    assert set(counts) <= {"passed", "skipped"}


def test_workers_share_one_run(run_pytest: Pytest, key: str, stand_in: Served) -> None:
    result = run_pytest(
        "--pyargs", "contracts", "--base-url", stand_in.url, "--mode", "read-only", "-n", "2"
    )
    asked = [asked.path for asked in stand_in.asked if asked.key == key]
    assert asked.count("/v1/no-such-route") == 1
    assert sum(result.parseoutcomes().values()) == CLAIMS
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_where_nobody_is_it_ends_with_one_line(run_pytest: Pytest, workers: tuple[str]) -> None:
    result = run_pytest("--pyargs", "contracts", "--base-url", "http://127.0.0.1:9", *workers)
    assert result.ret == EXIT_UNREACHABLE
    about = {line.strip("! ").removeprefix("_pytest.outcomes.") for line in lines_about(result)}
    assert len(about) == 1
    assert "http://127.0.0.1:9 can't be reached" in about.pop()


def test_a_key_that_is_refused_ends_with_one_line(
    run_pytest: Pytest, monkeypatch: pytest.MonkeyPatch, stand_in: Served
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "no-key-of-anybody")
    result = run_pytest("--pyargs", "contracts", "--base-url", stand_in.url, "--max-credits", "9")
    assert result.ret == EXIT_KEY_REFUSED
    assert len(lines_about(result)) == 1
    assert "no-key-of-anybody" not in result.stdout.str() + result.stderr.str()


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
    result = run_pytest("--pyargs", "contracts", *arguments)
    assert result.ret == EXIT_USAGE
    (line,) = lines_about(result)
    assert words in line
    assert not any(asked.key == key for asked in stand_in.asked)


def test_a_run_that_the_limit_stopped_is_no_success(
    run_pytest: Pytest, key: str, stand_in: Served
) -> None:
    result = run_pytest(
        "--pyargs", "contracts", "--base-url", stand_in.url, "--max-credits", "0", "-rs"
    )
    assert result.ret == EXIT_LIMIT
    assert stand_in.creations(key) == []
    result.stdout.fnmatch_lines(["*today's limit of 0*"])


def test_other_tests_do_not_see_its_options(run_pytest: Pytest, pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    assert run_pytest("--max-credits", "5").ret == pytest.ExitCode.USAGE_ERROR
    assert run_pytest().ret == pytest.ExitCode.OK
