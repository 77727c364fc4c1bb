"""Faults, the journal's expectations, forcing, snapshots: through the handle."""

from collections.abc import Iterator

import pytest

from emulator.testing import Account, AsyncEmulator, Emulator, EmulatorError, ExpectationFailed
from tests.support.client import create_task, create_task_async, post_image


@pytest.fixture
def account(image_emulator: Emulator) -> Iterator[Account]:
    account = image_emulator.new_account(clock="frozen")
    yield account
    account.delete()


def test_a_fault_is_added_counted_and_removed(account: Account) -> None:
    fault = account.faults.add("http_error", status=429, operation="createImageTask", times=2)
    assert (fault.name, fault.hits) == ("http_error", 0)
    assert [post_image(account).status_code for _ in range(3)] == [429, 429, 202]
    assert fault.hits == 2
    other = account.faults.add("http_error", status=503)
    assert [one.number for one in account.faults.list()] == [fault.number, other.number]
    other.remove()
    assert post_image(account).status_code == 202
    assert account.faults.clear() == 1
    assert account.faults.list() == []
    with pytest.raises(EmulatorError, match="there is no fault"):
        print(fault.hits)


def test_a_sequence_and_a_preset(account: Account) -> None:
    account.faults.add_all(
        [{"fault": "http_error", "status": 503, "times": 1}, {"fault": "task_hangs", "times": 1}]
    )
    assert post_image(account).status_code == 503
    account.faults.clear()
    assert account.faults.preset("strict")


def test_an_unknown_fault(account: Account) -> None:
    with pytest.raises(EmulatorError, match="http_error") as caught:
        account.faults.add("explosion")
    assert caught.value.status == 400


def test_a_hanging_task_is_waited_for(account: Account) -> None:
    task_id = create_task(account, prompt="[[fault: task_hangs]]")
    assert account.wait_for(task_id)["error"]["code"] == "timeout"


def test_waiting_is_no_poll(account: Account) -> None:
    fault = account.faults.add("http_error", status=503, operation="getTask")
    assert account.wait_for(create_task(account))["status"] == "succeeded"
    assert fault.hits == 0
    account.requests("getTask").expect(count=0)


def test_a_task_is_waited_for_without_waiting(account: Account) -> None:
    task_id = create_task(account)
    assert account.task(task_id)["status"] == "pending"
    assert account.wait_for(task_id)["status"] == "succeeded"
    assert account.wait_for(task_id)["status"] == "succeeded"
    with pytest.raises(EmulatorError):
        account.wait_for("task_of_nobody")


def test_a_task_is_finished_by_hand(account: Account) -> None:
    one, other = create_task(account), create_task(account)
    assert account.finish(one)["status"] == "succeeded"
    assert account.finish(other, "failed", code="image_safety")["error"]["code"] == "image_safety"
    rows = {row["task_id"]: row["error_code"] for row in account.tasks()}
    assert rows == {one: None, other: "image_safety"}
    assert [row["task_id"] for row in account.tasks(status="failed")] == [other]


def test_credits_are_granted_and_set(account: Account) -> None:
    account.set_credits(30)
    assert account.credits.available == 30
    create_task(account)
    assert account.credits.reserved == 30
    assert post_image(account).status_code == 402
    assert account.grant(30).available == 30
    assert post_image(account).status_code == 202


def test_an_account_that_begins_poor(image_emulator: Emulator) -> None:
    account = image_emulator.new_account("sk-poor", credits=10, seed=5, clock="frozen")
    assert account.credits.available == 10
    account.delete()
    assert image_emulator.new_account("sk-poor").credits.available == 100_000


