"""What a run leaves for another day, and the day it is looked at."""

import json
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import state as states
from contracts.exchange import Trace
from contracts.har import from_har, to_har
from contracts.keys import KEY_VARIABLE
from contracts.options import (
    EXIT_FAILED,
    EXIT_FILE,
    EXIT_NOT_YET,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    EngineError,
)
from contracts.state import (
    PendingLink,
    State,
    fingerprint,
    pending_links,
    read_state,
    write_state,
)
from contracts.target import Clock
from tests.contracts.conftest import Desk
from tests.contracts.stand_in import Api, Served, answering, served

STATE = State("run-1", "http://target.example", fingerprint("sk-a"), "paid", False, 0, ())
DAY_SECONDS = 24 * 3600
FOLDER = Path("contract-report")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a day later, for whoever rechecks."""
    clock = SimpleNamespace(time=lambda: time.time() + DAY_SECONDS + 120)
    monkeypatch.setattr(states, "time", clock)


@pytest.fixture
def server() -> Iterator[Served]:
    with served(answering(Api())) as server:
        yield server


@pytest.fixture
def run(desk: Desk, server: Served, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A paid run; its state file."""
    monkeypatch.setattr(Clock, "wait", lambda self, seconds: None)
    monkeypatch.setattr("contracts.plan.CATALOGUE", ())
    made = desk.call(
        "run", "--base-url", server.url, "--max-credits", 2000, "--tasks", 2,
        "--requests-per-minute", 100_000,
    )  # fmt: skip
    assert "recheck contract-report/state.json" in made.out
    server.asked.clear()
    return FOLDER / "state.json"


@pytest.fixture
def files(desk: Desk) -> Path:
    """The state file of a run that never was, beside its trace; everything in it is due."""
    FOLDER.mkdir()
    trace = Trace("http://127.0.0.1:9", facts={"run_id": "run-1"})
    (FOLDER / "trace.har").write_text(json.dumps(to_har(trace)))
    link = PendingLink("http://127.0.0.1:9/a.png", 100.0, "/v1/tasks/task_1")
    state = State("run-1", trace.base_url, fingerprint(desk.key), "paid", False, 0, (link,))
    return write_state(state, FOLDER)


def change(path: Path, **members: Any) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | members))


