"""What is answered without the application is answered as the application would have."""

import asyncio
import json
import re
import sqlite3
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.api.plain_calls import Head
from emulator.service.accounts import NewKey
from emulator.store.records import StoreUnavailable
from emulator.store.transaction import Transaction
from tests.support.plain_transport import Exchange, PlainTransport
from tests.support.world import CREATION, KEY, World, open_world

HEADERS = [(b"host", b"emulator.test"), (b"authorization", b"Bearer " + KEY.encode())]
JSON = (b"content-type", b"application/json")
POST = "/v1/images/generations"
BODY = b'{"model": "gpt-image-2", "prompt": "A cat"}'
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "model": st.sampled_from(["gpt-image-2", "gpt-image-9", 7]),
    "prompt": st.text(max_size=20) | st.sampled_from(["[[task_fails]] A cat", "\ud800", "x" * 40]),
    "size": st.sampled_from(["auto", "16:9", "1024x1024", "5x5", "7:7", None]),
    "aspect_ratio": st.sampled_from(["1:1", "3:2"]),
    "resolution": st.sampled_from(["1K", "4K", "8K"]),
    "imageSize": st.sampled_from(["2K", "1:1"]),
    "quality": st.sampled_from(["low", "high", "best"]),
    "n": st.sampled_from([1, 3.0, 10, 11, "2"]),
    "callback_url": st.sampled_from(["http://127.0.0.1:9/hook", "ftp://x", ""]),
    "input_images": st.sampled_from([[], ["http://example.com/a.png"], "x"]),
    "unknown": st.integers(),
}
BODIES = st.fixed_dictionaries(
    {"model": FIELDS["model"], "prompt": FIELDS["prompt"]},
    optional={name: of for name, of in FIELDS.items() if name not in ("model", "prompt")},
)
FAULTS = [
    {"fault": "task_fails", "prompt": "x"},
    {"fault": "http_error", "status": 503, "operation": "createImageTask", "prompt": "0"},
    {"fault": "http_error", "status": 500, "operation": "getTask", "every": 2},
    {"fault": "callback_early", "prompt": "A cat"},
    {"fault": "link_dead"},
]


async def sent(world: World, body: dict[str, Any]) -> list[httpx2.Response]:
    """Create a task, and poll it in each part of its life."""
    headers = {"content-type": "application/json"}
    created = await world.raw.post(POST, content=json.dumps(body), headers=headers)
    answers = [created]
    if created.status_code == 202:
        for seconds in (0, 3, 7, 0):
            world.clock.pass_seconds(seconds)
            answers.append(await world.raw.get(created.json()["poll_url"]))
    return answers


def seen(answer: httpx2.Response) -> tuple[Any, ...]:
    """An answer without what differs from request to request."""
    names = [name for name, _ in answer.headers.raw]
    headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
    is_creation = answer.status_code == 202
    request_id = answer.headers["x-request-id"] if is_creation else ""
    body = re.sub(rb"signature=\w+", b"", answer.content)  # each world has its own secret
    return answer.status_code, names, headers, request_id, body


async def noted(world: World) -> tuple[Any, ...]:
    """What the world says of it afterwards, without how long it took."""
    journal = (await world.raw.get("/_emulator/journal")).json()["data"]
    for entry in journal:
        entry.pop("duration_ms")
        entry["answer"] = re.sub(r"signature=\w+", "", str(entry["answer"]))
        if entry["status"] != 202:
            entry.pop("request_id")
    metrics = (await world.raw.get("/metrics")).text
    counts = re.findall(r"^gpt_image_emulator_(?:requests|tasks|credits)\w*\{?.*$", metrics, re.M)
    faults = (await world.raw.get("/_emulator/faults")).json()
    return journal, await world.sums(), await world.ledger(), faults, sorted(counts)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    bodies=st.lists(BODIES, min_size=1, max_size=4),
    faults=st.lists(st.sampled_from(FAULTS), max_size=3),
)
def test_both_ways_answer_and_note_the_same(
    bodies: list[dict[str, Any]], faults: list[dict[str, Any]]
) -> None:
    async def both() -> None:
        async with open_world() as plain, open_world(plain=False) as usual:
            for world in (plain, usual) if faults else ():
                added = await world.raw.post("/_emulator/faults", json={"faults": faults})
                assert added.status_code == 201
            for body in bodies:
                plainly, usually = await sent(plain, body), await sent(usual, body)
                assert [seen(answer) for answer in plainly] == [seen(answer) for answer in usually]
            assert await noted(plain) == await noted(usual)

    asyncio.run(both())


