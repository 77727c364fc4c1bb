"""Callbacks that are missing, wrong, early, or too many."""

import json
from collections.abc import Callable
from typing import Any

import httpx2

from emulator.adapters.http import HttpCaller
from emulator.core.callback import AttemptResult, Delivery, RetryPolicy
from emulator.core.task import Task
from emulator.service import deliveries, settlement
from emulator.service.ground import Ground
from emulator.service.sending import Sending, callback_body
from emulator.service.settlement import Settlement, delivery_id
from emulator.service.tasks import Tasks
from emulator.store.records import StoredTask
from emulator.store.transaction import Transaction
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import Json, around, details, everywhere, swap, together
from tests.contracts.mutants.probe import Probe
from tests.contracts.mutants.redirects import redirecting_receiver


def _payload(change: Callable[[Json], Json]) -> Patch:
    """Send another body."""

    def body(original: Any, stored: StoredTask, ground: Ground) -> bytes:
        return json.dumps(change(json.loads(original(stored, ground)))).encode()

    return everywhere(callback_body, body)


def _running(body: Json) -> Json:
    credits = {**body["credits"], "charged": 0, "refunded": 0}
    nothing = {"completed_at": None, "result": None, "error": None}
    return {**body, **nothing, "status": "processing", "credits": credits}


def _sent_at_creation() -> Any:
    plan = Settlement._plan_delivery

    async def create(original: Any, self: Tasks, *arguments: Any) -> tuple[Task, tuple[str, ...]]:
        task, names = await original(self, *arguments)
        url = task.callback_url
        if url is not None:
            early = task._replace(timeline=task.timeline._replace(ends_at=task.created_at))
            real_now = self._clock.now()
            await self._database.write(lambda tx: plan(self._settlement, tx, early, url, real_now))
            await self._deliveries.start(delivery_id(task.seed, task.id), task.account_id, 0)
        return task, names

    return together(
        swap(Settlement, "_plan_delivery", lambda *_: None),
        around(Tasks, "create", create),
        _payload(_running),
    )()


def _not_for_failures(
    original: Any, self: Settlement, tx: Transaction, task: Task, *rest: Any
) -> None:
    if task.timeline.error_code is None:
        original(self, tx, task, *rest)


async def _complete_at_the_attempt(
    original: Any, self: Sending, delivery: Delivery, stored: StoredTask, at: int, *rest: Any
) -> AttemptResult:
    timeline = stored.task.timeline._replace(ends_at=at)
    stored = stored._replace(task=stored.task._replace(timeline=timeline))
    result: AttemptResult = await original(self, delivery, stored, at, *rest)
    return result


def _give_up(original: Any, delivery: Delivery, result: AttemptResult, *arguments: Any) -> Delivery:
    after: Delivery = original(delivery, result, *arguments)
    return after if result.delivered else after._replace(state="exhausted", due_at=None)


def _fails_with_its_delivery() -> Any:
    failed = set()

    def after_attempt(
        original: Any, delivery: Delivery, result: AttemptResult, *rest: Any
    ) -> Delivery:
        if not result.delivered:
            failed.add(delivery.task_id)
        after: Delivery = original(delivery, result, *rest)
        return after

    def detail(body: Json, *_: Any) -> Json:
        if body["task_id"] not in failed or body["completed_at"] is None:
            return body
        error = {"type": "api_error", "code": "service_unavailable", "message": "Not delivered."}
        return {**body, "status": "failed", "result": None, "error": error}

    return together(around(deliveries, "after_attempt", after_attempt), details(detail))()


def _twelve_times(
    original: Any, policy: RetryPolicy, attempt: int, after: int, seed: int
) -> int | None:
    last = len(policy.delays_seconds)
    found: int | None = original(policy, min(attempt, last) if attempt <= 12 else 99, after, seed)
    return found


def _at_once(original: Any, policy: RetryPolicy, attempt: int, after: int, seed: int) -> int | None:
    return None if original(policy, attempt, after, seed) is None else after


def _follow(original: Any, self: HttpCaller) -> httpx2.AsyncClient:
    client: httpx2.AsyncClient = original(self)
    client.follow_redirects = True
    return client


def _another_task(body: Json) -> Json:
    last = int(body["task_id"][-1], 16)
    return {**body, "task_id": f"{body['task_id'][:-1]}{(last - 1) % 16:x}"}


