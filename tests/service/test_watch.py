"""Who looks on hears of each change, and of nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from emulator.service.watch import TOPICS, Change
from emulator.store.records import Caller
from tests.support.world import KEY, World

HOOK = "https://client.example/hook"


class Onlooker:
    """Holds an account's changes."""

    def __init__(self, changes: AsyncIterator[Change | None]) -> None:
        self._changes = changes

    async def next(self) -> Change | None:
        return await asyncio.wait_for(anext(self._changes), 5)

    async def topics(self) -> tuple[str, ...]:
        change = await self.next()
        assert change is not None
        return change.topics


@asynccontextmanager
async def onlooker(world: World, caller: Caller) -> AsyncIterator[Onlooker]:
    async with aclosing(world.server.services.watch.changes(caller)) as changes:
        yield Onlooker(changes)


@pytest.fixture
async def caller(world: World) -> Caller:
    return await world.server.services.accounts.authenticate(KEY, counted=False)


async def test_the_first_change_has_all_topics(world: World, caller: Caller) -> None:
    async with onlooker(world, caller) as looking:
        assert await looking.topics() == TOPICS


async def test_each_change_names_its_topics(world: World, caller: Caller) -> None:
    async with onlooker(world, caller) as looking:
        await looking.next()
        await world.create(callback_url=HOOK)
        assert await looking.topics() == ("account", "tasks", "journal")
        await world.client.post("/_emulator/faults", json={"fault": "task_hangs"})
        assert await looking.topics() == ("faults",)
        await world.clock_command(advance="1m")
        assert await looking.topics() == ("account", "tasks", "deliveries", "clock")
        await world.client.put("/_emulator/inbox/mine", json={"answers": [{"status": 500}]})
        assert await looking.topics() == ("inbox",)
        await world.client.put("/_emulator/inbox/mine", json={"answers": [{"status": 501}]})
        assert await looking.topics() == ("inbox",)
        await world.create()
        assert await looking.topics() == ("account", "tasks", "journal", "faults")


async def test_a_task_that_starts_is_a_change_though_nobody_asks(
    world: World, caller: Caller
) -> None:
    await world.create()
    async with onlooker(world, caller) as looking:
        await looking.next()
        world.clock.pass_seconds(3)  # it takes ten, and waits for two of them
        assert await looking.topics() == ("tasks",)
        world.clock.pass_seconds(8)
        await world.server.runner.do_due()
        assert await looking.topics() == ("account", "tasks")


async def test_another_account_is_not_heard(world: World, caller: Caller) -> None:
    other = {"Authorization": "Bearer sk-another"}
    async with onlooker(world, caller) as looking:
        await looking.next()
        await world.client.post(
            "/v1/images/generations", json={"model": "gpt-image-2", "prompt": "A"}, headers=other
        )
        await world.client.post("/_emulator/faults", json={"fault": "task_hangs"})
        assert await looking.topics() == ("faults",)


async def test_after_a_while_of_silence_there_is_a_sign_of_life(
    world: World, caller: Caller
) -> None:
    async with onlooker(world, caller) as looking:
        await looking.next()
        world.clock.pass_seconds(15)
        assert await looking.next() is None


@pytest.mark.parametrize("end", ["revoked", "deleted", "stopped"])
async def test_it_ends_with_the_key_the_account_and_the_server(
    world: World, caller: Caller, end: str
) -> None:
    async with onlooker(world, caller) as looking:
        await looking.next()
        if end == "revoked":
            await world.server.services.accounts.revoke(KEY)
        elif end == "deleted":
            await world.client.delete("/_emulator/account")
        else:
            world.server.wakeups.stop()
        with pytest.raises(StopAsyncIteration):
            await looking.next()


async def test_nothing_is_left_of_an_onlooker_who_went(world: World, caller: Caller) -> None:
    async with onlooker(world, caller) as looking:
        await looking.next()
        assert caller.account_id in world.server.wakeups._watching
    assert not world.server.wakeups._watching
