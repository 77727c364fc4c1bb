"""No key reaches another's things: every route with an id, asked with every id of another account.

The tables below name each parameter of a path. A new one has to be added before these tests pass.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from emulator.api.app import CONTROL, PREFIXES, PUBLIC, V1
from emulator.core.latency import Latency
from tests.support.images import image_bytes
from tests.support.world import World, open_world

OWNER, STRANGER = "sk-owner-of-everything", "sk-stranger"
SECRET = "The owner's own secret words"
INBOX = "owners-inbox"
# What stands in a path -> which of the owner's ids are asked for.
PARAMETERS = ("task_id", "index", "upload_id", "delivery_id", "number", "name")
# Who may drive the emulator sees and revokes all keys: these belong to the server.
OF_THE_SERVER = {("GET", "/_emulator/keys"), ("DELETE", "/_emulator/keys/{name:path}")}
# Inboxes are named by their account: the stranger gets one of the same name, and its own.
BY_NAME = "/_emulator/inbox/{name}"
# The link is the permission: without its signature there is none.
SIGNED = {"/media/uploads/{upload_id}", "/media/{task_id}/{index}.png"}
BODIES: dict[str, dict[str, Any]] = {
    "/_emulator/tasks/{task_id}/finish": {"status": "failed", "code": "image_safety"},
    BY_NAME: {"answers": [{"status": 500}]},
}


def routes() -> Iterator[tuple[str, str]]:
    for method, path, _, _ in V1:
        yield from ((method, prefix + path) for prefix in PREFIXES)
    for method, path, _, _ in PUBLIC:
        yield method, path
    for method, path, _ in CONTROL:
        yield method, path


WITH_AN_ID = [(method, path) for method, path in routes() if "{" in path]
LISTS = [
    (method, path) for method, path in routes() if method == "GET" and "{" not in path
    and path not in ("/_emulator/events",) and (method, path) not in OF_THE_SERVER
]  # fmt: skip


@dataclass
class Owned:
    """A server on which one account has everything, and what that is."""

    world: World
    ids: dict[str, list[str]]

    async def state(self) -> str:
        """All that the owner has, as text."""
        self.act_as(OWNER)
        found = {}
        for path in ("snapshot", "tasks", "deliveries", "faults", "inbox", "ledger"):
            found[path] = (await self.world.raw.get(f"/_emulator/{path}")).json()
        found["snapshot"].pop("exported_at")
        return json.dumps(found, sort_keys=True)

    def act_as(self, key: str) -> None:
        self.world.raw.headers["authorization"] = f"Bearer {key}"


@pytest.fixture
async def owned() -> AsyncIterator[Owned]:
    async with open_world(latency=Latency(None, 10.0), callbacks="local") as world:
        raw = world.raw
        raw.headers["authorization"] = f"Bearer {OWNER}"
        await raw.post("/_emulator/clock", json={"freeze": True})
        files = {"file": (f"{SECRET}.png", image_bytes())}
        upload = (await raw.post("/v1/images/upload", files=files)).json()["url"]
        hook = f"http://127.0.0.1/_emulator/inbox/{INBOX}"
        creation = {"model": "gpt-image-2", "prompt": SECRET, "input_images": [upload]}
        first = await raw.post("/v1/images/generations", json={**creation, "callback_url": hook})
        await raw.post("/_emulator/clock", json={"advance": "1h"})
        second = await raw.post("/v1/images/generations", json=creation)
        await raw.post("/_emulator/faults", json={"fault": "task_hangs", "prompt": SECRET})
        await raw.post(f"/_emulator/inbox/{INBOX}", json={"words": SECRET})
        deliveries = (await raw.get("/_emulator/deliveries")).json()["data"]
        yield Owned(
            world,
            {
                "task_id": [first.json()["task_id"], second.json()["task_id"]],
                "upload_id": re.findall("file_[0-9a-f]+", upload),
                "delivery_id": [delivery["delivery_id"] for delivery in deliveries],
                "index": ["1"], "number": ["1"], "name": [INBOX],
            },
        )  # fmt: skip


def addresses(path: str, ids: dict[str, list[str]]) -> list[str]:
    """A path with each of the ids in it."""
    found = [path]
    for name in re.findall(r"\{(\w+)", path):
        found = [
            re.sub(r"\{" + name + r"[^}]*\}", one, text) for text in found for one in ids[name]
        ]
    return found


def test_every_parameter_of_a_path_is_known() -> None:
    found = {name for _, path in routes() for name in re.findall(r"\{(\w+)", path)}
    assert found == set(PARAMETERS)


@pytest.mark.parametrize(("method", "path"), WITH_AN_ID)
async def test_an_id_of_another_account_is_nobodys(owned: Owned, method: str, path: str) -> None:
    if (method, path) in OF_THE_SERVER:
        return
    before = await owned.state()
    assert SECRET in before
    for key in (STRANGER, ""):
        owned.act_as(key)
        for address in addresses(path, owned.ids):
            body = BODIES.get(path, {}) if method in ("POST", "PUT") else None
            response = await owned.world.raw.request(method, address, json=body)
            assert SECRET not in response.text, address
            assert not response.content.startswith(b"\x89PNG"), address
            if path in SIGNED:
                assert response.status_code == 403
            elif not key:
                assert response.status_code == 401
            elif path != BY_NAME:
                assert response.status_code == 404, (method, address)
    assert await owned.state() == before


@pytest.mark.parametrize(("method", "path"), LISTS)
async def test_no_list_shows_another_account(owned: Owned, method: str, path: str) -> None:
    owned.act_as(STRANGER)
    (task_id, _) = owned.ids["task_id"]
    for query in ("", f"?task_id={task_id}"):
        text = (await owned.world.raw.request(method, path + query)).text
        for secret in (SECRET, OWNER, INBOX, *(i for ids in owned.ids.values() for i in ids[:1])):
            assert len(secret) < 2 or secret not in text.replace(query, ""), path


async def test_what_clears_an_account_clears_no_other(owned: Owned) -> None:
    before = await owned.state()
    snapshot = json.loads(before)["snapshot"]
    for method, path, body in (
        ("DELETE", "/_emulator/faults", None),
        ("DELETE", "/_emulator/journal", None),
        ("POST", "/_emulator/clock", {"advance": "30h"}),
        ("POST", "/_emulator/clock", {"until": {"task_id": owned.ids["task_id"][1]}}),
        ("POST", "/_emulator/account/credits", {"set": 1}),
        ("POST", "/_emulator/snapshot", snapshot),
        ("POST", "/_emulator/account/reset", {}),
        ("DELETE", "/_emulator/account", None),
    ):
        owned.act_as(STRANGER)
        await owned.world.raw.request(method, path, json=body)
        assert await owned.state() == before, (method, path)


async def test_keys_are_listed_without_the_keys(owned: Owned) -> None:
    owned.act_as(STRANGER)
    text = (await owned.world.raw.get("/_emulator/keys")).text
    assert OWNER not in text
    assert SECRET not in text