def test_a_state_file_is_for_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("an older one, that everybody may read")
    (tmp_path / ".state.json.part").write_text("left by a run that was killed")
    before = os.umask(0)
    try:
        path = write_state(STATE, tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["state.json"]


def test_a_run_at_an_emulator_leaves_nothing() -> None:
    link = PendingLink("http://target.example/a.png", 100.0, None)
    assert State("r", "t", "k", "paid", True, 0, (link,)).due(99.9) == ()
    assert State("r", "t", "k", "paid", True, 0, (link,)).due(100.0) == (link,)


def test_nothing_is_due_yet(desk: Desk, run: Path, server: Served) -> None:
    assert stat.S_IMODE(run.stat().st_mode) == 0o600
    outcome = desk.call("recheck", run)
    assert outcome.code == EXIT_NOT_YET
    assert "nothing is due before 2" in outcome.err
    assert outcome.err.count("\n") == 1
    assert server.asked == []


@pytest.mark.usefixtures("later")
def test_a_day_later_links_and_tasks_are_visited_for_free(
    desk: Desk, run: Path, server: Served
) -> None:
    before = len(from_har(json.loads((FOLDER / "trace.har").read_text())).exchanges)
    spent = desk.day()
    run_id = desk.report()["run"]["id"]
    outcome = desk.call("recheck", run)
    assert outcome.code in (0, EXIT_FAILED)
    pictures = [asked for asked in server.asked if asked.path == "/picture.png"]
    reads = [asked for asked in server.asked if "/v1/tasks/" in asked.path]
    assert 2 * len(pictures) == len(json.loads(run.read_text())["links"]) == 4
    assert all(asked.key == "" for asked in pictures)
    assert all(asked.key == desk.key for asked in reads)
    assert len(server.asked) == len(pictures) + len(reads)
    trace = from_har(json.loads((FOLDER / "trace.har").read_text()))
    assert len(trace.exchanges) == before + len(server.asked)
    assert [exchange.number for exchange in trace] == list(range(1, len(trace.exchanges) + 1))
    assert desk.report()["run"]["id"] == run_id
    assert desk.day() == spent
    assert desk.key not in (FOLDER / "trace.har").read_text()
    assert desk.call("recheck", run, "--output", "again").code == outcome.code
    assert (Path("again") / "report.json").exists()


def test_a_link_is_visited_in_its_last_hour_and_after_its_day() -> None:
    state = replace(STATE, links=pending_links("https://a.test/1.png", 1000.0, None))
    hours = {hour: state.due(1000 + hour * 3600.0) for hour in (1, 22.9, 23.1, 24, 24.1, 999)}
    kinds = {hour: [link.over_at is not None for link in due] for hour, due in hours.items()}
    assert kinds == {1: [], 22.9: [], 23.1: [True], 24: [], 24.1: [False], 999: [False]}
    assert state.next_due_at(1000.0) == 1000 + 23 * 3600
    assert state.next_due_at(1000 + 23.5 * 3600) == 1000 + DAY_SECONDS + 60
    assert state.next_due_at(1000 + 2 * DAY_SECONDS) is None


def test_a_link_that_is_seen_working_in_its_last_hour_shows_its_day(
    desk: Desk, run: Path, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_hour = SimpleNamespace(time=lambda: time.time() + DAY_SECONDS - 1800)
    monkeypatch.setattr(states, "time", last_hour)
    monkeypatch.setattr(Clock, "now", lambda self: last_hour.time())
    assert desk.call("recheck", run).code in (0, EXIT_FAILED)
    (media,) = [claim for claim in desk.report()["claims"] if claim["id"] == "MEDIA-1"]
    assert media["verdict"] != "not run"
    assert {asked.path for asked in server.asked} >= {"/picture.png"}


@pytest.mark.usefixtures("later")
def test_another_key_is_not_sent(
    desk: Desk, run: Path, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sk-desk-another-0123456789")
    outcome = desk.call("recheck", run)
    assert outcome.code == EXIT_FILE
    assert "not the key of the run" in outcome.err
    monkeypatch.delenv(KEY_VARIABLE)
    assert desk.call("recheck", run).code == EXIT_USAGE
    assert server.asked == []


@pytest.mark.usefixtures("later")
def test_a_target_that_is_gone_changes_no_file(desk: Desk, run: Path, server: Served) -> None:
    before = (FOLDER / "trace.har").read_bytes()
    server.stop()
    outcome = desk.call("recheck", run)
    assert outcome.code == EXIT_UNREACHABLE
    assert "can't be reached: ConnectError" in outcome.err
    assert outcome.err.count("\n") == 1
    assert (FOLDER / "trace.har").read_bytes() == before


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"run_id": "another"}, "put the files of one run together"),
        ({"target": "http://other.example"}, "of http://other.example"),
        ({"kind": "something else"}, "no state file: kind"),
        ({"links": "none"}, "no state file: links"),
        ({"links": [{"url": "http://a.example"}]}, r"no state file: links\.0\.due_at"),
        ({"links": [{"url": "a", "due_at": 1e300, "task_path": None}]}, "no state file"),
        ({"links": [{"url": "a", "due_at": -1, "task_path": None}]}, "no state file"),
        ({"links": [{"url": "a", "due_at": float("nan"), "task_path": None}]}, "no state file"),
        ({"strict": None}, "no state file: strict"),
    ],
)
def test_a_state_that_does_not_fit_is_said_so(
    members: dict[str, Any], words: str, desk: Desk, files: Path
) -> None:
    assert desk.call("recheck", files).code == EXIT_UNREACHABLE
    change(files, **members)
    outcome = desk.call("recheck", files)
    assert outcome.code == EXIT_FILE
    with pytest.raises(EngineError, match=words):
        read_state(files)
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("state.json", None, "can't be read: No such file"),
        ("state.json", b"", "is no state file"),
        ("state.json", b"\xff\xfe", "is no state file"),
        ("state.json", b"[" * 5000, "is no state file"),
        ("state.json", b"[]", "is no state file"),
        ("trace.har", None, "needs its trace beside it: .*No such file"),
        ("trace.har", b"<html>", "needs its trace beside it: .*no HAR"),
        ("trace.har", b"{}", "needs its trace beside it: .*no HAR"),
        ("trace.har", b'{"log": {"entries": [{}]}}', "entry 1 of .* is no HAR entry"),
        ("trace.har", b'{"log": {"entries": []}}', "is the trace of run None"),
    ],
)
def test_files_that_can_not_be_used_are_said_so(
    name: str, content: bytes | None, words: str, desk: Desk, files: Path
) -> None:
    path = FOLDER / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    outcome = desk.call("recheck", files)
    assert outcome.code == EXIT_FILE
    assert outcome.err.count("\n") == 1
    with pytest.raises(EngineError, match=words):
        read_state(files)


def test_a_folder_is_no_state_file(desk: Desk) -> None:
    assert desk.call("recheck", desk.folder).code == EXIT_FILE


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*State.__dataclass_fields__, "url", "due_at"]), inner)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.binary(max_size=30) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_no_state_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(EngineError, match="is no state file") as error:
        read_state(path)
    assert error.value.exit_code == EXIT_FILE
