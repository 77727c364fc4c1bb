"""What ended long ago goes, on each account's clock; what is still needed stays."""

import asyncio
from typing import Any

import pytest

from emulator.core.latency import Latency
from tests.support.images import image_bytes
from tests.support.world import CREATION, KEY, World, open_world

HOOK = "http://127.0.0.1:4711/hook"
DAY_SECONDS = 86_400
WEEK: dict[str, Any] = {"retain_days": 7, "media_ttl_hours": 24}


def days_pass(world: World, days: float) -> None:
    """Let real time pass, and with it the time of all accounts that run on it."""
    world.clock.pass_seconds(days * DAY_SECONDS)


def rows(world: World, table: str) -> int:
    """How many rows a table has, whatever the account."""
    database: Any = world.server.database
    count: int = database._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count


async def sweep(world: World) -> None:
    """Sweep, after all that waits of the journal was written."""
    await world.server.services.journal.flush()
    assert await world.server.retention.sweep()


async def poll(world: World, task_id: str) -> int:
    """The status that a poll answers."""
    return (await world.client.get(f"/v1/tasks/{task_id}")).status_code


async def journal_numbers(world: World) -> list[int]:
    """The numbers of the journal's entries."""
    data = (await world.client.get("/_emulator/journal?limit=1000")).json()["data"]
    return [entry["number"] for entry in data]


async def test_a_task_goes_once_its_end_is_old() -> None:
    async with open_world(**WEEK) as world:
        task = await world.finished(callback_url=HOOK)
        await world.server.runner.do_due()
        link = task["result"]["data"][0]["url"]
        days_pass(world, 6.9)
        await sweep(world)
        assert (await world.task(task["task_id"]))["status"] == "succeeded"
        days_pass(world, 0.2)
        await sweep(world)
        response = await world.client.get(f"/v1/tasks/{task['task_id']}")
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "task_not_found"
        dead = await world.client.get(link)
        assert (dead.status_code, dead.json()["error"]["code"]) == (410, "link_expired")
        assert [rows(world, name) for name in ("tasks", "deliveries", "attempts")] == [0, 0, 0]


async def test_the_link_of_a_task_that_is_gone_is_dead_before_it_would_expire() -> None:
    async with open_world(retain_days=1, media_ttl_hours=240) as world:
        task = await world.finished()
        link = task["result"]["data"][0]["url"]
        assert (await world.client.get(link)).status_code == 200
        days_pass(world, 1.1)
        await sweep(world)
        assert (await world.client.get(link)).json()["error"]["code"] == "link_expired"


async def test_the_accounts_clock_counts() -> None:
    async with open_world(**WEEK) as world:
        task = await world.finished()
        other = await world.finished()
        await world.clock_command(freeze=True)
        days_pass(world, 30)
        await sweep(world)
        assert await poll(world, task["task_id"]) == 200
        await world.clock_command(advance="8d")
        await sweep(world)
        assert await poll(world, task["task_id"]) == await poll(world, other["task_id"]) == 404


async def test_a_reset_while_the_sweep_is_on_its_way_saves_what_is_new() -> None:
    async with open_world(**WEEK) as world:
        await world.clock_command(advance="30d")
        sweeping = asyncio.create_task(world.server.retention.sweep())
        await asyncio.sleep(0)
        assert (await world.client.post("/_emulator/account/reset", json={})).status_code == 200
        task = await world.finished()
        await sweeping
        assert await poll(world, task["task_id"]) == 200


async def test_an_unsettled_task_stays() -> None:
    async with open_world(**WEEK, stuck_after_seconds=1e9) as world:
        hanging = await world.create(prompt="[[fault: task_hangs]]")
        unsettled = await world.create()
        done = await world.finished(prompt="[[fault: task_fails]]")
        days_pass(world, 30)
        await sweep(world)
        assert await poll(world, done["task_id"]) == 404
        assert (await world.task(hanging["task_id"]))["status"] == "processing"
        assert (await world.task(unsettled["task_id"]))["status"] == "succeeded"
        assert (await world.sums())["charged"] == 30
        await sweep(world)
        assert await poll(world, unsettled["task_id"]) == 404


async def test_a_task_stays_while_its_callback_has_an_attempt_due() -> None:
    async with open_world(**WEEK, callback_retry_delays_seconds=(0, 10 * DAY_SECONDS)) as world:
        world.receiver.statuses = [500]
        task = await world.finished(callback_url=HOOK)
        await world.clock_command(advance="1s")
        days_pass(world, 9)
        await sweep(world)
        assert await poll(world, task["task_id"]) == 200
        await world.clock_command(advance="3d")
        assert len(world.receiver.bodies) == 2
        await sweep(world)
        assert await poll(world, task["task_id"]) == 404


