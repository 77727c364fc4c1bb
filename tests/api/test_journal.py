"""The journal as a client asks it."""

import json
from typing import Any

import pytest

from emulator.api.journal import OPERATIONS
from emulator.core.latency import Latency
from tests.support import contract
from tests.support.images import image_bytes
from tests.support.world import CREATION, KEY, World, open_world

CREATE = "/v1/images/generations"
JOURNAL = "/_emulator/journal"


async def journal(world: World, **filters: Any) -> list[dict[str, Any]]:
    """The entries that filters take."""
    response = await world.client.get(JOURNAL, params=filters)
    assert response.status_code == 200, response.text
    entries: list[dict[str, Any]] = response.json()["data"]
    return entries


async def test_an_entry_says_what_was_sent_and_what_was_answered(world: World) -> None:
    headers = {"User-Agent": "suite/1", "Authorization": f"Bearer {KEY}"}
    body = {**CREATION, "n": 0, "style": "vivid"}
    response = await world.client.post(CREATE, json=body, headers=headers)
    (entry,) = await journal(world)
    message = response.json()["error"]["message"]
    assert entry.pop("duration_ms") >= 0
    assert entry == {
        "number": 1,
        "at": "2027-01-15T08:00:00.000Z",
        "operation": "createImageTask",
        "method": "POST",
        "path": CREATE,
        "status": 400,
        "request_id": response.headers["x-request-id"],
        "task_id": None,
        "faults": [],
        "request": {
            "content_type": "application/json",
            "user_agent": "suite/1",
            "body": body,
            "cut": False,
        },
        "answer": {
            "content_type": "application/json",
            "bytes": len(response.content),
            "body": response.json(),
            "cut": False,
        },
        "refusal": {
            "code": "invalid_value", "param": "n", "claim": "GEN-10", "message": message,
        },
        "ignored_fields": ["style"],
        "nearest_valid": {
            "body": {**body, "n": 1},
            "changes": [{"param": "n", "sent": 0, "accepted": 1}],
        },
    }  # fmt: skip


async def test_a_tasks_whole_story_is_asked_by_its_id(world: World) -> None:
    await world.create()
    detail = await world.finished()
    url = detail["result"]["data"][0]["url"]
    picture = await world.client.get(url)
    await world.client.head(url)
    await world.client.get(url.replace("signature=", "signature=0"))
    await world.clock_command(advance="28h")
    assert (await world.client.get(url)).status_code == 410
    entries = await journal(world, task_id=detail["task_id"])
    assert [(entry["operation"], entry["status"]) for entry in entries] == [
        ("createImageTask", 202),
        ("getTask", 200),
        ("getImage", 200),
        ("headImage", 200),
        ("getImage", 410),
    ]
    shown = entries[2]["answer"]
    assert (shown["body"], shown["bytes"]) == (None, len(picture.content))
    assert entries[4]["refusal"]["claim"] == "MEDIA-2"


async def test_what_is_nobodys_is_not_noted(world: World) -> None:
    await world.client.get("/v1/tasks/task_1", headers={"Authorization": "Bearer nonsense"})
    await world.client.get("/v1/models", headers={"Authorization": ""})
    await world.client.get("/_emulator/account")
    await world.client.get("/v1/nowhere", headers={"Authorization": "Bearer sk-never-used"})
    await world.client.get("/_emulator/nowhere")
    await world.client.get("/llms.txt")
    assert await journal(world) == []


async def test_a_wrong_path_of_a_known_key_is_noted(world: World) -> None:
    await world.balance()
    await world.client.post("/v1/v1/images/generations", json=CREATION)
    (entry,) = await journal(world, operation="unknown")
    assert (entry["status"], entry["path"]) == (404, "/v1/v1/images/generations")
    assert entry["refusal"]["code"] == "not_found"


async def test_a_refusal_before_the_handler_has_its_account_too(world: World) -> None:
    made = await world.client.post(
        "/_emulator/keys", json={"name": "slow", "requests_per_minute": 1}
    )
    world.client.headers["Authorization"] = f"Bearer {made.json()['key']}"
    for _ in range(2):
        await world.client.get("/v1/credits/balance")
    (entry,) = await journal(world, status="429")
    assert entry["refusal"]["code"] == "rate_limit_exceeded"


