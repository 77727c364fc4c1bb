"""The journal's bounds: how many entries are kept, when they are written, which are lost."""

import asyncio
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.store.records import StoreUnavailable
from tests.support.world import World, open_world

COUNT = "/_emulator/journal/count"


async def ask(world: World, times: int) -> None:
    """Make requests that the journal notes."""
    for _ in range(times):
        await world.client.get("/v1/credits/balance")


async def numbers(world: World) -> tuple[list[int], int]:
    """Which entries there are, and how many were lost."""
    answer = (await world.client.get("/_emulator/journal?limit=1000")).json()
    return [entry["number"] for entry in answer["data"]], answer["lost"]


def stored(world: World) -> int:
    """How many entries the database has, without what waits."""
    database: Any = world.server.database
    count: int = database._connection.execute("SELECT count(*) FROM journal_entries").fetchone()[0]
    return count


@given(limit=st.integers(1, 8), steps=st.lists(st.integers(0, 12), max_size=6))
@settings(max_examples=25)
async def test_the_last_entries_are_kept_and_the_rest_is_counted(
    limit: int, steps: list[int]
) -> None:
    async with open_world(journal_entries=limit) as world:
        made = 0
        for step in steps:
            await ask(world, step)
            made += step
            kept = min(made, limit)
            assert await numbers(world) == (list(range(made - kept + 1, made + 1)), made - kept)
            assert stored(world) == kept


async def test_requests_wait_in_memory_and_are_written_together() -> None:
    async with open_world(journal_entries=100) as world:
        journal = world.server.services.journal
        await ask(world, 9)
        assert stored(world) == 0
        await journal.flush_calm()
        assert stored(world) == 9


async def test_a_busy_account_is_written_less_often_but_is_written() -> None:
    async with open_world(journal_entries=50) as world:
        journal = world.server.services.journal
        looks = 0
        while not stored(world):
            await ask(world, 6)
            await journal.flush_calm()
            looks += 1
        assert looks == 10
        await ask(world, 6)
        await journal.flush_calm()
        await journal.flush_calm()
        assert stored(world) == 50
        assert await numbers(world) == (list(range(17, 67)), 16)


async def test_an_account_that_is_gone_loses_what_waits() -> None:
    async with open_world() as world:
        await ask(world, 2)
        other = {"Authorization": "Bearer sk-other"}
        await world.client.get("/v1/credits/balance", headers=other)
        account = await world.client.get("/_emulator/account", headers=other)
        gone = (account.json()["account_id"],)
        database: Any = world.server.database
        for table in ("ledger_entries", "api_keys"):
            database._connection.execute(f"DELETE FROM {table} WHERE account_id = ?", gone)
        database._connection.execute("DELETE FROM accounts WHERE id = ?", gone)
        await world.server.services.journal.flush()
        assert stored(world) == 2


async def test_a_query_sees_what_another_flush_took_before() -> None:
    async with open_world() as world:
        await ask(world, 3)
        flush = asyncio.create_task(world.server.services.journal.flush())
        await asyncio.sleep(0)
        assert (await world.client.get(COUNT)).json() == {"count": 3, "lost": 0}
        await flush


async def test_many_entries_are_written_in_parts_so_that_others_are_answered_meanwhile() -> None:
    async with open_world() as world:
        await ask(world, 120)
        flush = asyncio.create_task(world.server.services.journal.flush())
        seen = [0]
        while not flush.done():
            await asyncio.sleep(0)
            seen.append(stored(world))
        assert seen[-1] == 120
        assert max(after - before for before, after in pairwise(seen)) == 50


async def test_what_comes_during_a_flush_keeps_its_place() -> None:
    async with open_world() as world:
        for number in range(110):
            if number == 105:
                flush = asyncio.create_task(world.server.services.journal.flush())
                await asyncio.sleep(0)
            await world.client.get(f"/v1/credits/balance?number={number}")
        entries = (await world.client.get("/_emulator/journal?limit=1000")).json()["data"]
        assert [entry["path"].rpartition("=")[2] for entry in entries] == [*map(str, range(110))]
        assert [entry["number"] for entry in entries] == [*range(1, 111)]
        await flush


@pytest.mark.parametrize("turns", [0, 3, 7])
async def test_an_account_that_is_reset_during_a_flush_gets_nothing_of_it(turns: int) -> None:
    async with open_world() as world:
        await ask(world, 500)
        account = (await world.client.get("/_emulator/account")).json()["account_id"]
        flush = asyncio.create_task(world.server.services.journal.flush_account(account))
        for _ in range(turns):
            await asyncio.sleep(0)
        assert (await world.client.post("/_emulator/account/reset", json={})).status_code == 200
        await flush
        assert (await world.client.get(COUNT)).json() == {"count": 0, "lost": 0}


async def test_what_could_not_be_written_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.store.sqlite.BUSY_TIMEOUT_SECONDS", 0.0)
    path = str(tmp_path / "state.db")
    async with open_world(database=path, journal_entries=100) as world:
        await ask(world, 120)
        account = (await world.client.get("/_emulator/account")).json()["account_id"]
        with closing(sqlite3.connect(path, isolation_level=None)) as another:
            another.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await world.server.services.journal.flush_account(account)
            await ask(world, 10)
        assert await numbers(world) == ([*range(31, 131)], 30)


async def test_a_lower_limit_holds_from_the_next_entry_on(tmp_path: Any) -> None:
    path = str(tmp_path / "state.db")
    async with open_world(database=path, journal_entries=10) as world:
        await ask(world, 10)
        await world.server.services.journal.flush()
    async with open_world(database=path, journal_entries=4) as world:
        await ask(world, 1)
        assert await numbers(world) == ([8, 9, 10, 11], 7)
