"""The built-in receiver: what arrives, what it answers, whose it is."""

import json
from typing import Any

import httpx2
import pytest

from emulator.core.callback import signature_headers
from tests.support.world import BASE, START, World, open_world

SECRET = b"0123456789abcdef0123456789abcdef"
URL = f"{BASE}/_emulator/inbox/hooks"
PATH = "/_emulator/inbox/hooks"
OTHER = {"Authorization": "Bearer sk-other"}


async def inbox(world: World, name: str = "hooks", **params: Any) -> list[dict[str, Any]]:
    response = await world.client.get(f"/_emulator/inbox/{name}", params=params)
    assert response.status_code == 200, response.text
    messages: list[dict[str, Any]] = response.json()["data"]
    return messages


async def set_answers(world: World, *answers: dict[str, Any]) -> dict[str, Any]:
    response = await world.client.put(PATH, json={"answers": answers})
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


async def attempts(world: World) -> list[dict[str, Any]]:
    (delivery,) = (await world.client.get("/_emulator/deliveries")).json()["data"]
    found: list[dict[str, Any]] = delivery["attempts"]
    return found


async def test_a_callback_arrives_without_a_socket(world: World) -> None:
    task_id = (await world.create(callback_url=URL))["task_id"]
    clock = await world.clock_command(advance="10s")
    (message,) = await inbox(world)
    (delivery,) = (await world.client.get("/_emulator/deliveries")).json()["data"]
    assert message == {
        "number": 1,
        "at": clock["now"],
        "delivery_id": delivery["delivery_id"],
        "task_id": task_id,
        "headers": {"content-type": "application/json", "user-agent": "gpt-image-emulator"},
        "body": await world.task(task_id),
        "signature": "none",
        "status": 200,
    }
    assert (delivery["state"], delivery["attempts"][0]["status"]) == ("delivered", 200)
    assert world.receiver.received == []
    listed = (await world.client.get("/_emulator/inbox")).json()["data"]
    assert listed == [{"name": "hooks", "url": URL, "messages": 1}]


@pytest.mark.parametrize(
    ("public_url", "base", "url", "inside"),
    [
        ("", BASE, f"{BASE}:80/_emulator/inbox/hooks", True),
        ("", "http://localhost:41237", "http://127.0.0.1:41237/_emulator/inbox/hooks", True),
        ("", "http://127.0.0.1:41237", "http://127.0.0.1:41237/_emulator/inbox/hooks", True),
        ("https://x.test/images", BASE, "https://x.test/images/_emulator/inbox/hooks", True),
        ("", "http://127.0.0.1:41237", "http://127.0.0.1:41238/_emulator/inbox/hooks", False),
        ("", BASE, "http://127.0.0.1:80/_emulator/inbox/hooks", False),
        ("", BASE, f"{BASE}/inbox/hooks", False),
    ],
)
async def test_which_urls_are_its_own(public_url: str, base: str, url: str, inside: bool) -> None:
    async with open_world(public_url=public_url) as world:
        world.client.base_url = httpx2.URL(base)
        await world.create(callback_url=url)
        await world.clock_command(advance="10s")
        assert len(await inbox(world)) == inside
        assert len(world.receiver.received) == (not inside)


async def test_answers_in_turn_and_the_last_one_from_then_on(world: World) -> None:
    told = await set_answers(
        world, {"status": 500, "body": "no"}, {"status": 302}, {"delay_seconds": 9.5}
    )
    assert told == {
        "name": "hooks",
        "url": URL,
        "answers": [
            {"status": 500, "delay_seconds": 0, "body": "no"},
            {"status": 302, "delay_seconds": 0, "body": ""},
            {"status": 200, "delay_seconds": 9.5, "body": ""},
        ],
    }
    await world.create(callback_url=URL)
    await world.clock_command(advance="2h")
    found = await attempts(world)
    assert [attempt["status"] for attempt in found] == [500, 302, 200]
    assert [attempt["duration_ms"] for attempt in found] == [0, 0, 9500]
    assert found[0]["answer"] == "no"
    assert [message["status"] for message in await inbox(world)] == [500, 302, 200]
    await world.create(callback_url=URL)
    await world.clock_command(advance="2h")
    assert [message["status"] for message in await inbox(world, after=3)] == [200]


