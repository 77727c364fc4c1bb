"""The client against what the API may do.

The clock of each test's account stands still; only the client's own waiting moves it. So each test
knows to the second how long the client waited, and takes milliseconds.
"""

import asyncio

import pytest
from picture_shop import (
    GaveUp,
    LinkExpired,
    OutcomeUnknown,
    PictureClient,
    Refused,
    TaskFailed,
)

from emulator.testing import Account, AsyncAccount, Emulator

pytestmark = pytest.mark.image_account(clock="frozen")

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_picture_is_made_and_fetched(client: PictureClient, image_account: Account) -> None:
    task = client.finish(client.create("A lighthouse", size="16:9"))
    assert client.download(task.urls[0]).startswith(PNG)
    assert task.charged == 30
    assert image_account.credits.charged == 30


def test_polls_are_two_seconds_apart(
    client: PictureClient, image_account: Account, waits: list[float]
) -> None:
    client.finish(client.create("A lighthouse"))
    assert set(waits) == {2.0}
    image_account.requests("getTask").expect(len(waits) + 1)


# Refusals: which are tried again, and when.


@pytest.mark.image_account(
    faults=[{"fault": "http_error", "status": 429, "retry_after_seconds": 7, "times": 2}]
)
def test_a_429_is_tried_again_when_it_says(
    client: PictureClient, image_account: Account, waits: list[float]
) -> None:
    client.create("A lighthouse")
    assert waits == [7, 7]
    image_account.requests("createImageTask", status=429).expect(2)
    assert len(image_account.tasks()) == 1


def test_a_key_with_a_rate_limit(image_emulator: Emulator) -> None:
    account = image_emulator.new_account(requests_per_minute=2, clock="frozen")
    client = PictureClient(
        account.base_url,
        account.api_key,
        wait=lambda seconds: account.clock.advance(seconds=seconds),
    )
    for _ in range(5):
        client.create("A lighthouse")
    client.close()
    assert len(account.tasks()) == 5
    account.requests(status=429).expect(at_least=1, at_most=3)
    account.delete()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_5xx_is_tried_again_ever_later(
    client: PictureClient, image_account: Account, waits: list[float], status: int
) -> None:
    fault = image_account.faults.add("http_error", status=status, times=3)
    client.create("A lighthouse")
    assert waits == [0.5, 1, 2]
    assert fault.hits == 3


def test_after_five_attempts_it_gives_up(client: PictureClient, image_account: Account) -> None:
    image_account.faults.add("http_error", status=503)
    with pytest.raises(GaveUp, match="failed 5 times; last: status 503"):
        client.create("A lighthouse")
    image_account.requests("createImageTask").expect(5)


@pytest.mark.image_account(credits=29)
def test_too_few_credits_are_not_tried_again(client: PictureClient, image_account: Account) -> None:
    with pytest.raises(Refused) as caught:
        client.create("A lighthouse")
    assert (caught.value.status, caught.value.code) == (402, "insufficient_credits")
    image_account.requests().expect(1)
    image_account.grant(1)
    client.create("A lighthouse")
    assert image_account.credits.available == 0


# Connections that break.


@pytest.mark.parametrize("fault", ["reset_before_work", "truncated_body", "invalid_json"])
def test_a_poll_is_repeated(
    client: PictureClient, image_account: Account, waits: list[float], fault: str
) -> None:
    task_id = client.create("A lighthouse")
    image_account.faults.add(fault, operation="getTask", times=2)
    assert client.poll(task_id).status == "pending"
    assert waits == [0.5, 1]


@pytest.mark.image_account(
    faults=[{"fault": "reset_after_work", "operation": "createImageTask", "times": 1}]
)
class TestACreationThatIsNeverAnswered:
    def test_is_not_repeated(self, client: PictureClient, image_account: Account) -> None:
        with pytest.raises(OutcomeUnknown):
            client.create("A lighthouse")
        assert len(image_account.tasks()) == 1

    def test_is_repeated_where_two_pictures_do_no_harm(
        self, client: PictureClient, image_account: Account
    ) -> None:
        client.create("A lighthouse", repeat_unknown=True)
        assert len(image_account.tasks()) == 2


# Tasks that end badly, or not at all.


def test_a_task_that_fails(client: PictureClient, image_account: Account) -> None:
    task_id = client.create("A lighthouse")
    image_account.finish(task_id, "failed", code="image_safety")
    with pytest.raises(TaskFailed) as caught:
        client.finish(task_id)
    assert caught.value.code == "image_safety"
    assert image_account.credits.charged == 0


@pytest.mark.image_account(faults=["task_hangs"])
class TestATaskThatHangs:
    def test_the_client_loses_patience(self, client: PictureClient, waits: list[float]) -> None:
        with pytest.raises(GaveUp, match="is still processing after 60 s"):
            client.finish(client.create("A lighthouse"), patience_seconds=60)
        assert sum(waits) == 60

    def test_the_api_fails_it_first(self, client: PictureClient, waits: list[float]) -> None:
        with pytest.raises(TaskFailed):
            client.finish(client.create("A lighthouse"))
        assert sum(waits) == 600


@pytest.mark.image_account(faults=["no_usable_media"])
def test_a_task_that_succeeds_without_a_picture(client: PictureClient) -> None:
    with pytest.raises(TaskFailed):
        client.finish(client.create("A lighthouse"))


# Downloads.


def test_a_link_works_for_a_day(client: PictureClient, image_account: Account) -> None:
    (url,) = client.finish(client.create("A lighthouse")).urls
    image_account.clock.advance(hours=23)
    assert client.download(url).startswith(PNG)
    image_account.clock.advance("2h")
    with pytest.raises(LinkExpired):
        client.download(url)


@pytest.mark.parametrize("fault", ["media_truncated", "media_wrong_type"])
def test_a_download_is_repeated(client: PictureClient, image_account: Account, fault: str) -> None:
    (url,) = client.finish(client.create("A lighthouse")).urls
    met = image_account.faults.add(fault, times=1)
    assert client.download(url).startswith(PNG)
    assert met.hits == 1


# Chance, and several at once.


@pytest.mark.image_account(
    seed=7, faults=[{"fault": "http_error", "status": 503, "probability": 0.3}]
)
def test_chance_falls_the_same_way_each_time(client: PictureClient, image_account: Account) -> None:
    for _ in range(10):
        client.create("A lighthouse")
    (fault,) = image_account.faults.list()
    assert fault.hits == 7


@pytest.mark.image_account(faults="strict")
def test_all_that_the_documents_allow(client: PictureClient) -> None:
    for _ in range(20):
        task = client.finish(client.create("A lighthouse", repeat_unknown=True))
        assert client.download(task.urls[0]).startswith(PNG)


async def test_three_at_once(client: PictureClient, async_image_account: AsyncAccount) -> None:
    prompts = ("A lighthouse", "A fox", "A pier")
    task_ids = await asyncio.gather(*(asyncio.to_thread(client.create, one) for one in prompts))
    tasks = await asyncio.gather(*map(async_image_account.wait_for, task_ids))
    assert [task["status"] for task in tasks] == ["succeeded"] * 3
    assert (await async_image_account.credits()).charged == 90
