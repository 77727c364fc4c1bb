"""Callbacks to a slow host hold up nobody else's."""

import asyncio
from collections import Counter

from emulator.core.callback import AttemptResult, host_of
from tests.support.world import open_world

SLOW, OTHER = "http://127.0.0.1:9", "http://127.0.0.1:10"


class SlowSender:
    """Sends nothing, and answers for a host once its gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
        host = f"http://{host_of(url)}"
        self.at_once[host] += 1
        self.most[host] = max(self.most[host], self.at_once[host])
        if host == SLOW:
            await self.gate.wait()
        self.at_once[host] -= 1
        self.sent[host] += 1
        return AttemptResult(200, 1)

    async def close(self) -> None:
        pass


async def test_a_slow_host_gets_so_many_at_once_and_others_go_on() -> None:
    sender = SlowSender()
    async with open_world(sender, max_callbacks_per_host=3) as world:
        for _ in range(120):
            await world.create(callback_url=f"{SLOW}/hook")
        world.clock.pass_seconds(1)
        await world.create(callback_url=f"{OTHER}/hook")
        world.clock.pass_seconds(700)
        runner, deliveries = world.server.runner, world.server.services.deliveries
        for _ in range(5):
            await runner.do_due()
            await asyncio.sleep(0)
        assert sender.sent == {OTHER: 1}
        assert sender.at_once[SLOW] == 3
        sender.gate.set()
        while sender.sent[SLOW] < 120:
            await deliveries.settle()
            await runner.do_due()
        assert sender.most[SLOW] == 3


async def test_a_place_that_is_free_again_wakes_the_runner() -> None:
    sender = SlowSender()
    async with open_world(sender, max_callbacks_per_host=1) as world:
        for _ in range(2):
            await world.create(callback_url=f"{SLOW}/hook")
        world.clock.pass_seconds(700)
        await world.server.runner.do_due()
        sleeping = asyncio.create_task(world.server.wakeups.sleep(2**62, 60))
        await asyncio.sleep(0)
        sender.gate.set()
        await asyncio.wait_for(sleeping, 10)
