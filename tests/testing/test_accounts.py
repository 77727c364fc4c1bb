"""An account: its key, credits, clock, tasks."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from emulator.testing import AsyncEmulator, Emulator, EmulatorError
from tests.support.client import create_task, create_task_async, post_image


def test_a_fresh_key_each_time(image_emulator: Emulator) -> None:
    one, other = image_emulator.new_account(), image_emulator.new_account()
    assert one.api_key.startswith("sk-test-")
    assert one.api_key != other.api_key
    assert one.base_url == image_emulator.base_url
    create_task(one)
    assert other.credits.reserved == 0


def test_the_same_key_gives_the_same_ids() -> None:
    ids = []
    for _ in range(2):
        with Emulator.start() as emulator:
            ids.append(create_task(emulator.new_account("sk-same")))
    assert ids[0] == ids[1]


def test_limits_of_a_key(image_emulator: Emulator) -> None:
    account = image_emulator.new_account(credits=50, budget_credits=30, requests_per_minute=100)
    assert account.credits.granted == 50
    create_task(account)
    refused = post_image(account)
    assert refused.status_code == 402
    account = image_emulator.new_account(models=["another"])
    assert post_image(account).status_code == 403


def test_a_key_and_limits_exclude_each_other(image_emulator: Emulator) -> None:
    with pytest.raises(TypeError, match="give key, or limits"):
        image_emulator.new_account("sk-mine", budget_credits=30)


def test_a_clock_that_is_neither(image_emulator: Emulator) -> None:
    with pytest.raises(ValueError, match='"running" or "frozen"; \'stopped\''):
        image_emulator.new_account(clock="stopped")  # type: ignore[arg-type]


def test_the_clock(image_emulator: Emulator) -> None:
    account = image_emulator.new_account(clock="frozen")
    start = account.clock.now
    assert account.clock.advance(days=1, hours=1, minutes=1, seconds=1).now == start + timedelta(
        seconds=90061
    )
    account.clock.advance("25h")
    account.clock.advance(timedelta(minutes=1))
    account.clock.advance(0.5)
    assert account.clock.now == start + timedelta(seconds=90061 + 90000 + 60.5)
    later = datetime(9000, 1, 1, tzinfo=UTC)
    assert account.clock.set(later).now == later
    assert account.clock.freeze() == later
    assert account.clock.resume() >= later
    with pytest.raises(ValueError, match="has no time zone"):
        account.clock.set(datetime(9000, 1, 2))  # noqa: DTZ001 - that is the mistake
    with pytest.raises(TypeError, match="advance takes a text or days"):
        account.clock.advance("1h", seconds=1)


def test_moving_the_clock_says_what_happened(image_emulator: Emulator) -> None:
    account = image_emulator.new_account(clock="frozen")
    task_id = create_task(account)
    assert account.task(task_id)["status"] == "pending"
    moved = account.clock.advance(hours=1)
    assert moved.complete
    assert [(e["event"], e["task_id"]) for e in moved.events] == [
        ("task_processing", task_id),
        ("task_succeeded", task_id),
    ]


def test_an_error_has_the_emulators_own_message(image_emulator: Emulator) -> None:
    account = image_emulator.new_account()
    with pytest.raises(EmulatorError, match="There is no task") as caught:
        account.task("task_of_nobody")
    assert (caught.value.status, caught.value.code) == (404, "task_not_found")
    with pytest.raises(EmulatorError, match="a duration of zero or more"):
        account.clock.advance("soon")


def test_threads_share_an_account(image_emulator: Emulator) -> None:
    account = image_emulator.new_account()
    threads = [threading.Thread(target=lambda: account.clock.advance(seconds=1)) for _ in range(8)]
    before = account.clock.now
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.clock.now >= before + timedelta(seconds=8)


async def test_the_asynchronous_face() -> None:
    async with AsyncEmulator.in_process() as emulator:
        account = await emulator.new_account(clock="frozen")
        task_id = await create_task_async(account, emulator.app)
        start = await account.clock.now()
        moved = await account.clock.advance(hours=1)
        assert moved.now == start + timedelta(hours=1)
        assert (await account.task(task_id))["status"] == "succeeded"
        assert (await account.credits()).charged > 0
        await account.clock.resume()
