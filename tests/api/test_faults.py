"""Faults as a client meets them."""

import json
from typing import Any

import httpx2
import pytest

from tests.support.images import decoded
from tests.support.world import CREATION, World, open_world

HOOK = "http://127.0.0.1:9/hook"
GENERATIONS = "/v1/images/generations"


async def add(world: World, fault: str, **more: Any) -> dict[str, Any]:
    response = await world.client.post("/_emulator/faults", json={"fault": fault, **more})
    assert response.status_code == 201, response.text
    added: dict[str, Any] = response.json()["data"][0]
    return added


async def faults(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.client.get("/_emulator/faults")).json()["data"]
    return found


async def creation(world: World, **fields: Any) -> httpx2.Response:
    return await world.client.post(GENERATIONS, json={**CREATION, **fields})


async def statuses(world: World, count: int) -> list[int]:
    return [(await creation(world)).status_code for _ in range(count)]


# Adding, listing, removing


async def test_a_fault_is_listed_with_its_hits_and_removed(world: World) -> None:
    fault = await add(world, "http_error", status=503, times=2)
    assert fault == {
        "number": 1, "fault": "http_error", "status": 503, "times": 2, "seen": 0, "hits": 0,
        "active": True,
    }  # fmt: skip
    assert await statuses(world, 3) == [503, 503, 202]
    assert await faults(world) == [{**fault, "seen": 2, "hits": 2, "active": False}]
    answer = await world.client.delete("/_emulator/faults/1")
    assert (answer.json(), await faults(world)) == ({"removed": 1}, [])


async def test_a_sequence_is_asked_in_order(world: World) -> None:
    sequence = [
        {"fault": "http_error", "status": 503, "times": 2},
        {"fault": "http_error", "status": 429, "times": 1},
    ]
    answer = await world.client.post("/_emulator/faults", json={"faults": sequence})
    assert [fault["number"] for fault in answer.json()["data"]] == [1, 2]
    assert await statuses(world, 4) == [503, 503, 429, 202]
    assert (await world.client.delete("/_emulator/faults")).json() == {"removed": 2}


async def test_a_refused_request_uses_up_no_fault_of_the_transport(world: World) -> None:
    await add(world, "http_error", status=429, times=2)
    await add(world, "reset_after_work", operation="createImageTask", times=1)
    assert await statuses(world, 2) == [429, 429]
    with pytest.raises(ConnectionResetError):
        await creation(world)
    assert await statuses(world, 1) == [202]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"fault": "nonsense"}, "task_fails"),
        ({"fault": "http_error", "status": 200}, "503"),
        ({"preset": "nice"}, "strict"),
        ({"faults": []}, "1 to 1,000"),
        ({"faults": [1]}, "faults[0]"),
        ({"faults": [{"fault": "task_fails"}, {"fault": "x"}]}, "task_fails"),
        ({"fault": "task_fails", "prompt_regex": "("}, "regular expression"),
        ({"fault": "task_fails", "prompt_regex": "(?=a)"}, "look-around"),
        ({"fault": "callback_wrong_signature"}, "--callback-secret"),
        ({"fault": "task_fails", "task_id": "task_1"}, "prompt_regex"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    world: World, body: dict[str, Any], named: str
) -> None:
    answer = await world.client.post("/_emulator/faults", json=body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]
    assert await faults(world) == []


async def test_removing_what_is_not_there_is_refused(world: World) -> None:
    assert (await world.client.delete("/_emulator/faults/7")).status_code == 404
    assert (await world.client.delete("/_emulator/faults/x")).status_code == 400


async def test_an_account_has_a_bounded_number_of_faults(world: World) -> None:
    many = {"faults": [{"fault": "task_fails"}] * 1000}
    assert (await world.client.post("/_emulator/faults", json=many)).status_code == 201
    answer = await world.client.post("/_emulator/faults", json={"fault": "task_fails"})
    assert answer.status_code == 400
    assert "1,000" in answer.json()["error"]["message"]


async def test_the_catalogue_names_all_and_says_what_they_take(world: World) -> None:
    answer = (await world.client.get("/_emulator/fault-catalogue")).json()
    by_name = {entry["fault"]: entry for entry in answer["data"]}
    assert by_name["task_fails"]["parameters"]["code"]["default"] == "image_safety"
    assert all(entry["help"] for entry in answer["data"])
    assert {entry["group"] for entry in answer["data"]} == {
        "before the task", "transport", "lifecycle", "media", "callbacks",
    }  # fmt: skip


