"""Callbacks as a test sees them: expected, refused, repeated, scored."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from emulator.testing import Account, AsyncEmulator, Emulator, ExpectationFailed
from tests.support.client import create_task, create_task_async

SLOW_SECONDS = 100.0


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.start(latency=SLOW_SECONDS, callback_retry_jitter=0.0) as emulator:
        yield emulator


@pytest.fixture(params=["running", "frozen"])
def account(emulator: Emulator, request: pytest.FixtureRequest) -> Account:
    return emulator.new_account(clock=request.param)


def test_the_clock_moves_no_further_than_to_the_callback(account: Account) -> None:
    start = account.clock.now
    task_id = create_task(account, callback_url=account.callbacks.url())
    callback = account.callbacks.expect(task_id, within="1h")
    assert timedelta(seconds=100) <= account.clock.now - start < timedelta(seconds=130)
    assert callback.body == account.task(task_id)
    assert callback.delivery.attempts[0].status == 200
    (message,) = account.callbacks.received()
    assert message.body == callback.body
    assert message.delivery_id == callback.delivery.delivery_id
    assert message.signature == "none"


def test_a_callback_that_does_not_come_in_time(account: Account) -> None:
    task_id = create_task(account, callback_url=account.callbacks.url())
    start = account.clock.now
    with pytest.raises(ExpectationFailed) as caught:
        account.callbacks.expect(task_id, within=timedelta(seconds=50))
    text = str(caught.value)
    assert f"expected the callback of {task_id} within 50 s; none was taken." in text
    assert "The account's clock shows 2" in text
    assert "There is no delivery" in text
    assert "ends at" in text
    assert account.clock.now - start < timedelta(seconds=30)


def test_retries_are_waited_for(account: Account) -> None:
    account.callbacks.answer_with(500, {"status": 503}, 204)
    task_id = create_task(account, callback_url=account.callbacks.url())
    callback = account.callbacks.expect(task_id, within=SLOW_SECONDS + 60)
    assert [attempt.status for attempt in callback.delivery.attempts] == [500, 503, 204]


def test_attempts_that_failed_are_shown(account: Account) -> None:
    account.callbacks.answer_with(500)
    task_id = create_task(account, callback_url=account.callbacks.url())
    with pytest.raises(ExpectationFailed) as caught:
        account.callbacks.expect(task_id, within="2m")
    text = str(caught.value)
    assert f"{task_id} to {account.callbacks.url()}: pending, next attempt due 2" in text
    assert "attempt 1 at 2" in text
    assert "attempt 2 at 2" in text
    assert ": status 500" in text


def test_within_none_leaves_the_clock(emulator: Emulator) -> None:
    account = emulator.new_account(clock="frozen")
    task_id = create_task(account, callback_url=account.callbacks.url())
    start = account.clock.now
    with pytest.raises(ExpectationFailed, match="by now"):
        account.callbacks.expect(task_id, within=None)
    assert account.clock.now == start
    account.clock.advance(seconds=SLOW_SECONDS)
    assert account.callbacks.expect(task_id, within=None).body["status"] == "succeeded"


def test_a_task_without_a_callback(account: Account) -> None:
    task_id = create_task(account)
    with pytest.raises(ExpectationFailed, match="There is no delivery"):
        account.callbacks.expect(task_id, within="1d")


def test_a_duration_that_is_none(account: Account) -> None:
    with pytest.raises(ValueError, match="within must be a duration of zero or more"):
        account.callbacks.expect("task_1", within="soon")


def test_no_callback_is_expected(account: Account) -> None:
    account.callbacks.expect_none(within="1h")
    task_id = create_task(account, callback_url=account.callbacks.url("other"))
    account.callbacks.expect_none(within="10s")
    with pytest.raises(ExpectationFailed) as caught:
        account.callbacks.expect_none(within="1h")
    assert "expected no callback within 3600 s; attempts made: 1." in str(caught.value)
    assert f"{task_id} to {account.callbacks.url('other')}: delivered" in str(caught.value)
    account.callbacks.expect_none(task_id="task_another")


def test_deliveries_and_redelivery(account: Account) -> None:
    task_id = create_task(account, callback_url=account.callbacks.url("hook"))
    other = create_task(account, callback_url=account.callbacks.url("hook"))
    account.callbacks.expect(task_id, within="1h")
    account.callbacks.expect(other, within="1h")
    (delivery,) = account.callbacks.deliveries(task_id)
    again = account.callbacks.redeliver(delivery.delivery_id)
    assert len(again.attempts) == 2
    received = account.callbacks.received("hook")
    assert sorted(str(message.task_id) for message in received) == sorted([task_id, other, task_id])
    assert account.callbacks.clear("hook") == 3
    assert account.callbacks.received("hook") == []


async def test_the_asynchronous_face_without_a_socket() -> None:
    async with AsyncEmulator.in_process(latency=SLOW_SECONDS) as emulator:
        account = await emulator.new_account()
        url = account.callbacks.url()
        task_id = await create_task_async(account, emulator.app, callback_url=url)
        with pytest.raises(ExpectationFailed, match="within 1 s"):
            await account.callbacks.expect(task_id, within=1)
        callback = await account.callbacks.expect(task_id, within="1h")
        assert [message.body for message in await account.callbacks.received()] == [callback.body]