def test_requests_are_found_and_counted(account: Account) -> None:
    task_id = create_task(account, prompt="A lighthouse")
    post_image(account, n=99)
    assert len(account.requests()) == 2
    (made,) = account.requests("createImageTask", status=202, body="A lighthouse").expect(count=1)
    assert (made.task_id, made.status, made.body["prompt"]) == (task_id, 202, "A lighthouse")
    (refused,) = account.requests(status="4xx").expect(at_least=1, at_most=1)
    assert refused.document["refusal"]["param"] == "n"
    assert account.clear_requests() == 2
    account.requests().expect(count=0)


def test_a_failed_count_shows_what_came(account: Account) -> None:
    create_task(account)
    post_image(account, n=99)
    with pytest.raises(ExpectationFailed) as caught:
        account.requests(operation="createImageTask", status=429).expect(count=3)
    text = str(caught.value)
    assert (
        "expected 3 of the requests with operation='createImageTask', status=429, 0 came." in text
    )
    assert "POST /v1/images/generations" in text
    assert "202" in text
    assert "400" in text
    with pytest.raises(ExpectationFailed, match="expected at least 1 of the requests"):
        account.requests(operation="getTask").expect()
    with pytest.raises(ExpectationFailed, match="expected at most 1 of the requests"):
        account.requests().expect(at_most=1)


def test_the_story_of_an_account(account: Account) -> None:
    task_id = create_task(account, callback_url=account.callbacks.url())
    account.callbacks.expect(task_id)
    text = account.journal_text()
    assert "createImageTask" in text
    assert text.count(task_id) == 3  # its request, its row, its delivery
    assert "attempt 1 at" in text


def test_a_snapshot_goes_into_another_account(image_emulator: Emulator, account: Account) -> None:
    task_id = create_task(account)
    detail = account.wait_for(task_id)
    snapshot = account.snapshot()
    with Emulator.start() as elsewhere:
        copy = elsewhere.new_account()
        assert copy.restore(snapshot)["restored"]["tasks"] == 1
        assert copy.task(task_id)["created_at"] == detail["created_at"]
    with pytest.raises(EmulatorError):
        account.restore({"version": 999})


def test_reset(account: Account) -> None:
    create_task(account)
    account.set_credits(1)
    account.reset(seed=7)
    assert account.tasks() == []
    assert account.credits.available == 100_000


async def test_the_asynchronous_face() -> None:
    async with AsyncEmulator.in_process() as emulator:
        account = await emulator.new_account(clock="frozen", seed=3)
        fault = await account.faults.add("task_fails", code="image_safety")
        await account.faults.add_all(["task_hangs"])
        task_id = await create_task_async(account, emulator.app)
        assert (await account.wait_for(task_id))["error"]["code"] == "image_safety"
        assert await fault.hits() == 1
        await fault.remove()
        assert len(await account.faults.list()) == 1
        (await account.requests("createImageTask")).expect(count=1)
        assert task_id in await account.journal_text()
        other = await create_task_async(account, emulator.app)
        assert (await account.finish(other))["status"] == "succeeded"
        snapshot = await account.snapshot()
        await account.reset()
        await account.restore(snapshot)
        assert len(await account.tasks()) == 2
        assert (await account.set_credits(5)).available == 5
        assert (await account.grant(5)).available == 10
        assert await account.faults.preset()
        assert await account.faults.clear()
        assert await account.clear_requests()
        await account.delete()


def test_what_was_lost_is_not_counted() -> None:
    with Emulator.start(journal_entries=5) as emulator:
        account = emulator.new_account()
        for _ in range(7):
            create_task(account)
        account.requests().expect(at_least=5)
        for expected in ({"count": 5}, {"at_most": 5}, {"at_least": 6}):
            with pytest.raises(ExpectationFailed, match="2 earlier requests are not"):
                account.requests().expect(**expected)


def test_a_callback_that_cannot_come_says_why(account: Account) -> None:
    task_id = create_task(account)
    with pytest.raises(ExpectationFailed, match="was created without callback_url"):
        account.callbacks.expect(task_id)
    with pytest.raises(ExpectationFailed, match="has no task task_nobody"):
        account.callbacks.expect("task_nobody")
