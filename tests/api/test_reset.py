"""Reset: an account as fresh, whatever is under way."""

import asyncio
from typing import Any

import pytest

from emulator.core.callback import AttemptResult
from emulator.core.latency import Latency
from tests.support.images import decoded, image_bytes
from tests.support.world import BASE, CREATION, World, open_world

HOOK = "http://127.0.0.1:9/hook"
TABLES = (
    "tasks", "deliveries", "attempts", "uploads", "faults", "journal_entries", "inboxes",
    "inbox_messages",
)  # fmt: skip


async def reset(world: World, status: int = 200, **body: Any) -> dict[str, Any]:
    response = await world.client.post("/_emulator/account/reset", json=body)
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def fill(world: World) -> dict[str, Any]:
    """Give an account some of everything; return its first task, ended."""
    files = {"file": ("a.png", image_bytes(), "image/png")}
    await world.client.post("/v1/images/upload", files=files)
    task = await world.create(callback_url=HOOK)
    await world.clock_command(advance="25h")
    await world.create()
    fault = {"fault": "task_fails", "prompt": "never"}
    assert (await world.client.post("/_emulator/faults", json=fault)).status_code == 201
    assert (await world.client.post("/_emulator/inbox/a", json={"x": 1})).status_code == 200
    return await world.task(task["task_id"])


def rows(world: World) -> dict[str, int]:
    database: Any = world.server.database
    connection = database._connection
    return {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES
    }


async def test_an_account_is_as_fresh(world: World) -> None:
    fresh = (await world.client.get("/_emulator/account")).json()
    before = await fill(world)
    database, account_id = world.server.database, fresh["account_id"]
    version = await database.read(lambda tx: tx.faults_version(account_id))
    assert await reset(world) == fresh
    assert set(rows(world).values()) == {0}
    assert [entry["kind"] for entry in await world.ledger()] == ["grant"]
    clock = (await world.client.get("/_emulator/clock")).json()
    assert (clock["frozen"], clock["offset_seconds"]) == (False, 0.0)
    # What other processes know of its faults is not taken for what comes.
    assert await database.read(lambda tx: tx.faults_version(account_id)) > version > 0
    again = await fill(world)
    assert again == before


async def test_a_seed_can_be_chosen() -> None:
    async with open_world(latency=Latency("fast")) as world:
        ends = []
        for seed in (42, 43, 42):
            assert (await reset(world, seed=seed))["seed"] == seed
            task_id = (await world.create(size="1:1"))["task_id"]
            await world.clock_command(run_until={"task_ended": task_id})
            detail = await world.task(task_id)
            content = (await world.client.get(detail["result"]["data"][0]["url"])).content
            ends.append((task_id, detail["completed_at"], decoded(content).tobytes()))
        assert ends[0] == ends[2]
        assert ends[0][0] == ends[1][0]
        assert ends[0][1:] != ends[1][1:]


@pytest.mark.parametrize(
    "body", [{"seed": -1}, {"seed": 2**63}, {"seed": "1"}, {"seed": None}, {"x": 1}]
)
async def test_bad_resets_change_nothing(world: World, body: dict[str, Any]) -> None:
    task_id = (await world.create())["task_id"]
    await reset(world, 400, **body)
    assert (await world.task(task_id))["status"] == "pending"


async def test_a_key_keeps_its_limits_and_gets_its_budget_back(world: World) -> None:
    created = (await world.client.post("/_emulator/keys", json={"budget_credits": 30})).json()
    world.client.headers["Authorization"] = f"Bearer {created['key']}"
    await world.create()
    assert (await world.client.post("/v1/images/generations", json=CREATION)).status_code == 402
    await reset(world)
    await world.create()
    assert (await world.client.post("/v1/images/generations", json=CREATION)).status_code == 402


async def test_a_waiting_call_is_told_that_its_task_is_gone(world: World) -> None:
    waiting = asyncio.create_task(world.client.post("/v1/images/generations/sync", json=CREATION))
    while (await world.sums())["reserved"] == 0:
        await asyncio.sleep(0)
    await reset(world)
    response = await asyncio.wait_for(waiting, 5)
    assert response.json()["error"]["code"] == "task_not_found"


