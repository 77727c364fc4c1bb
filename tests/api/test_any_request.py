"""Every route under any request: no error of ours, no hang, and the server serves on."""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.api.app import CONTROL, PREFIXES, PUBLIC, V1
from emulator.core.callback import AttemptResult
from emulator.core.latency import Latency
from tests.support.images import image_bytes
from tests.support.strangers import (
    EXAMPLES,
    GOOD_HOST,
    METHODS,
    Sent,
    answer,
    form_bodies,
    json_bodies,
    odd_headers,
    odd_texts,
    queries,
)
from tests.support.world import CREATION, KEY, World, open_world

CONTROL_KEY = "sk-control"  # its account gets faults; the other one's answers stay its own
PNG = image_bytes()
FULL_CREATION = {
    **CREATION, "size": "16:9", "resolution": "1K", "quality": "low", "n": 2, "imageSize": "2K",
    "callback_url": "http://127.0.0.1:9/hook", "input_images": ["http://example.com/a.png"],
}  # fmt: skip
QUERY_NAMES = (
    "limit", "after", "before", "task_id", "status", "method", "path", "body", "operation",
    "expires", "signature", "search", "x",
)  # fmt: skip
BODIES: dict[str, list[Any]] = {
    "/images/generations": [CREATION, FULL_CREATION],
    "/images/generations/sync": [CREATION, FULL_CREATION],
    "/_emulator/clock": [
        {"advance": "25h"}, {"freeze": True}, {"freeze": False},
        {"set": "2027-02-01T00:00:00Z"}, {"until": {"task_id": "task_0", "status": "succeeded"}},
    ],
    "/_emulator/account/reset": [{}, {"seed": 42}],
    "/_emulator/account/credits": [{"grant": 100}, {"purchase": 100}, {"set": 500}],
    "/_emulator/tasks/{task_id}/finish": [
        {"status": "succeeded"}, {"status": "failed", "code": "image_safety"},
    ],
    "/_emulator/faults": [
        {"fault": "http_error", "status": 503, "times": 2, "operation": "getTask"},
        {"fault": "task_fails", "code": "image_safety", "prompt_regex": "(a|b)+", "skip": 1},
        {"faults": [{"fault": "task_hangs"}, {"fault": "partial", "images": 1}]},
        {"preset": "bad-day"},
    ],
    "/_emulator/deliveries/{delivery_id}/redeliver": [{}],
    "/_emulator/receiver-score": [{"url": "http://127.0.0.1:9/hook"}],
    "/_emulator/inbox/{name}": [
        {"answers": [{"status": 500, "delay_seconds": 1, "body": "x"}, {"status": 200}]},
    ],
    "/_emulator/keys": [
        {"name": "a", "credits": 5, "budget_credits": 5, "requests_per_minute": 60,
         "models": ["gpt-image-2"]},
    ],
}  # fmt: skip
ROUTES = [
    *((method, prefix + path) for method, path, _, _ in V1 for prefix in PREFIXES),
    *((method, path) for method, path, _, _ in PUBLIC),
    *((method, path) for method, path, _ in CONTROL),
]


class Anybody:
    """Takes every callback."""

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
        return AttemptResult(200, 1, "")

    async def close(self) -> None:
        pass


@dataclass
class Stage:
    """A server with something behind each id, and the loop that it runs in."""

    runner: asyncio.Runner
    world: World
    values: dict[str, list[str]]
    snapshot: dict[str, Any]
    link: str

    def answer(self, sent: Sent) -> Any:
        return self.runner.run(answer(self.world.server.app, sent))


async def _fill(world: World) -> tuple[dict[str, list[str]], dict[str, Any], str]:
    """Give the control account, and the other one, a task with everything."""
    found: dict[str, list[str]] = {"task_id": [], "upload_id": [], "delivery_id": []}
    for key in (CONTROL_KEY, KEY):
        world.client.headers["authorization"] = f"Bearer {key}"
        upload = await world.client.post("/v1/images/upload", files={"file": ("a.png", PNG)})
        found["upload_id"] += re.findall("file_[0-9a-f]+", upload.json()["url"])
        task = await world.create(
            input_images=[upload.json()["url"]], callback_url="http://127.0.0.1:9/_emulator/inbox/i"
        )
        await world.clock_command(advance="1h")
        found["task_id"].append(task["task_id"])
        detail = await world.task(task["task_id"])
        deliveries = (await world.client.get("/_emulator/deliveries")).json()["data"]
        found["delivery_id"] += [delivery["delivery_id"] for delivery in deliveries]
    snapshot = (await world.client.get("/_emulator/snapshot")).json()
    found |= {"index": ["1", "2"], "number": ["1"], "name": ["i", "key"]}
    return found, snapshot, detail["result"]["data"][0]["url"].removeprefix("http://emulator.test")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opened = open_world(Anybody(), latency=Latency("instant"), max_image_mb=1, max_body_mib=2)
        world = runner.run(stack.enter_async_context(opened))
        yield Stage(runner, world, *runner.run(_fill(world)))
        runner.run(stack.aclose())


