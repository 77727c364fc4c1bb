"""Creating tasks, reading them, and waiting for their end."""

import asyncio
from typing import Any, NamedTuple

from emulator.core.clock import SECOND
from emulator.core.credits import Movement, reserve, total
from emulator.core.errors import Refusal, account_deleted, shown
from emulator.core.fault import Facts, Hit
from emulator.core.request import MODEL, ImageRequest
from emulator.core.task import Task
from emulator.core.task_detail import task_detail
from emulator.service.deliveries import Deliveries
from emulator.service.faults import Faults
from emulator.service.ground import Ground
from emulator.service.planning import Order, planned_task
from emulator.service.settlement import Settlement, delivery_id
from emulator.service.together import Together
from emulator.store.records import Caller, LedgerEntry, Moved, StoredTask
from emulator.store.transaction import Transaction


class Created(NamedTuple):
    """A task, the real instant of its end, and the faults that met it."""

    task: Task
    wake_at: int | None
    hits: list[Hit]


class Tasks:
    """Use cases about tasks.

    Args:
        ground: what use cases share.
        faults: what may meet a task.
        settlement: books the ends of tasks.
        deliveries: sends a callback before its creation is answered, where a fault asks for it.
    """

    def __init__(
        self, ground: Ground, faults: Faults, settlement: Settlement, deliveries: Deliveries
    ) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._settings = ground.settings
        self._media_secret = ground.media_secret
        self._wakeups = ground.wakeups
        self._tally = ground.tally
        self._faults = faults
        self._settlement = settlement
        self._deliveries = deliveries
        self._prices = ground.settings.price_table
        self._creations = Together(ground.database, self._create)

    def check(self, caller: Caller, request: ImageRequest) -> None:
        """Check what comes after validation: model, then content (ERR-9).

        Raises:
            Refusal: an unknown model (MOD-2), one that the key may not use, or a prompt that
                breaks the content policy (ERR-6).
        """
        if request.model != MODEL:
            message = f"Model {shown(request.model)} does not exist; the accepted model is {MODEL}."
            raise Refusal("model_not_found", message, "model", claim="MOD-2")
        if caller.models is not None and request.model not in caller.models:
            message = f"This API key may not use {MODEL}; it may use {', '.join(caller.models)}."
            raise Refusal("model_not_allowed", message, "model", claim="AUTH-3")
        prompt = request.prompt.casefold() if self._settings.blocked_terms else ""
        for term in self._settings.blocked_terms:
            if term in prompt:
                reason = f"it contains the blocked term {shown(term)}"
                message = f"The prompt was rejected by the content policy: {reason}."
                raise Refusal("content_policy", message, "prompt", claim="ERR-6")

    async def create(self, order: Order) -> tuple[Task, tuple[str, ...]]:
        """Create a task and reserve its credits, in one transaction with others of the key's.

        Returns:
            The task, and the names of the faults that met it.

        Raises:
            Refusal: too few credits (ERR-3), too little of the key's budget (ERR-4), or too many
                tasks that have not ended.
        """
        created = await self.order(order)
        task = self.note_created(created)
        names = tuple(hit.name for hit in created.hits)
        if "callback_early" in names:
            await self._settle(task, self._clock.now())
            await self._deliveries.start(delivery_id(task.seed, task.id), task.account_id, 0)
        return task, names

    def order(self, order: Order) -> "asyncio.Future[Created]":
        """Begin to create a task, as ``create`` does; ``note_created`` takes what comes of it."""
        return self._creations.do(order.caller.account_id, order)

    def note_created(self, created: Created) -> Task:
        """Count a task that was created, and see that its end is not missed; return it."""
        self._tally.created(created.task)
        self._wakeups.due_at(created.wake_at)
        return created.task

    def _create(self, tx: Transaction, orders: list[Order]) -> list[Created]:
        """Create tasks that one account asked for: credits are reserved for all, or none."""
        caller = orders[0].caller
        prices = [self._image_price(order.request) for order in orders]
        reservations = [
            reserve(price * order.request.n) for price, order in zip(prices, orders, strict=True)
        ]  # CRED-4
        moved = self._reserve(tx, caller, total(reservations), len(orders))
        real_now = self._clock.now()
        now = moved.clock.now(real_now)
        created, entries = [], []
        first_number = moved.tasks_created - len(orders) + 1
        for number, (order, price, reservation) in enumerate(
            zip(orders, prices, reservations, strict=True), first_number
        ):
            hits = [] if order.forced is None else [order.forced]
            if order.caller.faults_version:
                hits += self._meet(tx, order)
            task = planned_task(order, price, moved, number, hits, now, self._settings)
            wake_at = moved.clock.real_time_of(task.timeline.ends_at, real_now)
            created.append(Created(task, wake_at, hits))
            entries.append(LedgerEntry(reservation, task.created_at, task.id))
        tx.add_tasks((one.task, order.request) for one, order in zip(created, orders, strict=True))
        tx.add_ledger_entries(caller.account_id, entries, moved)
        first = min((one.wake_at for one in created if one.wake_at is not None), default=None)
        if first is not None and (moved.wake_at is None or first < moved.wake_at):
            tx.wake_account(caller.account_id, real_now)
        return created

    def _image_price(self, request: ImageRequest) -> int:
        return self._prices.credits_per_image(request.size, request.resolution, request.quality)

    def _meet(self, tx: Transaction, order: Order) -> list[Hit]:
        """Find the faults that decide about the task that is being created."""
        caller, request = order.caller, order.request
        facts = [("task", Facts(order.operation, request.prompt))]
        if request.callback_url is not None:
            facts.append(("early", Facts("", request.prompt)))
        found = [
            self._faults.take(
                tx, caller.account_id, caller.faults_version, caller.seed, phase, fact
            )
            for phase, fact in facts
        ]
        return [hit for hit in found if hit is not None]

    async def detail(self, stored: StoredTask | None, task_id: str) -> dict[str, Any]:
        """A task in the profile's words, as it is now (TASK-5).

        Raises:
            Refusal: there is no such task, or it is another account's (TASK-10).
        """
        if stored is None:
            raise no_such_task(task_id)
        real_now = self._clock.now()
        now = stored.clock.now(real_now)
        task = stored.task
        if task.has_ended(now):
            await self._settle(task, real_now)
        return task_detail(
            task,
            now,
            self._settings.profile,
            self._media_secret,
            self._settings.media_ttl_ms,
        )

    async def wait_for_end(self, task_id: str) -> StoredTask:
        """Wait until a task has ended, the sync wait is over, or the server stops (SYNC-1).

        A frozen clock does not reach the end by waiting, so it is not waited for.
        """
        deadline = self._clock.now() + round(self._settings.sync_wait_seconds * SECOND)
        while True:
            found = await self._database.read(lambda tx: tx.task(task_id))
            if found is None:
                raise no_such_task(task_id)  # its account was reset meanwhile
            task, real_now = found.task, self._clock.now()
            if task.has_ended(found.clock.now(real_now)):
                await self._settle(task, real_now)
                return found
            ends_at = found.clock.real_time_of(task.timeline.ends_at, real_now)
            if ends_at is None or real_now >= deadline or self._wakeups.stopping:
                return found
            wait_ms = max(1, min(ends_at, deadline) - real_now)
            await self._wakeups.clock_changed(wait_ms / SECOND)

    async def _settle(self, task: Task, real_now: int) -> None:
        """Settle a task that has ended, unless somebody did."""
        if task.settled:
            return
        settled = await self._database.write(
            lambda tx: self._settlement.settle_task(tx, task.id, real_now), task.account_id
        )
        self._tally.settled(settled)
        self._wakeups.due_at(real_now if task.callback_url else None)

    def _reserve(self, tx: Transaction, caller: Caller, reservation: Movement, tasks: int) -> Moved:
        price = reservation.reserved
        most = self._settings.max_tasks_in_flight
        moved = tx.move_credits(
            caller.account_id, reservation, tasks=tasks, entries=tasks, most_in_flight=most
        )
        if moved is None:
            account = tx.account(caller.account_id)
            if account is None:
                raise account_deleted()
            available = account.available
            if available >= price:
                raise _too_many_in_flight(most)
            raise Refusal(
                "insufficient_credits",
                f"This request needs {price} credits; {available} are available.",
                claim="ERR-3",
            )
        if caller.budget_credits is not None and not tx.use_budget(caller.key_hash, price):
            raise Refusal(
                "api_key_budget_exhausted",
                f"This request needs {price} credits, more than is left of this API key's budget"
                f" of {caller.budget_credits} credits.",
                claim="ERR-4",
            )
        return moved


def _too_many_in_flight(most: int) -> Refusal:
    message = (
        f"This account has {most:,} tasks that have not ended, the most that"
        " --max-tasks-in-flight allows; wait until one ends."
    )
    return Refusal("rate_limit_exceeded", message, retry_after_seconds=1)


def no_such_task(task_id: str) -> Refusal:
    """Refuse an unknown task, or another account's (TASK-10)."""
    message = f"There is no task {shown(task_id)} in this account."
    return Refusal("task_not_found", message, claim="TASK-10")
