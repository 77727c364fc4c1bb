"""Deliveries from inside: one of them, its body, one more attempt."""

import asyncio
from typing import Any

import pytest

from emulator.core.callback import AttemptResult
from tests.support.world import World, open_world

HOOK = "http://127.0.0.1:9/hook"
OTHER = {"Authorization": "Bearer sk-other"}


async def delivered_task(world: World, advance: str = "10s") -> str:
    """Create a task with a callback, let time pass, and return its delivery's id."""
    task_id = (await world.create(callback_url=HOOK))["task_id"]
    await world.clock_command(advance=advance)
    answer = await world.client.get("/_emulator/deliveries", params={"task_id": task_id})
    (delivery,) = answer.json()["data"]
    delivery_id: str = delivery["delivery_id"]
    return delivery_id


async def redeliver(world: World, delivery_id: str) -> dict[str, Any]:
    response = await world.client.post(f"/_emulator/deliveries/{delivery_id}/redeliver", json={})
    assert response.status_code == 200, response.text
    delivery: dict[str, Any] = response.json()
    return delivery


async def test_one_delivery_with_its_body(world: World) -> None:
    delivery_id = await delivered_task(world)
    delivery = (await world.client.get(f"/_emulator/deliveries/{delivery_id}")).json()
    assert delivery["delivery_id"] == delivery_id
    assert delivery["body"] == world.receiver.bodies[0] == await world.task(delivery["task_id"])


async def test_deliveries_of_one_task(world: World) -> None:
    await delivered_task(world)
    wanted = await delivered_task(world)
    assert len((await world.client.get("/_emulator/deliveries")).json()["data"]) == 2
    task_id = (await world.client.get(f"/_emulator/deliveries/{wanted}")).json()["task_id"]
    for asked, expected in ((task_id, [wanted]), ("task_none", [])):
        answer = await world.client.get("/_emulator/deliveries", params={"task_id": asked})
        assert [found["delivery_id"] for found in answer.json()["data"]] == expected


@pytest.mark.parametrize(
    ("statuses", "advance", "before", "again", "after"),
    [
        ([200], "10s", "delivered", 200, "delivered"),
        ([200], "10s", "delivered", 500, "delivered"),
        ([500], "2h", "exhausted", 204, "delivered"),
        ([500], "2h", "exhausted", 404, "exhausted"),
        ([500], "10s", "pending", 200, "delivered"),
        ([500], "10s", "pending", 500, "pending"),
    ],
)
async def test_one_more_attempt_in_any_state(
    world: World, statuses: list[int], advance: str, before: str, again: int, after: str
) -> None:
    world.receiver.statuses = statuses
    delivery_id = await delivered_task(world, advance)
    found = (await world.client.get(f"/_emulator/deliveries/{delivery_id}")).json()
    assert found["state"] == before
    world.receiver.statuses = [again]
    delivery = await redeliver(world, delivery_id)
    assert delivery["state"] == after
    numbers = [attempt["number"] for attempt in delivery["attempts"]]
    assert numbers == list(range(1, len(found["attempts"]) + 2))
    assert delivery["attempts"][-1]["status"] == again
    assert (delivery["next_attempt_at"] is not None) == (after == "pending")
    assert len({str(body) for body in world.receiver.bodies}) == 1


async def test_the_attempt_is_on_the_accounts_clock(world: World) -> None:
    delivery_id = await delivered_task(world)
    clock = await world.clock_command(advance="40d")
    (_, attempt) = (await redeliver(world, delivery_id))["attempts"]
    assert attempt["at"] == clock["now"]


async def test_a_pending_delivery_goes_on_after_it(world: World) -> None:
    world.receiver.statuses = [500]
    delivery_id = await delivered_task(world)
    await redeliver(world, delivery_id)
    await world.clock_command(advance="2h")
    delivery = (await world.client.get(f"/_emulator/deliveries/{delivery_id}")).json()
    assert (delivery["state"], len(delivery["attempts"])) == ("exhausted", 6)


async def test_an_attempt_under_way_is_joined() -> None:
    calls: list[asyncio.Event] = []

    class Waiting:
        async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
            calls.append(asyncio.Event())
            await calls[-1].wait()
            return AttemptResult(200, 1)

        async def close(self) -> None:
            pass

    async with open_world(sender=Waiting()) as world:
        await world.create(callback_url=HOOK)
        world.clock.pass_seconds(10)
        await world.server.runner.do_due()
        (found,) = (await world.client.get("/_emulator/deliveries")).json()["data"]
        asked = [asyncio.create_task(redeliver(world, found["delivery_id"])) for _ in range(2)]
        while not calls or len(world.server.services.deliveries.under_way_ids) != 1:
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        calls[0].set()
        for delivery in await asyncio.gather(*asked):
            assert [attempt["number"] for attempt in delivery["attempts"]] == [1]
        assert len(calls) == 1


async def test_what_is_not_there_or_not_ours(world: World) -> None:
    delivery_id = await delivered_task(world)
    for wanted, headers in ((delivery_id, OTHER), ("msg_none", {})):
        path = f"/_emulator/deliveries/{wanted}"
        assert (await world.client.get(path, headers=headers)).status_code == 404
        response = await world.client.post(f"{path}/redeliver", json={}, headers=headers)
        assert response.status_code == 404
    response = await world.client.post(f"{path}/redeliver", json={"now": True})
    assert response.status_code == 400
    assert len(world.receiver.received) == 1
