"""What a test decides instead of waiting for it: credits, and how and when a task ends."""

from itertools import islice
from typing import Any

from emulator.core.clock import rfc3339
from emulator.core.credits import Movement, adjust, purchase
from emulator.core.errors import Refusal, shown
from emulator.core.request import ImageRequest
from emulator.core.task import Task
from emulator.core.task_detail import status_word
from emulator.service.accounts import book
from emulator.service.ground import Ground
from emulator.service.settlement import Settlement
from emulator.service.tasks import no_such_task
from emulator.store.records import Caller, StoredTask
from emulator.store.transaction import Transaction

MOST_GRANTED = 10**15  # keeps every sum far inside a database's integers


class Forcing:
    """Use cases that force an account's credits and tasks."""

    def __init__(self, ground: Ground, settlement: Settlement) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._settings = ground.settings
        self._wakeups = ground.wakeups
        self._settlement = settlement
        self._tally = ground.tally

    async def grant_credits(self, caller: Caller, credits: int) -> None:
        """Give the account credits.

        Raises:
            Refusal: it would have been given more than ``MOST_GRANTED`` in all.
        """
        await self._database.write(
            lambda tx: self._book(tx, caller, adjust(credits), "grant"), caller.account_id
        )

    async def buy_credits(self, caller: Caller, credits: int) -> None:
        """Give the account credits as a purchase does.

        Raises:
            Refusal: as ``grant_credits`` does.
        """
        await self._database.write(
            lambda tx: self._book(tx, caller, purchase(credits), "purchase"), caller.account_id
        )

    async def set_credits(self, caller: Caller, credits: int) -> None:
        """Make ``available`` exactly ``credits``, whatever happens at the same time.

        Raises:
            Refusal: as ``grant_credits`` does.
        """

        def work(tx: Transaction) -> None:
            account = tx.account(caller.account_id)
            available = 0 if account is None else account.available
            self._book(tx, caller, adjust(credits - available), "set")

        await self._database.write(work, caller.account_id)

    async def list_tasks(
        self, caller: Caller, limit: int, status: str | None, task_id: str | None
    ) -> list[dict[str, Any]]:
        """The account's tasks with their whole timelines, newest first.

        Args:
            caller: whose tasks.
            limit: the most that are answered.
            status: only tasks that are shown with this word; None for all.
            task_id: only this task; None for all.
        """
        now = caller.clock.now(self._clock.now())

        def work(tx: Transaction) -> list[dict[str, Any]]:
            found = tx.tasks_of_account(caller.account_id, caller.id_seed, task_id)
            entries = ((self._entry(task, now), request) for task, request in found)
            matching = (row for row in entries if status in (None, row[0]["status"]))
            return [
                {**entry, "request": _shown_request(request())}
                for entry, request in islice(matching, limit)
            ]

        return await self._database.write(work, caller.account_id)

    async def finish(self, caller: Caller, task_id: str, error_code: str | None) -> StoredTask:
        """End a task now, and settle it as any end does.

        Args:
            caller: whose task it is.
            task_id: the task.
            error_code: why it fails; None where it succeeds.

        Raises:
            Refusal: there is no such task (TASK-10), or it has ended (TASK-4).
        """
        real_now = self._clock.now()

        def work(tx: Transaction) -> StoredTask:
            stored, request = tx.task(task_id), tx.request(task_id)
            if stored is None or request is None or stored.task.account_id != caller.account_id:
                raise no_such_task(task_id)
            now = stored.clock.now(real_now)
            ended = stored.task.ended_now(now, request.n, error_code)
            if not tx.end_task(ended):
                raise _task_ended(stored.task)
            self._settlement.settle_task(tx, task_id, real_now)
            return stored._replace(task=ended._replace(settled=True))

        stored = await self._database.write(work, caller.account_id)
        self._tally.settled([stored.task])
        self._wakeups.change_clock()
        return stored

    def _book(self, tx: Transaction, caller: Caller, movement: Movement, param: str) -> None:
        account = tx.account(caller.account_id)
        granted = movement.granted + (0 if account is None else account.granted)
        if granted > MOST_GRANTED:
            message = (
                f"{param} would take what this account was given to {granted:,} credits;"
                f" it must stay at or under {MOST_GRANTED:,}."
            )
            raise Refusal("invalid_value", message, param)
        if movement.granted:
            book(tx, caller.account_id, movement, self._clock.now())

    def _entry(self, task: Task, now: int) -> dict[str, Any]:
        timeline, settings = task.timeline, self._settings
        charged = task.charge if task.settled else 0
        expire_at = task.media_expire_at(settings.media_ttl_ms) if timeline.images else None
        return {
            "task_id": task.id,
            "status": status_word(task, now, settings.profile, settings.media_ttl_ms),
            "created_at": rfc3339(task.created_at),
            "starts_at": rfc3339(timeline.starts_at),
            "ends_at": rfc3339(timeline.ends_at),
            "media_expire_at": None if expire_at is None else rfc3339(expire_at),
            "images": timeline.images,
            "error_code": timeline.error_code,
            "settled": task.settled,
            "callback_url": task.callback_url,
            "credits": {
                "reserved": task.reserved,
                "charged": charged,
                "refunded": task.reserved - charged if task.settled else 0,
            },
        }


def _shown_request(request: ImageRequest) -> dict[str, Any]:
    """What was asked, without the reference images themselves."""
    return {
        "model": request.model,
        "prompt": request.prompt,
        "size": request.size,
        "resolution": request.resolution,
        "quality": request.quality,
        "n": request.n,
        "pixels": str(request.frame),
        "references": len(request.references),
        "mask": request.mask is not None,
    }


def _task_ended(task: Task) -> Refusal:
    code, at = task.timeline.error_code, rfc3339(task.timeline.ends_at)
    how = "succeeded" if code is None else f"failed with {code}"
    message = f"Task {shown(task.id)} {how} at {at}; a task that has ended never changes again."
    return Refusal("task_ended", message, claim="TASK-4")
