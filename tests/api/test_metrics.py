"""GET /metrics: what is counted, for whom, and under which few names."""

import re
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from emulator.api.finished import Batch, Finished
from emulator.api.prometheus import COUNTERS, GAUGES, HISTOGRAMS
from emulator.core.callback import AttemptResult
from emulator.service.tally import Tally
from tests.support import contract
from tests.support.world import KEY, World, open_world

HOOK = "http://127.0.0.1:9/hook"


def values(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """All values of an answer, by name and labels."""
    return {
        (sample.name.removeprefix("gpt_image_emulator_"), frozenset(sample.labels.items())): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def metrics(world: World) -> Any:
    """Ask for the metrics; return a function that finds a value by its name and labels."""
    answer = await world.raw.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = values(answer.text)

    def value(name: str, **labels: str) -> float | None:
        return found.get((name, frozenset(labels.items())))

    return value


async def do_due(world: World) -> None:
    await world.server.runner.do_due()
    await world.server.services.deliveries.settle()


async def test_requests_are_counted_by_operation_method_and_status(world: World) -> None:
    task_id = (await world.create())["task_id"]
    await world.task(task_id)
    await world.raw.head(f"/v1/tasks/{task_id}")
    await world.raw.get("/v1/tasks/nobodys")
    await world.raw.get(f"/_emulator/tasks/{task_id}")
    await world.raw.get("/no/such/place")
    await world.raw.request("BREW", "/v1/models")
    value = await metrics(world)
    for operation, method, status in (
        ("createImageTask", "POST", "202"),
        ("getTask", "GET", "200"),
        ("getTask", "HEAD", "200"),
        ("getTask", "GET", "404"),
        ("/_emulator/tasks/{task_id}", "GET", "200"),
        ("unknown", "GET", "404"),
        ("/v1/models", "_OTHER", "405"),
    ):
        labels = {"operation": operation, "method": method, "status": status}
        assert value("requests_total", **labels) == 1, labels
    assert value("request_duration_seconds_count", operation="getTask") == 3
    assert value("request_duration_seconds_bucket", operation="getTask", le="+Inf") == 3


async def test_no_name_is_made_of_what_a_client_sends(world: World) -> None:
    task_id = (await world.create())["task_id"]
    await world.task(task_id)
    for path in ("/v1/tasks/sk-secret", "/sk-secret", f"/_emulator/tasks/{task_id}/images/77"):
        await world.raw.get(path)
    text = (await world.raw.get("/metrics")).text
    account_id = (await world.raw.get("/_emulator/account")).json()["account_id"]
    for word in ("sk-secret", KEY, task_id, account_id, "77"):
        assert f'"{word}"' not in text
        assert word == "77" or word not in text


async def test_tasks_and_credits_are_counted_once_settled(world: World) -> None:
    await world.finished()
    await world.finished(prompt="[[fault: task_fails]]")
    await world.create()
    value = await metrics(world)
    assert value("tasks_created_total") == 3
    assert value("tasks_settled_total", outcome="succeeded") == 1
    assert value("tasks_settled_total", outcome="failed") == 1
    credits = [value("credits_total", movement=m) for m in ("reserved", "charged", "refunded")]
    assert credits == [90, 30, 30]


async def test_whoever_settles_a_task_it_is_counted_once(world: World) -> None:
    task_id = (await world.create())["task_id"]
    await world.raw.post(f"/_emulator/tasks/{task_id}/finish", json={"status": "succeeded"})
    await world.task(task_id)
    by_clock = (await world.create())["task_id"]
    await world.clock_command(advance="1h")
    await world.task(by_clock)
    await world.create()
    world.clock.pass_seconds(700)
    await do_due(world)
    await do_due(world)
    value = await metrics(world)
    assert value("tasks_settled_total", outcome="succeeded") == 3


async def test_callback_attempts_are_counted_by_what_they_met(world: World) -> None:
    world.receiver.statuses = [500, 204]
    await world.create(callback_url=HOOK)
    for _ in range(2):
        world.clock.pass_seconds(10)
        await do_due(world)
    value = await metrics(world)
    assert value("callback_attempts_total", result="refused") == 1
    assert value("callback_attempts_total", result="delivered") == 1
    assert value("callback_attempts_total", result="no_answer") == 0


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (AttemptResult.not_answered("connection refused"), "no_answer"),
        (AttemptResult(None, 0, error="a private address", refused=True), "forbidden"),
    ],
)
async def test_attempts_without_an_answer(result: AttemptResult, word: str) -> None:
    class Sender:
        async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
            return result

        async def close(self) -> None:
            pass

    async with open_world(Sender()) as world:
        await world.create(callback_url=HOOK)
        world.clock.pass_seconds(10)
        await do_due(world)
        assert (await metrics(world))("callback_attempts_total", result=word) == 1


async def test_drawing_is_counted_and_the_cache_shown(world: World) -> None:
    url = (await world.finished())["result"]["data"][0]["url"]
    for _ in range(2):
        content = (await world.raw.get(url)).content
    value = await metrics(world)
    assert value("pictures_drawn_total") == 1
    assert value("picture_drawing_seconds_total") > 0
    assert value("picture_cache_bytes") == len(content)


async def test_each_metric_and_each_label_is_documented(world: World) -> None:
    page = (contract.ROOT / "docs" / "observability.md").read_text("utf-8")
    for name, _, labels in COUNTERS:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}_total` |"))
        assert all(f"`{label}`" in row for label in labels)
    for name, *_ in (*GAUGES, *HISTOGRAMS):
        assert f"| `{name}` |" in page
    answer = (await world.raw.get("/metrics")).text
    for shown in re.findall(r"^# (?:HELP|TYPE) .*$", page, re.MULTILINE):
        assert shown in answer.splitlines()


async def test_servers_in_one_process_count_apart(world: World) -> None:
    async with open_world() as other:
        await world.create()
        assert (await metrics(world))("tasks_created_total") == 1
        assert (await metrics(other))("tasks_created_total") == 0


@pytest.mark.parametrize(
    ("host", "status"), [("emulator:8080", 200), ("10.0.0.7:8080", 200), ("evil.example", 403)]
)
async def test_anybody_in_the_network_may_ask_but_no_page_of_another_name(
    host: str, status: int
) -> None:
    async with open_world(allowed_hosts=(), host="0.0.0.0") as world:
        answer = await world.raw.get("/metrics", headers={"Host": host, "Authorization": ""})
        assert answer.status_code == status


async def test_late_work_is_noted() -> None:
    tally = Tally()
    tally.did_late(1_000, 1_300)
    assert list(tally.lateness_seconds) == [0.3]


async def test_a_taker_that_fails_takes_nothing_from_the_others(world: World) -> None:
    taken: list[Batch] = []

    def fail(batch: Batch) -> None:
        raise OSError("the pipe is closed")

    Finished(Tally(), (fail, taken.append)).flush()
    assert len(taken) == 1


async def test_the_answer_is_read_by_a_plain_client(world: World) -> None:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(world.server.app)) as client:
        answer = await client.get("http://127.0.0.1/metrics")
    assert "# TYPE gpt_image_emulator_requests_total counter" in answer.text
    assert "requests_created" not in answer.text
