"""Creations that wait together share a transaction, but not each other's fate."""

import asyncio

from tests.support.world import CREATION, World, open_world


async def test_each_is_tried_alone_where_all_together_are_refused() -> None:
    async with open_world(initial_credits=70) as world:
        answers = await asyncio.gather(*(_post(world, n) for n in (1, 1, 3)))
        assert answers == [202, 202, 402]
        assert [e["kind"] for e in await world.ledger()] == ["grant", "reservation", "reservation"]


async def test_entries_of_one_transaction_follow_each_other() -> None:
    async with open_world(initial_credits=200) as world:
        assert await asyncio.gather(*(_post(world, n) for n in (1, 2, 3))) == [202, 202, 202]
        reservations = (await world.ledger())[1:]
        assert [e["number"] for e in reservations] == [2, 3, 4]
        assert [e["available_after"] for e in reservations] == [170, 110, 20]
        assert len({e["task_id"] for e in reservations}) == 3


async def _post(world: World, images: int) -> int:
    answer = await world.client.post("/v1/images/generations", json={**CREATION, "n": images})
    return answer.status_code
