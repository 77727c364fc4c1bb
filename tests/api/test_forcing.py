"""Forcing: credits, a task's end, and a clock that runs until something has happened."""

import asyncio
from typing import Any

import pytest

from emulator.core.profile import REFERENCE
from tests.support.world import CREATION, World, open_world

HOOK = "http://127.0.0.1:9/hook"
OTHER = {"Authorization": "Bearer sk-other"}


async def force_credits(world: World, **body: Any) -> dict[str, int]:
    response = await world.client.post("/_emulator/account/credits", json=body)
    assert response.status_code == 200, response.text
    sums: dict[str, int] = response.json()["credits"]
    return sums


async def finish(world: World, task_id: str, expected: int = 200, **body: Any) -> dict[str, Any]:
    response = await world.client.post(f"/_emulator/tasks/{task_id}/finish", json=body)
    assert response.status_code == expected, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def tasks(world: World, query: str = "") -> list[dict[str, Any]]:
    response = await world.client.get(f"/_emulator/tasks{query}")
    assert response.status_code == 200, response.text
    data: list[dict[str, Any]] = response.json()["data"]
    return data


async def test_credits_are_granted_and_set(world: World) -> None:
    await world.create()
    assert (await force_credits(world, grant=500))["available"] == 100_470
    assert await force_credits(world, set=7) == {
        "granted": 37, "available": 7, "reserved": 30, "charged": 0,
    }  # fmt: skip
    await force_credits(world, set=7)
    kinds = [(entry["kind"], entry["granted"]) for entry in await world.ledger()]
    assert kinds[2:] == [("adjustment", 500), ("adjustment", -100_463)]
    assert (await world.client.get("/_emulator/account")).json()["seed"] > 0


async def test_credits_are_bought(world: World) -> None:
    assert (await force_credits(world, purchase=2_000))["available"] == 102_000
    entry = (await world.ledger())[-1]
    assert (entry["kind"], entry["granted"], entry["available_after"]) == (
        "purchase", 2_000, 102_000,
    )  # fmt: skip


async def test_one_task_is_listed_by_its_id(world: World) -> None:
    first = (await world.create(prompt="One"))["task_id"]
    second = (await world.create(prompt="[[fault: task_fails]]"))["task_id"]
    (entry,) = await tasks(world, f"?task_id={first}")
    assert (entry["task_id"], entry["request"]["prompt"]) == (first, "One")
    (entry,) = await tasks(world, f"?task_id={second}")
    assert entry["media_expire_at"] is None
    assert await tasks(world, "?task_id=task_of_nobody") == []


