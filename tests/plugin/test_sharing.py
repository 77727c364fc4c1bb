"""One server for several processes."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from emulator.testing import Emulator, EmulatorError
from emulator.testing.shared_server import SharedServer
from tests.plugin.suites import OPTIONS, write

TIMEOUT_SECONDS = 30
WORKER = """
import sys
from pathlib import Path
from emulator.testing.shared_server import SharedServer
shared = SharedServer(Path(sys.argv[1]), {"initial_credits": "77"})
print(shared.url, shared.process_id, flush=True)
sys.stdin.read()
"""

Worker = tuple["subprocess.Popen[str]", str, int]


def wait_for_end(process_id: int) -> None:
    """Wait until a process that is no child of ours has ended."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([descriptor], [], [], TIMEOUT_SECONDS)
        assert ended, f"process {process_id} still runs"
    finally:
        os.close(descriptor)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Callable[[], Worker]]:
    """Start processes that share a server, as workers of pytest-xdist do."""
    with ExitStack() as stack:

        def start() -> Worker:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-W", "error", "-c", WORKER, str(tmp_path / "shared")],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            url, process_id = process.stdout.readline().split()
            return process, url, int(process_id)

        yield start


def test_the_last_one_to_go_ends_the_server(work: Callable[[], Worker]) -> None:
    first, url, server = work()
    second, second_url, _ = work()
    assert url == second_url
    first.send_signal(signal.SIGKILL)  # its lock goes with it
    first.wait()
    with Emulator.connect(url) as emulator:
        assert emulator.new_account().credits.available == 77
    second.communicate("")
    wait_for_end(server)
    with pytest.raises(EmulatorError, match="no answer"):
        Emulator.connect(url)


def test_after_the_end_a_new_one_starts(work: Callable[[], Worker]) -> None:
    process, _, server = work()
    process.communicate("")
    _, url, other_server = work()  # while the first server may be about to end
    assert other_server != server
    Emulator.connect(url).stop()
    wait_for_end(server)


def test_a_server_that_was_killed_is_replaced(work: Callable[[], Worker]) -> None:
    _, url, server = work()
    os.kill(server, signal.SIGKILL)
    wait_for_end(server)
    _, other_url, other_server = work()
    assert (other_url, other_server) != (url, server)
    Emulator.connect(other_url).stop()


def test_a_server_that_can_not_start(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="can't start: there is no setting 'colour'"):
        SharedServer(tmp_path, {"colour": "red"})


xdist = pytest.mark.skipif(find_spec("xdist") is None, reason="pytest-xdist is not installed")


@xdist
def test_workers_of_xdist_share_a_server(pytester: pytest.Pytester) -> None:
    suite = """
    import json, pathlib

    @pytest.mark.parametrize("number", range(8))
    def test_it(image_account, tmp_path_factory, worker_id, number):
        create_task(image_account)
        assert len(image_account.tasks()) == 1
        folder = tmp_path_factory.getbasetemp().parent / "image-emulator"
        note = json.loads((folder / "server.json").read_text())
        assert image_account.base_url == note["url"] + "/v1"
        line = f"{note['url']} {note['process_id']}"
        (pathlib.Path(__file__).parent / f"{worker_id}.txt").write_text(line)
    """
    write(pytester, suite)
    result = pytester.runpytest_subprocess(*OPTIONS, "-n", "2")
    result.assert_outcomes(passed=8)
    notes = {path.read_text() for path in pytester.path.glob("gw*.txt")}
    assert len(notes) == 1
    url, process_id = notes.pop().split()
    wait_for_end(int(process_id))
    with pytest.raises(EmulatorError, match="no answer"):
        Emulator.connect(url)


@xdist
def test_workers_without_file_locks_have_a_server_each(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import sys; sys.modules['fcntl'] = None")
    suite = """
    @pytest.mark.parametrize("number", range(2))
    def test_it(image_account, tmp_path_factory, number):
        create_task(image_account)
        assert not (tmp_path_factory.getbasetemp().parent / "image-emulator").exists()
    """
    write(pytester, suite)
    pytester.runpytest_subprocess(*OPTIONS, "-n", "2").assert_outcomes(passed=2)
