"""Answers held against openapi.yaml."""

import json
from copy import deepcopy
from typing import Any

import httpx2
import pytest

from contracts.description import description, description_path
from contracts.exchange import Exchange, ImageFacts, Request, Response
from contracts.schema_validation import Violation, violations
from emulator.core.latency import Latency
from emulator.core.profile import MODEL_PAGE, REFERENCE, Profile
from tests.support.images import image_bytes
from tests.support.world import CREATION, World, open_world

URL = "http://target.example"
JSON = (("Content-Type", "application/json"), ("X-Request-Id", "req_1"))
EXAMPLES = description()["components"]["examples"]
CREATED = {
    "task_id": "task_1",
    "status": "pending",
    "poll_url": "/v1/tasks/task_1",
    "request_id": "req_1",
    "credits": {"reserved": 30},
}
UNAUTHORIZED = {
    "error": {
        "message": "No key.",
        "type": "authentication_error",
        "code": "invalid_api_key",
        "param": None,
    }
}
PATHS = {
    "create": ("POST", "/v1/images/generations", 202),
    "sync": ("POST", "/v1/images/generations/sync", 200),
    "task": ("GET", "/v1/tasks/task_1", 200),
    "balance": ("GET", "/v1/credits/balance", 200),
    "models": ("GET", "/v1/models", 200),
    "unauthorized": ("GET", "/v1/credits/balance", 401),
}
BODIES = {
    "create": CREATED,
    "sync": EXAMPLES["TaskSucceeded"]["value"]["result"],
    "task": EXAMPLES["TaskSucceeded"]["value"],
    "pending": EXAMPLES["TaskPending"]["value"],
    "failed": EXAMPLES["TaskFailed"]["value"],
    "expired": EXAMPLES["TaskExpired"]["value"],
    "balance": {"credits": 70, "currency": "credits"},
    "models": EXAMPLES["Models"]["value"],
    "unauthorized": UNAUTHORIZED,
}


def answered(
    what: str, body: Any, headers: tuple[tuple[str, str], ...] = JSON, status: int = 0
) -> Exchange:
    method, path, usual = PATHS.get(what, PATHS["task"])
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    if what == "unauthorized":
        headers = (*headers, ("WWW-Authenticate", "Bearer"))
    response = Response(status or usual, headers, content)
    return Exchange(1, 0.0, 0.1, Request(method, URL + path), response)


def changed(what: str, *path: str | int, to: Any = ...) -> Any:
    """A valid body with one place changed, or taken away."""
    body = deepcopy(BODIES[what])
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return body


def claims(found: list[Violation]) -> set[str]:
    return {claim for violation in found for claim in violation.claims}


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("strict", [True, False])
def test_what_is_described_is_right(what: str, strict: bool) -> None:
    assert violations(answered(what, BODIES[what]), strict=strict) == []


