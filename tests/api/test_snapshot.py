"""Snapshots: an account as a file, and the file as another account."""

import asyncio
import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.core.latency import Latency
from emulator.core.profile import REFERENCE
from tests.support.images import decoded, image_bytes
from tests.support.world import CREATION, World, open_world

HOOK = "http://127.0.0.1:9/hook"
OTHER = {"Authorization": "Bearer sk-other"}
FAST: dict[str, Any] = {"latency": Latency("fast")}


async def export(world: World) -> dict[str, Any]:
    response = await world.client.get("/_emulator/snapshot")
    assert response.status_code == 200
    snapshot: dict[str, Any] = response.json()
    return snapshot


async def restore(world: World, snapshot: Any, expected: int = 200) -> dict[str, Any]:
    response = await world.client.post("/_emulator/snapshot", json=snapshot)
    assert response.status_code == expected, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def fill(world: World) -> list[str]:
    """Tasks that ended, failed, still run, are to be called back, and contain images."""
    files = {"image": ("a.png", image_bytes(), "image/png")}
    fields = {**CREATION, "prompt": "a red boat"}
    await world.clock_command(freeze=True)
    answers = [
        (await world.client.post("/v1/images/edits", data=fields, files=files)).json(),
        await world.create(callback_url=HOOK, n=2),
        await world.create(prompt="[[fault: task_fails]]"),
        await world.create(prompt="[[fault: partial images=1]]", n=3, size="16:9"),
    ]
    world.receiver.statuses = [500]
    await world.clock_command(advance="3s")
    answers.append(await world.create(prompt="[[fault: task_hangs]]", callback_url=HOOK))
    fault = {"fault": "link_dead", "prompt_regex": "^never", "times": 2}
    assert (await world.client.post("/_emulator/faults", json=fault)).status_code == 201
    plan = {"answers": [{"status": 500, "delay_seconds": 0.5}]}
    assert (await world.client.put("/_emulator/inbox/a", json=plan)).status_code == 200
    assert (await world.client.post("/_emulator/inbox/a", json={"x": 1})).status_code == 500
    return [answer["task_id"] for answer in answers]


async def what_happens(world: World, task_ids: list[str]) -> list[Any]:
    """All that a client can see of an account, now and later."""
    seen: list[Any] = []

    async def look() -> None:
        seen.append((await world.client.get("/_emulator/clock")).json())
        for task_id in task_ids:
            detail = await world.task(task_id)
            for picture in (detail["result"] or {"data": []})["data"]:
                content = (await world.client.get(picture.pop("url"))).content
                picture["pixels"] = hash(decoded(content).tobytes())
            seen.append(detail)
        seen.append(await world.sums())
        seen.append(await world.ledger())
        deliveries = (await world.client.get("/_emulator/deliveries")).json()["data"]
        seen.append(deliveries)

    await look()
    task_ids.append((await world.create(prompt="the next one", size="1:1"))["task_id"])
    seen.append(await world.clock_command(advance="20m"))
    await look()
    return seen


async def test_an_import_reproduces_everything() -> None:
    async with open_world(**FAST) as world, open_world(**FAST) as other:
        task_ids = await fill(world)
        snapshot = await export(world)
        other.client.headers.update(OTHER)
        other.receiver.statuses = [500]
        other.clock.pass_seconds(86_400)
        await other.create(prompt="goes away")
        answer = await restore(other, snapshot)
        assert answer["restored"] == {
            "tasks": 5, "ledger": 11, "deliveries": 1, "attempts": 1, "uploads": 1, "faults": 4,
            "journal": 5, "inboxes": 1, "inbox_messages": 1,
        }  # fmt: skip
        assert answer["differences"] == []
        again = await export(other)
        assert {**again, "exported_at": snapshot["exported_at"]} == snapshot
        expected = await what_happens(world, list(task_ids))
        assert await what_happens(other, list(task_ids)) == expected
        account_id = (await other.client.get("/_emulator/account")).json()["account_id"]
        database = other.server.database
        account = await database.read(lambda tx: tx.account(account_id))
        exported = await database.read(lambda tx: tx.export_account(account_id))
        assert account is not None
        assert exported is not None
        assert account.faults_version > 0
        assert exported[0]["journal_entries"] == 5


async def test_a_running_clock_goes_on_from_the_snapshot() -> None:
    async with open_world() as world, open_world() as other:
        task_id = (await world.create())["task_id"]
        await world.clock_command(advance="1d")
        other.clock.pass_seconds(5000)
        await restore(other, await export(world))
        other.clock.pass_seconds(10)
        clock = (await other.client.get("/_emulator/clock")).json()
        assert (clock["now"], clock["frozen"]) == ("2027-01-16T08:00:10.000Z", False)
        assert (await other.task(task_id))["status"] == "succeeded"


