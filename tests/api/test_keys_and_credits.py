"""Keys, budgets, rate limits and credits as a client meets them."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.world import CREATION, KEY, World, open_world

CREATE = "/v1/images/generations"


async def test_no_key_and_strange_keys_are_401(world: World) -> None:
    for headers in (
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic c2stdGVzdA=="},
        {"Authorization": "Bearer pk-test"},
        {"Authorization": "Bearer sk-"},
        {"Authorization": "Bearer sk-" + "x" * 300},
        {"x-api-key": "nonsense", "Authorization": ""},
    ):
        response = await world.client.get("/v1/credits/balance", headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        error = response.json()["error"]
        assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
        assert "sk-" in error["message"]


async def test_x_api_key_is_accepted_too(world: World) -> None:
    headers = {"Authorization": "", "x-api-key": KEY}
    await world.create()
    response = await world.client.get("/v1/credits/balance", headers=headers)
    assert response.json() == {"credits": 99_970, "currency": "credits"}


async def test_each_key_is_a_world_of_its_own(world: World) -> None:
    await world.create()
    other = await world.client.get(
        "/v1/credits/balance", headers={"Authorization": "Bearer sk-other"}
    )
    assert other.json()["credits"] == 100_000
    assert await world.balance() == 99_970


async def test_credits_move_from_available_to_reserved_to_charged(world: World) -> None:
    start = await world.sums()
    assert start == {"granted": 100_000, "available": 100_000, "reserved": 0, "charged": 0}
    task_id = (await world.create(n=3))["task_id"]
    assert await world.sums() == {**start, "available": 99_910, "reserved": 90}
    world.clock.pass_seconds(10)
    await world.task(task_id)
    await world.task(task_id)
    assert await world.sums() == {**start, "available": 99_910, "charged": 90}
    assert [(e["kind"], e["task_id"], e["available_after"]) for e in await world.ledger()] == [
        ("grant", None, 100_000),
        ("reservation", task_id, 99_910),
        ("consumption", task_id, 99_910),
    ]


async def test_many_polls_at_the_end_settle_once(world: World) -> None:
    task_id = (await world.create())["task_id"]
    world.clock.pass_seconds(10)
    due = world.server.runner.do_due()
    await asyncio.gather(*(world.task(task_id) for _ in range(10)), due)
    kinds = [entry["kind"] for entry in await world.ledger()]
    assert kinds == ["grant", "reservation", "consumption"]


@pytest.mark.parametrize(
    ("fields", "credits"),
    [
        ({}, 30),
        ({"quality": "low"}, 15),
        ({"quality": "high"}, 60),
        ({"size": "auto", "resolution": "4K"}, 30),
        ({"size": "16:9", "resolution": "2K"}, 60),
        ({"size": "16:9", "resolution": "4K", "quality": "high", "n": 10}, 2400),
        ({"size": "1280x720", "resolution": "4K"}, 30),
        ({"size": "2048x2048"}, 60),
        ({"size": "3840x2160"}, 120),
    ],
)
async def test_prices(world: World, fields: dict[str, Any], credits: int) -> None:
    assert (await world.create(**fields))["credits"]["reserved"] == credits


async def test_too_few_credits_are_402_and_nothing_is_created() -> None:
    async with open_world(initial_credits=50) as world:
        await world.create()
        response = await world.client.post(CREATE, json=CREATION)
        error = response.json()["error"]
        assert response.status_code == 402
        assert (error["type"], error["code"]) == ("insufficient_quota", "insufficient_credits")
        assert "30" in error["message"]
        assert "20" in error["message"]
        assert await world.balance() == 20
        assert len(await world.ledger()) == 2


async def new_key(world: World, **fields: Any) -> dict[str, str]:
    response = await world.client.post("/_emulator/keys", json=fields)
    assert response.status_code == 201, response.text
    return {"Authorization": f"Bearer {response.json()['key']}"}


async def test_strict_keys_only() -> None:
    async with open_world(keys="strict") as world:
        assert (await world.client.get("/v1/credits/balance")).status_code == 401
        headers = await new_key(world, name="ci", credits=77)
        balance = await world.client.get("/v1/credits/balance", headers=headers)
        assert balance.json()["credits"] == 77
        listed = (await world.client.get("/_emulator/keys")).text
        assert '"ci"' in listed
        assert headers["Authorization"].removeprefix("Bearer ") not in listed
        assert (await world.client.delete("/_emulator/keys/ci")).json() == {"revoked": 1}
        assert (await world.client.delete("/_emulator/keys/ci")).status_code == 404
        revoked = await world.client.get("/v1/credits/balance", headers=headers)
        assert revoked.status_code == 401
        assert "revoked" in revoked.json()["error"]["message"]


async def test_a_budget_ends_and_a_refund_gives_it_back(world: World) -> None:
    headers = await new_key(world, budget_credits=60)
    failing = {**CREATION, "prompt": "[[fault: task_fails]]"}
    for body in (failing, CREATION):
        assert (await world.client.post(CREATE, json=body, headers=headers)).status_code == 202
    refused = await world.client.post(CREATE, json=CREATION, headers=headers)
    assert refused.status_code == 402
    assert refused.json()["error"]["code"] == "api_key_budget_exhausted"
    sums = (await world.client.get("/_emulator/account", headers=headers)).json()["credits"]
    assert sums["reserved"] == 60
    world.clock.pass_seconds(10)
    await world.server.runner.do_due()
    assert (await world.client.post(CREATE, json=CREATION, headers=headers)).status_code == 202


async def test_requests_per_minute(world: World) -> None:
    headers = await new_key(world, requests_per_minute=2)
    for seconds, status in ((0, 200), (20, 200), (0, 429), (39, 429), (1, 200)):
        world.clock.pass_seconds(seconds)
        response = await world.client.get("/v1/credits/balance", headers=headers)
        assert response.status_code == status
        if status == 429 and seconds == 0:
            assert response.headers["retry-after"] == "40"
            assert response.json()["error"]["code"] == "rate_limit_exceeded"


async def test_a_limited_key_commands_its_clock_as_often_as_it_likes(world: World) -> None:
    headers = await new_key(world, requests_per_minute=1)
    for command in ({"freeze": True}, {"advance": 30}, {"resume": True}):
        response = await world.client.post("/_emulator/clock", json=command, headers=headers)
        assert response.status_code == 200
    assert (await world.client.get("/v1/credits/balance", headers=headers)).status_code == 200


async def test_each_first_use_has_a_name_of_its_own(world: World) -> None:
    await world.balance()
    await world.client.get("/v1/credits/balance", headers={"Authorization": "Bearer sk-test2"})
    names = [key["name"] for key in (await world.client.get("/_emulator/keys")).json()["data"]]
    assert len(set(names)) == 2


async def test_a_model_allowlist(world: World) -> None:
    headers = await new_key(world, models=["other-model"])
    response = await world.client.post(CREATE, json=CREATION, headers=headers)
    assert response.status_code == 403
    assert response.json()["error"]["type"] == "permission_error"
    assert response.json()["error"]["param"] == "model"


@pytest.mark.parametrize("body", [{"names": "x"}, {"credits": -1}, {"name": 5}, {"models": "m"}])
async def test_bad_keys(world: World, body: dict[str, Any]) -> None:
    response = await world.client.post("/_emulator/keys", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] in {**body, "models": 1}


async def test_models_need_no_key(world: World) -> None:
    for query, ids in (("", ["gpt-image-2"]), ("?q=IMAGE", ["gpt-image-2"]), ("?q=video", [])):
        response = await world.client.get(f"/v1/models{query}", headers={"Authorization": ""})
        assert [model["id"] for model in response.json()["data"]] == ids


async def ledger(world: World, query: str) -> list[Any]:
    """The entries' numbers; of a query that is refused, the field to blame."""
    response = await world.client.get(f"/_emulator/ledger?{query}")
    if response.status_code == 400:
        return [response.json()["error"]["param"]]
    return [entry["number"] for entry in response.json()["data"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1, 2, 3, 4]),
        ("after=2", [3, 4]),
        ("before=4", [3, 2, 1]),
        ("before=4&limit=2", [3, 2]),
        ("before=1", []),
        ("before=1000000000000000", [4, 3, 2, 1]),
        ("after=1&before=3", ["before"]),
        ("before=x", ["before"]),
        ("task_id=task_of_nobody", []),
    ],
)
async def test_the_ledger_is_read_from_either_end(
    world: World, query: str, found: list[Any]
) -> None:
    await world.finished()
    await world.create()
    assert await ledger(world, query) == found


async def test_the_ledger_of_a_task(world: World) -> None:
    task_id = (await world.finished(prompt="[[fault: task_fails]]"))["task_id"]
    await world.create()
    assert await ledger(world, f"task_id={task_id}") == [2, 3]
    assert await ledger(world, f"task_id={task_id}&before=1000") == [3, 2]


async def test_a_key_is_revoked_whatever_its_name(world: World) -> None:
    for name in ("a/b", "../x", "50 %", "ключ", "a?b#c"):
        await world.client.post("/_emulator/keys", json={"name": name})
        response = await world.client.delete("/_emulator/keys/" + quote(name, safe=""))
        assert response.json() == {"revoked": 1}
