"""What protects the server: accounts, tasks in flight, pictures at once."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from emulator.core.errors import Refusal
from emulator.core.picture import Picture
from emulator.service.image_work import ImageWork
from emulator.service.media import PictureCache
from emulator.service.tally import Tally
from emulator.store.accounts import AccountQueries
from tests.support.images import image_bytes
from tests.support.world import CREATION, World, open_world

CREATE = "/v1/images/generations"


def as_key(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer sk-{name}"}


async def use(world: World, name: str) -> httpx2.Response:
    return await world.client.get("/v1/credits/balance", headers=as_key(name))


async def test_no_new_key_makes_an_account_beyond_the_limit() -> None:
    async with open_world(max_accounts=2) as world:
        assert (await use(world, "one")).status_code == 200
        made = await world.raw.post("/_emulator/keys", json={"name": "two"})
        assert made.status_code == 201
        refused = await use(world, "three")
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "1"
        assert refused.json()["error"]["code"] == "service_unavailable"
        assert "--max-accounts" in refused.json()["error"]["message"]
        again = await world.raw.post("/_emulator/keys", json={"name": "three"})
        assert again.status_code == 503
        assert (await use(world, "one")).status_code == 200


async def test_a_deleted_account_makes_room_within_a_second() -> None:
    async with open_world(max_accounts=1) as world:
        await use(world, "one")
        gone = await world.raw.delete("/_emulator/account", headers=as_key("one"))
        assert gone.is_success
        assert (await use(world, "two")).status_code == 503
        world.clock.pass_seconds(1)
        assert (await use(world, "two")).status_code == 200


async def test_accounts_are_counted_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    count = AccountQueries.count_accounts

    def counting(self: AccountQueries, most: int) -> int:
        counted.append(most)
        return count(self, most)

    monkeypatch.setattr(AccountQueries, "count_accounts", counting)
    async with open_world(max_accounts=5) as world:
        statuses = [(await use(world, str(n))).status_code for n in range(9)]
        assert statuses == [200] * 5 + [503] * 4
        assert counted == [5]


async def test_an_account_has_so_many_tasks_in_flight() -> None:
    async with open_world(max_tasks_in_flight=2) as world:
        first = (await world.create())["task_id"]
        await world.create()
        before = await world.sums()
        refused = await world.client.post(CREATE, json=CREATION)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "1"
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert "--max-tasks-in-flight" in refused.json()["error"]["message"]
        assert await world.sums() == before
        other = await world.client.post(CREATE, json=CREATION, headers=as_key("other"))
        assert other.status_code == 202
        await world.client.post(f"/_emulator/tasks/{first}/finish", json={"status": "succeeded"})
        await world.create()
        assert (await world.client.post(CREATE, json=CREATION)).status_code == 429
        world.clock.pass_seconds(10)
        await world.server.runner.do_due()
        await world.create()


async def test_whoever_has_too_few_credits_hears_that_first() -> None:
    async with open_world(max_tasks_in_flight=1, initial_credits=30) as world:
        await world.create()
        assert (await world.client.post(CREATE, json=CREATION)).status_code == 402


async def test_tasks_that_cost_nothing_end_too() -> None:
    free = {"1K": 0, "2K": 0, "4K": 0}
    async with open_world(max_tasks_in_flight=1, prices=free) as world:
        await world.finished()
        await world.create()


async def test_a_reset_and_a_snapshot_bring_their_own_tasks() -> None:
    async with open_world(max_tasks_in_flight=2) as world:
        await world.create()
        await world.create()
        snapshot = (await world.client.get("/_emulator/snapshot")).json()
        assert (await world.client.post("/_emulator/account/reset", json={})).is_success
        await world.create()
        assert world.miscounted() == []
        restored = await world.client.post("/_emulator/snapshot", json=snapshot)
        assert restored.is_success
        assert world.miscounted() == []
        assert (await world.client.post(CREATE, json=CREATION)).status_code == 429
        world.clock.pass_seconds(10)
        await world.server.runner.do_due()
        assert world.miscounted() == []
        await world.create()


class Gate:
    """Work that lasts until it is let go."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.begun = 0

    def pass_through(self, *_: Any) -> bytes:
        self.begun += 1
        assert self.opened.wait(30)
        return b"x"

    render: Callable[..., bytes] = pass_through


def picture(number: int) -> Picture:
    return Picture(str(number), 1, 1, 16, 16, "x", "low", "auto", number)


async def test_work_beyond_what_may_wait_is_refused_and_room_comes_back() -> None:
    gate, work = Gate(), ImageWork(threads=1, most_waiting=1)
    first, second = (asyncio.create_task(work.run(gate.pass_through)) for _ in range(2))
    await asyncio.sleep(0)
    with pytest.raises(Refusal, match="--max-renders-waiting") as caught:
        await work.run(gate.pass_through)
    assert (caught.value.code, caught.value.retry_after_seconds) == ("service_unavailable", 1)
    second.cancel()  # whoever waits and goes away gives the place back
    await asyncio.wait([second])
    third = asyncio.create_task(work.run(gate.pass_through))
    gate.opened.set()
    assert list(await asyncio.gather(first, third)) == [b"x", b"x"]
    assert await work.run(gate.pass_through) == b"x"
    work.close()


async def test_a_picture_that_is_there_or_being_drawn_is_answered_all_the_same() -> None:
    gate, work = Gate(), ImageWork(threads=1, most_waiting=0)
    cache = PictureCache(gate, 1000, Tally(), work)
    gate.opened.set()
    await cache.get("there", picture(1))
    gate.opened.clear()
    drawing = [asyncio.create_task(cache.get("drawn", picture(2))) for _ in range(5)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(Refusal):
        await cache.get("new", picture(3))
    assert await cache.get("there", picture(1)) == b"x"
    gate.opened.set()
    assert await asyncio.gather(*drawing) == [b"x"] * 5
    assert gate.begun == 2
    work.close()


async def test_pictures_and_uploads_share_the_bound() -> None:
    gate = Gate()
    async with open_world(max_renders=1, max_renders_waiting=0) as world:
        busy = asyncio.create_task(world.server.image_work.run(gate.pass_through))
        detail = await world.finished()
        link = detail["result"]["data"][0]["url"]
        looked = await world.raw.get(link)
        files = {"file": ("a.png", image_bytes(), "image/png")}
        uploaded = await world.client.post("/v1/images/upload", files=files)
        for answer in (looked, uploaded):
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "1"
            assert answer.json()["error"]["code"] == "service_unavailable"
        gate.opened.set()
        await busy
        assert (await world.client.get(link)).status_code == 200