async def test_a_late_answer_is_none(world: World) -> None:
    await set_answers(world, {"delay_seconds": 10}, {"status": 204})
    await world.create(callback_url=URL)
    await world.clock_command(advance="2h")
    late, taken = await attempts(world)
    assert (late["status"], late["duration_ms"]) == (None, 10_000)
    assert late["error"] == "no complete answer within 10 s"
    assert taken["status"] == 204
    assert [message["status"] for message in await inbox(world)] == [None, 204]


async def test_new_answers_begin_at_the_next_message(world: World) -> None:
    for status in (500, 200):
        await set_answers(world, {"status": status}, {"status": 201})
        await world.client.post(PATH, json={})
    assert [message["status"] for message in await inbox(world)] == [500, 200]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "body"),
        ({"answers": [{}], "more": 1}, "body"),
        ({"answers": []}, "answers"),
        ({"answers": [{}] * 101}, "answers"),
        ({"answers": {"status": 200}}, "answers"),
        ({"answers": [{}, 200]}, "answers[1]"),
        ({"answers": [{"code": 200}]}, "answers[0]"),
        ({"answers": [{"status": 99}]}, "answers[0].status"),
        ({"answers": [{"status": 600}]}, "answers[0].status"),
        ({"answers": [{"status": True}]}, "answers[0].status"),
        ({"answers": [{"delay_seconds": -1}]}, "answers[0].delay_seconds"),
        ({"answers": [{"delay_seconds": 3601}]}, "answers[0].delay_seconds"),
        ({"answers": [{"body": None}]}, "answers[0].body"),
    ],
)
async def test_bad_answers_are_refused(world: World, body: dict[str, Any], param: str) -> None:
    response = await world.client.put(PATH, json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert (await world.client.get("/_emulator/inbox")).json() == {"data": []}


@pytest.mark.parametrize("name", ["x" * 65, "a%20b", "ä", "a:b"])
async def test_bad_names_are_refused(world: World, name: str) -> None:
    path = f"/_emulator/inbox/{name}"
    answers = [
        await world.client.get(path),
        await world.client.delete(path),
        await world.client.put(path, json={"answers": [{}]}),
        await world.client.post(path, json={}),
    ]
    assert [(r.status_code, r.json()["error"]["param"]) for r in answers] == [(400, "name")] * 4
    await world.create(callback_url=f"{BASE}{path}")
    await world.clock_command(advance="10s")
    (attempt,) = await attempts(world)
    assert attempt["status"] == 404
    assert "64 characters" in attempt["answer"]


async def test_an_inbox_is_its_accounts(world: World) -> None:
    await world.create(callback_url=URL)
    await world.clock_command(advance="10s")
    answer = (await world.client.get(PATH, headers=OTHER)).json()
    assert answer["data"] == []
    assert (await world.client.get("/_emulator/inbox", headers=OTHER)).json() == {"data": []}
    assert (await world.client.delete(PATH, headers=OTHER)).json() == {"removed": 0}
    assert len(await inbox(world)) == 1


async def test_deleting_one_deletes_its_answers_too(world: World) -> None:
    await set_answers(world, {"status": 500})
    await world.client.post(PATH, json={})
    assert (await world.client.delete(PATH)).json() == {"removed": 1}
    assert (await world.client.get("/_emulator/inbox")).json() == {"data": []}
    assert (await world.client.post(PATH, json={})).status_code == 200
    assert [message["number"] for message in await inbox(world)] == [1]


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        ({}, 200, ""),
        ({"status": 503, "body": "later"}, 503, "later"),
        ({"status": 204, "body": "none"}, 204, ""),
        ({"status": 200, "delay_seconds": 3600}, 200, ""),
        ({"status": 102}, 500, ""),
    ],
)
async def test_over_http_it_answers_as_told(
    world: World, answer: dict[str, Any], status: int, text: str
) -> None:
    await set_answers(world, answer)
    headers = {"X-Emulator-Token": "hidden", "Cookie": "hidden", "X-Trace": "7"}
    response = await world.client.post(PATH, json={"task_id": "task_1"}, headers=headers)
    assert (response.status_code, response.text) == (status, text)
    (message,) = await inbox(world)
    assert message["body"] == {"task_id": "task_1"}
    assert message["headers"]["x-trace"] == "7"
    assert "hidden" not in json.dumps(message)
    assert "sk-test" not in json.dumps(message)
    assert (message["delivery_id"], message["task_id"]) == (None, None)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b'{"a": 1', '{"a": 1'),
        (b"", ""),
        (b"\xff", "�"),
        (b'"\\ud800"', '"\\ud800"'),
        (b"NaN", "NaN"),
    ],
)
async def test_a_body_that_is_no_json_is_text(world: World, sent: bytes, shown: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert (await world.client.post(PATH, content=sent, headers=headers)).status_code == 200
    assert (await inbox(world))[0]["body"] == shown


async def test_a_body_over_a_mebibyte_is_refused(world: World) -> None:
    response = await world.client.post(PATH, json={"x": "y" * 1024 * 1024})
    assert response.status_code == 413
    assert await inbox(world) == []


async def test_the_newest_thousand_are_kept(world: World) -> None:
    for _ in range(1003):
        await world.client.post(PATH, json={})
    numbers = [message["number"] for message in await inbox(world)]
    assert numbers == list(range(4, 1004))
    assert [message["number"] for message in await inbox(world, after=1001)] == [1002, 1003]
    (listed,) = (await world.client.get("/_emulator/inbox")).json()["data"]
    assert listed["messages"] == 1000


async def test_each_message_says_whether_its_signature_is_valid() -> None:
    async with open_world(callback_secret=SECRET) as world:
        await world.create(callback_url=URL)
        await world.clock_command(advance="3d")
        signed = signature_headers(SECRET, "msg_1", START + 3 * 86_400_000, b"{}")
        sent: tuple[tuple[dict[str, str], str], ...] = (
            ({}, "none"),
            (signed, "valid"),
            ({**signed, "webhook-id": "msg_2"}, "invalid: no signature matches"),
            ({**signed, "webhook-timestamp": "1"}, "invalid: webhook-timestamp is"),
            ({"webhook-id": "msg_1"}, "invalid: the header webhook-timestamp is missing"),
        )
        for headers, _ in sent:
            await world.client.post(
                PATH, content=b"{}", headers={"Content-Type": "application/json", **headers}
            )
        handed_over, *posted = [message["signature"] for message in await inbox(world)]
        assert handed_over == "valid"
        for found, (_, expected) in zip(posted, sent, strict=True):
            assert found.startswith(expected)


async def test_without_a_secret_nothing_is_valid(world: World) -> None:
    await world.client.post(PATH, json={}, headers={"webhook-id": "msg_1"})
    assert (await inbox(world))[0]["signature"].startswith("invalid: the emulator has no")


async def test_upstreams_policy_refuses_it_and_off_sends_nothing() -> None:
    async with open_world(callbacks="upstream") as world:
        body = {"model": "gpt-image-2", "prompt": "x", "callback_url": URL}
        response = await world.client.post("/v1/images/generations", json=body)
        assert response.json()["error"]["param"] == "callback_url"
    async with open_world(callbacks="off") as world:
        await world.create(callback_url=URL)
        await world.clock_command(advance="10s")
        assert await inbox(world) == []


async def test_half_a_character_is_no_answer(world: World) -> None:
    body = '{"answers": [{"body": "\\ud800"}]}'
    headers = {"Content-Type": "application/json"}
    answer = await world.client.put("/_emulator/inbox/a", content=body, headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize("depth", [100, 245, 250, 255, 500, 5000])
async def test_a_deep_body_is_shown_or_is_a_text(world: World, depth: int) -> None:
    body = "[" * depth + "]" * depth
    headers = {"Content-Type": "application/json"}
    await world.client.post("/_emulator/inbox/a", content=body, headers=headers)
    answer = await world.client.get("/_emulator/inbox/a")
    assert answer.status_code == 200
    shown = answer.json()["data"][0]["body"]
    assert (shown if isinstance(shown, str) else json.dumps(shown)) == body
