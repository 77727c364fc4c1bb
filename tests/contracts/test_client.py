"""The client: who sees the key, what is written down when, and when it comes back later."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from contracts.client import Client
from contracts.exchange import Exchange
from contracts.har import to_har
from contracts.ledger import LimitReachedError
from contracts.observed import BALANCE, EDITS, GENERATIONS, SYNC, UPLOAD
from contracts.options import EXIT_UNREACHABLE, EngineError
from tests.contracts.clients import KEY, client_of, waits_of
from tests.contracts.stand_in import Reply, answering, says, served, tcp_server
from tests.contracts.test_wire import close_at_once, hang

IMAGE = {"model": "gpt-image-2", "prompt": "A lighthouse"}
CREATED = {"task_id": "task_1", "credits": {"reserved": 30, "charged": 0}}


def recorded(client: Client) -> list[Exchange]:
    return client.recorder.trace.exchanges


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def create(client: Client, **fields: Any) -> int:
    return client.send("POST", GENERATIONS, json={**IMAGE, **fields}).status


# Who sees the key.


def test_the_key_goes_to_the_target_only() -> None:
    with (
        served(answering(lambda request: says())) as target,
        served(answering(lambda request: says())) as stranger,
        client_of(target.url) as client,
    ):
        client.send("GET", "/v1/models")
        client.send("GET", f"{target.url}/v1/models")
        client.send("GET", f"{stranger.url}/v1/models")
        client.send("GET", f"{stranger.url}/v1/models", key=KEY)
        client.send("GET", f"{target.url.replace('127.0.0.1', 'localhost')}/v1/models")
    assert [asked.key for asked in target.asked] == [KEY, KEY, ""]
    assert [asked.key for asked in stranger.asked] == ["", ""]


@pytest.mark.parametrize(
    "path", ["@stranger.example/a", ".stranger.example/a", ":80@stranger.example/a"]
)
def test_a_path_that_would_turn_the_target_into_a_user_gets_no_key(path: str) -> None:
    with client_of("http://target.invalid", timeout_seconds=0.3) as client:
        answer = client.send("GET", path)
    assert "Authorization" not in dict(answer.exchange.request.headers)
    assert "authorization" not in dict(answer.exchange.request.headers)


def test_no_key_and_another_key() -> None:
    with served(answering(lambda request: says())) as target, client_of(target.url) as client:
        client.send("GET", BALANCE, key=None)
        client.send("GET", BALANCE, key="sk-other-key-0123456789")
        client.send("GET", BALANCE, key=None, headers={"x-api-key": KEY})
        client.send("GET", BALANCE, headers={"x-api-key": KEY})
        assert [exchange.sender for exchange in recorded(client)] == [
            "",
            "key-2",
            "key-1",
            "key-1",
        ]
    assert [asked.key for asked in target.asked] == ["", "sk-other-key-0123456789", KEY, KEY]
    assert "authorization" not in target.asked[3].headers


def test_no_redirect_is_followed() -> None:
    with served(answering(lambda request: says())) as stranger:
        reply = says(status=307, location=f"{stranger.url}/v1/images/generations")
        with served(answering(lambda request: reply)) as target, client_of(target.url) as client:
            assert create(client) == 307
            assert client.send("GET", BALANCE).status == 307
    assert stranger.asked == []


@pytest.mark.parametrize(
    "reply",
    [
        says({"error": {"message": f"Incorrect API key provided: {KEY}"}}, 401),
        says({"key": KEY, "url": f"https://cdn.example/a.png?token={KEY}"}),
        says(x_key=KEY, set_cookie=f"key={KEY}", www_authenticate=f'Bearer realm="{KEY}"'),
        says(status=302, location=f"https://other.example/?key={KEY}"),
        Reply(200, KEY.encode() + b"\xff\xfe", {"content-type": "application/octet-stream"}),
        Reply(200, KEY.encode(), {"content-type": "image/png"}),
        Reply(500, f"<html>{KEY}</html>".encode(), {"content-type": "text/html"}),
    ],
)
def test_a_key_that_the_target_repeats_is_in_no_trace(reply: Reply) -> None:
    with served(answering(lambda request: reply)) as target, client_of(target.url) as client:
        client.send("GET", BALANCE)
        client.send("POST", GENERATIONS, json={**IMAGE, "prompt": f"My key is {KEY}"})
        client.send(
            "POST", EDITS, data={"prompt": KEY}, files={"image": ("a", b"\xff" + KEY.encode())}
        )
        client.send("GET", f"/v1/tasks/{KEY}?key={KEY}", headers={"x-odd": f"a {KEY}"})
        trace = client.recorder.trace
        assert KEY not in repr(trace.exchanges)
        assert KEY not in json.dumps(to_har(trace))


def test_a_key_that_no_header_can_carry_is_not_told() -> None:
    key = "sk-with-a-line-end\r\nand-more"
    with client_of("http://127.0.0.1:9", key=key) as client:
        answer = client.send("GET", BALANCE)
        assert answer.status == 0
        assert "and-more" not in repr(recorded(client))


# What is written down, and when.


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (GENERATIONS, {"json": {**IMAGE, "n": 2}}),
        (f"/api{GENERATIONS}", {"json": {**IMAGE, "n": 2}}),
        (SYNC, {"json": {**IMAGE, "n": 2}}),
        (EDITS, {"data": {**IMAGE, "n": "2"}, "files": {"image": ("a.png", b"x")}}),
    ],
)
def test_the_price_is_on_disk_before_the_request_arrives(
    path: str, content: dict[str, Any], tmp_path: Path
) -> None:
    on_disk: list[dict[str, Any]] = []

    def reply(request: Request) -> Reply:
        on_disk.extend(lines_of(tmp_path / "day"))
        return says(CREATED, 202)

    with (
        served(answering(reply)) as target,
        client_of(target.url, 1000, tmp_path / "day", credits_per_image=30) as client,
    ):
        assert client.send("POST", path, **content).status == 202
    assert [line["reserved"] for line in on_disk] == [60]
    settled = lines_of(tmp_path / "day")[1:]
    assert settled == [{"id": on_disk[0]["id"], "settled": 30}]


@pytest.mark.parametrize(
    ("reply", "spent", "unsettled"),
    [
        (says(CREATED, 202), 30, 0),
        (says({"credits": {"reserved": 0}}, 202), 40, 40),
        (says({"credits": {"reserved": 5000}}, 202), 5000, 0),
        (says({"credits": {"reserved": -30}}, 202), 40, 40),
        (says({"credits": {"reserved": True}}, 202), 40, 40),
        (says({"credits": {"reserved": "30"}}, 202), 40, 40),
        (says({"credits": 30}, 202), 40, 40),
        (says({}, 202), 40, 40),
        (Reply(202, b"not JSON"), 40, 40),
        (says({"data": []}), 40, 0),
        (says(CREATED, 201), 40, 40),
        (says({}, 400), 0, 0),
        (says({}, 401), 0, 0),
        (says({}, 402), 0, 0),
        (says({}, 404), 0, 0),
        (says({}, 422), 0, 0),
        (says({}, 408), 40, 40),
        (says({}, 409), 40, 40),
        (says({}, 500), 40, 40),
        (says({}, 302, location="/elsewhere"), 40, 40),
    ],
)
def test_an_answer_settles_what_it_tells(reply: Reply, spent: int, unsettled: int) -> None:
    with (
        served(answering(lambda request: reply)) as target,
        client_of(target.url, 100, credits_per_image=40) as client,
    ):
        create(client)
        assert (client.ledger.spent_credits, client.ledger.unsettled_credits) == (spent, unsettled)


def test_the_balance_has_the_last_word(tmp_path: Path) -> None:
    """Whoever says that it reserves nothing, and takes something, spends it all the same."""
    balance = 1000

    def reply(request: Request) -> Reply:
        nonlocal balance
        if request.method == "GET":
            return says({"credits": balance})
        balance -= 300
        return says({"data": []}) if request.url.path == SYNC else says(CREATED, 202)

    with (
        served(answering(reply)) as target,
        client_of(target.url, 700, tmp_path / "day", credits_per_image=30) as client,
    ):
        client.recorder.trace.exclusive = True
        client.send("GET", BALANCE)
        assert create(client) == 202
        client.send("GET", BALANCE)
        assert client.ledger.spent_credits == client.ledger.today_credits == 300
        assert client.send("POST", SYNC, json=IMAGE).status == 200  # priced ten times higher now
        client.send("GET", BALANCE)
        assert client.ledger.spent_credits == client.ledger.today_credits == 600
        with pytest.raises(LimitReachedError):
            create(client)


def test_a_balance_that_others_use_says_nothing() -> None:
    balances = iter([1000, 10])
    with (
        served(answering(lambda request: says({"credits": next(balances)}))) as target,
        client_of(target.url, 100) as client,
    ):
        for _ in range(2):
            client.send("GET", BALANCE)
        assert client.ledger.spent_credits == 0


@pytest.mark.parametrize(
    ("talk", "spent"), [(hang, 40), (close_at_once, 40), (None, 0)], ids=["hangs", "closes", "dead"]
)
def test_a_lost_answer_stays_spent_unless_nothing_was_sent(
    talk: Callable[[Any], None] | None, spent: int, tmp_path: Path
) -> None:
    with tcp_server(talk or hang) as url:
        target = url if talk else "http://127.0.0.1:9"
        with client_of(target, 100, tmp_path / "day", 40, timeout_seconds=0.1) as client:
            assert create(client) == 0
            assert client.ledger.spent_credits == spent
            assert client.ledger.today_credits == spent


def test_free_requests_reserve_nothing(tmp_path: Path) -> None:
    with (
        served(answering(lambda request: says())) as target,
        client_of(target.url, 0, tmp_path / "day") as client,
    ):
        client.send("GET", BALANCE)
        client.send("GET", GENERATIONS)
        client.send("POST", UPLOAD, files={"file": ("a.png", b"x")})
    assert lines_of(tmp_path / "day") == []


def test_what_could_go_over_the_limit_is_not_sent() -> None:
    def reply(request: Request) -> Reply:
        return says(CREATED, 202)

    with (
        served(answering(reply)) as target,
        client_of(target.url, 90, credits_per_image=30) as client,
    ):
        assert [create(client) for _ in range(3)] == [202, 202, 202]
        with pytest.raises(LimitReachedError, match="90 of today's limit of 90"):
            create(client)
    assert len(target.asked) == 3


# When it comes back later.


def at(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [
        (429, {"retry-after": "7"}, [7, 7, 7]),
        (503, {"retry-after": "0.5"}, [0.5, 0.5, 0.5]),
        (429, {}, [2, 2, 2]),
        (429, {"retry-after": "soon"}, [2, 2, 2]),
        (429, {"retry-after": ""}, [2, 2, 2]),
        (429, {"retry-after": "-5"}, [0, 0, 0]),
        (429, {"retry-after": at(0)}, [0, 0, 0]),
        (429, {"retry-after": "120"}, [120, 120, 120]),
        (429, {"retry-after": "inf"}, [2, 2, 2]),
        (429, {"retry-after": "nan"}, [2, 2, 2]),
        (500, {"retry-after": "1"}, []),
        (400, {"retry-after": "1"}, []),
        (200, {"retry-after": "1"}, []),
    ],
)
def test_it_waits_as_long_as_it_is_asked_to(
    status: int, headers: dict[str, str], waits: list[float]
) -> None:
    reply = Reply(status, b"{}", headers)
    with served(answering(lambda request: reply)) as target, client_of(target.url) as client:
        assert client.send("GET", BALANCE).status == status
        assert waits_of(client) == pytest.approx([wait for wait in waits if wait], abs=0.3)
        assert client.send("GET", BALANCE, retry=False).status == status
    assert len(target.asked) == len(waits) + 2


@pytest.mark.parametrize("wanted", ["121", at(4e9)])
def test_a_target_that_wants_to_be_left_alone_for_long_ends_the_run(wanted: str) -> None:
    reply = Reply(429, b"{}", {"retry-after": wanted})
    with served(answering(lambda request: reply)) as target, client_of(target.url) as client:
        with pytest.raises(EngineError, match=r"the kit waits 120 at most") as stopped:
            client.send("GET", BALANCE)
        assert waits_of(client) == []
    assert stopped.value.exit_code == EXIT_UNREACHABLE
    assert len(target.asked) == 1


def test_all_threads_wait_for_what_one_was_asked_to() -> None:
    replies = iter([Reply(429, b"", {"retry-after": "100"}), *[says()] * 3])
    moments: list[float] = []
    with served(answering(lambda request: next(replies))) as target, client_of(target.url) as one:
        one.send("GET", BALANCE)
        moments = [exchange.sent_at for exchange in recorded(one)]
        assert moments[1] - moments[0] == pytest.approx(100, abs=2)
        with client_of(target.url) as other:
            other._resume_at = other.recorder.clock.now() + 50
            other.send("GET", BALANCE)
            assert waits_of(other) == pytest.approx([50], abs=1)


def test_a_date_is_waited_for_on_the_targets_clock() -> None:
    with served(answering(lambda request: Reply(429))) as target, client_of(target.url) as client:
        client.recorder.clock.wait(1_000_000)

        def reply(request: Request) -> Reply:
            return Reply(429, b"", {"retry-after": at(client.recorder.clock.now() + 60)})

        with served(answering(reply)) as dated, client_of(dated.url) as other:
            other.recorder.clock = client.recorder.clock
            other.send("GET", BALANCE)
        assert waits_of(client)[1:] == pytest.approx([60, 60, 60], abs=2)


def test_it_stops_waiting_once_it_is_served() -> None:
    replies = iter([Reply(429, b"", {"retry-after": "3"}), says(CREATED, 202)])
    with (
        served(answering(lambda request: next(replies))) as target,
        client_of(target.url, 100, credits_per_image=40) as client,
    ):
        assert create(client) == 202
        assert waits_of(client) == pytest.approx([3], abs=0.3)
        assert client.ledger.spent_credits == 30  # the refused one cost nothing
        assert [e.response and e.response.status for e in recorded(client)] == [429, 202]


def test_a_target_that_has_stopped_answering_ends_the_run() -> None:
    with tcp_server(close_at_once) as url, client_of(url) as client:
        for _ in range(4):
            assert client.send("GET", BALANCE).status == 0
        with pytest.raises(EngineError, match="5 requests in a row were lost") as stopped:
            client.send("GET", BALANCE)
    assert stopped.value.exit_code == EXIT_UNREACHABLE
    assert len(recorded(client)) == 5


def test_links_to_other_places_that_are_dead_do_not_end_the_run() -> None:
    with served(answering(lambda request: says())) as target, client_of(target.url) as client:
        for _ in range(6):
            assert client.send("GET", "http://127.0.0.1:9/a.png", key=None).status == 0
        assert client.send("GET", BALANCE).status == 200


@pytest.mark.parametrize("link", ["http://[::1", "http://☃☃.␡/", "http://127.0.0.1/a\nb"])
def test_a_link_that_is_no_url_is_recorded_as_handed_out(link: str) -> None:
    with client_of("http://127.0.0.1:9") as client:
        answer = client.send("GET", link, key=None)
    assert answer.status == 0
    assert answer.exchange.failure
    assert answer.exchange.request.url.endswith(link)
    assert answer.exchange.request.path is not None