async def test_an_upload_stays_as_long_as_a_task_could_show_it() -> None:
    async with open_world(**WEEK, latency=Latency("instant")) as world:
        files = {"image": ("a.png", image_bytes(), "image/png")}
        await world.client.post("/v1/images/edits", data=CREATION, files=files)
        days_pass(world, 7.5)
        await sweep(world)
        assert rows(world, "uploads") == 1
        days_pass(world, 0.6)
        await sweep(world)
        assert rows(world, "uploads") == 0


async def test_journal_and_messages_go_by_age() -> None:
    async with open_world(**WEEK) as world:
        await world.client.get("/v1/credits/balance")
        await world.client.post("/_emulator/inbox/a", json={"x": 1})
        days_pass(world, 4)
        await world.client.get("/v1/credits/balance")
        await world.client.post("/_emulator/inbox/a", json={"x": 2})
        days_pass(world, 4)
        await sweep(world)
        assert await journal_numbers(world) == [2]
        messages = (await world.client.get("/_emulator/inbox/a")).json()["data"]
        assert [message["body"] for message in messages] == [{"x": 2}]


async def test_the_ledger_is_carried_forward_and_adds_up() -> None:
    async with open_world(**WEEK) as world:
        await world.finished(n=2)
        await world.finished(prompt="[[fault: task_fails]]")
        days_pass(world, 8)
        task = await world.finished()
        before = await world.ledger()
        await sweep(world)
        after = await world.ledger()
        first = after[0]
        assert (first["kind"], first["number"], first["task_id"]) == ("carried_forward", 5, None)
        assert after[1:] == before[5:]
        assert {entry["task_id"] for entry in after[1:]} == {task["task_id"]}
        assert first["available_after"] == before[4]["available_after"] == 99_940
        for name, value in (await world.sums()).items():
            assert value == sum(entry[name] for entry in after)
        days_pass(world, 8)
        await world.balance()  # the account is in use
        await sweep(world)
        (only,) = await world.ledger()
        assert (only["number"], only["charged"], only["granted"]) == (7, 90, 100_000)
        await world.create()
        assert [entry["number"] for entry in await world.ledger()] == [7, 8]


async def test_a_snapshot_after_a_sweep_goes_in_again() -> None:
    async with open_world(**WEEK) as world, open_world() as other:
        await world.finished(n=2)
        days_pass(world, 8)
        await world.finished()
        await sweep(world)
        snapshot = (await world.client.get("/_emulator/snapshot")).json()
        answer = await other.client.post("/_emulator/snapshot", json=snapshot)
        assert answer.status_code == 200, answer.text
        assert await other.sums() == await world.sums()
        assert await other.ledger() == await world.ledger()
        await other.create()
        assert [entry["number"] for entry in await other.ledger()] == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("index", "kind"), [(1, "carried_forward"), (0, "grant")], ids=["the second", "no more"]
)
async def test_a_ledger_begins_in_the_middle_only_with_what_was_carried(
    index: int, kind: str
) -> None:
    async with open_world(**WEEK) as world:
        await world.finished()
        days_pass(world, 8)
        await world.finished()
        await sweep(world)
        snapshot = (await world.client.get("/_emulator/snapshot")).json()
        snapshot["ledger"][index]["kind"] = kind
        answer = await world.client.post("/_emulator/snapshot", json=snapshot)
        assert answer.status_code == 400
        assert "ledger" in answer.json()["error"]["message"]


async def test_much_goes_in_batches_with_rests_between() -> None:
    async with open_world(**WEEK, initial_credits=10**6) as world:
        for _ in range(250):
            await world.create()
        days_pass(world, 8)
        await world.server.runner.do_due()
        await world.server.runner.do_due()
        await world.balance()
        world.pauses.clear()
        await sweep(world)
        assert rows(world, "tasks") == 0
        assert [entry["kind"] for entry in await world.ledger()] == ["carried_forward"]
        assert len(world.pauses) >= 250 / 100 + 501 / 100


async def test_one_process_sweeps_and_another_takes_over_when_it_dies(tmp_path: Any) -> None:
    path = str(tmp_path / "state.db")
    async with open_world(database=path, **WEEK) as one, open_world(database=path, **WEEK) as two:
        assert await one.server.retention.sweep()
        assert not await two.server.retention.sweep()
        for world in (one, two):
            world.clock.pass_seconds(120)
        assert await one.server.retention.sweep()  # it keeps the lease
        for world in (one, two):
            world.clock.pass_seconds(120)
        assert not await two.server.retention.sweep()
        two.clock.pass_seconds(100)
        assert await two.server.retention.sweep()
        one.clock.instant = two.clock.instant
        assert not await one.server.retention.sweep()


