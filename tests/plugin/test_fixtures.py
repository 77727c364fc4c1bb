"""The plugin, as suites of its users see it."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from emulator.testing import Account, AsyncAccount, Emulator
from tests.plugin.suites import OPTIONS, run, write
from tests.support.client import create_task, create_task_async


def test_an_account_of_the_tests_own(image_account: Account, image_emulator: Emulator) -> None:
    assert image_account.base_url == image_emulator.base_url
    assert image_account.tasks() == []
    assert image_account.wait_for(create_task(image_account))["status"] == "succeeded"


@pytest.mark.image_account(clock="frozen", start="2200-01-01T00:00:00Z", credits=60, seed=4)
def test_the_marker(image_account: Account) -> None:
    assert image_account.clock.now == datetime(2200, 1, 1, tzinfo=UTC)
    assert image_account.clock.now == datetime(2200, 1, 1, tzinfo=UTC)
    assert image_account.credits.available == 60


@pytest.mark.image_account(clock="frozen")
class TestMarkersAreMerged:
    @pytest.mark.image_account(credits=30, faults=["task_hangs", {"fault": "partial"}])
    def test_the_closer_adds(self, image_account: Account) -> None:
        assert image_account.credits.available == 30
        assert [fault.name for fault in image_account.faults.list()] == ["task_hangs", "partial"]
        assert image_account.clock.now == image_account.clock.now

    @pytest.mark.image_account(clock="running", faults="strict")
    def test_the_closer_wins(self, image_account: Account) -> None:
        assert image_account.faults.list()
        assert image_account.clock.resume() <= image_account.clock.now


async def test_with_await(async_image_account: AsyncAccount, image_account: Account) -> None:
    task_id = await create_task_async(async_image_account)
    assert (await async_image_account.wait_for(task_id))["status"] == "succeeded"
    assert image_account.task(task_id)["status"] == "succeeded"


def test_ids_repeat_from_run_to_run(pytester: pytest.Pytester) -> None:
    suite = """
    def test_it(image_account):
        print("id:", create_task(image_account))
    def test_other(image_account):
        print("id:", create_task(image_account))
    """
    found = []
    for _ in range(2):
        result = run(pytester, suite, "-s")
        result.assert_outcomes(passed=2)
        found.append([line for line in result.outlines if "id:" in line])
    assert found[0] == found[1]
    assert len(set(found[0])) == 2


def test_a_failed_test_shows_its_account(pytester: pytest.Pytester) -> None:
    suite = """
    @pytest.fixture
    def broken(image_account):
        create_task(image_account)
        raise RuntimeError("broken fixture")

    def test_fails(image_account):
        create_task(image_account, prompt="Look for me")
        assert False

    def test_set_up(broken): pass

    def test_passes(image_account): pass
    """
    result = run(pytester, suite)
    result.assert_outcomes(failed=1, passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*- image account -*", "*createImageTask*Look for me*task_*", "*account's clock shows*"]
    )
    assert result.stdout.str().count("- image account -") == 2


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("speed=2", "takes clock, start, credits, seed, faults by name; speed was given"),
        ("'frozen'", "takes clock, start, credits, seed, faults by name; 'frozen' was given"),
        ("clock='stopped'", 'takes clock="running" or "frozen"; \'stopped\' was given'),
        ("start='2001-01-01T00:00:00Z'", "the clock only moves forward"),
        ("faults=['explosion']", "explosion"),
    ],
)
def test_a_marker_that_is_wrong(pytester: pytest.Pytester, marker: str, message: str) -> None:
    suite = f"""
    @pytest.mark.image_account({marker})
    def test_it(image_account): pass
    """
    result = run(pytester, suite)
    result.assert_outcomes(errors=1)
    assert message in result.stdout.str()


def test_the_servers_settings(pytester: pytest.Pytester) -> None:
    suite = """
    def test_it(image_account):
        assert image_account.credits.available == 77
        task_id = create_task(image_account)
        assert image_account.task(task_id)["status"] == "succeeded"
    """
    settings = ("image_emulator_settings =", "    initial-credits = 77", "    latency = instant")
    write(pytester, suite, *settings)
    pytester.runpytest_inprocess(*OPTIONS).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("latency", "takes lines of name = value; 'latency' was given"),
        ("colour = red", "there is no setting 'colour'"),
    ],
)
def test_settings_that_are_wrong(pytester: pytest.Pytester, line: str, message: str) -> None:
    write(pytester, "def test_it(image_emulator): pass", f"image_emulator_settings = {line}")
    result = pytester.runpytest_inprocess(*OPTIONS)
    result.assert_outcomes(errors=1)
    assert message in result.stdout.str()


def test_a_server_that_runs_already(pytester: pytest.Pytester, image_emulator: Emulator) -> None:
    suite = """
    def test_it(image_account, image_emulator):
        print("account:", image_account.api_key, image_account.credits.granted)
        create_task(image_account)
    """
    keys = []
    for _ in range(2):
        result = run(pytester, suite, "-s", "--image-emulator-url", image_emulator.url)
        result.assert_outcomes(passed=1)
        (line,) = [line for line in result.outlines if "account:" in line]
        keys.append(line.split("account:")[1].split()[0])
    assert keys[0] != keys[1]
    assert image_emulator.new_account(keys[0]).tasks() == []  # it was deleted


def test_nobody_answers(pytester: pytest.Pytester) -> None:
    suite = "def test_it(image_account): pass"
    write(pytester, suite, "image_emulator_url = http://127.0.0.1:9")
    result = pytester.runpytest_inprocess(*OPTIONS)
    result.assert_outcomes(errors=1)
    assert "no answer from an emulator at http://127.0.0.1:9" in result.stdout.str()


def test_a_run_that_does_not_use_it_pays_nothing() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import emulator.pytest_plugin;"
        " print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['emulator', 'emulator.pytest_plugin']"
