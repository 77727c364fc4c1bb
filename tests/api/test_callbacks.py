"""Callbacks: what arrives, when, how often."""

import base64
import hashlib
import hmac
from typing import Any

from tests.support.world import World, open_world

HOOK = "http://127.0.0.1:9/hook"


async def do_due(world: World) -> None:
    """Do what is due now, and wait for the attempts under way."""
    await world.server.runner.do_due()
    await world.server.services.deliveries.settle()


async def deliveries(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.client.get("/_emulator/deliveries")).json()["data"]
    return found


async def test_one_post_of_the_task_at_its_end(world: World) -> None:
    task_id = (await world.create(callback_url=HOOK))["task_id"]
    await do_due(world)
    assert world.receiver.bodies == []
    world.clock.pass_seconds(10)
    await do_due(world)
    await do_due(world)
    assert world.receiver.bodies == [await world.task(task_id)]
    headers = world.receiver.received[0][1]
    assert headers["content-type"] == "application/json"
    assert "webhook-signature" not in headers
    (delivery,) = await deliveries(world)
    assert (delivery["state"], delivery["next_attempt_at"]) == ("delivered", None)
    (attempt,) = delivery["attempts"]
    assert (attempt["number"], attempt["status"], attempt["answer"]) == (1, 200, "thank you")


async def test_a_failed_task_is_reported_too(world: World) -> None:
    await world.create(callback_url=HOOK, prompt="[[fault: task_fails]]")
    world.clock.pass_seconds(10)
    await do_due(world)
    assert world.receiver.bodies[0]["error"]["code"] == "image_safety"


async def test_retries_on_the_accounts_clock_until_one_is_taken(world: World) -> None:
    world.receiver.statuses = [500, 302, 204]
    task_id = (await world.create(callback_url=HOOK))["task_id"]
    counts = []
    for seconds in (10, 4, 2, 29, 5, 3600):
        world.clock.pass_seconds(seconds)
        await do_due(world)
        counts.append(len(world.receiver.received))
    assert counts == [1, 1, 2, 2, 3, 3]
    assert (await world.task(task_id))["status"] == "succeeded"
    (delivery,) = await deliveries(world)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 302, 204]
    assert len({str(body) for body in world.receiver.bodies}) == 1


async def test_a_frozen_clock_sends_nothing_until_it_moves(world: World) -> None:
    await world.clock_command(freeze=True)
    await world.create(callback_url=HOOK)
    world.clock.pass_seconds(3600)
    await do_due(world)
    assert world.receiver.received == []
    await world.clock_command(advance=10)
    assert len(world.receiver.received) == 1


async def test_a_poll_that_comes_first_settles_and_the_callback_still_goes_out(
    world: World,
) -> None:
    task_id = (await world.create(callback_url=HOOK))["task_id"]
    world.clock.pass_seconds(10)
    await world.task(task_id)
    await do_due(world)
    assert len(world.receiver.received) == 1


async def test_callbacks_can_be_off() -> None:
    async with open_world(callbacks="off") as world:
        await world.create(callback_url=HOOK)
        world.clock.pass_seconds(10)
        await do_due(world)
        assert await deliveries(world) == []


async def test_signatures_where_a_secret_is_set() -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    async with open_world(callback_secret=secret) as world:
        await world.create(callback_url=HOOK)
        world.clock.pass_seconds(10)
        await do_due(world)
        headers = world.receiver.received[0][1]
        (delivery,) = await deliveries(world)
        assert headers["webhook-id"] == delivery["delivery_id"]
        assert headers["webhook-timestamp"] == str(1_800_000_010)
        body = world.receiver.raw[0]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
