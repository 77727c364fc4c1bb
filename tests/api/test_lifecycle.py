"""A task's life as a client sees it."""

import pytest

from emulator.core.latency import Latency
from emulator.core.profile import REFERENCE
from tests.support.world import CREATION, START, World, open_world


async def test_creation_answers_at_once(world: World) -> None:
    response = await world.client.post("/v1/images/generations", json=CREATION)
    answer = response.json()
    assert response.status_code == 202
    assert answer["status"] == "pending"
    assert answer["poll_url"] == f"/v1/tasks/{answer['task_id']}"
    assert answer["request_id"] == response.headers["x-request-id"]
    assert answer["credits"] == {"reserved": 30}


async def test_status_follows_the_timeline(world: World) -> None:
    task_id = (await world.create())["task_id"]
    seen = []
    for _ in range(6):
        seen.append((await world.task(task_id))["status"])
        world.clock.pass_seconds(2)
    assert seen == ["pending", *["processing"] * 4, "succeeded"]


async def test_a_success(world: World) -> None:
    task = await world.finished(n=2)
    assert task["created_at"] == "2027-01-15T08:00:00.000Z"
    assert task["completed_at"] == "2027-01-15T08:00:10.000Z"
    assert task["result"]["created"] == START // 1000 + 10
    assert len(task["result"]["data"]) == 2
    assert task["error"] is None
    assert task["credits"] == {"reserved": 60, "charged": 60, "refunded": 0}


async def test_a_failure_is_refunded(world: World) -> None:
    task = await world.finished(prompt="[[fault: task_fails code=content_filter]] x", n=2)
    assert task["status"] == "failed"
    assert task["result"] is None
    assert task["error"]["code"] == "content_filter"
    assert task["credits"] == {"reserved": 60, "charged": 0, "refunded": 60}
    assert await world.balance() == 100_000


async def test_a_part_of_the_images_is_charged_in_part(world: World) -> None:
    task = await world.finished(prompt="[[fault: partial images=3]]", n=4)
    assert task["status"] == "succeeded"
    assert len(task["result"]["data"]) == 3
    assert task["credits"] == {"reserved": 120, "charged": 90, "refunded": 30}
    assert await world.balance() == 100_000 - 90


async def test_no_image_at_all_is_a_failure(world: World) -> None:
    task = await world.finished(prompt="[[fault: partial images=0]]", n=4)
    assert task["error"]["code"] == "not_found"


async def test_a_task_that_hangs_is_failed_by_the_sweep(world: World) -> None:
    task_id = (await world.create(prompt="[[fault: task_hangs]]"))["task_id"]
    world.clock.pass_seconds(599)
    assert (await world.task(task_id))["status"] == "processing"
    world.clock.pass_seconds(1)
    task = await world.task(task_id)
    assert task["status"] == "failed"
    assert task["error"]["code"] == "timeout"
    assert await world.balance() == 100_000


async def test_a_latency_over_the_sweep_is_a_hanging_task() -> None:
    async with open_world(latency=Latency(None, 700.0)) as world:
        assert (await world.finished())["error"]["code"] == "timeout"


async def test_nobody_else_sees_a_task(world: World) -> None:
    task_id = (await world.create())["task_id"]
    for key, asked in (("sk-other", task_id), ("sk-test", "task_unknown")):
        response = await world.client.get(
            f"/v1/tasks/{asked}", headers={"Authorization": f"Bearer {key}"}
        )
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "task_not_found"


async def test_the_same_key_and_requests_give_the_same_tasks() -> None:
    lives = []
    for _ in range(2):
        async with open_world(latency=Latency("realistic")) as world:
            first = await world.create(n=2)
            lives.append((first, await world.task((await world.finished())["task_id"])))
    (created, ended), (created_again, ended_again) = lives
    assert created == created_again
    assert ended["completed_at"] == ended_again["completed_at"]


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
async def test_both_prefixes_answer(world: World, prefix: str) -> None:
    response = await world.client.post(f"{prefix}/images/generations", json=CREATION)
    task = await world.client.get(f"{prefix}/tasks/{response.json()['task_id']}")
    assert (response.status_code, task.status_code) == (202, 200)


async def test_the_reference_profile_has_its_own_words() -> None:
    async with open_world(profile=REFERENCE) as world:
        answer = await world.create()
        assert (answer["status"], answer["model"]) == ("processing", "gpt-image-2")
        assert (await world.task(answer["task_id"]))["status"] == "processing"
        world.clock.pass_seconds(10)
        assert (await world.task(answer["task_id"]))["status"] == "completed"
        world.clock.pass_seconds(24 * 3600)
        lapsed = await world.task(answer["task_id"])
        assert (lapsed["status"], lapsed["result"]) == ("expired", None)
        assert lapsed["credits"]["charged"] == 30


async def test_the_model_page_keeps_a_success_after_its_links_died(world: World) -> None:
    task = await world.finished()
    world.clock.pass_seconds(30 * 3600)
    assert await world.task(task["task_id"]) == task


async def test_sync_waits_for_the_end() -> None:
    async with open_world(latency=Latency("instant")) as world:
        response = await world.client.post("/v1/images/generations/sync", json=CREATION)
        assert response.status_code == 200
        assert len(response.json()["data"]) == 1


async def test_sync_answers_202_where_the_clock_stands_still(world: World) -> None:
    await world.clock_command(freeze=True)
    response = await world.client.post("/v1/images/generations/sync", json=CREATION)
    assert response.status_code == 202
    assert (await world.task(response.json()["task_id"]))["status"] == "pending"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("image_safety", 400),
        ("rate_limit", 429),
        ("not_found", 502),
        ("service_unavailable", 503),
    ],
)
async def test_sync_answers_a_failure_as_an_error(code: str, status: int) -> None:
    async with open_world(latency=Latency("instant")) as world:
        body = {**CREATION, "prompt": f"[[fault: task_fails code={code}]]"}
        response = await world.client.post("/v1/images/generations/sync", json=body)
        assert response.status_code == status
        assert response.json()["error"]["code"] == code


async def test_sync_of_a_hanging_task_is_504() -> None:
    async with open_world(latency=Latency("instant"), stuck_after_seconds=0.0) as world:
        body = {**CREATION, "prompt": "[[fault: task_hangs]]"}
        response = await world.client.post("/v1/images/generations/sync", json=body)
        assert response.status_code == 504
