"""The account's clock: 24 hours in milliseconds."""

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.support.world import START, World, open_world

HOOK = "http://127.0.0.1:9/hook"


def events(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(event["event"], event["at"]) for event in answer["events"]]


async def test_it_runs_with_real_time_at_first(world: World) -> None:
    answer = (await world.client.get("/_emulator/clock")).json()
    assert answer == {"now": "2027-01-15T08:00:00.000Z", "frozen": False, "offset_seconds": 0.0}


async def test_freeze_and_resume(world: World) -> None:
    await world.clock_command(freeze=True)
    task_id = (await world.create())["task_id"]
    world.clock.pass_seconds(3600)
    assert (await world.task(task_id))["status"] == "pending"
    answer = await world.clock_command(resume=True)
    assert answer["now"] == "2027-01-15T08:00:00.000Z"
    world.clock.pass_seconds(10)
    assert (await world.task(task_id))["status"] == "succeeded"


@pytest.mark.parametrize("frozen", [False, True])
async def test_advance_does_everything_in_between_and_says_so(frozen: bool) -> None:
    async with open_world(callback_retry_jitter=0.0) as world:
        world.receiver.statuses = [500]
        if frozen:
            await world.clock_command(freeze=True)
        await world.create(callback_url=HOOK)
        answer = await world.clock_command(advance="25h")
        assert answer["now"] == "2027-01-16T09:00:00.000Z"
        assert answer["complete"] is True
        assert events(answer) == [
            ("task_processing", "2027-01-15T08:00:02.000Z"),
            ("task_succeeded", "2027-01-15T08:00:10.000Z"),
            ("callback_attempt", "2027-01-15T08:00:10.000Z"),
            ("callback_attempt", "2027-01-15T08:00:15.000Z"),
            ("callback_attempt", "2027-01-15T08:00:45.000Z"),
            ("callback_attempt", "2027-01-15T08:02:45.000Z"),
            ("callback_attempt", "2027-01-15T08:12:45.000Z"),
            ("callback_attempt", "2027-01-15T09:12:45.000Z"),
            ("media_expired", "2027-01-16T08:00:10.000Z"),
        ]
        assert answer["events"][-2]["state"] == "exhausted"
        assert len(world.receiver.received) == 6


@pytest.mark.parametrize(
    ("command", "now"),
    [
        ({"advance": 90}, "08:01:30.000Z"),
        ({"advance": 0.5}, "08:00:00.500Z"),
        ({"advance": "1500ms"}, "08:00:01.500Z"),
        ({"advance": "PT1H30M"}, "09:30:00.000Z"),
        ({"advance": 0}, "08:00:00.000Z"),
        ({"set": "2027-01-15T10:00:00+01:00"}, "09:00:00.000Z"),
        ({"set": "2027-01-15T08:00:00Z"}, "08:00:00.000Z"),
    ],
)
async def test_ways_to_move_forward(world: World, command: dict[str, Any], now: str) -> None:
    answer = await world.clock_command(**command)
    assert answer["now"] == f"2027-01-15T{now}"


@pytest.mark.parametrize(
    ("command", "param"),
    [
        ({}, "body"),
        ({"stop": True}, "body"),
        ({"freeze": True, "resume": True}, "body"),
        ({"freeze": False}, "freeze"),
        ({"resume": "yes"}, "resume"),
        ({"advance": "-1h"}, "advance"),
        ({"advance": -1}, "advance"),
        ({"advance": "soon"}, "advance"),
        ({"advance": True}, "advance"),
        ({"advance": "P"}, "advance"),
        ({"advance": "9999999d"}, "advance"),
        ({"set": "2027-01-15T07:59:59Z"}, "set"),
        ({"set": "2027-01-15T10:00:00"}, "set"),
        ({"set": "tomorrow"}, "set"),
        ({"set": 5}, "set"),
    ],
)
async def test_bad_commands_change_nothing(
    world: World, command: dict[str, Any], param: str
) -> None:
    response = await world.client.post("/_emulator/clock", json=command)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert (await world.client.get("/_emulator/clock")).json()["offset_seconds"] == 0


async def test_dates_and_times_follow_the_account(world: World) -> None:
    await world.clock_command(advance="2d")
    response = await world.client.get("/v1/credits/balance")
    date = parsedate_to_datetime(response.headers["date"]).timestamp()
    assert date == START / 1000 + 2 * 86400
    task_id = (await world.create())["task_id"]
    assert (await world.task(task_id))["created_at"] == "2027-01-17T08:00:00.000Z"
    other = {"Authorization": "Bearer sk-other"}
    response = await world.client.get("/v1/credits/balance", headers=other)
    assert parsedate_to_datetime(response.headers["date"]).timestamp() == START / 1000


async def test_what_is_due_at_once_is_done_by_an_advance_of_a_frozen_clock() -> None:
    async with open_world(stuck_after_seconds=0.0) as world:
        await world.clock_command(freeze=True)
        for _ in range(30):
            await world.create(prompt="[[fault: task_hangs]]")
        answer = await world.clock_command(advance=1)
        assert answer["complete"] is True
        assert await world.balance() == 100_000
        assert (await world.sums())["reserved"] == 0
