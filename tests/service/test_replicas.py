"""Two servers on one database: whichever is asked, there is one account and one truth."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.engines import SHARED, database_of
from tests.support.world import KEY, World, open_world

CALLBACK = "http://127.0.0.1:9/hook"
pytestmark = pytest.mark.parametrize("engine", SHARED)


@asynccontextmanager
async def two(engine: str, folder: Path, **settings: Any) -> AsyncIterator[tuple[World, World]]:
    """Two servers on one database."""
    with database_of(engine, folder) as where:
        async with AsyncExitStack() as stack:
            chosen = {"database": where, "database_connections": 4, **settings}
            first = await stack.enter_async_context(open_world(**chosen))
            yield first, await stack.enter_async_context(open_world(**chosen))


def pass_seconds(worlds: tuple[World, World], seconds: float) -> None:
    for world in worlds:
        world.clock.pass_seconds(seconds)


async def both_do_due(worlds: tuple[World, World]) -> None:
    await asyncio.gather(*(world.server.runner.do_due() for world in worlds))
    for world in worlds:
        await world.server.services.deliveries.settle()


async def test_what_one_made_the_other_knows(engine: str, tmp_path: Path) -> None:
    async with two(engine, tmp_path) as worlds:
        first, second = worlds
        task_id = (await first.create())["task_id"]
        assert (await second.task(task_id))["status"] == "pending"
        pass_seconds(worlds, 700)
        done = await second.task(task_id)
        assert (await first.task(task_id)) == done
        link = done["result"]["data"][0]["url"]
        assert (await first.client.get(link)).content == (await second.client.get(link)).content
        assert await first.balance() == await second.balance()


async def test_a_key_is_used_first_at_both_at_once(engine: str, tmp_path: Path) -> None:
    async with two(engine, tmp_path) as (first, second):
        await asyncio.gather(*(world.create() for world in (first, second) for _ in range(8)))
        assert (await first.sums())["granted"] == 100_000
        assert len({entry["task_id"] for entry in await second.ledger()} - {None}) == 16


async def test_credits_for_forty_are_forty_tasks(engine: str, tmp_path: Path) -> None:
    async with two(engine, tmp_path, initial_credits=40 * 30) as worlds:
        body = {"model": "gpt-image-2", "prompt": "A lighthouse"}
        answers = await asyncio.gather(
            *(
                worlds[number % 2].client.post("/v1/images/generations", json=body)
                for number in range(64)
            )
        )
        statuses = [answer.status_code for answer in answers]
        assert (statuses.count(202), statuses.count(402)) == (40, 24)
        assert await worlds[0].balance() == 0


async def test_ends_are_booked_once_and_callbacks_go_out_once(engine: str, tmp_path: Path) -> None:
    async with two(engine, tmp_path, max_callbacks_per_host=100) as worlds:
        for number in range(20):
            await worlds[number % 2].create(callback_url=CALLBACK)
        pass_seconds(worlds, 700)
        await both_do_due(worlds)
        await both_do_due(worlds)
        received = [headers for world in worlds for _, headers in world.receiver.received]
        assert len(received) == 20
        assert await worlds[0].sums() == {
            "granted": 100_000, "available": 99_400, "reserved": 0, "charged": 600,
        }  # fmt: skip
        assert len(await worlds[1].ledger()) == 1 + 2 * 20


async def test_a_sweep_a_poll_and_a_forced_finish_settle_once(engine: str, tmp_path: Path) -> None:
    async with two(engine, tmp_path) as worlds:
        first, second = worlds
        ids = [(await first.create())["task_id"] for _ in range(10)]
        pass_seconds(worlds, 9.9)
        finishing = [
            second.raw.post(f"/_emulator/tasks/{task_id}/finish", json={"status": "succeeded"})
            for task_id in ids
        ]
        pass_seconds(worlds, 0.1)
        polling = [world.task(task_id) for world in worlds for task_id in ids]
        await asyncio.gather(*finishing, *polling, both_do_due(worlds))
        entries = [entry for entry in await first.ledger() if entry["kind"] == "consumption"]
        assert sorted(entry["task_id"] for entry in entries) == sorted(ids)
        assert (await second.sums())["charged"] == 10 * 30


async def test_what_a_dead_one_was_sending_the_other_sends_with_the_same_id(
    engine: str, tmp_path: Path
) -> None:
    async with two(engine, tmp_path, callback_secret=b"24 bytes that sign things") as worlds:
        dead, alive = worlds
        await dead.create(callback_url=CALLBACK)
        pass_seconds(worlds, 700)
        await dead.server.runner.do_due()
        await dead.server.services.deliveries.settle()
        sent = dead.receiver.received[0][1]["webhook-id"]
        now = dead.clock.now()
        taken = await dead.server.database.write(
            lambda tx: tx.lease_delivery(sent, "the dead one", now, now + 5_000)
        )
        assert taken  # to send it again, and then it dies
        again = asyncio.create_task(
            alive.raw.post(f"/_emulator/deliveries/{sent}/redeliver", json={})
        )
        await asyncio.sleep(0.1)
        assert not alive.receiver.received
        pass_seconds(worlds, 6)
        alive.server.wakeups.change_clock()
        assert (await again).status_code == 200
        assert [headers["webhook-id"] for _, headers in alive.receiver.received] == [sent]


async def test_a_claim_of_a_dead_one_ends(engine: str, tmp_path: Path) -> None:
    async with two(engine, tmp_path) as worlds:
        dead, alive = worlds
        await dead.create(callback_url=CALLBACK)
        pass_seconds(worlds, 700)
        await dead.task((await dead.client.get("/_emulator/tasks")).json()["data"][0]["task_id"])
        now = dead.clock.now()
        claimed = await dead.server.database.write(
            lambda tx: tx.claim_deliveries("the dead one", now, now + 5_000, 10, ())
        )
        assert len(claimed) == 1  # and then it dies
        await alive.server.runner.do_due()
        await alive.server.services.deliveries.settle()
        assert not alive.receiver.received
        pass_seconds(worlds, 5.1)
        await alive.server.runner.do_due()
        await alive.server.services.deliveries.settle()
        assert len(alive.receiver.received) == 1


async def test_both_move_one_clock(engine: str, tmp_path: Path) -> None:
    async with two(engine, tmp_path) as worlds:
        await worlds[0].clock_command(freeze=True)
        await worlds[0].create(callback_url=CALLBACK)
        before = (await worlds[1].client.get("/_emulator/clock")).json()["now"]
        await asyncio.gather(
            *(world.clock_command(advance="1h") for world in worlds for _ in range(3))
        )
        after = (await worlds[0].client.get("/_emulator/clock")).json()["now"]
        assert before[11:13] == "08"
        assert after[11:13] == "14"
        assert sum(len(world.receiver.received) for world in worlds) == 1


async def test_a_fault_that_acts_once_acts_at_one_of_them(engine: str, tmp_path: Path) -> None:
    async with two(engine, tmp_path) as worlds:
        first, second = worlds
        await first.raw.post(
            "/_emulator/faults", json={"fault": "http_error", "status": 429, "times": 1}
        )
        answers = await asyncio.gather(
            *(
                world.raw.post(
                    "/v1/images/generations", json={"model": "gpt-image-2", "prompt": "x"}
                )
                for world in worlds
                for _ in range(4)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [202] * 7 + [429]
        assert (await second.raw.get("/_emulator/faults")).json()["data"][0]["hits"] == 1


async def test_a_faults_change_is_seen_by_the_other_after_a_new_beginning(
    engine: str, tmp_path: Path
) -> None:
    async with two(engine, tmp_path) as worlds:
        first, _ = worlds
        for status in (429, 500):
            fault = {"fault": "http_error", "status": status}
            await first.raw.post("/_emulator/faults", json=fault)
            for world in worlds:
                answer = await world.raw.get("/v1/credits/balance")
                assert answer.status_code == status
            await first.raw.delete("/_emulator/account")
            pass_seconds(worlds, 1)


async def test_requests_a_minute_are_counted_together(engine: str, tmp_path: Path) -> None:
    async with two(engine, tmp_path) as worlds:
        made = await worlds[0].raw.post(
            "/_emulator/keys", json={"name": "slow", "requests_per_minute": 5}
        )
        headers = {"Authorization": f"Bearer {made.json()['key']}"}
        answers = [
            (await worlds[number % 2].raw.get("/v1/credits/balance", headers=headers)).status_code
            for number in range(6)
        ]
        assert answers == [200] * 5 + [429]
        assert KEY not in headers["Authorization"]
