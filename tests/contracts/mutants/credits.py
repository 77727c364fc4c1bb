"""Credits that are charged, refunded or priced wrongly."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api import images
from emulator.api.http import JsonAnswer, authenticate, call_of
from emulator.core.credits import Movement, grant, reserve
from emulator.core.errors import Refusal
from emulator.core.task import Task
from emulator.service import settlement, tasks
from emulator.service.services import Services
from emulator.service.settlement import Settlement
from emulator.service.tasks import Tasks
from emulator.store.accounts import AccountQueries
from emulator.store.records import Caller, Moved
from emulator.store.transaction import Transaction
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import Json, answers, around, details, handler, swap
from tests.contracts.mutants.probe import Probe


def _settled(change: Callable[[int, int], int]) -> Patch:
    """Charge another part of a reservation: ``change(reserved, charged)``."""
    return around(
        settlement,
        "settle",
        lambda original, reserved, charged: original(reserved, change(reserved, charged)),
    )


def _decided(change: Callable[[Task], Task]) -> Patch:
    """Decide in another way what a task will cost."""
    return around(tasks, "planned_task", lambda original, *given: change(original(*given)))


def _charge_again(
    original: Any, self: Settlement, tx: Transaction, account_id: str, tasks: list[Task], now: int
) -> None:
    original(self, tx, account_id, tasks, now)
    for task in tasks:
        tx.move_credits(account_id, _taken(task.charge))


def _taken(credits: int) -> Movement:
    return Movement("consumption", available=-credits, charged=credits)


async def _charge_for_polls(original: Any, self: Tasks, stored: Any, task_id: str) -> Json:
    body: Json = await original(self, stored, task_id)
    if body["completed_at"]:
        account_id = stored.task.account_id
        await self._database.write(lambda tx: tx.move_credits(account_id, _taken(1)))
    return body


async def _create_twice_in_sync(
    original: Any, request: Request, services: Services, *arguments: Any
) -> Task:
    if call_of(request).operation == "createImageSync":
        await original(request, services, *arguments)
    task: Task = await original(request, services, *arguments)
    return task


def _keeps_credits_of(code: str) -> Patch:
    """Forget to give back what was reserved for a request that is refused."""

    async def create(
        original: Any, request: Request, services: Services, caller: Caller, *arguments: Any
    ) -> Task:
        try:
            task: Task = await original(request, services, caller, *arguments)
        except Refusal as refusal:
            if refusal.code == code:
                database = services.accounts._database
                await database.write(lambda tx: tx.move_credits(caller.account_id, reserve(30)))
            raise
        return task

    return around(images, "_create", create)


def _lend(
    original: Any, self: Tasks, tx: Transaction, caller: Caller, reservation: Movement, tasks: int
) -> Moved:
    try:
        moved: Moved = original(self, tx, caller, reservation, tasks)
    except Refusal as refusal:
        if refusal.code != "insufficient_credits":
            raise
        tx.move_credits(caller.account_id, grant(reservation.reserved))
        moved = original(self, tx, caller, reservation, tasks)
    return moved


async def _with_reserved(original: Any, request: Request, services: Services) -> ASGIApp:
    caller = await authenticate(request, services)
    credits = (await services.accounts.overview(caller))["credits"]
    return JsonAnswer(
        {"credits": credits["available"] + credits["reserved"], "currency": "credits"}
    )


def _task_credits(is_meant: Callable[[Json], bool], change: Callable[[Json], Json]) -> Patch:
    """Tell other credits in tasks of a kind."""

    def changed(body: Json, *_: Any) -> Json:
        told = {**body["credits"], **change(body["credits"])} if is_meant(body) else body["credits"]
        return {**body, "credits": told}

    return details(changed)


def _loss(probe: Probe, prompt: str, **fields: Any) -> int:
    """What the balance loses by a creation that is refused."""
    before: int = probe.balance()
    assert probe.post(prompt=prompt, **fields).status_code in (400, 402, 404)
    return before - int(probe.balance())


def _budget_is_used_up(probe: Probe) -> bool:
    limited = probe.of(budget_credits=30)
    limited.failed()
    return limited.post().status_code == 402


def _cost_of_sync(probe: Probe) -> int:
    probe.account.clock.resume()
    before: int = probe.balance()
    assert probe.post("/sync").status_code == 200
    probe.account.clock.advance(seconds=1)
    return before - int(probe.balance())


FAILS = "A fox [[fault: task_fails code=image_safety]]"
HANGS = "A fox [[fault: task_hangs]]"
PARTIAL = "A fox [[fault: partial images=1]]"
REFUSED = "A fox [[fault: content_policy]]"

MUTANTS = (
    Mutant(
        "a-success-is-charged-twice",
        "CRED-6",
        "The end of a task takes its price once more.",
        around(Settlement, "_book_ends", _charge_again),
        lambda probe: probe.cost() == 60,
    ),
    Mutant(
        "polls-cost-credits",
        "CRED-6",
        "Each read of a task that ended takes a credit.",
        around(Tasks, "detail", _charge_for_polls),
        lambda probe: probe.cost() == 31,
    ),
    Mutant(
        "sync-pays-twice",
        "CRED-6",
        "The synchronous call makes two tasks and charges both.",
        around(images, "_create", _create_twice_in_sync),
        lambda probe: _cost_of_sync(probe) == 60,
    ),
    Mutant(
        "a-failure-is-charged",
        "CRED-6",
        "A failed task says that it was refunded, but its credits do not come back.",
        _settled(lambda reserved, charged: charged or reserved),
        lambda probe: probe.cost(prompt=FAILS) == 30,
    ),
    Mutant(
        "a-refund-is-one-credit-short",
        "CRED-6",
        "Of each refund one credit is kept.",
        _settled(lambda reserved, charged: min(charged + 1, reserved)),
        lambda probe: probe.cost(prompt=FAILS) == 1,
    ),
    Mutant(
        "missing-images-are-charged",
        "CRED-6",
        "A task that yields one image of three is charged for three.",
        _decided(lambda task: task._replace(charge=task.charge and task.reserved)),
        lambda probe: probe.cost(prompt=PARTIAL, n=3) == 90,
    ),
    Mutant(
        "a-hung-task-is-charged",
        "TASK-11",
        "A task that the sweep failed keeps its credits.",
        _decided(
            lambda task: (
                task._replace(charge=task.reserved)
                if task.timeline.error_code == "timeout"
                else task
            )
        ),
        lambda probe: probe.cost(prompt=HANGS) == 30,
    ),
    Mutant(
        "a-failure-says-that-it-was-charged",
        "TASK-7",
        "A failed task says that it was charged, though its credits came back.",
        _task_credits(
            lambda body: bool(body["status"] == "failed"),
            lambda credits: {"charged": credits["reserved"], "refunded": 0},
        ),
        lambda probe: probe.failed()["credits"]["charged"] == 30,
    ),
    Mutant(
        "charged-before-the-end",
        "TASK-7",
        "A task that is still running says that it was charged.",
        _task_credits(
            lambda body: body["completed_at"] is None,
            lambda credits: {"charged": credits["reserved"]},
        ),
        lambda probe: probe.processing()["credits"]["charged"] == 30,
    ),
    Mutant(
        "a-refused-prompt-keeps-its-credits",
        "ERR-6",
        "A prompt against the content policy is refused, but its credits stay reserved.",
        _keeps_credits_of("content_policy"),
        lambda probe: _loss(probe, REFUSED) == 30,
    ),
    Mutant(
        "an-unknown-model-keeps-its-credits",
        "ERR-9",
        "An unknown model is refused, but its credits stay reserved.",
        _keeps_credits_of("model_not_found"),
        lambda probe: _loss(probe, "A fox", model="gpt-image-9") == 30,
    ),
    Mutant(
        "credit-is-given",
        "ERR-3",
        "A task is created though the account has too few credits.",
        around(Tasks, "_reserve", _lend),
        lambda probe: probe.of(credits=10).post().status_code == 202,
    ),
    Mutant(
        "a-refund-forgets-the-budget",
        "ERR-4",
        "A refund does not return to the key's budget.",
        swap(AccountQueries, "give_back_budget", lambda *_: None),
        _budget_is_used_up,
    ),
    Mutant(
        "the-balance-counts-reservations",
        "CRED-8",
        "The balance still has the credits that are reserved.",
        handler("getBalance", _with_reserved),
        lambda probe: probe.balance() == (probe.create() and probe.balance()),
    ),
    Mutant(
        "credits-have-fractions",
        "CRED-1",
        "The balance has half credits.",
        answers("getBalance", lambda body: {**body, "credits": body["credits"] + 0.5}),
        lambda probe: probe.balance() % 1 == 0.5,
    ),
)
