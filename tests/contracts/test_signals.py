"""A run that is ended from outside: what was spent is on disk, and what was seen is reported."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contracts.cli import main
from contracts.har import read_har
from contracts.keys import KEY_VARIABLE
from contracts.options import EXIT_INTERRUPTED
from contracts.state import read_state
from tests.contracts.conftest import day_lines
from tests.contracts.stand_in import Served, tcp_server
from tests.support.contract import ROOT

_PATIENCE_SECONDS = 60


def run_of(url: str, folder: Path, key: str, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            sys.executable, "-m", "contracts.cli", "run", "--base-url", url, "--max-credits",
            "5000", "--requests-per-minute", "1000000", "--tasks", "12", *more,
        ],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(folder / "state"),
            KEY_VARIABLE: key,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs tests in the background lets its children ignore Ctrl-C.
        preexec_fn=heed_interrupts,
    )  # fmt: skip


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def running(
    server: Served, folder: Path, *more: str
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A paid run that has begun to pay."""
    key = f"sk-signal-{secrets.token_hex(12)}"
    process = run_of(server.url, folder, key, *more)
    try:
        wait_until(lambda: bool(server.creations(key, 200, 202)), process)
        yield key, process
    finally:
        process.kill()
        process.communicate()


def wait_until(come: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not come():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def check_that_all_spend_is_on_disk(server: Served, key: str, folder: Path) -> None:
    """Each creation that the target took is in the spend file, with no less than it cost."""
    amounts: dict[str, int] = {}
    for line in day_lines(folder):
        amounts[line["id"]] = line.get("settled", line.get("reserved", 0))
    on_disk = sorted((credits for credits in amounts.values() if credits), reverse=True)
    taken = server.creations(key, 200, 202)
    costs = sorted((one.reserved for one in taken if one.status == 202), reverse=True)
    assert taken
    assert len(on_disk) >= len(taken)
    assert sum(on_disk) >= sum(costs)


@pytest.mark.parametrize(("number", "concurrency"), [(signal.SIGINT, "3"), (signal.SIGTERM, "1")])
def test_an_interrupted_run_is_judged_and_written(
    number: signal.Signals, concurrency: str, stand_in: Served, tmp_path: Path
) -> None:
    with running(stand_in, tmp_path, "--concurrency", concurrency) as (key, process):
        process.send_signal(number)
        out, err = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == EXIT_INTERRUPTED
    assert "Traceback" not in out + err
    assert key not in out + err
    assert "Stopped early: it was interrupted" in out
    check_that_all_spend_is_on_disk(stand_in, key, tmp_path)
    report = json.loads((tmp_path / "contract-report/report.json").read_text())
    assert report["run"]["stopped"] == "it was interrupted"
    spent = sum(line.get("reserved", 0) for line in day_lines(tmp_path))
    assert 0 < report["spend"]["spent_credits"] <= spent
    for name in ("trace.har", "junit.xml", "report.html"):
        assert (tmp_path / "contract-report" / name).stat().st_size


def test_a_killed_run_has_written_down_what_it_spent(stand_in: Served, tmp_path: Path) -> None:
    with running(stand_in, tmp_path, "--concurrency", "3") as (key, process):
        process.kill()
        process.communicate()
        check_that_all_spend_is_on_disk(stand_in, key, tmp_path)


def check_that_what_was_seen_can_be_judged(folder: Path, key: str) -> None:
    """The trace of a run that left no report becomes one, and what is left for a later day fits."""
    reports = folder / "contract-report"
    (left,) = reports.glob("unfinished-*.har")
    assert not (reports / "report.json").exists()
    seen = read_har(left)
    assert main(["report", "--from", str(left), "--output", str(reports), "--quiet"]) in (0, 1)
    assert not left.exists()
    report = json.loads((reports / "report.json").read_text())
    assert report["run"]["id"] in left.name
    assert report["spend"]["creations"] >= 1
    on_disk = sum(line.get("reserved", 0) for line in day_lines(folder))
    assert 0 < report["spend"]["spent_credits"] <= on_disk
    state, trace = read_state(reports / "state.json")
    assert trace == seen
    assert state.links
    assert key not in (reports / "trace.har").read_text()


def followed(folder: Path) -> bool:
    """Whether a task was followed to its end."""
    return (folder / "contract-report/state.json").exists()


def test_what_a_killed_run_saw_can_be_judged(stand_in: Served, tmp_path: Path) -> None:
    with running(stand_in, tmp_path) as (key, process):
        wait_until(lambda: followed(tmp_path), process)
        process.kill()
        process.communicate()
        check_that_what_was_seen_can_be_judged(tmp_path, key)


def test_a_second_interrupt_ends_it_at_once_and_loses_nothing(
    stand_in: Served, tmp_path: Path
) -> None:
    with running(stand_in, tmp_path) as (key, process):
        wait_until(lambda: followed(tmp_path), process)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.001)
        out, err = process.communicate(timeout=_PATIENCE_SECONDS)
        assert key not in out + err
        check_that_what_was_seen_can_be_judged(tmp_path, key)


def test_a_run_that_is_interrupted_before_it_begins_says_so(tmp_path: Path) -> None:
    asked: list[bytes] = []

    def hang(connection: socket.socket) -> None:
        asked.append(connection.recv(10_000))
        connection.recv(10_000)

    with tcp_server(hang) as url:
        process = run_of(url, tmp_path, "sk-signal-0123456789abcdef")
        wait_until(lambda: bool(asked), process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=_PATIENCE_SECONDS)
    assert (process.returncode, out) == (EXIT_INTERRUPTED, "")
    assert err == "gpt-image-contracts: interrupted\n"