def _status_after_a_failed_delivery(probe: Probe) -> str:
    callback_url = probe.account.callbacks.url()
    probe.account.callbacks.answer_with(500, 200)
    task_id = probe.create(callback_url=callback_url)["task_id"]
    probe.ended(task_id)
    probe.account.clock.run_until_deliveries_exhausted()
    return str(probe.read(task_id)["status"])


def _calls_before_the_end(probe: Probe) -> bool:
    task_id = probe.create(callback_url=probe.account.callbacks.url())["task_id"]
    return bool(probe.account.callbacks.received()) and not probe.read(task_id)["completed_at"]


def _attempts_are_at_once(probe: Probe) -> bool:
    probe.called_back(500, 200)
    first, second = probe.account.callbacks.deliveries()[0].attempts
    return (second.at - first.at).total_seconds() < 1


def _follows_a_redirect(probe: Probe) -> bool:
    with redirecting_receiver() as (url, followed):
        probe.ended(probe.create(callback_url=url)["task_id"])
        probe.account.clock.advance(seconds=1)
        return bool(followed)


MUTANTS = (
    Mutant(
        "no-callback-is-sent",
        "CB-1",
        "A task's end is never called back.",
        swap(Settlement, "_plan_delivery", lambda *_: None),
        lambda probe: probe.called_back() == [],
    ),
    Mutant(
        "failures-are-not-called-back",
        "CB-1",
        "Only a success is called back.",
        around(Settlement, "_plan_delivery", _not_for_failures),
        lambda probe: probe.called_back(prompt="A fox [[fault: task_fails]]") == [],
    ),
    Mutant(
        "the-callback-comes-before-the-end",
        "CB-1",
        "The callback is sent when the task is created.",
        _sent_at_creation,
        _calls_before_the_end,
    ),
    Mutant(
        "the-callback-says-processing",
        "CB-1",
        "The callback comes at the end with the task as it was before.",
        _payload(_running),
        lambda probe: probe.called_back()[0]["status"] == "processing",
    ),
    Mutant(
        "the-callback-has-no-result",
        "CB-1",
        "The callback of a success has no result, where polling shows one.",
        _payload(lambda body: {**body, "result": None}),
        lambda probe: probe.called_back()[0]["result"] is None,
    ),
    Mutant(
        "the-callback-names-another-task",
        "CB-1",
        "The callback carries another task's id.",
        _payload(_another_task),
        lambda probe: (
            probe.called_back()[0]["task_id"] != probe.account.callbacks.received()[0].task_id
        ),
    ),
    Mutant(
        "the-callback-comes-twice",
        "CB-1",
        "A callback that was answered with 200 is sent once more.",
        around(
            settlement,
            "_disturbed",
            lambda original, *arguments: original(*arguments)._replace(copies_left=1),
        ),
        lambda probe: len(probe.called_back()) == 2,
    ),
    Mutant(
        "attempts-differ",
        "CB-1",
        "Each attempt gives its own time as the task's completed_at.",
        around(Sending, "_send", _complete_at_the_attempt),
        lambda probe: (
            (bodies := probe.called_back(500, 200))[0]["completed_at"] != bodies[1]["completed_at"]
        ),
    ),
    Mutant(
        "only-a-200-counts",
        "CB-3",
        "A callback that was answered with 204 is tried again.",
        swap(AttemptResult, "delivered", property(lambda result: result.status == 200)),
        lambda probe: len(probe.called_back(204)) == 6,
    ),
    Mutant(
        "a-failed-delivery-is-given-up",
        "CB-2",
        "A callback that was answered with 500 is not tried again.",
        around(deliveries, "after_attempt", _give_up),
        lambda probe: len(probe.called_back(500)) == 1,
    ),
    Mutant(
        "a-failed-delivery-fails-the-task",
        "CB-2",
        "A task whose callback was not taken turns to failed.",
        _fails_with_its_delivery,
        lambda probe: _status_after_a_failed_delivery(probe) == "failed",
    ),
    Mutant(
        "too-many-attempts",
        "CB-3",
        "A callback that nobody takes is tried twelve times instead of six.",
        around(RetryPolicy, "due_at", _twelve_times),
        lambda probe: len(probe.called_back(500)) == 12,
    ),
    Mutant(
        "attempts-do-not-wait",
        "CB-3",
        "All attempts of a callback are made at once.",
        around(RetryPolicy, "due_at", _at_once),
        _attempts_are_at_once,
    ),
    Mutant(
        "redirects-are-followed",
        "CB-3",
        "A callback follows its receiver's redirect to another address.",
        around(HttpCaller, "_open_client", _follow),
        _follows_a_redirect,
    ),
)