async def test_setting_credits_is_exact_while_others_spend(world: World) -> None:
    await asyncio.gather(*(world.create() for _ in range(5)), force_credits(world, set=1000))
    sums = await world.sums()
    assert sums["granted"] == sums["available"] + sums["reserved"]
    assert sums["reserved"] == 150
    (adjustment,) = [e for e in await world.ledger() if e["kind"] == "adjustment"]
    assert adjustment["available_after"] == 1000


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "body"),
        ({"grant": 1, "set": 1}, "body"),
        ({"take": 1}, "body"),
        ({"grant": -1}, "grant"),
        ({"grant": 10**12 + 1}, "grant"),
        ({"set": 1.5}, "set"),
        ({"set": True}, "set"),
        ({"set": "1"}, "set"),
    ],
)
async def test_bad_credits_change_nothing(world: World, body: dict[str, Any], param: str) -> None:
    response = await world.client.post("/_emulator/account/credits", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert await world.balance() == 100_000


async def test_credits_have_a_largest_sum(world: World) -> None:
    for _ in range(999):
        await force_credits(world, grant=10**12)
    response = await world.client.post("/_emulator/account/credits", json={"grant": 10**12})
    assert response.json()["error"]["param"] == "grant"


async def test_a_task_succeeds_now(world: World) -> None:
    task_id = (await world.create(n=2))["task_id"]
    world.clock.pass_seconds(1)
    detail = await finish(world, task_id, status="succeeded")
    assert detail == await world.task(task_id)
    assert detail["status"] == "succeeded"
    assert detail["completed_at"] == "2027-01-15T08:00:01.000Z"
    assert detail["credits"] == {"reserved": 60, "charged": 60, "refunded": 0}
    assert (await world.client.get(detail["result"]["data"][1]["url"])).status_code == 200
    (entry,) = await tasks(world)
    assert entry == {
        "task_id": task_id, "status": "succeeded", "created_at": "2027-01-15T08:00:00.000Z",
        "starts_at": "2027-01-15T08:00:01.000Z", "ends_at": "2027-01-15T08:00:01.000Z",
        "media_expire_at": "2027-01-16T08:00:01.000Z", "images": 2, "error_code": None,
        "settled": True, "callback_url": None,
        "credits": {"reserved": 60, "charged": 60, "refunded": 0},
        "request": {
            "model": "gpt-image-2", "prompt": "A lighthouse at dawn", "size": "auto",
            "resolution": "1K", "quality": "medium", "n": 2, "pixels": "1024x1024",
            "references": 0, "mask": False,
        },
    }  # fmt: skip


async def test_a_task_fails_now_and_calls_back(world: World) -> None:
    await world.clock_command(freeze=True)
    task_id = (await world.create(callback_url=HOOK))["task_id"]
    detail = await finish(world, task_id, status="failed", code="content_filter")
    assert detail["error"]["code"] == "content_filter"
    assert await world.balance() == 100_000
    await world.server.runner.do_due()
    await world.server.services.deliveries.settle()
    assert world.receiver.bodies == [detail]


async def test_what_would_hang_or_be_partial_ends_as_forced(world: World) -> None:
    hanging = (await world.create(prompt="[[fault: task_hangs]]", n=3))["task_id"]
    partial = (await world.create(prompt="[[fault: partial images=2]]", n=3))["task_id"]
    assert len((await finish(world, hanging, status="succeeded"))["result"]["data"]) == 3
    assert len((await finish(world, partial, status="succeeded"))["result"]["data"]) == 2
    assert (await world.sums())["charged"] == 150


async def test_an_ended_task_is_never_changed(world: World) -> None:
    task_id = (await world.create())["task_id"]
    world.clock.pass_seconds(10)
    answer = await finish(world, task_id, 409, status="failed", code="image_safety")
    assert answer["error"]["code"] == "task_ended"
    assert "succeeded at 2027-01-15T08:00:10.000Z" in answer["error"]["message"]
    await world.task(task_id)
    failed = (await world.create())["task_id"]
    await finish(world, failed, status="failed", code="rate_limit")
    answer = await finish(world, failed, 409, status="succeeded")
    assert "failed with rate_limit" in answer["error"]["message"]
    assert (await world.sums())["charged"] == 30


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "status"),
        ({"status": "expired"}, "status"),
        ({"status": ["failed"]}, "status"),
        ({"status": "failed"}, "code"),
        ({"status": "failed", "code": "timeout"}, "code"),
        ({"status": "failed", "code": {}}, "code"),
        ({"status": "succeeded", "code": "image_safety"}, "code"),
        ({"status": "succeeded", "images": 1}, "images"),
    ],
)
async def test_bad_ends_change_nothing(world: World, body: dict[str, Any], param: str) -> None:
    task_id = (await world.create())["task_id"]
    answer = await finish(world, task_id, 400, **body)
    assert answer["error"]["param"] == param
    assert (await world.task(task_id))["status"] == "pending"


async def test_other_accounts_tasks_are_not_found(world: World) -> None:
    task_id = (await world.create())["task_id"]
    world.client.headers.update(OTHER)
    answer = await finish(world, task_id, 404, status="succeeded")
    assert answer["error"]["code"] == "task_not_found"
    assert await tasks(world) == []
    response = await world.client.post(
        "/_emulator/clock", json={"run_until": {"task_ended": task_id}}
    )
    assert response.json()["error"]["code"] == "task_not_found"


async def test_a_waiting_call_returns_when_its_task_is_finished(world: World) -> None:
    waiting = asyncio.create_task(world.client.post("/v1/images/generations/sync", json=CREATION))
    while not (found := await tasks(world)):
        await asyncio.sleep(0)
    await finish(world, found[0]["task_id"], status="succeeded")
    assert (await waiting).status_code == 200


async def test_the_list_is_newest_first_and_filtered(world: World) -> None:
    first, second = [(await world.create())["task_id"] for _ in range(2)]
    world.clock.pass_seconds(10)
    third = (await world.create())["task_id"]
    assert [task["task_id"] for task in await tasks(world)] == [third, second, first]
    assert [task["task_id"] for task in await tasks(world, "?limit=1")] == [third]
    succeeded = await tasks(world, "?status=succeeded&limit=1")
    assert [task["task_id"] for task in succeeded] == [second]
    for query in ("?status=completed", "?limit=1001", "?limit=x"):
        assert (await world.client.get(f"/_emulator/tasks{query}")).status_code == 400


async def test_the_list_speaks_the_profiles_words() -> None:
    async with open_world(profile=REFERENCE) as world:
        await world.create()
        await world.clock_command(advance=10)
        assert len(await tasks(world, "?status=completed")) == 1
        await world.clock_command(advance="25h")
        assert len(await tasks(world, "?status=expired")) == 1