# Whom it meets


async def test_another_account_is_not_met(world: World) -> None:
    await add(world, "http_error")
    other = {"Authorization": "Bearer sk-other"}
    answer = await world.client.post(GENERATIONS, json=CREATION, headers=other)
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("criteria", "met"),
    [
        ({"prompt": "fox"}, [False, True, True]),
        ({"prompt_regex": "^A.*fox"}, [False, True, False]),
        ({"operation": "createImageTask"}, [True, True, True]),
        ({"operation": "getTask"}, [False, False, False]),
        ({"every": 2}, [False, True, False]),
        ({"skip": 1, "times": 1}, [False, True, False]),
        ({"probability": 0}, [False, False, False]),
    ],
)
async def test_criteria(world: World, criteria: dict[str, Any], met: list[bool]) -> None:
    await add(world, "http_error", status=503, **criteria)
    prompts = ["A lighthouse", "A red fox", "a fox"]
    found = [(await creation(world, prompt=prompt)).status_code == 503 for prompt in prompts]
    assert found == met


async def test_a_task_can_be_chosen(world: World) -> None:
    first, second = [(await world.create())["task_id"] for _ in range(2)]
    await add(world, "http_error", status=503, operation="getTask", task_id=second)
    assert (await world.client.get(f"/v1/tasks/{first}")).status_code == 200
    assert (await world.client.get(f"/v1/tasks/{second}")).status_code == 503


async def test_a_pattern_cannot_take_the_server_down(world: World) -> None:
    await add(world, "http_error", prompt_regex="(a+)+$")
    assert (await creation(world, prompt="a" * 31_000 + "b")).status_code == 202


async def test_the_same_seed_gives_the_same_chance() -> None:
    found = []
    for _ in range(2):
        async with open_world() as world:
            await add(world, "http_error", status=503, probability=0.5)
            found.append(await statuses(world, 12))
    assert found[0] == found[1]
    assert set(found[0]) == {202, 503}


async def test_a_used_up_fault_is_not_used_twice_by_parallel_requests(world: World) -> None:
    import asyncio

    await add(world, "http_error", status=503, times=3)
    answers = await asyncio.gather(*(creation(world) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [202] * 17 + [503] * 3


# Before the task


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "content_policy", "invalid_request_error"),
        (401, "invalid_api_key", "authentication_error"),
        (402, "insufficient_credits", "insufficient_quota"),
        (403, "model_not_allowed", "permission_error"),
        (404, "model_not_found", "not_found_error"),
        (429, "rate_limit_exceeded", "rate_limit_error"),
        (500, "internal_error", "api_error"),
        (502, "not_found", "api_error"),
        (503, "service_unavailable", "api_error"),
        (504, "timeout", "api_error"),
    ],
)
async def test_each_documented_error(world: World, status: int, code: str, kind: str) -> None:
    await add(world, "http_error", status=status, times=1, operation="createImageTask")
    client = world.raw if status == 500 else world.client
    answer = await client.post(GENERATIONS, json=CREATION)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["code"], error["type"]) == (code, kind)
    assert answer.headers.get("retry-after") == ("1" if status == 429 else None)
    assert (await world.sums())["available"] == 100_000
    assert (await creation(world)).status_code == 202


async def test_retry_after_is_as_asked(world: World) -> None:
    for status in (429, 503):
        await add(world, "http_error", status=status, retry_after_seconds=7, times=1)
        assert (await creation(world)).headers["retry-after"] == "7"


@pytest.mark.parametrize("path", ["/v1/credits/balance", "/v1/models", "/v1/tasks/task_x"])
async def test_reads_are_met_too(world: World, path: str) -> None:
    await add(world, "http_error", status=429)
    assert (await world.client.get(path)).status_code == 429


