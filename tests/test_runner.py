"""The loop that does what is due."""

import asyncio

from emulator.api.schemas import parse_creation
from emulator.service.accounts import hash_key
from emulator.service.planning import Order
from tests.support.world import CREATION, open_world

TASKS = 450  # more than two batches of an account


async def test_a_backlog_is_done_at_once_batch_after_batch() -> None:
    async with open_world(initial_credits=30 * TASKS) as world:
        await world.sums()  # makes the account
        services, tasks = world.server.services, world.server.services.tasks
        key = world.client.headers["Authorization"].removeprefix("Bearer ")
        caller = await world.server.database.read(lambda tx: tx.caller(hash_key(key)))
        assert caller is not None
        request = parse_creation(dict(CREATION), services.settings).request
        order = Order(caller, request, "createImageTask", "http://test")
        await asyncio.gather(*(tasks.create(order) for _ in range(TASKS)))
        world.clock.pass_seconds(60)
        assert await world.server.runner.do_due() == (3, None)
        assert await world.sums() == {
            "granted": 30 * TASKS, "available": 0, "reserved": 0, "charged": 30 * TASKS,
        }  # fmt: skip
