"""How a planned task is sent and followed: what is asked when, and for how long."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.client import Client
from contracts.lives_drive import LONGEST_PROMPT, Lives
from contracts.options import Options
from contracts.receiver import Receiver
from contracts.tasks_plan import PlannedTask
from tests.contracts.clients import KEY, client_of, waits_of
from tests.contracts.stand_in import Api, Reply, Served, answering, says, served

STRANGER = "sk-stranger-0123456789abcdef"


def task(**changes: Any) -> PlannedTask:
    plain: dict[str, Any] = {
        "number": 1,
        "endpoint": "generations",
        "outcome": "succeeds",
        "callback": "none",
        "references": 0,
        "prompt": "plain",
        "prefix": "/v1",
        "key_header": "authorization",
        "key": "main",
    }
    return PlannedTask(**(plain | changes))


@contextmanager
def lives_at(
    reply: Callable[[Any], Reply], receiver: bool = False, **options: Any
) -> Iterator[tuple[Served, Lives, Client]]:
    with served(answering(reply)) as server, client_of(server.url) as client:
        lives = Lives(client, client.recorder.clock, None, None, Options(**options), STRANGER)
        if not receiver:
            yield server, lives, client
            return
        with Receiver(client.recorder, 0, None) as calls:
            lives._receiver = calls
            yield server, lives, client


def reading(**members: Any) -> Callable[[Any], Reply]:
    """An API whose tasks say something of their own."""
    api = Api()

    def reply(request: Any) -> Reply:
        answer = api(request)
        if "/tasks/" in request.url.path and answer.status == 200:
            return says({**json.loads(answer.body), **members})
        return answer

    return reply


def test_a_task_is_polled_to_its_end_and_read_again() -> None:
    states = iter(["pending", "processing", "processing", "succeeded", "succeeded"])
    api = Api()

    def reply(request: Any) -> Reply:
        answer = api(request)
        if "/tasks/" in request.url.path and request.headers["authorization"].endswith(KEY):
            return says({**json.loads(answer.body), "status": next(states)})
        return answer

    with lives_at(reply) as (server, lives, client):
        lived = lives.live(task())
        assert waits_of(client) == [1.0, 1.5, 2.0]
    assert next(states, None) is None
    assert len(lived.links) == 1
    assert lives.lived == [lived]
    strangers = [asked for asked in server.asked if asked.key == STRANGER]
    assert [asked.status for asked in strangers] == [401, 401, 401]
    fetched = [asked for asked in server.asked if asked.path == "/picture.png"]
    assert [asked.method for asked in fetched] == ["GET", "HEAD"]
    assert all(asked.key == "" for asked in fetched)


def test_a_task_without_end_is_given_up_in_time() -> None:
    with lives_at(reading(status="processing"), task_timeout_seconds=100.0) as (_, lives, client):
        lives.live(task())
        assert waits_of(client)[:5] == [1.0, 1.5, 2.0, 3.0, 5.0]
        assert max(waits_of(client)) == 10.0
        assert 100 < sum(waits_of(client)) < 120


def test_where_the_run_stops_nobody_waits() -> None:
    with lives_at(reading(status="processing")) as (_, lives, client):
        lives.stopping.set()
        lives.live(task(callback="taken"))
        assert waits_of(client) == []


@pytest.mark.parametrize(
    ("told", "age_seconds"),
    [
        (timedelta(hours=-3), 3 * 3600),
        (timedelta(days=9000), 0),
        ("9999-12-31T23:59:59-23:59", 0),
        ("yesterday", 0),
        (None, 0),
        (5, 0),
    ],
)
def test_an_end_is_never_yet_to_come(told: Any, age_seconds: float) -> None:
    if isinstance(told, timedelta):
        told = (datetime.now(UTC) + told).isoformat()
    with lives_at(reading(completed_at=told)) as (_, lives, client):
        lived = lives.live(task())
        assert client.recorder.clock.now() - lived.ended_at == pytest.approx(age_seconds, abs=30)


@pytest.mark.parametrize(("links", "fetched"), [(0, []), (4, [0, 1, 2, 3]), (10, [0, 1, 9])])
def test_of_many_pictures_some_are_fetched(links: int, fetched: list[int]) -> None:
    def reply(request: Any) -> Reply:
        data = [{"url": f"{request.base_url}picture.png?{n}"} for n in range(links)]
        return reading(result={"data": data})(request)

    with lives_at(reply) as (_, lives, client):
        lived = lives.live(task())
        asked = [
            int(exchange.request.url.rpartition("?")[2])
            for exchange in client.recorder.trace
            if exchange.purpose == "download"
        ]
    assert len(lived.links) == links
    assert asked == fetched


@pytest.mark.parametrize(
    ("planned", "path", "key_header"),
    [
        (task(), "/v1/images/generations", "authorization"),
        (task(prefix="/api/v1"), "/api/v1/images/generations", "authorization"),
        (task(endpoint="sync"), "/v1/images/generations/sync", "authorization"),
        (task(endpoint="edits", references=1), "/v1/images/edits", "authorization"),
        (task(key_header="x-api-key"), "/v1/images/generations", "x-api-key"),
    ],
)
def test_a_task_goes_where_the_plan_says(planned: PlannedTask, path: str, key_header: str) -> None:
    with lives_at(Api()) as (server, lives, _):
        lives.live(planned)
    (sent,) = [asked for asked in server.asked if asked.is_creation]
    assert sent.path == path
    assert KEY in sent.headers[key_header]
    assert len({"authorization", "x-api-key"} & set(sent.headers)) == 1


def test_prompts_are_as_long_as_they_may_be_and_marked() -> None:
    with lives_at(Api()) as (_, lives, client):
        for prompt in ("plain", "unicode", "longest"):
            lives.live(task(prompt=prompt))
        prompts = [
            exchange.request.json["prompt"]
            for exchange in client.recorder.trace
            if exchange.purpose == "create a task"
        ]
    assert len(prompts[2]) == LONGEST_PROMPT
    assert all("(contract-0-1)" in prompt for prompt in prompts)


def test_references_are_uploaded_once() -> None:
    with lives_at(Api()) as (server, lives, client):
        lives.live(task(references=1, number=3))
        lives.live(task(references=16, number=4))
        one, other = [
            exchange.request.json
            for exchange in client.recorder.trace
            if exchange.purpose == "create a task"
        ]
    assert len(one["input_images"]) == 1
    assert len(other["image_urls"]) == 16  # GEN-11: by another of its names
    assert [asked.path for asked in server.asked].count("/v1/images/upload") == 2


def test_a_callback_is_waited_for_only_so_long() -> None:
    with lives_at(Api(), receiver=True, callback_wait_seconds=5.0) as (_, lives, client):
        lives.live(task(callback="taken"))
        assert waits_of(client) == [0.5] * 10
        created = next(e for e in client.recorder.trace if e.purpose == "create a task")
        assert created.request.json["callback_url"].endswith("/contract-0-1")


def test_without_a_receiver_no_callback_is_asked_for() -> None:
    with lives_at(Api()) as (_, lives, client):
        lives.live(task(callback="taken"))
        created = next(e for e in client.recorder.trace if e.purpose == "create a task")
        assert "callback_url" not in created.request.json


def test_a_creation_that_is_refused_leaves_nothing_to_do() -> None:
    api = Api()

    def reply(request: Any) -> Reply:
        return says({"error": {}}, 402) if request.method == "POST" else api(request)

    with lives_at(reply) as (server, lives, _):
        lived = lives.live(task())
        lives.read_all()
    assert (lived.task_id, lived.links) == (None, [])
    assert not any("/tasks/" in asked.path for asked in server.asked)


def test_an_interrupt_does_not_lose_links() -> None:
    with lives_at(Api()) as (_, lives, client):
        send = client.send

        def interrupted(method: str, path: str, **more: Any) -> Any:
            if more.get("purpose") == "download":
                raise KeyboardInterrupt
            return send(method, path, **more)

        client.send = interrupted  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            lives.live(task())
    assert len(lives.lived[0].links) == 1
