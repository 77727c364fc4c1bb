"""``pytest --pyargs contracts --base-url URL``: the kit's claims as tests.

Every run of pytest imports this module, so it imports next to nothing, and it adds its options
only where the kit's tests are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contracts.options import Options
    from contracts.run_report import RunReport

# What a test needs to know of its claim: the verdict, its reason, exchanges that prove it.
Result = tuple[str, str, list[str]]

_PACKAGE = Path(__file__).parent
_WORKER_INPUT = "contracts"

_results = pytest.StashKey["dict[str, Result]"]()
_exit_code = pytest.StashKey[int]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args: Sequence[str], parser: pytest.Parser) -> None:
    """Add the kit's options, where its tests are asked for."""
    if not any(_is_of_the_kit(argument) for argument in args):
        return
    from contracts.options import MODES

    group = parser.getgroup("contracts", "contract tests of an image API")
    with suppress(ValueError):  # pytest-base-url has the same option
        group.addoption("--base-url", metavar="URL", help="where the API is")
    group.addoption(
        "--exclusive", action="store_true", default=None,
        help="nobody else uses the account meanwhile, so that balances can be added up",
    )  # fmt: skip
    group.addoption(
        "--requests-per-minute", type=float, help="the rate that is not exceeded, default 60"
    )
    group.addoption(
        "--contracts-output", metavar="FOLDER", help="write the reports and the trace there"
    )
    group.addoption("--mode", choices=MODES[1:], default="paid", help="how far the run may go")
    group.addoption("--tasks", type=int, default=10, help="how many paid tasks it may have")
    group.addoption(
        "--max-credits", type=int, help="the most that may be spent in a day; none for an emulator"
    )


def _is_of_the_kit(argument: str) -> bool:
    name = argument.partition("::")[0]
    return name == "contracts" or _PACKAGE in (Path(name).resolve(), Path(name).resolve().parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a claim."""
    if "contract_results" in metafunc.fixturenames:
        from contracts.claims import load_claims

        metafunc.parametrize("claim_id", [claim.id for claim in load_claims()])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """With pytest-xdist, run the kit once, before the workers begin, and tell them all."""
    if any(_is_of_the_kit(argument) for argument in node.config.args):
        node.workerinput[_WORKER_INPUT] = _results_of(node.config)


@pytest.fixture(scope="session")
def contract_results(request: pytest.FixtureRequest) -> dict[str, Result]:
    """What a run of the kit said about each claim."""
    told = getattr(request.config, "workerinput", {}).get(_WORKER_INPUT)
    return _results_of(request.config) if told is None else told


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that was stopped is no success, even where no claim failed."""
    if session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = session.config.stash.get(_exit_code, pytest.ExitCode.OK)


def _results_of(config: pytest.Config) -> dict[str, Result]:
    """Run the kit, once in a process."""
    if _results not in config.stash:
        from contracts.options import EXIT_INTERRUPTED, EXIT_LIMIT, EngineError

        try:
            report = _run(config)
        except EngineError as error:
            pytest.exit(f"contracts: {error}", error.exit_code)
        if report.exit_code == EXIT_INTERRUPTED:
            raise KeyboardInterrupt
        if report.exit_code not in (0, EXIT_LIMIT):
            pytest.exit(f"contracts: {report.stopped}", report.exit_code)
        config.stash[_exit_code] = report.exit_code
        config.stash[_results] = {
            judged.claim_id: (str(judged.verdict), judged.reason, _proof(report, judged.claim_id))
            for judged in report.judgement.verdicts
        }
    return config.stash[_results]


def _run(config: pytest.Config) -> RunReport:
    from dataclasses import replace

    from contracts.commands import (
        EMULATOR_EXPLORES,
        EMULATOR_SCHEMA_EXAMPLES,
        REQUESTS_PER_MINUTE_ELSEWHERE,
        day_file,
        with_state,
        writable,
    )
    from contracts.kit import run_with_state
    from contracts.options import EXIT_USAGE, EngineError
    from contracts.outputs import write_reports
    from contracts.target import base_url_of, is_emulator

    url = config.getoption("--base-url", None)
    if not url:
        raise EngineError("--base-url URL says where the API is", EXIT_USAGE)
    base_url = base_url_of(url)
    options = _options(config)
    output = config.getoption("--contracts-output")
    folder = writable(Path(output)) if output else None
    spend = None
    if is_emulator(base_url, options.timeout_seconds):
        options = replace(
            options, explore=EMULATOR_EXPLORES, schema_examples=EMULATOR_SCHEMA_EXAMPLES
        )
    else:
        rate = options.requests_per_minute or REQUESTS_PER_MINUTE_ELSEWHERE
        options = replace(options, requests_per_minute=rate)
        spend = day_file(base_url, options.key) if options.key is not None else None
    report, state = run_with_state(base_url, options, day_file=spend, folder=folder)
    if folder is not None:
        write_reports(with_state(report, state, folder), folder)
    return report


def _options(config: pytest.Config) -> Options:
    from contracts.keys import KEY_VARIABLE, SECOND_KEY_VARIABLE, TOKEN_VARIABLE, environment_key
    from contracts.options import EXIT_USAGE, EngineError, Options

    tasks, limit = config.getoption("--tasks"), config.getoption("--max-credits")
    rate = config.getoption("--requests-per-minute")
    right = 1 <= tasks <= 1000 and (limit is None or limit >= 0) and (rate is None or rate > 0)
    if not right:
        message = (
            "--tasks takes 1 to 1,000, --max-credits a whole number from 0, --requests-per-minute"
            " a number above 0"
        )
        raise EngineError(message, EXIT_USAGE)
    return Options(
        mode=config.getoption("--mode"),
        tasks=tasks,
        max_credits=limit,
        exclusive=config.getoption("--exclusive"),
        requests_per_minute=rate,
        key=environment_key(KEY_VARIABLE),
        second_key=environment_key(SECOND_KEY_VARIABLE),
        control_token=environment_key(TOKEN_VARIABLE),
    )


def _proof(report: RunReport, claim_id: str) -> list[str]:
    findings = report.judgement.of(claim_id).findings
    lines = []
    for number in findings[0].exchanges if findings else ():
        exchange = report.trace[number]
        status = exchange.response.status if exchange.response else exchange.failure
        lines.append(f"  {exchange.request.method} {exchange.request.url} -> {status}")
    return lines
