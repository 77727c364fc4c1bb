"""``pytest --pyargs contracts --base-url URL``: the kit's claims as tests."""

from contextlib import suppress
from functools import cache

import pytest

from contracts.claims import load_claims
from contracts.commands import day_file
from contracts.keys import KEY_VARIABLE, SECOND_KEY_VARIABLE, TOKEN_VARIABLE, environment_key
from contracts.options import MODES, EngineError, Options
from contracts.run_report import RunReport
from contracts.runner import run_kit
from contracts.target import base_url_of, is_emulator


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the kit's options."""
    group = parser.getgroup("contracts", "contract tests of an image API")
    with suppress(ValueError):  # pytest-base-url has the same option
        group.addoption("--base-url", metavar="URL", help="where the API is")
    group.addoption("--mode", choices=MODES[1:], default="paid", help="how far the run may go")
    group.addoption("--tasks", type=int, default=10, help="how many paid tasks it may have")
    group.addoption(
        "--max-credits", type=int, help="the most that may be spent in a day; none for an emulator"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a claim."""
    if "claim_id" in metafunc.fixturenames:
        metafunc.parametrize("claim_id", [claim.id for claim in load_claims()])


@pytest.fixture(scope="session")
def run_report(request: pytest.FixtureRequest) -> RunReport:
    """The run that all claims are judged by."""
    option = request.config.getoption
    url = option("--base-url", None)
    if not url:
        pytest.exit("contracts: --base-url URL says where the API is", returncode=4)
    try:
        return _run(url, option("--mode"), option("--tasks"), option("--max-credits"))
    except EngineError as error:
        pytest.exit(f"contracts: {error}", returncode=error.exit_code)


@cache
def _run(url: str, mode: str, tasks: int, max_credits: int | None) -> RunReport:
    base_url = base_url_of(url)
    options = Options(
        mode=next(known for known in MODES if known == mode),
        tasks=tasks,
        max_credits=max_credits,
        key=environment_key(KEY_VARIABLE),
        second_key=environment_key(SECOND_KEY_VARIABLE),
        control_token=environment_key(TOKEN_VARIABLE),
    )
    if is_emulator(base_url, options.timeout_seconds):
        return run_kit(base_url, options)
    if max_credits is None and mode != "read-only":
        message = "this is no emulator, so it may cost credits: give --max-credits or --mode"
        pytest.exit(f"contracts: {message} read-only", returncode=4)
    if options.key is None:
        pytest.exit(f"contracts: no API key: set {KEY_VARIABLE}", returncode=4)
    return run_kit(base_url, options, day_file=day_file(base_url, options.key))
