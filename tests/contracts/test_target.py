"""Where a target is, whether it is an emulator, and its time."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from contracts.options import EXIT_NOT_THE_API, EXIT_UNREACHABLE, EXIT_USAGE, EngineError
from contracts.target import (
    Clock,
    Control,
    EmulatorClock,
    base_url_of,
    is_emulator,
    member,
    time_passing,
)
from emulator.testing import Emulator
from tests.contracts.stand_in import Reply, Served, answering, says, served, tcp_server
from tests.contracts.test_wire import BAD_TALKS


@pytest.mark.parametrize(
    ("typed", "base_url"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (" http://127.0.0.1:8080/ \n", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080"),
        ("https://apiany.example/api/v1", "https://apiany.example"),
        ("https://apiany.example/api", "https://apiany.example"),
        ("https://gateway.example/upstream/v1", "https://gateway.example/upstream"),
        ("HTTPS://APIany.Example", "https://apiany.example"),
        ("https://apiany.example:443", "https://apiany.example"),
        ("http://apiany.example:80/", "http://apiany.example"),
        ("https://apiany.example:80/", "https://apiany.example:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://apiany.example./v1", "https://apiany.example"),
    ],
)
def test_one_target_has_one_spelling(typed: str, base_url: str) -> None:
    assert base_url_of(typed) == base_url
    assert base_url_of(base_url) == base_url


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "nonsense",
        "127.0.0.1:8080",
        "ftp://apiany.example",
        "http://",
        "http:///v1",
        "http://:8080",
        "http://apiany.example:0",
        "http://apiany.example:99999",
        "http://apiany.example:port",
        "http://[::1",
        "http://[nonsense]",
        "http://apiany.example/?key=sk-secret-0123456789abcdef",
        "http://apiany.example/#sk-secret-0123456789abcdef",
        "http://sk-secret-0123456789abcdef@apiany.example",
        "http://:sk-secret-0123456789abcdef@apiany.example",
        "http://user:pass-secret@apiany.example",
        "http://apiany.example/v1/images/generations",
        "http://apiany.example/v1/models",
        "http://apiany.example/v1/tasks/task_1",
    ],
)
def test_what_is_no_base_url_is_refused_in_one_line(typed: str) -> None:
    with pytest.raises(EngineError, match="--base-url takes an http or https URL") as error:
        base_url_of(typed)
    assert error.value.exit_code == EXIT_USAGE
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


URL_PARTS = st.sampled_from(
    ["http", "https", "://", ":", "//", "/", "[", "]", "::1", "a.example", "80", "v1", "api", "@"]
)


@given(st.text(max_size=12) | st.lists(URL_PARTS | st.characters(), max_size=9).map("".join))
def test_any_text_is_a_base_url_or_is_refused(typed: str) -> None:
    try:
        base_url = base_url_of(typed)
    except EngineError as error:
        assert error.exit_code == EXIT_USAGE
    else:
        assert base_url_of(base_url) == base_url


# What it is.


def test_an_emulator_is_told_from_another_target(stand_in: Served) -> None:
    with Emulator.start() as emulator:
        assert is_emulator(emulator.url, 5)
    assert not is_emulator(stand_in.url, 5)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>Welcome</html>", {"content-type": "text/html"}),
        Reply(200, b"", {}),
        Reply(200, b"\xff\xfe", {}),
        Reply(302, b"", {"location": "https://elsewhere.example/"}),
        says([]),
        says(None),
        says({"version": "1.0"}),
        says({"status": "ok"}),
        says({"status": "up", "version": "1.0"}),
        says({"status": "ok", "version": 1}),
        says({"status": "ok", "version": "1.0"}, 404),
        says({"status": "ok", "version": "1.0"}, 201),
        says({"error": {"message": "no"}}, 404),
        says({"error": {"message": "no"}}, 500),
    ],
)
def test_only_an_emulator_is_taken_for_one(reply: Reply) -> None:
    with served(answering(lambda request: reply)) as server:
        assert not is_emulator(server.url, 5)
        assert [asked.path for asked in server.asked] == ["/_emulator/health"]
        assert server.asked[0].key == ""


@pytest.mark.parametrize("name", BAD_TALKS)
def test_what_does_not_answer_is_unreachable(name: str) -> None:
    with tcp_server(BAD_TALKS[name][0]) as url, pytest.raises(EngineError, match=url) as error:
        is_emulator(url, 0.15)
    assert error.value.exit_code == EXIT_UNREACHABLE


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "http://a..b", "http://no-such-host.invalid"]
)
def test_where_nobody_is_nobody_answers(url: str) -> None:
    with pytest.raises(EngineError, match=f"{url} can't be reached") as error:
        is_emulator(url, 1)
    assert error.value.exit_code == EXIT_UNREACHABLE


# Its time.


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.start() as emulator:
        yield emulator


def test_real_time_passes_by_itself() -> None:
    clock = Clock()
    before = clock.now()
    clock.wait(0.001)
    assert before < clock.now() < before + 60
    assert not clock.is_movable


def test_waiting_moves_the_account_in_use_and_the_others_in_their_turn(
    emulator: Emulator,
) -> None:
    own, other = emulator.new_account(), emulator.new_account()
    control = Control(emulator.url, None, own.api_key)
    clock = EmulatorClock(control)
    clock.wait(3600)
    clock.join(other.api_key)
    clock.serve(other.api_key)
    clock.wait(100.0004)
    clock.serve("")
    assert clock.is_movable
    for account in (own, other):
        assert account.clock.now.timestamp() == pytest.approx(clock.now(), abs=5)
    assert clock.now() == pytest.approx(Clock().now() + 3700, abs=5)
    control.close()


def test_a_frozen_clock_is_set_going(emulator: Emulator) -> None:
    account = emulator.new_account(clock="frozen")
    control = Control(emulator.url, None, account.api_key)
    clock = EmulatorClock(control)
    clock.wait(0)
    clock.wait(1)
    assert account.clock.now.timestamp() == pytest.approx(clock.now(), abs=5)
    control.close()


def test_a_closed_emulator_makes_the_key() -> None:
    with Emulator.start(keys="strict", control_token="token-0123456789") as emulator:
        control = Control(emulator.url, "token-0123456789", "sk-nobody")
        key = control.accepted_key("sk-nobody")
        assert key != "sk-nobody"
        assert control.post("/clock", {"advance": 1})["complete"]
        assert control.accepted_key(key) == key
        control.close()
        closed = Control(emulator.url, None, "sk-nobody")
        with pytest.raises(EngineError, match="answers POST /_emulator/keys with 40") as error:
            closed.accepted_key("sk-nobody")
        assert error.value.exit_code == EXIT_NOT_THE_API
        closed.close()


@pytest.mark.parametrize(
    "reply",
    [
        says({}),
        says([]),
        says({"offset_seconds": "1"}),
        says({"offset_seconds": None}),
        says({"error": {}}, 500),
        Reply(200, b"<html>", {}),
        Reply(200, b"", {}),
    ],
)
def test_what_only_looks_like_an_emulator_is_not_driven(reply: Reply) -> None:
    def answer(request: Request) -> Reply:
        return says({}, 401) if request.method == "GET" else reply

    with served(answering(answer)) as server:
        control = Control(server.url, None, "sk-any")
        for act in (lambda: EmulatorClock(control), lambda: control.accepted_key("sk-any")):
            with pytest.raises(EngineError) as error:
                act()
            assert error.value.exit_code == EXIT_NOT_THE_API
        control.close()


def test_a_clock_that_does_not_move_ends_the_wait() -> None:
    answers: dict[str, Any] = {"offset_seconds": 0, "advanced_seconds": 0, "complete": False}
    with served(answering(lambda request: says(answers))) as server:
        control = Control(server.url, None, "sk-any")
        EmulatorClock(control).wait(10)
        control.close()
    assert len(server.asked) == 2


def test_an_emulator_that_is_gone_is_unreachable() -> None:
    control = Control("http://127.0.0.1:9", None, "sk-any")
    for act in (lambda: control.post("/clock", {}), lambda: control.accepted_key("sk-any")):
        with pytest.raises(EngineError, match="the emulator did not answer") as error:
            act()
        assert error.value.exit_code == EXIT_UNREACHABLE
    control.close()


def test_a_member_is_there_or_not() -> None:
    assert member({"a": 1}, "a", float) == 1
    assert member({"a": "x"}, "a", str) == "x"
    for answer in ({}, {"a": None}, {"a": 1}):
        with pytest.raises(EngineError, match="an emulator's answer has a a"):
            member(answer, "a", str)


def test_time_passes_for_who_waits_and_can_not_move_it() -> None:
    body = {"model": "gpt-image-2", "prompt": "A stone", "quality": "low"}
    with Emulator.start(latency=600) as emulator:
        key = emulator.new_account().api_key
        control = Control(emulator.url, None, key)
        with time_passing(control, key):
            answer = httpx2.post(
                f"{emulator.url}/v1/images/generations/sync",
                headers={"Authorization": f"Bearer {key}"},
                json=body,
                timeout=60,
            )
        control.close()
    assert answer.status_code == 200


def test_time_that_can_not_be_moved_is_told() -> None:
    asked = threading.Event()

    def refuse(request: Request) -> Reply:
        asked.set()
        return says({"error": "no"}, 500)

    with served(answering(refuse)) as server:
        control = Control(server.url, None, "sk-time")
        with pytest.raises(EngineError, match="/clock with 500"), time_passing(control, "sk-time"):
            assert asked.wait(30)
        control.close()