async def test_what_is_due_after_an_import_is_done() -> None:
    async with open_world() as world, open_world() as other:
        await world.create(callback_url=HOOK)
        await restore(other, await export(world))
        other.clock.pass_seconds(10)
        await other.server.runner.do_due()
        await other.server.runner.do_due()
        await other.server.services.deliveries.settle()
        assert len(other.receiver.received) == 1
        assert (await other.sums())["charged"] == 30


async def test_a_snapshot_undoes_what_came_after_it(world: World) -> None:
    task_id = (await world.create())["task_id"]
    snapshot = await export(world)
    await world.clock_command(advance="1d")
    later = (await world.create())["task_id"]
    await restore(world, snapshot)
    assert (await world.task(task_id))["status"] == "pending"
    assert (await world.client.get(f"/v1/tasks/{later}")).status_code == 404
    assert (await world.create())["task_id"] == later


async def test_an_account_that_is_there_already_is_a_conflict(world: World) -> None:
    await world.create()
    snapshot = await export(world)
    world.client.headers.update(OTHER)
    before = await export(world)
    error = (await restore(world, snapshot, 409))["error"]
    assert (error["code"], error["param"]) == ("conflict", "account.id_seed")
    assert (await export(world))["account"] == before["account"]


async def test_the_snapshots_own_key_still_works_elsewhere() -> None:
    """Its ids are taken by another account there, so it gets others."""
    async with open_world() as world, open_world() as other:
        task_id = (await world.create())["task_id"]
        snapshot = await export(world)
        await restore_as_other(other, snapshot)
        assert (await other.create())["task_id"] != task_id
        await other.client.post("/_emulator/account/reset", json={})
        assert (await other.create())["task_id"] != task_id
        assert (await restore(other, snapshot, 409))["error"]["code"] == "conflict"


async def restore_as_other(world: World, snapshot: dict[str, Any]) -> None:
    response = await world.client.post("/_emulator/snapshot", json=snapshot, headers=OTHER)
    assert response.status_code == 200


async def test_other_accounts_uploads_come_along() -> None:
    async with open_world() as world, open_world() as other:
        files = {"file": ("a.png", image_bytes(), "image/png")}
        upload = await world.client.post("/v1/images/upload", files=files, headers=OTHER)
        await world.clock_command(freeze=True)
        task_id = (await world.create(input_images=[upload.json()["url"]]))["task_id"]
        snapshot = await export(world)
        assert len(snapshot["uploads"]) == 1
        await restore(other, snapshot)
        assert (await export(other))["uploads"] == snapshot["uploads"]
        seen = [await what_happens(one, [task_id]) for one in (world, other)]
        assert seen[0] == seen[1]


async def test_a_budget_counts_what_was_imported() -> None:
    async with open_world() as world, open_world() as other:
        await world.create(prompt="[[fault: task_fails]]")
        key = (await other.client.post("/_emulator/keys", json={"budget_credits": 30})).json()
        other.client.headers["Authorization"] = f"Bearer {key['key']}"
        await restore(other, await export(world))
        refused = await other.client.post("/v1/images/generations", json=CREATION)
        assert refused.json()["error"]["code"] == "api_key_budget_exhausted"
        await other.clock_command(advance=10)
        await other.create()


async def test_settings_that_differ_are_named() -> None:
    async with (
        open_world() as world,
        open_world(profile=REFERENCE, media_ttl_hours=1.0) as other,
    ):
        differences = (await restore(other, await export(world)))["differences"]
        assert differences == [
            {"setting": "profile", "exported": "model-page", "here": "reference"},
            {"setting": "media_ttl_hours", "exported": "24", "here": "1"},
        ]