# What is changed, and the claims that a strict and a lenient reading find broken.
CHANGES: list[tuple[str, tuple[Any, ...], Any, set[str], set[str]]] = [
    ("create", ("task_id",), ..., {"GEN-13"}, {"GEN-13"}),
    ("create", ("credits",), ..., {"CRED-2"}, {"CRED-2"}),
    ("create", ("request_id",), ..., {"REQ-2"}, {"REQ-2"}),
    ("create", ("credits", "reserved"), 30.5, {"CRED-1"}, {"CRED-1"}),
    ("create", ("credits", "reserved"), "30", {"CRED-1"}, {"CRED-1"}),
    ("create", ("status",), "queued", {"GEN-14"}, {"GEN-14"}),
    ("create", ("poll_url",), 7, {"GEN-13"}, {"GEN-13"}),
    ("create", ("poll_url",), "/api/tasks/1", {"GEN-13"}, set()),
    ("create", ("task_id",), "0d9f", {"GEN-13"}, set()),
    ("create", ("estimate",), 1, {"GEN-13", "GEN-14", "REQ-2", "CRED-2"}, set()),
    ("task", ("model",), ..., {"TASK-5"}, {"TASK-5"}),
    ("task", ("created_at",), "2026-01-01 00:00:00", {"TASK-5"}, {"TASK-5"}),
    ("task", ("created_at",), "2026-02-30T00:00:00Z", {"TASK-5"}, {"TASK-5"}),
    ("task", ("created_at",), 1767225600, {"TASK-5"}, {"TASK-5"}),
    ("task", ("status",), "done", {"TASK-2", "TASK-3", "TASK-4", "TASK-8"},
     {"TASK-2", "TASK-3", "TASK-4", "TASK-8"}),
    ("task", ("credits",), ..., {"TASK-7"}, set()),
    ("task", ("credits", "refunded"), ..., {"CRED-6", "TASK-7"}, set()),
    ("task", ("credits", "refunded"), -1, {"CRED-1"}, {"CRED-1"}),
    ("task", ("result", "data", 0, "url"), ..., {"TASK-6"}, {"TASK-6"}),
    ("task", ("result", "data", 0, "url"), "/media/1.png", {"TASK-6", "MEDIA-1", "MEDIA-3"},
     {"TASK-6", "MEDIA-1", "MEDIA-3"}),
    ("task", ("result", "data"), {}, {"TASK-6", "GEN-10", "CRED-6"},
     {"TASK-6", "GEN-10", "CRED-6"}),
    ("task", ("result", "data"), [], {"TASK-6", "GEN-10", "CRED-6"}, set()),
    ("task", ("result", "created"), "now", {"TASK-6"}, {"TASK-6"}),
    ("task", ("result",), None, {"TASK-6"}, set()),
    ("task", ("completed_at",), None, {"TASK-5"}, set()),
    ("pending", ("completed_at",), "2026-01-01T00:00:00Z", {"TASK-5"}, set()),
    ("pending", ("credits", "charged"), 30, {"TASK-7"}, set()),
    ("failed", ("error",), None, {"TASK-9"}, set()),
    ("failed", ("error", "message"), ..., {"TASK-9"}, {"TASK-9"}),
    ("failed", ("error", "code"), ..., {"ERR-7"}, set()),
    ("failed", ("error", "code"), "no_idea", {"ERR-7", "TASK-11"}, set()),
    ("failed", ("error", "type"), "no_idea", {"TASK-9", "ERR-2"}, {"ERR-2"}),
    ("failed", ("error", "type"), "content_policy", {"TASK-9", "ERR-2"}, set()),
    ("failed", ("credits", "charged"), 30, {"CRED-6"}, set()),
    ("expired", ("result",), BODIES["sync"], {"TASK-8"}, set()),
    ("sync", ("created",), ..., {"TASK-6"}, {"TASK-6"}),
    ("balance", ("credits",), "70", {"CRED-1"}, {"CRED-1"}),
    ("balance", ("currency",), "USD", {"CRED-8"}, {"CRED-8"}),
    ("models", ("data", 0, "id"), ..., {"MOD-1"}, {"MOD-1"}),
    ("models", ("data", 0, "group"), ..., {"MOD-1"}, set()),
    ("models", ("data", 0, "type"), "video", {"MOD-1"}, set()),
    ("unauthorized", ("error", "message"), ..., {"ERR-1"}, {"ERR-1"}),
    ("unauthorized", ("error", "param"), ..., {"ERR-1"}, {"ERR-1"}),
    ("unauthorized", ("error", "type"), "auth_error", {"ERR-2"}, set()),
    ("unauthorized", ("error", "type"), "no_idea", {"ERR-2"}, {"ERR-2"}),
    ("unauthorized", ("error", "code"), "no_idea", {"AUTH-1"}, set()),
    ("unauthorized", ("error", "code"), 401, {"AUTH-1"}, {"ERR-1"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "path", "to", "strictly", "leniently"), CHANGES)
def test_a_change_is_blamed_on_its_claims(
    what: str, path: tuple[Any, ...], to: Any, strictly: set[str], leniently: set[str]
) -> None:
    exchange = answered(what, changed(what, *path, to=to))
    found = violations(exchange, strict=True)
    assert claims(found) == strictly
    assert all("\n" not in violation.message for violation in found)
    assert str(path[-1]) in found[0].message
    assert claims(violations(exchange, strict=False)) == leniently


@pytest.mark.parametrize(
    ("exchange", "strictly", "leniently"),
    [
        (answered("create", b"<html>"), {"GEN-13"}, {"GEN-13"}),
        (answered("unauthorized", b"<html>"), {"ERR-1"}, {"ERR-1"}),
        (answered("unauthorized", UNAUTHORIZED, ()), {"AUTH-1"}, {"REQ-1"}),
        (answered("create", CREATED, status=201), {"GEN-13"}, {"GEN-13"}),
        (answered("create", UNAUTHORIZED, status=422), {"ERR-2"}, set()),
        (answered("task", b"", ()), {"TASK-5"}, {"TASK-5"}),
        (answered("task", BODIES["task"], JSON[:1]), {"REQ-1", "REQ-2"}, set()),
        (answered("task", BODIES["task"], (("Content-Type", "text/plain"), JSON[1])), {"TASK-5"},
         set()),
        (answered("task", BODIES["task"], (JSON[0], ("X-Request-Id", "7"))), {"REQ-1", "REQ-2"},
         set()),
        (answered("task", b"bad gateway", (("Content-Type", "text/html"),), 502), {"ERR-2"}, set()),
    ],
)  # fmt: skip
def test_what_is_around_a_body(exchange: Exchange, strictly: set[str], leniently: set[str]) -> None:
    assert claims(violations(exchange, strict=True)) >= strictly
    assert claims(violations(exchange, strict=False)) & strictly == leniently & strictly
    assert bool(violations(exchange, strict=False)) == bool(leniently)


def test_callbacks_are_task_details() -> None:
    def called(body: Any, *, method: str = "POST") -> Exchange:
        request = Request(method, "http://127.0.0.1:9/hook", JSON, json.dumps(body).encode())
        return Exchange(1, 0.0, 0.1, request, Response(200), direction="callback")

    assert violations(called(BODIES["task"]), strict=True) == []
    assert claims(violations(called(BODIES["task"], method="PUT"), strict=False)) == {"CB-1"}
    assert claims(violations(called(changed("task", "model")), strict=False)) == {"TASK-5"}
    assert violations(called("x"), strict=False) != []


def test_what_is_not_described_is_let_through() -> None:
    for method, url in (("GET", "/_emulator/clock"), ("GET", "https://cdn.example/1.png")):
        exchange = Exchange(1, 0.0, 0.1, Request(method, url), Response(200, (), b"x"))
        assert violations(exchange, strict=True) == []
    nothing = Exchange(1, 0.0, 0.1, Request("GET", f"{URL}/v1/models"), None, "refused")
    assert violations(nothing, strict=True) == []
    other = Exchange(1, 0.0, 0.1, Request("GET", f"{URL}/v1/videos"), Response(200, JSON, b"{}"))
    assert claims(violations(other, strict=True)) == {"ERR-2"}
    assert violations(other, strict=False) == []


def test_a_prefix_before_the_version() -> None:
    exchange = Exchange(
        1, 0.0, 0.1, Request("GET", f"{URL}/gateway/v1/credits/balance"), Response(200, JSON, b"{}")
    )
    assert claims(violations(exchange, strict=False)) == {"CRED-8"}


def exchange_of(answer: httpx2.Response) -> Exchange:
    sent = answer.request
    request = Request(sent.method, str(sent.url))
    facts = None
    body = answer.content
    if answer.headers.get("content-type", "").startswith("image/"):
        body, facts = b"", ImageFacts("PNG", 1, 1, "")
    response = Response(answer.status_code, tuple(answer.headers.items()), body, facts)
    return Exchange(1, 0.0, 0.1, request, response)


async def everything(world: World) -> list[httpx2.Response]:
    client = world.client
    png = {"file": ("a.png", image_bytes(), "image/png")}
    task = await world.finished(n=2)
    link = task["result"]["data"][0]["url"]
    failed = await world.finished(prompt="[[fault: task_fails code=image_safety]]")
    answers = [
        await client.get("/v1/models"),
        await client.get("/v1/credits/balance"),
        await client.get(f"/v1/tasks/{task['task_id']}"),
        await client.get(f"/api/v1/tasks/{failed['task_id']}"),
        await client.get("/v1/tasks/task_2"),
        await client.get("/v1/credits/balance", headers={"Authorization": "none"}),
        await client.post("/v1/images/generations", json=CREATION),
        await client.post("/v1/images/generations", json={}),
        await client.post("/v1/images/generations", json={**CREATION, "model": "x"}),
        await client.post("/v1/images/generations/sync", json=CREATION),
        await client.post("/v1/images/upload", files=png),
        await client.post("/v1/images/edits", data=CREATION, files={"image": png["file"]}),
        await client.get(link),
        await client.head(link),
        await client.get(link.replace("expires=", "expires=1")),
        await client.get("/llms.txt"),
        await client.get("/openapi.yaml"),
        await client.get("/openapi.json"),
        await client.get("/v1/nothing"),
        await client.put("/v1/models"),
    ]
    await world.clock_command(advance="25h")
    return [*answers, await client.get(link), await client.get(f"/v1/tasks/{task['task_id']}")]


@pytest.mark.parametrize("profile", [MODEL_PAGE, REFERENCE], ids=lambda profile: profile.name)
async def test_the_emulator_answers_as_described(profile: Profile) -> None:
    async with open_world(profile=profile, latency=Latency("instant")) as world:
        for answer in await everything(world):
            for strict in (True, False):
                assert violations(exchange_of(answer), strict=strict) == [], answer.request.url


def test_the_description_is_found() -> None:
    assert description_path().name == "openapi.yaml"
    assert description()["openapi"].startswith("3.1")