async def left_alone(world: World, days: float = 8) -> bool:
    """Whether the account of the world's key is there after some days and a sweep."""
    days_pass(world, days)
    await sweep(world)
    return rows(world, "api_keys") > 0


async def test_an_account_that_nobody_needs_goes_and_comes_back_as_at_first() -> None:
    async with open_world(**WEEK) as world:
        first = (await world.finished())["task_id"]
        assert not await left_alone(world)
        assert [rows(world, name) for name in ("accounts", "ledger_entries")] == [0, 0]
        assert await poll(world, first) == 404
        assert await world.balance() == 100_000
        assert (await world.create())["task_id"] == first


async def test_a_use_without_a_trace_keeps_an_account() -> None:
    async with open_world(**WEEK, journal_entries=0) as world:
        await world.balance()
        days_pass(world, 5)
        await world.balance()
        assert await left_alone(world, 5)
        assert not await left_alone(world, 3)


@pytest.mark.parametrize(
    ("path", "body", "stays"),
    [
        ("clock", {"advance": "1h"}, True),
        ("clock", {"freeze": True}, True),
        ("account/reset", {"seed": 42}, True),
        ("faults", {"fault": "http_error", "status": 503}, True),
        ("faults", {"fault": "http_error", "status": 503, "times": 1}, True),
        ("account/reset", {}, False),
        ("account/credits", {"purchase": 5}, False),
    ],
)
async def test_what_was_set_up_keeps_an_account(
    path: str, body: dict[str, Any], stays: bool
) -> None:
    async with open_world(**WEEK) as world:
        response = await world.client.post(f"/_emulator/{path}", json=body)
        assert response.status_code in (200, 201)
        assert await left_alone(world) == stays


async def test_a_fault_that_came_with_a_prompt_keeps_nothing() -> None:
    async with open_world(**WEEK) as world:
        await world.finished(prompt="[[fault: task_fails]]")
        assert not await left_alone(world)
        failed = await world.finished(prompt="[[fault: task_fails]]")
        assert failed["status"] == "failed"


async def test_a_fault_that_is_used_up_keeps_nothing_and_is_not_remembered() -> None:
    async with open_world(**WEEK) as world:
        fault = {"fault": "http_error", "status": 503, "times": 1}
        await world.client.post("/_emulator/faults", json=fault)
        assert (await world.client.get("/v1/credits/balance")).status_code == 503
        assert not await left_alone(world)
        again = {**fault, "status": 429}  # the new account's first, as that was the old one's
        await world.client.post("/_emulator/faults", json=again)
        assert (await world.client.get("/v1/credits/balance")).status_code == 429


async def test_created_and_revoked_keys_stay() -> None:
    async with open_world(**WEEK) as world:
        assert (await world.client.post("/_emulator/keys", json={})).status_code == 201
        await world.balance()
        assert await world.server.services.accounts.revoke(KEY) == 1
        await left_alone(world)
        assert rows(world, "api_keys") == 2


async def test_in_strict_mode_no_key_goes() -> None:
    async with open_world(**WEEK, keys="strict") as world:
        await world.client.post("/_emulator/keys", json={})
        database: Any = world.server.database
        database._connection.execute("UPDATE api_keys SET name = account_id")
        assert await left_alone(world)


async def test_a_use_at_the_moment_of_the_sweep_makes_the_account_anew() -> None:
    async with open_world(**WEEK) as world:
        await world.balance()
        days_pass(world, 8)
        await world.server.services.journal.flush()
        sweeping = asyncio.create_task(world.server.retention.sweep())
        responses = [await world.client.get("/v1/credits/balance") for _ in range(20)]
        await sweeping
        assert {response.status_code for response in responses} == {200}


async def test_without_the_setting_nothing_runs() -> None:
    async with open_world() as world, asyncio.timeout(1):
        await world.server.retention.run()


async def test_a_sweep_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.service.retention._PERIOD_SECONDS", 0)
    async with open_world(**WEEK) as world:
        await world.finished()
        days_pass(world, 8)
        database: Any = world.server.database
        plain, failures = database.read, [OSError("the disk is gone")]

        async def read(work: Any) -> Any:
            if failures:
                raise failures.pop()
            return await plain(work)

        monkeypatch.setattr(database, "read", read)
        running = asyncio.create_task(world.server.retention.run())
        async with asyncio.timeout(5):
            while rows(world, "tasks"):
                await asyncio.sleep(0)
        running.cancel()
        assert not failures


async def test_an_advance_tells_what_ended_before_it_goes() -> None:
    async with open_world(**WEEK) as world:
        task = await world.finished()
        days_pass(world, 8)
        account = (await world.client.get("/_emulator/account")).json()["account_id"]
        async with world.server.services.clocks.turns.alone(account):
            await sweep(world)
        assert await poll(world, task["task_id"]) == 200