@pytest.mark.parametrize(
    ("path", "value", "param"),
    [
        ("format", "x", "format"),
        ("version", 2, "version"),
        ("version", True, "version"),
        ("account.seed", -1, "account.seed"),
        ("account.id_seed", 5, "tasks[0].id"),
        ("account.credits.available", 5, "account.credits"),
        ("account.counters.tasks_created", 4, "tasks[4].number"),
        ("account.counters.journal_entries", 2, "journal[2].number"),
        ("account.clock.now", 10**15, "account.clock.now"),
        ("tasks.3.width_px", 100_000, "tasks[3].width_px"),
        ("tasks.3.width_px", 16, "tasks[3].width_px"),
        ("tasks.3.images", 4, "tasks[3]"),
        ("tasks.2.error_code", "unheard", "tasks[2].error_code"),
        ("tasks.0.request.prompt", "x" * 32_001, "tasks[0].request.prompt"),
        ("tasks.0.request.prompt", "\x00\ud800", "body"),
        ("tasks.0.request.n", 11, "tasks[0].request.n"),
        ("tasks.0.request.references.0.upload_id", "file_" + "0" * 24, "tasks[0].request"),
        ("tasks.1.number", 1, "tasks[1].number"),
        ("tasks.4.ends_at", 0, "tasks[4]"),
        ("tasks.4.charge", 10**6, "tasks[4]"),
        ("uploads.0.content", "%", "uploads[0].content"),
        ("uploads.0.content", "aGVsbG8=", "uploads[0].content"),
        ("uploads.0.id", "file_" + "0" * 24, "tasks[0].request"),
        ("deliveries.0.id", "msg_" + "0" * 24, "deliveries[0].id"),
        ("deliveries.0.url", "file:///etc/passwd", "deliveries[0].url"),
        ("deliveries.0.due_at", None, "deliveries[0]"),
        ("attempts.0.number", 2, "attempts[0].number"),
        ("ledger.1.reserved", 31, "ledger"),
        ("inboxes.0.answers.answers", [], "inboxes[0].answers.answers"),
        ("inboxes.0.answers.after", 9, "inboxes[0]"),
        ("inbox_messages.0.inbox", "b", "inbox_messages[0].number"),
        ("tasks", {}, "tasks"),
        ("extra", 1, "extra"),
    ],
)
async def test_bad_snapshots_change_nothing(path: str, value: Any, param: str) -> None:
    async with open_world(**FAST) as world:
        await fill(world)
        snapshot = await export(world)
        broken = copy.deepcopy(snapshot)
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = broken
        for part in parents:
            place = place[part]
        place[last] = value
        response = await world.client.post(
            "/_emulator/snapshot",
            content=json.dumps(broken).encode(),
            headers={"Content-Type": "application/json"},
        )
        assert response.status_code == 400, response.text
        assert response.json()["error"]["param"].startswith(param), response.text
        assert await export(world) == snapshot


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20) | st.sampled_from([-1, 0, 1, 2**31, 2**63, 10**12, 253_402_300_799_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)  # fmt: skip


def mutate(draw: Any, value: Any) -> Any:
    """Change a JSON value in one random place."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        name = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 9)) == 0:
            return {key: inner for key, inner in value.items() if key != name}
        return {**value, name: mutate(draw, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        index = draw(st.integers(0, len(value) - 1))
        if draw(st.integers(0, 9)) == 0:
            return [*value, value[index]]
        return [*value[:index], mutate(draw, value[index]), *value[index + 1 :]]
    if type(value) is int and draw(st.booleans()):
        return value + draw(st.sampled_from([-1, 1, 1000, -1000]))
    return draw(JSON)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated_snapshots_never_break_anything(data: st.DataObject) -> None:
    asyncio.run(_import_mutated(data))


async def _import_mutated(data: st.DataObject) -> None:
    async with open_world(**FAST) as world:
        task_ids = await fill(world)
        snapshot = await export(world)
        broken = snapshot
        for _ in range(data.draw(st.integers(1, 2))):
            broken = mutate(data.draw, broken)
        response = await world.client.post(
            "/_emulator/snapshot",
            content=json.dumps(broken).encode(),
            headers={"Content-Type": "application/json"},
        )
        if response.status_code != 200:
            assert response.status_code in (400, 409), response.text
            assert await export(world) == snapshot
            return
        for path in ("tasks", "ledger", "deliveries", "account", "clock"):
            assert (await world.client.get(f"/_emulator/{path}")).status_code == 200
        await world.clock_command(advance="2s")
        for task_id in task_ids:
            response = await world.client.get(f"/v1/tasks/{task_id}")
            assert response.status_code in (200, 404)
            for picture in ((response.json().get("result") or {}).get("data") or [])[:1]:
                status = (await world.client.get(picture["url"])).status_code
                assert status in (200, 410)
        await world.server.runner.do_due()
        response = await world.client.post("/v1/images/generations", json=CREATION)
        assert response.status_code in (202, 402)
        await export(world)


async def test_an_inbox_moves_with_its_account() -> None:
    async with open_world() as world, open_world() as other:
        await world.create(callback_url="http://127.0.0.1:4711/_emulator/inbox/a")
        await restore(other, await export(world))
        await other.clock_command(advance="1m")
        messages = (await other.client.get("/_emulator/inbox/a")).json()["data"]
        assert [message["body"]["status"] for message in messages] == ["succeeded"]
