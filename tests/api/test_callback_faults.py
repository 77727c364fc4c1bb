"""Faults of callbacks, as a receiver meets them."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.world import CREATION, START, World, open_world

HOOK = "http://127.0.0.1:9/hook"
SECRET = b"s" * 32


async def add(world: World, fault: str, **more: Any) -> None:
    response = await world.client.post("/_emulator/faults", json={"fault": fault, **more})
    assert response.status_code == 201, response.text


async def delivery(world: World) -> dict[str, Any]:
    found: dict[str, Any] = (await world.client.get("/_emulator/deliveries")).json()["data"][0]
    return found


def attempts(found: dict[str, Any]) -> list[tuple[int | None, str | None]]:
    return [(attempt["status"], attempt["error"]) for attempt in found["attempts"]]


def verifies(headers: Mapping[str, str], body: bytes) -> bool:
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    return headers["webhook-signature"] == f"v1,{digest}"


async def test_dropped(world: World) -> None:
    await add(world, "callback_dropped")
    await world.create(callback_url=HOOK)
    await world.clock_command(advance="3h")
    assert world.receiver.received == []
    assert (await delivery(world))["state"] == "dropped"


async def test_duplicated(world: World) -> None:
    await add(world, "callback_duplicated", copies=2)
    task_id = (await world.create(callback_url=HOOK))["task_id"]
    await world.clock_command(advance="1h")
    assert [body["task_id"] for body in world.receiver.bodies] == [task_id] * 3
    found = await delivery(world)
    assert (found["state"], found["next_attempt_at"]) == ("delivered", None)
    assert attempts(found) == [(200, None)] * 3


async def test_a_copy_that_is_refused_stays_delivered(world: World) -> None:
    world.receiver.statuses = [200, 500]
    await add(world, "callback_duplicated")
    await world.create(callback_url=HOOK)
    await world.clock_command(advance="3h")
    found = await delivery(world)
    assert (found["state"], attempts(found)) == ("delivered", [(200, None), (500, None)])


async def test_a_copy_comes_only_after_the_receiver_took_it(world: World) -> None:
    world.receiver.statuses = [500, 200]
    await add(world, "callback_duplicated")
    await world.create(callback_url=HOOK)
    await world.clock_command(advance="3h")
    assert [status for status, _ in attempts(await delivery(world))] == [500, 200, 200]


async def test_late(world: World) -> None:
    await add(world, "callback_late", seconds=120)
    await world.create(callback_url=HOOK)
    await world.clock_command(advance="129s")
    assert world.receiver.received == []
    await world.clock_command(advance="1s")
    assert len(world.receiver.received) == 1


async def test_out_of_order_lets_a_later_one_overtake(world: World) -> None:
    await add(world, "callback_out_of_order")
    ids = []
    for _ in range(4):
        ids.append((await world.create(callback_url=HOOK))["task_id"])
        await world.clock_command(advance="1s")
    await world.clock_command(advance="30s")
    first, second, third, fourth = ids
    received = [body["task_id"] for body in world.receiver.bodies]
    assert received == [second, first, fourth, third]


async def test_out_of_order_does_not_wait_forever(world: World) -> None:
    await add(world, "callback_out_of_order", seconds=60)
    await world.create(callback_url=HOOK)
    await world.clock_command(advance="69s")
    assert world.receiver.received == []
    await world.clock_command(advance="1s")
    assert len(world.receiver.received) == 1


@pytest.mark.parametrize("frozen", [False, True])
async def test_before_the_creation_is_answered(world: World, frozen: bool) -> None:
    await world.clock_command(**({"freeze": True} if frozen else {"advance": 0}))
    await add(world, "callback_early")
    answer = await world.create(callback_url=HOOK)
    (body,) = world.receiver.bodies
    assert (body["task_id"], body["status"]) == (answer["task_id"], "succeeded")
    assert answer["status"] == "pending"
    assert (await world.task(answer["task_id"]))["status"] == "succeeded"


async def test_early_without_a_callback_url_does_nothing(world: World) -> None:
    await add(world, "callback_early")
    task_id = (await world.create())["task_id"]
    assert (await world.task(task_id))["status"] == "pending"


async def test_a_late_answer_is_tried_again_though_the_receiver_took_it(world: World) -> None:
    await add(world, "callback_timeout", times=1)
    await world.create(callback_url=HOOK)
    await world.clock_command(advance="1h")
    assert len(world.receiver.received) == 2
    found = await delivery(world)
    assert found["state"] == "delivered"
    assert attempts(found)[0] == (None, "no complete answer within 10 s (callback_timeout)")


async def test_a_closed_port_is_tried_again(world: World) -> None:
    await add(world, "callback_refused", times=2)
    await world.create(callback_url=HOOK)
    await world.clock_command(advance="1h")
    assert len(world.receiver.received) == 1
    assert [error is None for _, error in attempts(await delivery(world))] == [False, False, True]


@pytest.mark.parametrize(
    ("fault", "is_valid", "age_seconds"),
    [
        (None, True, 0),
        ({"fault": "callback_stale_timestamp", "seconds": 900}, True, 900),
        ({"fault": "callback_wrong_signature"}, False, 0),
    ],
)
async def test_signatures(fault: dict[str, Any] | None, is_valid: bool, age_seconds: int) -> None:
    async with open_world(callback_secret=SECRET) as world:
        if fault is not None:
            await add(world, **fault)
        await world.create(callback_url=HOOK)
        await world.clock_command(advance="20s")
        ((_, headers),) = world.receiver.received
        assert verifies(headers, world.receiver.raw[0]) is is_valid
        ended_at = START // 1000 + 10
        assert ended_at - int(headers["webhook-timestamp"]) == age_seconds


async def test_a_task_and_a_prompt_can_be_chosen(world: World) -> None:
    first, second = [
        (await world.create(callback_url=HOOK, prompt=prompt))["task_id"]
        for prompt in ("A fox", "A lighthouse")
    ]
    await add(world, "callback_dropped", prompt="lighthouse")
    await add(world, "callback_refused", task_id=first, times=1)
    await world.clock_command(advance="1h")
    assert [body["task_id"] for body in world.receiver.bodies] == [first]
    assert second not in {body["task_id"] for body in world.receiver.bodies}


async def test_directives_reach_callbacks(world: World) -> None:
    await world.create(callback_url=HOOK, prompt="[[fault: callback_duplicated copies=1]]")
    await world.clock_command(advance="1h")
    assert len(world.receiver.received) == 2


async def test_callbacks_that_are_off_have_no_faults() -> None:
    async with open_world(callbacks="off") as world:
        body = {"fault": "callback_late"}
        answer = await world.client.post("/_emulator/faults", json=body)
        assert (answer.status_code, "--callbacks" in answer.text) == (400, True)
        prompt = {**CREATION, "prompt": "[[fault: callback_late]]"}
        assert (await world.client.post("/v1/images/generations", json=prompt)).status_code == 400