def _path(draw: st.DrawFn, stage: Stage, template: str) -> str:
    def value(match: re.Match[str]) -> str:
        known = stage.values[match[1].partition(":")[0]]
        return draw(st.sampled_from(known) | odd_texts if draw(st.booleans()) else odd_texts)

    path = re.sub(r"\{([a-z_:]+)\}", value, template)
    return path + draw(st.sampled_from([""] * 12 + ["/", "//", "/..", ";x", "\0", "é", ".png"]))


def _body(draw: st.DrawFn, stage: Stage, path: str) -> tuple[str, bytes]:
    """A Content-Type and a body for a route, mostly its own."""
    path = path.removeprefix("/api").removeprefix("/v1")
    if path == "/images/upload":
        return draw(form_bodies({}, {"file": PNG}))
    if path == "/images/edits":
        return draw(form_bodies({**CREATION, "n": "2"}, {"image": PNG, "mask": PNG}))
    bodies = [stage.snapshot] if path == "/_emulator/snapshot" else BODIES.get(path, [{}])
    return "application/json", draw(json_bodies(bodies))


@st.composite
def requests(draw: st.DrawFn, stage: Stage, method: str, template: str) -> Sent:
    """A request near one that the route takes."""
    content_type, body = _body(draw, stage, template)
    key = CONTROL_KEY if template.startswith("/_emulator") else KEY
    usual = (
        GOOD_HOST,
        (b"authorization", b"Bearer " + key.encode()),
        (b"content-type", content_type.encode("latin-1", "replace")),
        (b"content-length", b"%d" % len(body)),
    )
    place = draw(st.integers(0, len(body)))
    return Sent(
        method=method if draw(st.integers(0, 9)) else draw(st.sampled_from(METHODS)),
        path=_path(draw, stage, template),
        query=draw(queries(QUERY_NAMES)),
        headers=draw(odd_headers(*usual)),
        chunks=draw(st.sampled_from([(body,), (body[:place], body[place:])])),
    )


def check(stage: Stage, sent: Sent) -> None:
    """Send a request: its answer is one of ours, whatever it is."""
    answered = stage.answer(sent)
    chosen = sent.path.startswith("/_emulator/inbox/") and sent.method == "POST"  # by its owner
    if chosen and answered.headers.get(b"content-type", b"").startswith(b"text/plain"):
        return
    assert 200 <= answered.status < 500 or not answered.status, answered
    if answered.status >= 400 and sent.method != "HEAD":
        assert answered.headers[b"content-type"] == b"application/json", answered
        assert answered.error["code"] != "internal_error"
    for name, value in answered.headers.items():
        assert b"\r" not in name + value
        assert b"\n" not in name + value


@pytest.mark.parametrize(("method", "template"), ROUTES)
def test_no_request_makes_an_error_of_ours(stage: Stage, method: str, template: str) -> None:
    @settings(
        max_examples=max(1, EXAMPLES // 10),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def send(data: st.DataObject) -> None:
        check(stage, data.draw(requests(stage, method, template)))

    send()
    serves = stage.answer(Sent("GET", "/_emulator/health"))
    assert (serves.status, json.loads(serves.body)["status"]) == (200, "ok")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (Sent("GET", "/nowhere", b"\xff"), 404),
        (Sent("GET", "/v1/nowhere", b"\xff", ((b"host", b"[::1"), (b"x-api-key", b"sk-x"))), 404),
        (
            Sent(
                "POST", "/v1/images/generations",
                headers=((b"x-api-key", b"sk-x"), (b"content-type", b"application/json"),
                         (b"content-length", b"\xb2")),
            ),
            400,
        ),
    ],
)  # fmt: skip
def test_requests_that_once_made_an_error_of_ours(stage: Stage, sent: Sent, status: int) -> None:
    answered = stage.answer(sent)
    assert (answered.status, answered.error["code"] == "internal_error") == (status, False)


@settings(max_examples=EXAMPLES)
@given(st.data())
def test_no_changed_media_link_opens(stage: Stage, data: st.DataObject) -> None:
    path, _, query = stage.link.partition("?")
    whole = f"{path}?{query}"
    place = data.draw(st.integers(len("/media/"), len(whole) - 1))
    length = data.draw(st.integers(0, 3))
    changed = whole[:place] + data.draw(odd_texts) + whole[place + length :]
    path, _, query = changed.partition("?")
    sent = Sent("GET", path, query.encode("utf-8", "replace"), (GOOD_HOST,))
    check(stage, sent)
    answered = stage.answer(sent)
    if changed != whole and answered.status == 200:
        # What the signature does not cover may change: what comes after both of its parameters.
        assert changed.startswith(whole[: whole.index("expires=")]), changed
        for parameter in whole.partition("?")[2].split("&"):
            assert parameter in re.split("[?&]", changed), changed