async def test_an_unknown_task_by_fault_is_a_poll_s_404(world: World) -> None:
    task_id = (await world.create())["task_id"]
    await add(world, "http_error", status=404, times=1, operation="getTask")
    answer = await world.client.get(f"/v1/tasks/{task_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "task_not_found")


async def test_a_wrong_request_meets_no_fault(world: World) -> None:
    await add(world, "http_error", status=503, times=1)
    assert (await creation(world, n=99)).status_code == 400
    assert (await faults(world))[0]["seen"] == 0


# The transport


async def test_a_reset_before_the_work_makes_no_task(world: World) -> None:
    await add(world, "reset_before_work", times=1)
    with pytest.raises(ConnectionResetError):
        await creation(world)
    assert (await world.sums())["reserved"] == 0


async def test_a_reset_after_the_work_leaves_a_task_behind(world: World) -> None:
    await add(world, "reset_after_work", times=1)
    with pytest.raises(ConnectionResetError):
        await creation(world)
    assert (await world.sums())["reserved"] == 30
    task_id = (await world.ledger())[-1]["task_id"]
    assert (await world.task(task_id))["status"] == "pending"


async def test_a_body_that_is_no_json(world: World) -> None:
    await add(world, "invalid_json", times=1)
    answer = await world.raw.post(GENERATIONS, json=CREATION)
    assert answer.status_code == 202
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_proxy_s_page(world: World, status: int) -> None:
    await add(world, "proxy_error_page", status=status, times=1)
    answer = await world.raw.post(GENERATIONS, json=CREATION)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html"
    assert f"<h1>{status}" in answer.text
    assert (await world.sums())["reserved"] == 0


async def test_a_slow_answer_waits_before_its_head(world: World) -> None:
    await add(world, "slow_first_byte", seconds=12.5, times=1)
    assert (await creation(world)).status_code == 202
    assert world.pauses == [12.5]


async def test_a_slow_drip_comes_whole_in_the_end(world: World) -> None:
    await add(world, "slow_drip", seconds=10, times=1)
    answer = await creation(world)
    assert answer.json()["status"] == "pending"
    assert sum(world.pauses) == pytest.approx(10, rel=0.1)
    assert len(world.pauses) > 10


# The task's life


async def test_a_task_fails_and_is_refunded(world: World) -> None:
    await add(world, "task_fails", code="rate_limit", prompt="fox")
    task = await world.finished(prompt="A fox")
    assert (task["status"], task["error"]["code"]) == ("failed", "rate_limit")
    assert await world.balance() == 100_000


async def test_a_task_is_slow(world: World) -> None:
    await add(world, "task_slow", seconds=60)
    task_id = (await world.create())["task_id"]
    world.clock.pass_seconds(69)
    assert (await world.task(task_id))["status"] == "processing"
    world.clock.pass_seconds(1)
    assert (await world.task(task_id))["status"] == "succeeded"


async def test_jitter_keeps_its_bounds_and_varies(world: World) -> None:
    await add(world, "task_jitter")
    ids = [(await world.create())["task_id"] for _ in range(12)]
    world.clock.pass_seconds(600)
    seconds = [await _duration_seconds(world, task_id) for task_id in ids]
    assert all(2.5 <= second <= 40 for second in seconds)
    assert len(set(seconds)) == 12


async def _duration_seconds(world: World, task_id: str) -> float:
    from datetime import datetime

    task = await world.task(task_id)
    start, end = (datetime.fromisoformat(task[name]) for name in ("created_at", "completed_at"))
    return (end - start).total_seconds()


async def test_a_success_without_media_costs_nothing(world: World) -> None:
    await add(world, "no_usable_media")
    task_id = (await world.create(n=3))["task_id"]
    world.clock.pass_seconds(10)
    task = (await world.raw.get(f"/v1/tasks/{task_id}")).json()
    assert (task["status"], task["result"]["data"]) == ("succeeded", [])
    assert task["credits"] == {"reserved": 90, "charged": 0, "refunded": 90}


async def test_a_refused_creation_does_not_use_a_fault_up(world: World) -> None:
    async with open_world(initial_credits=10) as poor:
        await add(poor, "task_fails", times=1)
        assert (await creation(poor)).status_code == 402
        assert (await faults(poor))[0]["hits"] == 0


# Media


async def picture(world: World) -> httpx2.Response:
    task = await world.finished()
    return await world.raw.get(task["result"]["data"][0]["url"])


async def test_a_link_dies_early(world: World) -> None:
    await add(world, "link_dead", times=1)
    answer = await picture(world)
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "link_expired")
    assert (await picture(world)).status_code == 200


async def test_a_file_is_slow(world: World) -> None:
    await add(world, "media_slow", seconds=3)
    assert decoded((await picture(world)).content).size == (1024, 1024)
    assert world.pauses == [3]