async def test_accounts_do_not_see_each_other(world: World) -> None:
    await world.create()
    other = {"Authorization": "Bearer sk-other"}
    assert (await world.client.get(JOURNAL, headers=other)).json() == {
        "data": [],
        "total": 0,
        "lost": 0,
    }


async def test_the_filters(world: World) -> None:
    await world.create(prompt='A "red" café')
    await world.create(prompt="A blue house", n=2)
    await world.client.post(CREATE, json={**CREATION, "n": 99})
    await world.client.get("/v1/credits/balance")
    await world.client.get("/api/v1/models?q=100%25")
    numbers: dict[tuple[str, ...], list[int]] = {
        (): [1, 2, 3, 4, 5],
        ("operation", "createImageTask"): [1, 2, 3],
        ("operation", "getImage"): [],
        ("method", "GET"): [4, 5],
        ("path", "IMAGES"): [1, 2, 3],
        ("path", "/api/"): [5],
        ("path", "100%"): [5],
        ("path", "_"): [],
        ("status", "202"): [1, 2],
        ("status", "4xx"): [3],
        ("status", "5xx"): [],
        ("body", "café"): [1],
        ("body", '"red" café'): [1],
        ("body", "blue HOUSE"): [2],
        ("body", '"n"'): [2, 3],
        ("after", "3"): [4, 5],
        ("limit", "2"): [1, 2],
        ("task_id", "task_nowhere"): [],
    }
    for key, expected in numbers.items():
        filters = {key[0]: key[1]} if key else {}
        found = await journal(world, **filters)
        assert [entry["number"] for entry in found] == expected, key
        if key and key[0] != "limit":
            counted = await world.client.get(f"{JOURNAL}/count", params=filters)
            assert counted.json() == {"count": len(expected), "lost": 0}


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ({"operation": "createImage"}, "createImageTask"),
        ({"method": "FETCH"}, "HEAD"),
        ({"status": "4x"}, "4xx"),
        ({"limit": "1001"}, "1,000"),
        ({"after": "-1"}, "whole number"),
        ({"stauts": "429"}, "status"),
        ({"body": "x" * 1001}, "1,000"),
    ],
)
async def test_a_filter_that_is_none_is_refused(
    world: World, filters: dict[str, str], named: str
) -> None:
    response = await world.client.get(JOURNAL, params=filters)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] in filters
    assert named in error["message"]


async def test_delete_begins_anew(world: World) -> None:
    await world.create()
    await world.create()
    assert (await world.client.delete(JOURNAL)).json() == {"removed": 2}
    await world.create()
    (entry,) = await journal(world)
    assert entry["number"] == 1
    assert (await world.client.get(f"{JOURNAL}/count")).json() == {"count": 1, "lost": 0}


async def test_without_a_journal_a_count_is_no_answer() -> None:
    async with open_world(journal_entries=0) as world:
        await world.create()
        for method, path in (("GET", JOURNAL), ("GET", f"{JOURNAL}/count"), ("DELETE", JOURNAL)):
            response = await world.client.request(method, path)
            assert response.status_code == 404
            assert "--journal-entries" in response.json()["error"]["message"]


async def test_long_bodies_are_cut() -> None:
    async with open_world(journal_body_bytes=100) as world:
        await world.client.post(CREATE, json={**CREATION, "prompt": "é" * 200, "n": 0, "x": 1})
        (entry,) = await journal(world)
        for part in (entry["request"], entry["answer"]):
            assert part["cut"]
            assert isinstance(part["body"], str)
            assert len(part["body"].encode()) <= 110
        assert entry["answer"]["bytes"] > 100
        assert (entry["ignored_fields"], entry["nearest_valid"]) == ([], None)