async def test_plain_calls_are_answered_plainly(world: World) -> None:
    transport = world.raw._transport
    assert isinstance(transport, PlainTransport)
    await world.raw.get("/v1/models")  # the key's first use makes its account
    created = await world.raw.post(POST, json=CREATION)
    for path in (created.json()["poll_url"], "/api" + created.json()["poll_url"]):
        assert (await world.raw.get(path)).json()["status"] == "pending"
    assert transport.answered == 3


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("HEAD", b"/v1/tasks/task_1", HEADERS),
        ("POST", b"/v1/tasks/task_1", [*HEADERS, JSON]),
        ("GET", b"/v1/images/generations", HEADERS),
        ("GET", b"/v1/tasks/task_1?x=1", HEADERS),
        ("GET", b"/v1/tasks/task_1/", HEADERS),
        ("GET", b"/v1/tasks/task%5f1", HEADERS),
        ("GET", b"/v1/models", HEADERS),
        ("GET", b"/v1/tasks/task_1", HEADERS[:1]),
        ("GET", b"/v1/tasks/task_1", HEADERS[1:]),
        ("GET", b"/v1/tasks/task_1", [(b"host", b"a b"), HEADERS[1]]),
        ("GET", b"/v1/tasks/task_1", [HEADERS[0], (b"authorization", b"sk-test")]),
        ("POST", b"/v1/images/generations", HEADERS),
        ("POST", b"/v1/images/generations", [*HEADERS, (b"content-type", b"text/plain")]),
    ],
)
async def test_heads_that_are_not_plain(
    world: World, method: str, url: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    assert plain_head(world, method, url, headers) is None


def plain_head(
    world: World, method: str, url: bytes, headers: list[tuple[bytes, bytes]]
) -> Head | None:
    assert world.server.plain_calls is not None
    return world.server.plain_calls.head_of(method, url, headers)


async def is_plain(world: World, path: str, body: bytes = b"", key: str = KEY) -> bool:
    """Whether a request is answered plainly; it is not answered otherwise here."""
    method, more = ("POST", [JSON]) if body else ("GET", [])
    headers = [HEADERS[0], (b"authorization", b"Bearer " + key.encode()), *more]
    head, exchange = plain_head(world, method, path.encode(), headers), Exchange()
    assert head is not None
    assert world.server.plain_calls is not None
    if not world.server.plain_calls.answer(head, body, exchange):
        return False
    return isinstance(await exchange.answer, tuple)


async def test_what_is_refused_or_first_has_to_be_written_is_not_plain(world: World) -> None:
    assert not await is_plain(world, POST, BODY)  # a key that nobody used
    poll = f"/v1/tasks/{(await world.create())['task_id']}"
    assert await is_plain(world, poll)
    assert await is_plain(world, POST, BODY)
    assert not await is_plain(world, "/v1/tasks/task_0")
    assert not await is_plain(world, poll, key="sk-other")
    assert not await is_plain(world, POST, b'{"model": "gpt-image-2"}')
    assert not await is_plain(world, POST, BODY.replace(b"A cat", b"[[task_fails]]"))
    assert not await is_plain(world, POST, BODY.replace(b"}", b', "input_images": ["http://a/b"]}'))
    world.clock.pass_seconds(10)
    assert not await is_plain(world, poll)  # its end is still to be settled
    await world.task(poll.rpartition("/")[2])
    assert await is_plain(world, poll)
    await world.client.post("/_emulator/faults", json={"fault": "task_hangs"})
    assert not await is_plain(world, poll)
    assert not await is_plain(world, POST, BODY)


async def test_faults_that_have_to_do_with_others_leave_a_call_plain(world: World) -> None:
    poll = (await world.create())["poll_url"]
    others = [
        {"fault": "task_fails", "prompt": "zebra"},
        {"fault": "invalid_json", "operation": "getTask", "task_id": "task_0"},
        {"fault": "callback_late"},
    ]
    await world.client.post("/_emulator/faults", json={"faults": others})
    assert not await is_plain(world, poll)  # nobody has read them yet
    await world.raw.get(poll)
    assert await is_plain(world, poll)
    assert await is_plain(world, POST, BODY)
    assert not await is_plain(world, POST, BODY.replace(b"A cat", b"A zebra"))
    await world.client.post("/_emulator/faults", json={"fault": "slow_drip"})
    assert not await is_plain(world, poll)
    await world.client.delete("/_emulator/faults")
    await world.raw.get(poll)
    assert await is_plain(world, poll)


async def test_keys_with_limits_and_revoked_ones_go_the_usual_way(world: World) -> None:
    accounts = world.server.services.accounts
    free, _ = await accounts.create_key(NewKey("free", 1000))
    counted, _ = await accounts.create_key(NewKey("counted", 1000, requests_per_minute=5))
    assert await is_plain(world, POST, BODY, key=free)
    assert not await is_plain(world, POST, BODY, key=counted)
    await accounts.revoke(free)
    assert not await is_plain(world, POST, BODY, key=free)


async def test_creations_beyond_the_credits_are_refused_by_the_application() -> None:
    async with open_world(initial_credits=2 * 30) as world:
        await world.create()
        plainly = [is_plain(world, POST, BODY) for _ in range(3)]
        assert sorted(await asyncio.gather(*plainly)) == [False, False, True]
        assert (await world.sums())["available"] == 0


async def test_a_call_is_in_the_journal_before_its_answer_is_sent(world: World) -> None:
    await world.create()
    assert await is_plain(world, POST, BODY)
    entries = (await world.raw.get("/_emulator/journal")).json()["data"]
    assert [entry["operation"] for entry in entries[:2]] == ["createImageTask"] * 2


async def test_a_read_that_fails_is_an_error_of_ours_that_is_logged(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poll = (await world.create())["poll_url"]

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Transaction, "caller", fail)
    monkeypatch.setattr(Transaction, "caller_and_task", fail)
    world.clock.pass_seconds(1)
    world.server.database.write_now(lambda tx: tx.meta("color", "red"))
    for answer in (await world.raw.get(poll), await world.raw.post(POST, json=CREATION)):
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "internal_error"
        assert answer.headers["x-request-id"]
    assert "disk I/O error" in caplog.text


async def test_a_refusal_by_the_transaction_is_noted_like_any_other() -> None:
    async with (
        open_world(initial_credits=30) as plain,
        open_world(initial_credits=30, plain=False) as usual,
    ):
        for world in (plain, usual):
            await world.create()
            refused = await world.raw.post(POST, json=CREATION)
            assert refused.status_code == 402
        assert await noted(plain) == await noted(usual)
        entry = (await plain.raw.get("/_emulator/journal")).json()["data"][-1]
        assert entry["request_id"].startswith("req_")


async def test_a_database_that_is_not_there_is_waited_for_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.create()
    tries: list[str | None] = []

    async def write(work: object, account_id: str | None = None) -> None:
        tries.append(account_id)
        raise StoreUnavailable("the database is kept busy")

    monkeypatch.setattr(world.server.database, "write", write)
    answers = await asyncio.gather(*(world.raw.post(POST, json=CREATION) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [503] * 3
    assert len(tries) == 1


async def test_half_a_character_in_the_callback_url_is_refused(world: World) -> None:
    await world.create()
    body = json.dumps({**CREATION, "callback_url": "http://\ud800/"})
    answer = await world.raw.post(POST, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "callback_url"
