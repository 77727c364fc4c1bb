"""A trace, read: lives, links, balances, whatever the order and whoever asked."""

from typing import Any

import pytest

from contracts.exchange import Exchange, Trace
from contracts.observed import absolute_url, instant, result_urls
from contracts.view import View
from tests.contracts.support import (
    BASE_URL,
    LINK,
    START,
    callback,
    creation,
    download,
    exchange,
    rfc3339,
    task_read,
    trace,
)

HOOK = "https://kit.test/hook"


def view(*exchanges: Exchange) -> View:
    return View(trace(*exchanges))


def test_a_life_is_put_together_from_all_that_was_seen() -> None:
    seen = view(
        creation(at=0),
        task_read(status="processing", at=1),
        creation("task_2", at=1),
        task_read(at=2),
        callback({"task_id": "task_1", "status": "succeeded"}, HOOK),
        task_read("task_2", "failed", at=3),
    )
    life, other = seen.lives.values()
    assert [read.status for read in life.reads] == ["processing", "succeeded"]
    assert life.creation is not None
    assert life.creation.exchange.number == 1
    assert [call.number for call in life.callbacks] == [5]
    assert life.success is not None
    assert (life.success.exchange.number, life.failure) == (4, None)
    assert other.failure is not None
    assert other.ends == [other.failure]


def test_a_life_may_begin_before_the_trace() -> None:
    (life,) = view(task_read()).lives.values()
    assert (life.creation, life.wish) == (None, None)


def test_what_others_read_is_not_the_owners_life() -> None:
    foreign = exchange("GET", "/v1/tasks/task_1", answer={"status": "failed"}, sender="key-2")
    (life,) = view(creation(), foreign, task_read()).lives.values()
    assert [read.exchange.number for read in life.reads] == [3]


@pytest.mark.parametrize("status", [401, 404, 500, 0])
def test_a_refused_read_shows_no_life(status: int) -> None:
    assert view(exchange("GET", "/v1/tasks/task_1", status=status)).lives == {}


def test_an_id_is_what_was_asked_for_not_what_was_answered() -> None:
    mixed_up = task_read(task_id="task_1")
    answered = exchange("GET", "/v1/tasks/task_9", answer=mixed_up.response.json
                        if mixed_up.response else None)  # fmt: skip
    assert list(view(answered).lives) == ["task_9"]


def test_a_link_is_known_by_whoever_handed_it_out_first() -> None:
    pictures = {"created": 1, "data": [{"url": f"{BASE_URL}/media/s/1.png"}]}
    sync = exchange("POST", "/v1/images/generations/sync", answer=pictures, at=5)
    upload = exchange("POST", "/v1/images/upload", answer={"url": f"{BASE_URL}/u/1.png#top"}, at=6)
    seen = view(
        creation(size="16:9"),
        task_read(at=2, completed_at=rfc3339(1.5)),
        task_read(at=3),
        sync,
        upload,
        download(at=7),
        download(f"{BASE_URL}/u/1.png", at=8),
        download("https://elsewhere.test/1.png", at=9),
    )
    task, waited, uploaded = seen.links.values()
    assert (task.source.number, task.task_id, task.made_at) == (2, "task_1", START + 1.5)
    assert task.wish is not None
    assert task.wish.size == "16:9"
    assert [visit.number for visit in task.downloads] == [6]
    assert (waited.made_at, waited.task_id, waited.visits) == (START + 5, None, [])
    assert (uploaded.url, uploaded.is_upload) == (f"{BASE_URL}/u/1.png", True)
    assert [visit.number for visit in uploaded.visits] == [7]


def test_only_a_get_with_a_200_is_a_download() -> None:
    link = LINK.format(task_id="task_1")
    seen = view(task_read(), exchange("HEAD", link), exchange("GET", link, status=410), download())
    (found,) = seen.links.values()
    assert [visit.number for visit in found.visits] == [2, 3, 4]
    assert [visit.number for visit in found.downloads] == [4]


@pytest.mark.parametrize("credits", [None, "100", True, 1.5, {}])
def test_what_is_no_whole_number_is_no_balance(credits: Any) -> None:
    assert view(exchange("GET", "/v1/credits/balance", answer={"credits": credits})).balances == []


def test_balances_are_read_with_and_without_api() -> None:
    asked = [exchange("GET", path, answer={"credits": 70})
             for path in ("/v1/credits/balance", "/api/v1/credits/balance")]  # fmt: skip
    assert [balance.credits for balance in view(*asked).balances] == [70, 70]


def test_a_call_that_got_no_answer_is_sent_and_not_answered() -> None:
    seen = view(exchange("POST", "/v1/images/generations", body={"prompt": "a"}, status=0))
    assert (len(seen.sent), seen.answered, seen.api) == (1, [], [])
    (made,) = seen.creations
    assert (made.status, made.accepted, made.task_id, made.answer) == (0, False, None, {})


def test_callbacks_are_not_what_was_sent() -> None:
    seen = view(callback({"task_id": "task_1"}, HOOK), exchange("GET", "/v1/models"))
    assert [call.number for call in seen.callbacks] == [1]
    assert [call.number for call in seen.sent] == [2]
    assert list(seen.lives) == ["task_1"]


def test_an_empty_trace_shows_nothing() -> None:
    seen = View(Trace(BASE_URL))
    assert (seen.lives, seen.links, seen.balances, seen.creations) == ({}, {}, [], [])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-01-15T08:00:00Z", START),
        ("2027-01-15T09:00:00.5+01:00", START + 0.5),
        ("2027-01-15T08:00:00", None),
        ("2027-01-15", None),
        ("soon", None),
        (1_800_000_000, None),
        (None, None),
    ],
)
def test_an_instant_has_an_offset(text: Any, seconds: float | None) -> None:
    assert instant(text) == seconds


@pytest.mark.parametrize("value", [None, "", "/media/1.png", "1.png", 7, "http://[::1", ["a"]])
def test_only_an_absolute_url_is_a_link(value: Any) -> None:
    assert absolute_url(value) is None
    assert result_urls({"data": [{"url": value}, None, "a"]}) == ()