async def test_a_form_is_kept_without_its_files(world: World) -> None:
    picture = image_bytes()
    files = {"image": ("cat.png", picture, "image/png"), "picture": ("b.png", b"x", "image/png")}
    data = {"model": "gpt-image-2", "prompt": "A fox 🦊", "style": "vivid", "n": "0"}
    await world.client.post("/v1/images/edits", data=data, files=files)
    (entry,) = await journal(world, body="fox 🦊")
    assert entry["request"]["body"] == {
        "fields": data,
        "files": [
            {"param": "image", "file_name": "cat.png", "bytes": len(picture),
             "content_type": "image/png"},
            {"param": "picture", "file_name": "b.png", "bytes": 1, "content_type": "image/png"},
        ],
    }  # fmt: skip
    assert entry["ignored_fields"] == ["style", "picture"]
    assert entry["refusal"]["param"] == "n"


async def test_a_call_that_waits_has_its_task_and_its_failure() -> None:
    async with open_world(latency=Latency("instant")) as world:
        prompt = "A fox [[fault: task_fails]]"
        failed = await world.client.post(f"{CREATE}/sync", json={**CREATION, "prompt": prompt})
        assert failed.status_code == 400
        (entry,) = await journal(world)
        assert (entry["operation"], entry["status"]) == ("createImageSync", 400)
        assert entry["task_id"] is not None
        assert entry["refusal"]["code"] == "image_safety"
        assert entry["refusal"]["claim"] == "ERR-7"


@pytest.mark.parametrize(
    "sent",
    [
        b"{",
        b"\xff\xfe",
        b'{"a": 1, "a": 2}',
        b'{"n": 1e400}',
        b'{"prompt": "\\ud800"}',
        b"[" * 3000,
        b"7",
    ],
)
async def test_any_body_can_be_shown(world: World, sent: bytes) -> None:
    await world.client.post(CREATE, content=sent, headers={"Content-Type": "application/json"})
    (entry,) = await journal(world)
    assert entry["request"]["body"] is not None
    assert entry["nearest_valid"]["body"]["model"] == "gpt-image-2"


async def test_no_secret_is_kept(world: World) -> None:
    secrets = ("sk-very-secret", "whsec_verysecret", "Bearer very.secret", "signature=verysecret")
    prompt = ", ".join(secrets)
    await world.create(prompt=prompt, callback_url="http://127.0.0.1:9/?signature=verysecret")
    await world.client.post(CREATE, json={**CREATION, "quality": "sk-very-secret"})
    await world.client.get("/v1/tasks/sk-very-secret?signature=verysecret&key=%73k-very-secret")
    text = json.dumps(await journal(world))
    assert "secret" not in text.replace("whsec_", "")


def test_every_operation_can_be_asked_for() -> None:
    described = {
        item[method]["operationId"]
        for path, item in contract.document()["paths"].items()
        for method in item
        if method in ("get", "head", "post") and path.startswith(("/v1", "/media"))
    }
    assert set(OPERATIONS) == described | {"unknown"}


@pytest.mark.parametrize("depth", [100, 245, 250, 255, 500])
async def test_a_deep_body_does_not_hide_the_journal(world: World, depth: int) -> None:
    body = '{"model": "gpt-image-2", "x": ' + "[" * depth + "]" * depth + "}"
    headers = {"Content-Type": "application/json"}
    await world.client.post("/v1/images/generations", content=body, headers=headers)
    assert (await world.client.get("/_emulator/journal")).status_code == 200


async def test_the_newest_come_first_before_a_number(world: World) -> None:
    for n in (1, 0, 2, 0):
        await world.client.post(CREATE, json={**CREATION, "n": n})
    numbers = [entry["number"] for entry in await journal(world, before=10**15)]
    assert numbers == [4, 3, 2, 1]
    assert [e["number"] for e in await journal(world, before=4, limit=2)] == [3, 2]
    assert [e["number"] for e in await journal(world, before=4, status="4xx")] == [2]
    count = await world.client.get(JOURNAL + "/count", params={"before": 3})
    assert count.json()["count"] == 2
    both = await world.client.get(JOURNAL, params={"after": 1, "before": 3})
    assert both.json()["error"]["param"] == "before"