async def test_an_attempt_under_way_leaves_no_trace(world: World) -> None:
    started, answer = asyncio.Event(), asyncio.Event()

    class SlowSender:
        async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
            started.set()
            await answer.wait()
            return AttemptResult(200, 1)

        async def close(self) -> None:
            pass

    world.server.services.deliveries._sending._sender = SlowSender()
    for _ in range(2):  # the second task has the same ids as the first
        await world.create(callback_url=HOOK)
        world.clock.pass_seconds(10)
        started.clear()
        await world.server.runner.do_due()
        await started.wait()
        assert rows(world)["deliveries"] == 1
        await reset(world)
    answer.set()
    assert not world.server.services.deliveries.under_way_ids
    await world.create(callback_url=HOOK)
    await world.clock_command(run_until={"deliveries_exhausted": True})
    assert (rows(world)["deliveries"], rows(world)["attempts"]) == (1, 1)


async def test_a_deleted_account_begins_anew(world: World) -> None:
    account_id = (await world.client.get("/_emulator/account")).json()["account_id"]
    await fill(world)
    answer = await world.client.delete("/_emulator/account")
    assert answer.json() == {"deleted": account_id}
    assert set(rows(world).values()) == {0}
    database: Any = world.server.database
    connection = database._connection
    for table in ("accounts", "api_keys", "ledger_entries"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0
    assert await world.balance() == 100_000


async def test_a_deleted_key_is_unknown_where_keys_are_strict() -> None:
    async with open_world(keys="strict") as world:
        key = (await world.client.post("/_emulator/keys", json={})).json()["key"]
        world.client.headers["Authorization"] = f"Bearer {key}"
        assert (await world.client.delete("/_emulator/account")).status_code == 200
        assert (await world.client.get("/v1/credits/balance")).status_code == 401


async def test_other_accounts_notice_nothing(world: World) -> None:
    task_id = (await world.create())["task_id"]
    other = {"Authorization": "Bearer sk-other"}
    await world.client.post("/_emulator/account/reset", json={}, headers=other)
    await world.client.delete("/_emulator/account", headers=other)
    assert (await world.task(task_id))["status"] == "pending"


async def test_deleting_under_all_kinds_of_requests_makes_no_error_of_ours(world: World) -> None:
    inbox = f"{BASE}/_emulator/inbox/a"
    png = {"file": ("a.png", image_bytes(), "image/png")}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/_emulator/faults", {"json": {"fault": "task_fails"}}),
        ("POST", "/_emulator/inbox/a", {"json": {}}),
        ("PUT", "/_emulator/inbox/a", {"json": {"answers": [{"status": 500}]}}),
        ("POST", "/_emulator/account/credits", {"json": {"grant": 1}}),
        ("POST", "/_emulator/clock", {"json": {"advance": "1h"}}),
        ("POST", "/v1/images/generations", {"json": {**CREATION, "callback_url": inbox}}),
        ("POST", "/v1/images/upload", {"files": png}),
        ("GET", "/_emulator/snapshot", {}),
        ("GET", "/_emulator/journal", {}),
        ("GET", "/v1/credits/balance", {}),
    ]
    for _ in range(10):
        calls = [world.raw.request(method, path, **more) for method, path, more in requests]
        calls.insert(5, world.raw.delete("/_emulator/account"))
        answers = await asyncio.gather(*calls)
        assert [answer.text for answer in answers if answer.status_code >= 500] == []


class SilentReceiver:
    """A receiver that takes a callback and never answers."""

    def __init__(self) -> None:
        self.called = asyncio.Event()

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
        self.called.set()
        await asyncio.Event().wait()
        return AttemptResult(200, 1)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("path", ["/_emulator/account/reset", "/_emulator/account"])
async def test_a_silent_receiver_holds_up_no_reset(path: str) -> None:
    receiver = SilentReceiver()
    async with open_world(receiver) as world:
        await world.create(callback_url=HOOK)
        advance = asyncio.create_task(world.client.post("/_emulator/clock", json={"advance": "2h"}))
        await receiver.called.wait()
        method = "POST" if path.endswith("reset") else "DELETE"
        answer = await world.client.request(method, path, json={})
        assert answer.status_code == 200
        assert (await advance).json()["complete"] is False


async def test_a_call_whose_account_is_reset_is_not_told_that_the_server_stops() -> None:
    receiver = SilentReceiver()
    async with open_world(receiver) as world:
        fields = {**CREATION, "prompt": "[[fault: callback_early]]", "callback_url": HOOK}
        creating = asyncio.create_task(world.client.post("/v1/images/generations", json=fields))
        await receiver.called.wait()
        await reset(world)
        assert (await creating).status_code == 202