@pytest.mark.parametrize("frozen", [False, True])
async def test_run_until_a_task_has_ended(frozen: bool) -> None:
    async with open_world(callback_retry_jitter=0.0) as world:
        world.receiver.statuses = [500]
        if frozen:
            await world.clock_command(freeze=True)
        await world.create(callback_url=HOOK)
        task_id = (await world.create(prompt="[[fault: task_hangs]]"))["task_id"]
        until = {"task_ended": task_id}
        answer = await world.clock_command(run_until=until)
        assert (answer["now"], answer["frozen"]) == ("2027-01-15T08:10:00.000Z", frozen)
        assert (answer["advanced_seconds"], answer["complete"]) == (600.0, True)
        assert answer["events"][0]["at"] == "2027-01-15T08:00:02.000Z"
        assert answer["events"][-1]["event"] == "task_failed"
        assert len(world.receiver.received) == 4
        again = await world.clock_command(run_until=until)
        assert (again["advanced_seconds"], again["events"]) == (0.0, [])
        assert again["now"] == answer["now"]


async def test_run_until_no_callback_is_left() -> None:
    async with open_world(callback_retry_jitter=0.0) as world:
        world.receiver.statuses = [500, 200]
        until = {"deliveries_exhausted": True}
        assert (await world.clock_command(run_until=until))["advanced_seconds"] == 0
        await world.create(callback_url=HOOK)
        later = (await world.create(prompt="[[fault: task_hangs]]"))["task_id"]
        answer = await world.clock_command(run_until=until)
        assert (answer["advanced_seconds"], answer["complete"]) == (15.0, True)
        assert (await world.task(later))["status"] == "processing"
        assert len(world.receiver.received) == 2


@pytest.mark.parametrize(
    "condition",
    [{}, None, True, "task_ended", {"task_ended": 5}, {"deliveries_exhausted": False},
     {"deliveries_exhausted": 1}, {"soon": True},
     {"task_ended": "x", "deliveries_exhausted": True}],
)  # fmt: skip
async def test_conditions_that_are_none(world: World, condition: Any) -> None:
    response = await world.client.post("/_emulator/clock", json={"run_until": condition})
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == "run_until"
    assert "task_ended" in error["message"]
    assert "deliveries_exhausted" in error["message"]


async def test_conditions_that_cannot_come_true() -> None:
    async with open_world(callbacks="off") as world:
        body = {"run_until": {"deliveries_exhausted": True}}
        response = await world.client.post("/_emulator/clock", json=body)
        assert "--callbacks off" in response.json()["error"]["message"]
        nobody = {"run_until": {"task_ended": "task_of_nobody"}}
        response = await world.client.post("/_emulator/clock", json=nobody)
        assert response.status_code == 404


async def test_the_end_of_time_is_no_error(world: World) -> None:
    task_id = (await world.create())["task_id"]
    await world.clock_command(set="9999-12-31T23:59:59Z")
    world.clock.pass_seconds(3600)
    assert (await world.task(task_id))["status"] == "succeeded"
    assert (await world.create())["status"] == "pending"
    assert len(await tasks(world)) == 2


async def test_a_picture_is_looked_at_without_a_trace(world: World) -> None:
    detail = await world.finished(n=2)
    url, picture = (
        detail["result"]["data"][1]["url"],
        f"/_emulator/tasks/{detail['task_id']}/images",
    )
    expected = (await world.client.get(url)).content
    await world.client.post("/_emulator/faults", json={"fault": "link_dead", "times": 1})
    await world.client.delete("/_emulator/journal")
    response = await world.client.get(f"{picture}/2")
    assert (response.headers["content-type"], response.content) == ("image/png", expected)
    assert (await world.client.get("/_emulator/journal/count")).json()["count"] == 0
    (fault,) = (await world.client.get("/_emulator/faults")).json()["data"]
    assert (fault["seen"], fault["hits"]) == (0, 0)
    await world.clock_command(advance="25h")
    assert (await world.client.get(f"{picture}/2")).content == expected
    for index, status in (("0", 404), ("3", 404), ("x", 400), ("100", 400)):
        assert (await world.client.get(f"{picture}/{index}")).status_code == status
    assert (await world.client.get(f"{picture}/1", headers=OTHER)).status_code == 404


async def test_a_running_task_has_no_picture_yet(world: World) -> None:
    task_id = (await world.create())["task_id"]
    response = await world.client.get(f"/_emulator/tasks/{task_id}/images/1")
    assert response.status_code == 404
    assert "0 pictures at present" in response.json()["error"]["message"]
