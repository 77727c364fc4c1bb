"""What steering and asking cost the requests that use none of it."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks import load, servers
from benchmarks.load import Load, ended_tasks
from benchmarks.measures import Measure
from benchmarks.servers import BenchError

READ_IDS = 100
JOURNAL_TARGET = 0.95
FAULTS = 100
FAULTS_TARGET = 0.9
ACCOUNTS = 500
ACCOUNT_TARGET_MS = 1.0
STARTS = 5
START_TARGET_MS = 100.0
TESTS = 200
WORKERS = 4
SUITE_TARGET_SECONDS = 10.0
SUITE_LIMIT_SECONDS = 120
SUITE = f"""
import httpx2
import pytest

CREATION = {{"model": "gpt-image-2", "prompt": "A lighthouse at dawn"}}


@pytest.fixture(scope="session")
def client():
    with httpx2.Client() as client:  # once: its TLS alone takes 30 ms
        yield client


@pytest.mark.parametrize("number", range({TESTS}))
def test_a_life(image_account, client, number):
    key = {{"Authorization": f"Bearer {{image_account.api_key}}"}}
    url = f"{{image_account.base_url}}/images/generations"
    answer = client.post(url, json=CREATION, headers=key)
    task = image_account.wait_for(answer.json()["task_id"])
    assert task["status"] == "succeeded"
    assert image_account.credits.charged == 30
    image_account.clock.advance(hours=25)
    assert client.get(task["result"]["data"][0]["url"]).status_code == 410
    image_account.requests(operation="createImageTask").expect(count=1)
"""
EMPTY_SUITE = f"""
import pytest

@pytest.mark.parametrize("number", range({TESTS}))
def test_nothing(number):
    pass
"""
MICROSECONDS_PER_TICK = 1e6 / os.sysconf("SC_CLK_TCK")


def measure_journal(seconds: int, rounds: int, folder: Path) -> list[Measure]:
    """The journal, which is on by default, against none."""
    with (
        servers.emulator(folder / "journal.sqlite") as noting,
        servers.emulator(folder / "no-journal.sqlite", "--journal-entries", "0") as bare,
    ):
        pair = {"journal": noting, "none": bare}
        posts = {name: load.creations(server, folder) for name, server in pair.items()}
        gets = {
            name: load.reads(server, ended_tasks(server, READ_IDS), folder)
            for name, server in pair.items()
        }
        return [
            _measure(
                f"{method} with the journal (base: none)", loads, JOURNAL_TARGET, seconds, rounds
            )
            for method, loads in (("POST", posts), ("GET", gets))
        ]


def measure_faults(seconds: int, rounds: int, folder: Path) -> Measure:
    """Creations of an account with 100 faults, of which none applies, against one with none."""
    with (
        servers.emulator(folder / "faults.sqlite") as faulty,
        servers.emulator(folder / "no-faults.sqlite") as plain,
    ):
        names = ("http_error", "slow_drip", "task_fails", "callback_late", "link_dead")
        faults = [
            {"fault": names[number % len(names)], "prompt": f"a word that is not there {number}"}
            for number in range(FAULTS)
        ]
        for fault in faults[::10]:
            fault["prompt_regex"] = "^never.*there$"
        load.call(faulty, "/_emulator/faults", {"faults": faults})
        loads = {
            "faults": load.creations(faulty, folder),
            "none": load.creations(plain, folder),
        }
        name = f"POST with {FAULTS} faults (base: none)"
        return _measure(name, loads, FAULTS_TARGET, seconds, rounds)


def measure_accounts(folder: Path) -> Measure:
    """What the first use of a key costs, beyond a use of one that is known, in milliseconds."""
    with servers.emulator(folder / "accounts.sqlite") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        _read_balance(connection, "sk-known")
        samples = {
            "first use": [_read_balance(connection, f"sk-{number}") for number in range(ACCOUNTS)],
            "known": [_read_balance(connection, "sk-known") for _ in range(ACCOUNTS)],
        }
        connection.close()
    first, known = (median(series) for series in samples.values())
    return Measure(
        "a fresh account, in ms (base: a known key)", "us", first * 1000, known * 1000,
        first - known, ACCOUNT_TARGET_MS, False, samples,
    )  # fmt: skip


def _read_balance(connection: http.client.HTTPConnection, key: str) -> float:
    """Read a key's credits; return how long it took, in milliseconds."""
    started = time.perf_counter()
    connection.request("GET", "/v1/credits/balance", headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise BenchError(f"reading credits answered {answer.status}")
    return (time.perf_counter() - started) * 1000


def measure_handle() -> Measure:
    """From calling ``Emulator.start()`` to a server in a thread that answered, in milliseconds."""
    from emulator.testing import Emulator

    series = []
    for _ in range(STARTS):
        started = time.perf_counter()
        with Emulator.start() as emulator:
            _ = emulator.new_account(clock="frozen")
            series.append((time.perf_counter() - started) * 1000)
    first = series[0]
    samples = {"milliseconds": series}
    return Measure(
        "Emulator.start(), the first", "ms", first, None, first, START_TARGET_MS, False, samples
    )


def measure_suite(folder: Path) -> Measure:
    """A suite of 200 tests with an account each, in 4 workers on one server, in seconds.

    The base is what pytest and its plugins take for as many tests of nothing.
    """
    samples = {
        "seconds": [_suite_seconds(folder / "suite", SUITE)],
        "of nothing": [_suite_seconds(folder / "empty-suite", EMPTY_SUITE)],
    }
    seconds, base = (median(series) for series in samples.values())
    name = f"{TESTS} tests, {WORKERS} workers (base: of nothing)"
    return Measure(name, "s", seconds, base, seconds, SUITE_TARGET_SECONDS, False, samples)


def _suite_seconds(suite: Path, text: str) -> float:
    suite.mkdir()
    (suite / "test_lives.py").write_text(text)
    words = [sys.executable, "-m", "pytest", "-q", "-n", str(WORKERS), "-p", "no:cacheprovider"]
    started = time.perf_counter()
    done = subprocess.run(
        words,
        cwd=suite,
        env=servers.environment(),
        capture_output=True,
        text=True,
        timeout=SUITE_LIMIT_SECONDS,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode or f"{TESTS} passed" not in done.stdout:
        raise BenchError(f"the suite failed: {done.stdout.strip()[-300:]}")
    return seconds


def _measure(
    name: str, loads: dict[str, Load], target: float, seconds: int, rounds: int
) -> Measure:
    """Compare the processor time of a request, with all the work that it leaves behind.

    A few per cent are asked about, and answers a second differ by more than that from run to run
    where the machine has other work. The server is bound by the processor, so that the ratio of
    the times is the ratio of the answers a second, the other way round.
    """
    samples: dict[str, list[float]] = {name: [] for name in loads}
    for number in range(rounds + 1):
        order = list(loads) if number % 2 == 0 else list(reversed(loads))
        for each in order:
            samples[each].append(_microseconds_a_request(loads[each], seconds))
    warm = {each: series[1:] for each, series in samples.items()}
    measured, base = (median(series) for series in warm.values())
    return Measure(name, "us", measured, base, base / measured, target, True, warm)


def _microseconds_a_request(each: Load, seconds: int) -> float:
    before = servers.cpu_ticks(each.server)
    answered, _ = each.run(seconds)
    servers.await_idle(each.server)
    return (servers.cpu_ticks(each.server) - before) * MICROSECONDS_PER_TICK / answered
