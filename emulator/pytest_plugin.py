"""Fixtures for pytest: an emulator for the session, an account for each test.

Every run of pytest imports this module, so it imports next to nothing: the handle is imported by
the fixtures, when a test first asks for one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from emulator.testing import Account, AsyncAccount, Emulator

TOKEN_VARIABLE = "GPT_IMAGE_EMULATOR_CONTROL_TOKEN"  # noqa: S105 - its name

_MARKER = "image_account"
_MARKER_ARGUMENTS = ("clock", "start", "credits", "seed", "faults")
_SETTINGS = "image_emulator_settings"
_URL = "image_emulator_url"
_REPORT_SECTION = "image account"
_MOST_KEY_SEED = 2**63

_accounts = pytest.StashKey["list[Account]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the settings."""
    help_text = "URL of a running image emulator to use, instead of one that is started"
    group = parser.getgroup("image emulator")
    group.addoption("--image-emulator-url", dest=_URL, metavar="URL", help=help_text)
    parser.addini(_URL, help_text)
    parser.addini(
        _SETTINGS,
        "settings of the image emulator that is started, one a line: name = value",
        type="linelist",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        'image_account(clock="running"|"frozen", start="2030-01-01T00:00:00Z", credits=500,'
        " seed=1, faults=[...]): how the test's image_account begins; faults are names, dicts"
        ' with "fault", or the name of a preset.',
    )


@pytest.fixture(scope="session")
def image_emulator(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Emulator]:
    """An image emulator: one for all tests, and for all workers of pytest-xdist."""
    from emulator.testing import Emulator, EmulatorError

    url = _connected_url(pytestconfig)
    if url:
        token = os.environ.get(TOKEN_VARIABLE)
        try:
            emulator = Emulator.connect(url, token)
        except EmulatorError as error:
            pytest.fail(f"{error} (here the token comes from {TOKEN_VARIABLE})", pytrace=False)
        with emulator:
            yield emulator
        return
    settings = _settings(pytestconfig)
    if hasattr(pytestconfig, "workerinput"):
        try:
            from emulator.testing.shared_server import SharedServer
        except ImportError:  # no fcntl here: each worker has its own
            pass
        else:
            folder = tmp_path_factory.getbasetemp().parent / "image-emulator"
            shared = SharedServer(folder, settings)
            try:
                with Emulator.connect(shared.url, settings.get("control_token")) as emulator:
                    yield emulator
            finally:
                shared.leave()
            return
    with Emulator.start(**settings) as emulator:
        yield emulator


@pytest.fixture
def image_account(request: pytest.FixtureRequest, image_emulator: Emulator) -> Iterator[Account]:
    """An account of the test's own, as the marker ``image_account`` says; deleted after it."""
    from emulator.testing import EmulatorError

    options = _marker_arguments(request.node)
    digest = hashlib.sha256(request.node.nodeid.encode("utf-8", "surrogateescape")).hexdigest()
    # On a server that is connected to, others may run the same test.
    key = None if _connected_url(request.config) else f"sk-test-{digest[:40]}"
    seed = options.get("seed", int(digest[:16], 16) % _MOST_KEY_SEED)
    account = image_emulator.new_account(key, seed=seed, credits=options.get("credits"))
    try:
        problem = ""
        try:
            _begin(account, options)
        except EmulatorError as error:
            problem = f"the marker {_MARKER}: {error}"
        if problem:
            pytest.fail(problem, pytrace=False)
        request.node.stash.setdefault(_accounts, []).append(account)
        yield account
    finally:
        account.delete()


@pytest.fixture
def async_image_account(image_account: Account) -> AsyncAccount:
    """The test's ``image_account``, with ``await``."""
    return image_account.as_async()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what happened in the account of a test that failed."""
    report = yield
    if report.failed and call.when != "teardown":
        for account in item.stash.get(_accounts, []):
            report.sections.append((_REPORT_SECTION, _journal_of(account)))
    return report


def _journal_of(account: Account) -> str:
    from emulator.testing import EmulatorError

    try:
        return f"{account}\n{account.journal_text()}"
    except EmulatorError as error:
        return f"{account}: its journal can't be read: {error}"


def _connected_url(config: pytest.Config) -> str:
    return str(config.getoption(_URL) or config.getini(_URL) or "")


def _settings(config: pytest.Config) -> dict[str, str]:
    """Read the settings of the server that is started."""
    settings = {}
    for line in config.getini(_SETTINGS):
        name, equals, value = line.partition("=")
        if not equals:
            raise pytest.UsageError(f"{_SETTINGS} takes lines of name = value; {line!r} was given")
        settings[name.strip().replace("-", "_")] = value.strip()
    return settings


def _marker_arguments(node: Any) -> dict[str, Any]:
    """Merge the markers of a test: what is closer wins."""
    merged: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers(_MARKER))):
        given = [*map(repr, marker.args), *marker.kwargs]
        unknown = [name for name in given if name not in _MARKER_ARGUMENTS]
        if unknown:
            accepted = ", ".join(_MARKER_ARGUMENTS)
            message = f"the marker {_MARKER} takes {accepted} by name; {unknown[0]} was given"
            pytest.fail(message, pytrace=False)
        merged |= marker.kwargs
    return merged


def _begin(account: Account, options: Mapping[str, Any]) -> None:
    clock = options.get("clock", "running")
    if clock not in ("running", "frozen"):
        message = f'the marker {_MARKER} takes clock="running" or "frozen"; {clock!r} was given'
        pytest.fail(message, pytrace=False)
    if clock == "frozen":
        account.clock.freeze()
    if "start" in options:
        account.clock.set(options["start"])
    faults = options.get("faults", ())
    if isinstance(faults, str):
        account.faults.preset(faults)
    elif faults:
        account.faults.add_all(faults)