async def test_a_file_is_cut(world: World) -> None:
    await add(world, "media_truncated")
    with pytest.raises(ConnectionResetError):
        await picture(world)


async def test_a_file_says_it_is_something_else(world: World) -> None:
    await add(world, "media_wrong_type")
    answer = await picture(world)
    assert answer.headers["content-type"] == "text/html"
    assert decoded(answer.content).size == (1024, 1024)


async def test_a_file_is_broken(world: World) -> None:
    await add(world, "media_corrupt")
    answer = await picture(world)
    assert answer.headers["content-type"] == "image/png"
    with pytest.raises((OSError, SyntaxError)):
        decoded(answer.content)


async def test_a_fault_of_content_waits_for_a_request_that_has_content(world: World) -> None:
    await add(world, "media_corrupt", times=1)
    link = (await world.finished())["result"]["data"][0]["url"]
    assert (await world.client.head(link)).status_code == 200
    headers = {"If-None-Match": "*"}
    assert (await world.client.get(link, headers=headers)).status_code == 304
    assert (await faults(world))[0]["hits"] == 0
    with pytest.raises((OSError, SyntaxError)):
        decoded((await world.raw.get(link)).content)


async def test_media_are_chosen_by_task(world: World) -> None:
    first, second = await world.finished(), await world.finished()
    await add(world, "link_dead", task_id=second["task_id"])
    links = [task["result"]["data"][0]["url"] for task in (first, second)]
    assert [(await world.client.get(link)).status_code for link in links] == [200, 410]


# Directives


async def test_directives_do_the_same_without_the_control_api(world: World) -> None:
    prompt = "A fox [[fault: http_error status=503 times=2]] [[fault: task_fails code=not_found]]"
    found = [(await creation(world, prompt=prompt)).status_code for _ in range(2)]
    assert found == [503, 503]
    task = await world.finished(prompt=prompt)
    assert task["error"]["code"] == "not_found"
    assert [(fault["fault"], fault["hits"]) for fault in await faults(world)] == [
        ("http_error", 2),
        ("task_fails", 1),
    ]


async def test_directives_reach_media(world: World) -> None:
    task = await world.finished(prompt="[[fault: link_dead]] x")
    other = await world.finished()
    links = [task["result"]["data"][0]["url"] for task in (task, other)]
    assert [(await world.client.get(link)).status_code for link in links] == [410, 200]


async def test_directives_can_be_turned_off() -> None:
    async with open_world(prompt_directives=False) as world:
        task = await world.finished(prompt="[[fault: task_fails]]")
        assert task["status"] == "succeeded"


# Preset


async def test_strict_is_hostile_but_a_client_that_retries_gets_through(world: World) -> None:
    answer = await world.client.post("/_emulator/faults", json={"preset": "strict"})
    assert answer.status_code == 201
    met = set()
    for _ in range(150):
        answer = await creation(world, callback_url=HOOK)
        met.add(answer.status_code)
    assert met == {202, 429, 503}
    await world.clock_command(advance="3h")
    deliveries = (await world.client.get("/_emulator/deliveries?limit=1000")).json()["data"]
    assert {delivery["state"] for delivery in deliveries} == {"delivered"}
    received = [body["task_id"] for body in world.receiver.bodies]
    assert len(received) > len(set(received))
    assert received != sorted(received)


@pytest.mark.parametrize("criterion", ["prompt", "prompt_regex", "task_id"])
async def test_half_a_character_is_no_criterion(world: World, criterion: str) -> None:
    body = json.dumps({"fault": "link_dead", criterion: "\ud800"})
    headers = {"Content-Type": "application/json"}
    answer = await world.client.post("/_emulator/faults", content=body, headers=headers)
    assert (answer.status_code, await faults(world)) == (400, [])
    assert "half a character" in answer.json()["error"]["message"]


async def test_an_account_has_a_bounded_number_of_patterns(world: World) -> None:
    many = [{"fault": "link_dead", "prompt_regex": f"a{number}"} for number in range(20)]
    assert (await world.client.post("/_emulator/faults", json={"faults": many})).status_code == 201
    await add(world, "task_fails", prompt_regex="a1")
    one = {"fault": "link_dead", "prompt_regex": "b"}
    answer = await world.client.post("/_emulator/faults", json=one)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "prompt_regex")
