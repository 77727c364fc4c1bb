"""Several that end, settle or replace the same account at once: it happens once, or not at all."""

import asyncio
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.world import CREATION, World, open_world

HOOK = "http://127.0.0.1:9/hook"


async def post(world: World, path: str, body: dict[str, Any]) -> httpx2.Response:
    return await world.client.post(f"/_emulator/{path}", json=body)


def assert_settled_once(entries: list[dict[str, Any]], task_id: str) -> None:
    ends = [e for e in entries if e["task_id"] == task_id and e["kind"] != "reservation"]
    assert len(ends) == 1
    assert ends[0]["reserved"] == -30


@pytest.mark.parametrize("seconds", [1, 10])
async def test_finish_poll_and_sweep_settle_once(world: World, seconds: int) -> None:
    task_id = (await world.create(callback_url=HOOK))["task_id"]
    world.clock.pass_seconds(seconds)
    finish = {"status": "failed", "code": "rate_limit"}
    answers = await asyncio.gather(
        post(world, f"tasks/{task_id}/finish", {"status": "succeeded"}),
        world.task(task_id),
        world.server.runner.do_due(),
        post(world, f"tasks/{task_id}/finish", finish),
        world.clock_command(run_until={"task_ended": task_id}),
        return_exceptions=True,
    )
    statuses = sorted(a.status_code for a in answers if isinstance(a, httpx2.Response))
    assert statuses == ([200, 409] if seconds == 1 else [409, 409])
    assert_settled_once(await world.ledger(), task_id)
    await world.clock_command(run_until={"deliveries_exhausted": True})
    await world.server.services.deliveries.settle()
    assert len(world.receiver.received) == 1


async def test_of_64_concurrent_creators_as_many_succeed_as_there_are_credits_for() -> None:
    async with open_world(initial_credits=40 * 30) as world:
        path = "/v1/images/generations"
        answers = await asyncio.gather(*(world.client.post(path, json=CREATION) for _ in range(64)))
        assert sorted(answer.status_code for answer in answers) == [202] * 40 + [402] * 24
        assert await world.sums() == {
            "granted": 1200, "available": 0, "reserved": 1200, "charged": 0,
        }  # fmt: skip


OPERATIONS = st.lists(
    st.sampled_from(["create", "finish", "poll", "run", "set", "reset", "advance", "restore"]),
    min_size=2,
    max_size=12,
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(bursts=st.lists(OPERATIONS, min_size=1, max_size=3))
def test_credits_add_up_whatever_meets(bursts: list[list[str]]) -> None:
    asyncio.run(_meet(bursts))


async def _meet(bursts: list[list[str]]) -> None:
    async with open_world() as world:
        task_id = (await world.create(callback_url=HOOK))["task_id"]
        snapshot = (await world.client.get("/_emulator/snapshot")).json()
        for burst in bursts:
            results = await asyncio.gather(*(_do(world, o, task_id, snapshot) for o in burst))
            assert max(results) < 500
            sums, entries = await world.sums(), await world.ledger()
            assert sums["granted"] == sums["available"] + sums["reserved"] + sums["charged"]
            assert world.miscounted() == []
            for name, value in sums.items():
                assert value == sum(entry[name] for entry in entries)
            world.clock.pass_seconds(6)
        await world.server.services.deliveries.settle()


async def _do(world: World, name: str, task_id: str, snapshot: dict[str, Any]) -> int:
    match name:
        case "create":
            body = {**CREATION, "callback_url": HOOK}
            return (await world.client.post("/v1/images/generations", json=body)).status_code
        case "poll":
            return (await world.client.get(f"/v1/tasks/{task_id}")).status_code
        case "run":
            await world.server.runner.do_due()
            return 0
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "finish": (f"tasks/{task_id}/finish", {"status": "succeeded"}),
        "set": ("account/credits", {"set": 500}),
        "reset": ("account/reset", {}),
        "advance": ("clock", {"advance": 3}),
        "restore": ("snapshot", snapshot),
    }
    return (await post(world, *calls[name])).status_code


async def test_who_comes_between_a_claim_and_its_attempt_waits_for_no_lease(world: World) -> None:
    """The runner has claimed a delivery, and the same process is asked for it elsewhere."""
    await world.finished(callback_url=HOOK)
    services = world.server.services
    (found,) = (await world.client.get("/_emulator/deliveries")).json()["data"]
    account_id = (await world.client.get("/_emulator/account")).json()["account_id"]
    claimed = await services.deliveries._claim(world.clock.now(), 10)
    assert [delivery.id for delivery in claimed] == [found["delivery_id"]]
    async with asyncio.timeout(0.5):
        assert await services.deliveries.start(found["delivery_id"], account_id, 0) is not None
    assert len(world.receiver.received) == 1


async def test_an_attempt_that_somebody_made_meanwhile_is_not_made_again(world: World) -> None:
    """Who found a delivery due comes late: its next attempt has to wait for its time."""
    world.receiver.statuses = [500, 200]
    await world.finished(callback_url=HOOK)
    deliveries = world.server.services.deliveries
    (found,) = (await world.client.get("/_emulator/deliveries")).json()["data"]
    account_id = (await world.client.get("/_emulator/account")).json()["account_id"]
    first = await deliveries.start(found["delivery_id"], account_id, 0)
    assert first is not None
    assert await deliveries.start(found["delivery_id"], account_id, 0) is None
    assert len(world.receiver.received) == 1
    await world.clock_command(run_until={"deliveries_exhausted": True})
    assert len(world.receiver.received) == 2
