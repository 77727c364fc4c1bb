"""The receiver against what callbacks may be."""

import httpx2
import pytest
from picture_shop import PictureClient, Sales

from emulator.testing import Account, Emulator

pytestmark = pytest.mark.image_account(clock="frozen")


def test_a_callback_records_a_sale(
    client: PictureClient, image_account: Account, receiver_url: str, sales: Sales
) -> None:
    task_id = client.create("A lighthouse", callback_url=receiver_url)
    assert sales.task_ids() == []
    callback = image_account.callbacks.expect(task_id, within="5m")
    assert callback.delivery.attempts[0].status == 204
    assert sales.task_ids() == [task_id]


@pytest.mark.image_account(faults=[{"fault": "callback_duplicated", "copies": 3}])
def test_a_callback_that_comes_four_times_is_one_sale(
    client: PictureClient, image_account: Account, receiver_url: str, sales: Sales
) -> None:
    task_id = client.create("A lighthouse", callback_url=receiver_url)
    image_account.clock.run_until_deliveries_exhausted()
    (delivery,) = image_account.callbacks.deliveries(task_id)
    assert [attempt.status for attempt in delivery.attempts] == [204] * 4
    assert sales.task_ids() == [task_id]


def test_one_that_is_sent_again_next_week_is_one_sale(
    client: PictureClient, image_account: Account, receiver_url: str, sales: Sales
) -> None:
    task_id = client.create("A lighthouse", callback_url=receiver_url)
    callback = image_account.callbacks.expect(task_id, within="5m")
    image_account.clock.advance(days=7)
    image_account.callbacks.redeliver(callback.delivery.delivery_id)
    assert sales.task_ids() == [task_id]


def test_while_tasks_cant_be_read_it_asks_for_another_attempt(
    client: PictureClient, image_account: Account, receiver_url: str, sales: Sales
) -> None:
    image_account.faults.add("http_error", status=503, operation="getTask", times=1)
    task_id = client.create("A lighthouse", callback_url=receiver_url)
    callback = image_account.callbacks.expect(task_id, within="5m")
    assert [attempt.status for attempt in callback.delivery.attempts] == [503, 204]
    assert sales.task_ids() == [task_id]


@pytest.mark.image_account(faults=["callback_early"])
def test_one_that_comes_before_the_creations_answer(
    client: PictureClient, receiver_url: str, sales: Sales
) -> None:
    task_id = client.create("A lighthouse", callback_url=receiver_url)
    assert sales.task_ids() == [task_id]


@pytest.mark.image_account(faults=["task_fails"])
def test_a_failed_task_is_no_sale(
    client: PictureClient, image_account: Account, receiver_url: str, sales: Sales
) -> None:
    task_id = client.create("A lighthouse", callback_url=receiver_url)
    callback = image_account.callbacks.expect(task_id, within="5m")
    assert callback.body["status"] == "failed"
    assert sales.task_ids() == []


@pytest.mark.image_account(start="2032-02-29T23:59:55Z")
def test_a_picture_is_sold_on_the_day_on_which_it_ends(
    client: PictureClient, image_account: Account, receiver_url: str, sales: Sales
) -> None:
    task_id = client.create("A lighthouse", callback_url=receiver_url)
    image_account.callbacks.expect(task_id, within="5m")
    assert sales.credits_of_day("2032-02-29") == 0
    assert sales.credits_of_day("2032-03-01") == 30


@pytest.mark.parametrize("fault", ["callback_wrong_signature", "callback_stale_timestamp"])
def test_a_callback_that_is_not_signed_rightly(
    client: PictureClient, image_account: Account, receiver_url: str, sales: Sales, fault: str
) -> None:
    image_account.faults.add(fault)
    task_id = client.create("A lighthouse", callback_url=receiver_url)
    image_account.clock.run_until_deliveries_exhausted()
    (delivery,) = image_account.callbacks.deliveries(task_id)
    assert {attempt.status for attempt in delivery.attempts} == {401}
    assert sales.task_ids() == []


def test_somebody_elses_task_is_no_sale(
    image_emulator: Emulator, image_account: Account, receiver_url: str, sales: Sales
) -> None:
    stranger = image_emulator.new_account(clock="frozen")
    client = PictureClient(stranger.base_url, stranger.api_key)
    task_id = client.create("A lighthouse", callback_url=receiver_url)
    client.close()
    stranger.clock.advance("2m")
    (delivery,) = stranger.callbacks.deliveries(task_id)
    assert {attempt.status for attempt in delivery.attempts} == {404}
    assert sales.task_ids() == []
    image_account.requests("getTask", status=404).expect(at_least=1)
    stranger.delete()


def test_a_receiver_that_is_down_for_a_minute(
    client: PictureClient, image_account: Account
) -> None:
    """Where only the sender is of interest, an inbox of the emulator's receives."""
    image_account.callbacks.answer_with(503, 503, 200)
    task_id = client.create("A lighthouse", callback_url=image_account.callbacks.url())
    image_account.callbacks.expect_none(within="1s")
    image_account.callbacks.expect(task_id, within="5m")
    messages = image_account.callbacks.received()
    assert [message.status for message in messages] == [503, 503, 200]
    assert {message.signature for message in messages} == {"valid"}


@pytest.mark.image_account(clock="running")
def test_the_emulators_own_checks_of_a_receiver(image_account: Account, receiver_url: str) -> None:
    report = image_account.callbacks.score(receiver_url)
    assert report["score"]["failed"] == 0, report


def test_a_body_that_is_no_callback(receiver_url: str) -> None:
    assert httpx2.post(receiver_url, content=b"{").status_code == 401
