"""The command line: what is wrong is said in one line and an exit code, and nothing is spent."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import commands
from contracts.cli import _parser, main
from contracts.keys import KEY_VARIABLE
from contracts.options import (
    EXIT_FILE,
    EXIT_INTERRUPTED,
    EXIT_KEY_REFUSED,
    EXIT_LIMIT,
    EXIT_NOT_THE_API,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
)
from contracts.reject_catalogue import CATALOGUE
from contracts.target import Clock
from emulator.testing import Emulator
from tests.contracts.conftest import Desk
from tests.contracts.stand_in import Api, Reply, Served, answering, says, served, tcp_server
from tests.contracts.test_wire import BAD_TALKS

NO_PACE = ("--requests-per-minute", 1_000_000)


@contextmanager
def counted_connections() -> Iterator[tuple[str, list[Any]]]:
    """A port on which each connection is counted."""
    connections: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connections.append(listener.accept())

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", connections
        listener.shutdown(socket.SHUT_RDWR)


# A wrong call.


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("plan",),
        ("run", "--base-url"),
        ("run", "--base-url", "http://a.example", "--mode", "plan"),
        ("run", "--base-url", "http://a.example", "--mode", "free"),
        ("run", "--base-url", "http://a.example", "--tasks", "0"),
        ("run", "--base-url", "http://a.example", "--tasks", "100000000"),
        ("run", "--base-url", "http://a.example", "--max-credits", "-1"),
        ("run", "--base-url", "http://a.example", "--max-credits", "1.5"),
        ("run", "--base-url", "http://a.example", "--max-credits", "1e400"),
        ("run", "--base-url", "http://a.example", "--credits-per-image", "0"),
        ("run", "--base-url", "http://a.example", "--credits-per-image", "nan"),
        ("run", "--base-url", "http://a.example", "--credits-per-image", "1e999999999"),
        ("run", "--base-url", "http://a.example", "--callback-port", "65536"),
        ("run", "--base-url", "http://a.example", "--timeout", "inf"),
        ("run", "--base-url", "http://a.example", "--timeout", "0"),
        ("run", "--base-url", "http://a.example", "--concurrency", "0"),
        ("run", "--base-url", "http://a.example", "--requests-per-minute", "0"),
        ("run", "--base-url", "http://a.example", "--seed", "x"),
        ("run", "--base-url", "http://a.example", "--api-key", "sk-key"),
        ("run", "--base-url", "nonsense"),
        ("run", "--base-url", "http://a.example/\x1b[31m"),
        ("run", "--base-url", "http://a.example", "--task-id", "../../x y"),
        ("plan", "--base-url", "http://a.example", "--public-callback-url", "foo"),
        ("plan", "--base-url", "http://a.example", "--public-callback-url", "https://a:b@c.test"),
        ("plan", "--base-url", "http://a.example", "--public-callback-url", "https://c.test?d=e"),
        ("plan", "--base-url", "ftp://a.example"),
        ("recheck",),
        ("compare",),
        ("report",),
    ],
    ids=" ".join,
)
def test_a_wrong_call_is_answered_in_one_line(arguments: tuple[str, ...], desk: Desk) -> None:
    outcome = desk.call(*arguments)
    assert outcome.code == EXIT_USAGE
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith("gpt-image-contracts")
    assert list(desk.folder.iterdir()) == []


@pytest.mark.parametrize("command", ["plan", "run", "recheck", "compare", "report"])
def test_help_names_the_environment_and_the_exit_codes(command: str, desk: Desk) -> None:
    outcome = desk.call(command, "--help")
    assert outcome.code == 0
    assert KEY_VARIABLE in outcome.out
    assert "130  interrupted" in outcome.out


NUMBERS = (
    "--tasks", "--max-credits", "--credits-per-image", "--callback-port", "--seed",
    "--requests-per-minute", "--concurrency", "--timeout", "--task-timeout", "--callback-wait",
    "--explore", "--schema-examples",
)  # fmt: skip


@given(
    option=st.sampled_from(NUMBERS),
    text=st.integers().map(str)
    | st.floats().map(str)
    | st.text(st.sampled_from("0123456789eE+-._/x ∞٣"), max_size=12),
)
def test_any_number_is_taken_as_it_is_or_refused(option: str, text: str) -> None:
    arguments = ["run", "--base-url", "http://a.example", f"{option}={text}"]
    try:
        parsed = _parser().parse_args(arguments)
    except SystemExit as refused:
        assert refused.code == EXIT_USAGE
    else:
        name = {"--timeout": "timeout_seconds", "--task-timeout": "task_timeout_seconds"}
        name |= {"--callback-wait": "callback_wait_seconds"}
        value = getattr(parsed, name.get(option, option[2:].replace("-", "_")))
        assert 0 <= value < 2**63


@pytest.mark.parametrize("key", ["sk-two words", "sk-schlüssel", "sk-a\x07b"])
def test_a_key_that_can_not_be_sent_is_not_shown(
    key: str, desk: Desk, monkeypatch: pytest.MonkeyPatch, stand_in: Served
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    outcome = desk.call("run", "--base-url", stand_in.url, "--max-credits", 100)
    assert outcome.code == EXIT_USAGE
    assert f"{KEY_VARIABLE} holds no API key" in outcome.err
    assert "sk-" not in outcome.err


def test_without_a_key_nothing_is_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, stand_in: Served
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    outcome = desk.call("run", "--base-url", stand_in.url, "--max-credits", 100)
    assert outcome.code == EXIT_USAGE
    assert f"no API key: set {KEY_VARIABLE}" in outcome.err


# The plan.


@pytest.mark.parametrize("mode", ["read-only", "must-reject", "paid"])
def test_a_plan_sends_nothing_and_writes_nothing(mode: str, desk: Desk) -> None:
    with counted_connections() as (url, connections):
        outcome = desk.call("plan", "--base-url", url, "--mode", mode, "--max-credits", 500)
    assert outcome.code == 0
    assert connections == []
    assert list(desk.folder.iterdir()) == []
    assert "Nothing is sent." in outcome.out
    assert "500 credits a day" in outcome.out


def test_a_plan_of_an_upstream_names_each_task_its_price_and_its_claims(desk: Desk) -> None:
    outcome = desk.call(
        "plan", "--base-url", "https://apiany.example/v1", "--tasks", 3, "--credits-per-image", 40
    )
    assert outcome.code == 0
    assert "Plan for https://apiany.example, as a target that costs credits" in outcome.out
    assert "  3  " in outcome.out
    assert "if one default image costs 40" in outcome.out
    assert "TASK-2" in outcome.out
    assert "recheck" in outcome.out


def test_a_run_that_may_cost_something_needs_a_limit(desk: Desk, stand_in: Served) -> None:
    before = len(stand_in.asked)
    outcome = desk.call("run", "--base-url", stand_in.url)
    assert outcome.code == EXIT_USAGE
    assert "give --max-credits, or --mode read-only" in outcome.err
    assert "as a target that costs credits. Nothing is sent." in outcome.out
    assert {asked.path for asked in stand_in.asked[before:]} == {"/_emulator/health"}
    assert desk.day() == []


# A target that is none.


def call_run(desk: Desk, url: str, *more: object) -> Any:
    return desk.call(
        "run", "--base-url", url, "--max-credits", 500, "--timeout", "0.2", *NO_PACE, *more
    )


def check_that_nothing_happened(desk: Desk, outcome: Any, code: int) -> None:
    assert outcome.code == code
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.out == ""
    assert desk.day() == []
    assert not (desk.folder / "contract-report/report.json").exists()


@pytest.mark.parametrize("name", BAD_TALKS)
def test_a_port_that_speaks_no_http_is_unreachable(name: str, desk: Desk) -> None:
    with tcp_server(BAD_TALKS[name][0]) as url:
        outcome = call_run(desk, url)
    check_that_nothing_happened(desk, outcome, EXIT_UNREACHABLE)
    assert f"{url} can't be reached" in outcome.err


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
def test_where_nobody_is_nobody_is_reached(url: str, desk: Desk) -> None:
    check_that_nothing_happened(desk, call_run(desk, url), EXIT_UNREACHABLE)


HTML = Reply(200, b"<!doctype html><title>Welcome</title>", {"content-type": "text/html"})
HEALTHY = says({"status": "ok", "version": "2.1", "hello": "world"})


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (HTML, EXIT_NOT_THE_API),
        (says({"hello": "world"}), EXIT_NOT_THE_API),
        (says([1, 2, 3]), EXIT_NOT_THE_API),
        (says({"data": [{"id": "gpt-4o"}], "error": {"message": "no"}}, 404), EXIT_NOT_THE_API),
        (HEALTHY, EXIT_NOT_THE_API),  # it takes itself for an emulator
        (Reply(200, b"", {}), EXIT_NOT_THE_API),
        (Reply(200, b"\x89PNG\r\n", {"content-type": "image/png"}), EXIT_NOT_THE_API),
        (says({"error": {"message": "\x1b[31mno\nentry\x1b[0m"}}, 401), EXIT_KEY_REFUSED),
        (HTML._replace(status=401), EXIT_KEY_REFUSED),
        (HTML._replace(status=503), EXIT_UNREACHABLE),
        (says(status=302, location="https://elsewhere.example/"), EXIT_NOT_THE_API),
        (Reply(200, b"{}", {"content-encoding": "gzip"}), EXIT_UNREACHABLE),
    ],
)
def test_something_else_is_left_alone(
    reply: Reply, code: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clock, "wait", lambda self, seconds: None)
    with served(answering(lambda request: reply)) as server:
        outcome = call_run(desk, server.url)
    check_that_nothing_happened(desk, outcome, code)
    assert "\x1b" not in outcome.err
    assert not any(asked.is_creation for asked in server.asked)


def test_a_redirect_to_another_host_is_not_followed(desk: Desk) -> None:
    with served(answering(Api())) as elsewhere:
        reply = says(status=301, location=f"{elsewhere.url}/v1/models")
        with served(answering(lambda request: reply)) as server:
            outcome = call_run(desk, server.url)
    check_that_nothing_happened(desk, outcome, EXIT_NOT_THE_API)
    assert f"redirects to {elsewhere.url}" in outcome.err
    assert elsewhere.asked == []
    assert all(asked.key == "" for asked in server.asked)


def slow_after(requests: int) -> Callable[[Any], Reply]:
    """An API that falls silent."""
    api, asked = Api(), []

    def reply(request: Any) -> Reply:
        asked.append(request)
        if len(asked) > requests:
            threading.Event().wait(0.4)
        return api(request)

    return reply


@pytest.mark.parametrize("requests", [2, 3])  # two asked whether it is an emulator
def test_an_api_that_does_not_answer_is_unreachable(requests: int, desk: Desk) -> None:
    with served(answering(slow_after(requests))) as server:
        outcome = call_run(desk, server.url)
    check_that_nothing_happened(desk, outcome, EXIT_UNREACHABLE)
    assert "can't answer GET /v1/credits/balance now: " in outcome.err


def test_an_api_that_falls_silent_ends_the_run_with_a_report(desk: Desk) -> None:
    with served(answering(slow_after(45))) as server:
        outcome = call_run(desk, server.url, "--credits-per-image", 30)
    assert outcome.code == EXIT_UNREACHABLE
    report = desk.report()
    assert "5 requests in a row were lost" in report["run"]["stopped"]
    assert report["spend"]["unsettled_credits"] > 0
    reserved = sum(line.get("reserved", 0) for line in desk.day())
    assert reserved >= report["spend"]["unsettled_credits"]


# A run.


def test_a_paid_run_leaves_the_key_nowhere(desk: Desk, stand_in: Served, hurry: None) -> None:
    outcome = desk.call(
        "run", "--base-url", stand_in.url, "--max-credits", 2000, "--tasks", 1, *NO_PACE
    )
    assert outcome.code in (0, 1, EXIT_LIMIT)
    files = [path for path in desk.folder.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert names >= {"report.html", "report.json", "junit.xml", "trace.har", "state.json"}
    for path in files:
        assert desk.key.encode() not in path.read_bytes(), path
        assert desk.key not in path.name
    assert desk.day()
    assert desk.report()["spend"]["spent_credits"] <= 2000


def test_a_run_at_an_emulator_needs_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    with Emulator.start() as emulator:
        outcome = desk.call(
            "run", "--base-url", emulator.url, "--mode", "must-reject", "--quiet",
            "--explore", 0, "--schema-examples", 0,
        )  # fmt: skip
    assert outcome.code == 0
    assert outcome.err == ""
    assert desk.report()["run"]["target_kind"] == "emulator"
    assert desk.report()["run"]["strict"] is True
    assert desk.day() == []


def test_an_emulator_that_takes_no_such_key_gets_another(desk: Desk) -> None:
    with Emulator.start(keys="strict") as emulator:
        outcome = desk.call("run", "--base-url", emulator.url, "--mode", "read-only", "--quiet")
    assert outcome.code == 0


def test_a_closed_emulator_needs_its_token(desk: Desk) -> None:
    with Emulator.start(control_token="token-0123456789abcdef") as emulator:
        outcome = desk.call("run", "--base-url", emulator.url, "--mode", "read-only")
    check_that_nothing_happened(desk, outcome, EXIT_NOT_THE_API)
    assert "token" in outcome.err


@pytest.mark.parametrize("place", ["file", "file/deeper"])
def test_a_folder_that_can_not_be_written_is_said_before_anything_is_sent(
    place: str, desk: Desk
) -> None:
    (desk.folder / "file").write_text("")
    with served(answering(Api())) as server:
        outcome = call_run(desk, server.url, "--output", place)
    check_that_nothing_happened(desk, outcome, EXIT_FILE)
    assert {asked.path for asked in server.asked} == {"/_emulator/health"}


def test_a_spend_file_that_can_not_be_read_stops_the_run(desk: Desk) -> None:
    with served(answering(Api())) as server:
        first = call_run(desk, server.url, "--tasks", 1, "--mode", "must-reject")
        assert first.code in (0, 1)
        (day,) = (desk.folder / "state").rglob("*.jsonl")
        day.write_text("garbage\n" + day.read_text())
        before = len([asked for asked in server.asked if asked.is_creation])
        second = call_run(desk, server.url, "--tasks", 1, "--mode", "must-reject")
        assert len([asked for asked in server.asked if asked.is_creation]) == before
    assert second.code == EXIT_FILE
    assert "line 1 of the spend ledger" in second.out + second.err


def test_an_address_has_one_spend_file_however_it_is_spelled(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contracts.plan.CATALOGUE", CATALOGUE[:1])
    with served(answering(Api())) as server:
        host = server.url.removeprefix("http://")
        for url in (server.url, f"HTTP://{host}/v1/", f" http://{host}/api/v1"):
            assert call_run(desk, url, "--mode", "must-reject").code in (0, 1)
    assert len(list((desk.folder / "state").rglob("*.jsonl"))) == 1


# What comes in between.


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), EXIT_INTERRUPTED, "interrupted"),
        (OSError(28, "No space left on device", "report.json"), EXIT_FILE, "No space left"),
        (OSError("odd"), EXIT_FILE, "a file: odd"),
    ],
)
def test_what_comes_in_between_is_one_line(
    error: BaseException, code: int, words: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(parsed: object) -> int:
        raise error

    monkeypatch.setattr(commands, "plan", fail)
    outcome = desk.call("plan", "--base-url", "http://a.example")
    assert outcome.code == code
    assert words in outcome.err
    assert outcome.err.count("\n") == 1


# Traces of others.


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"\xff\xfe\x00",
        b"<html></html>",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"log": {}}',
        b'{"log": {"entries": 5}}',
        b'{"log": {"entries": [5]}}',
        b'{"log": {"entries": [{"request": {}, "response": {}}]}}',
    ],
)
def test_a_trace_that_is_no_har_is_said_so(content: bytes | None, desk: Desk) -> None:
    path = desk.folder / "trace.har"
    if content is not None:
        path.write_bytes(content)
    outcome = desk.call("report", "--from", path)
    assert outcome.code == EXIT_FILE
    assert outcome.err.count("\n") == 1
    assert not (desk.folder / "contract-report").exists()


def test_an_empty_trace_shows_nothing(desk: Desk) -> None:
    (desk.folder / "empty.har").write_text(json.dumps({"log": {"entries": []}}))
    outcome = desk.call("report", "--from", "empty.har")
    assert outcome.code == EXIT_FILE
    assert "empty.har has no exchange" in outcome.err


@pytest.mark.parametrize("path", ["/dev/zero", "."])
def test_what_has_no_end_is_no_trace(path: str, desk: Desk) -> None:
    assert desk.call("report", "--from", path).code == EXIT_FILE
    assert desk.call("recheck", path).code == EXIT_FILE


def test_a_run_can_be_judged_again(desk: Desk) -> None:
    with served(answering(Api())) as server:
        ran = call_run(desk, server.url, "--mode", "must-reject")
    again = desk.call("report", "--from", "contract-report/trace.har", "--output", "again")
    assert again.code == ran.code
    second = json.loads(Path("again/report.json").read_text())
    verdicts = {claim["id"]: claim["verdict"] for claim in desk.report()["claims"]}
    assert verdicts == {claim["id"]: claim["verdict"] for claim in second["claims"]}


def test_a_trace_that_is_judged_again_keeps_what_it_cost(desk: Desk, hurry: None) -> None:
    with served(answering(Api())) as server:
        call_run(desk, server.url, "--credits-per-image", 30, "--tasks", 2, "--exclusive")
    before = desk.report()
    desk.call("report", "--from", "contract-report/trace.har")
    assert desk.report() == before
    again = json.loads(Path("contract-report/rejudged/report.json").read_text())
    assert again["spend"] == before["spend"]
    assert again["spend"]["spent_credits"] > 0
    reasons = [
        {claim["id"]: claim["reason"] for claim in one["claims"] if claim["verdict"] == "not run"}
        for one in (before, again)
    ]
    assert reasons[0] == reasons[1]


def test_who_stays_quiet_says_why_it_stopped(desk: Desk) -> None:
    with served(answering(Api())) as server:
        outcome = desk.call(
            "run", "--base-url", server.url, "--max-credits", 0, "--quiet", *NO_PACE
        )
    assert "Stopped early: " in outcome.out


def test_a_plan_that_is_dearer_than_the_limit_says_so(desk: Desk) -> None:
    base = ("plan", "--base-url", "http://a.example", "--credits-per-image", 30)
    words = "what could cost more than is left of it is not sent;"
    assert words in desk.call(*base, "--max-credits", 10).out
    assert words not in desk.call(*base, "--max-credits", 100_000).out


def test_the_spend_file_does_not_move_with_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    day = commands.day_file("http://a.example", "sk-a")
    assert day.path.is_relative_to(tmp_path / ".local" / "state")


def test_main_reads_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["gpt-image-contracts", "--help"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
