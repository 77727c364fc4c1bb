"""Probes: is the process there, and can it work?"""

import asyncio
from typing import Any

import pytest

from emulator.store.records import StoreError
from tests.support.world import World

LIVE, READY = "/_emulator/health/live", "/_emulator/health/ready"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", [LIVE, READY])
async def test_a_server_that_works_is_live_and_ready(world: World, path: str, method: str) -> None:
    answer = await world.raw.request(method, path, headers={"Host": "evil.example"})
    assert answer.status_code == 200
    if method == "GET":
        assert answer.json() == {"status": path.rpartition("/")[2]}


@pytest.mark.parametrize(
    ("problem", "named"),
    [(StoreError("no route to db"), "StoreError"), (TimeoutError(), "TimeoutError")],
)
async def test_without_its_database_it_is_live_and_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch, problem: Exception, named: str
) -> None:
    async def read(work: Any) -> None:
        raise problem

    monkeypatch.setattr(world.server.database, "read", read)
    answer = await world.raw.get(READY)
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "problem": f"The database does not answer ({named}).",
    }
    assert (await world.raw.get(LIVE)).status_code == 200


async def test_a_database_that_hangs_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(work: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(world.server.database, "read", read)
    monkeypatch.setattr("emulator.service.readiness._LONGEST_ANSWER_SECONDS", 0)
    assert (await world.raw.get(READY)).status_code == 503


async def test_a_server_that_stops_is_not_ready(world: World) -> None:
    world.server.wakeups.stop()
    answer = await world.raw.get(READY)
    assert (answer.status_code, answer.json()["problem"]) == (503, "The emulator is stopping.")
