"""What a task's end moves: credits, the key's budget, and the callback."""

from collections.abc import Sequence

from emulator.core.callback import Delivery
from emulator.core.clock import SECOND
from emulator.core.credits import settle, total
from emulator.core.fault import Facts, Hit
from emulator.core.seed import token
from emulator.core.task import Task
from emulator.service.faults import Faults
from emulator.settings import Settings
from emulator.store.records import Account, LedgerEntry
from emulator.store.transaction import Transaction


class Settlement:
    """Books the ends of tasks.

    Args:
        settings: the callback policy.
        faults: what may meet a callback.
    """

    def __init__(self, settings: Settings, faults: Faults) -> None:
        self._settings = settings
        self._faults = faults

    def settle_task(self, tx: Transaction, task_id: str, real_now: int) -> list[Task]:
        """Settle a task whose end has come, unless somebody did.

        Args:
            tx: the transaction that does it all, or nothing.
            task_id: the task.
            real_now: the real instant.

        Returns:
            The task, where it was settled here.
        """
        task = tx.claim_task(task_id)
        if task is None:
            return []
        self._book_ends(tx, task.account_id, [task], real_now)
        return [task]

    def settle_ended(
        self, tx: Transaction, account_id: str, limit: int, real_now: int
    ) -> list[Task]:
        """Settle up to ``limit`` tasks of an account whose end has come; return them."""
        account = tx.account(account_id)
        if account is None:
            return []
        tasks = tx.claim_ended(account_id, account.clock.reached(real_now), limit)
        if tasks:
            self._book_ends(tx, account_id, tasks, real_now)
        return tasks

    def _book_ends(
        self, tx: Transaction, account_id: str, tasks: Sequence[Task], real_now: int
    ) -> None:
        """Book the ends of tasks of one account together."""
        entries = [
            LedgerEntry(movement, task.timeline.ends_at, task.id)
            for task in tasks
            for movement in settle(task.reserved, task.charge)
        ]
        _move(tx, account_id, entries, ended=len(tasks))
        tx.wake_account(account_id, real_now)
        for task in tasks:
            if task.charge < task.reserved:
                tx.give_back_budget(task.key_hash, task.reserved - task.charge)  # ERR-4
            if task.callback_url is not None and self._settings.callbacks != "off":
                self._plan_delivery(tx, task, task.callback_url, real_now)

    def _plan_delivery(self, tx: Transaction, task: Task, url: str, real_now: int) -> None:
        account, ended_at = tx.account(task.account_id), task.timeline.ends_at
        due_at = self._settings.retry_policy.due_at(1, ended_at, task.seed)
        if account is None or due_at is None:
            raise RuntimeError(f"the delivery of {task.id} has no account or no attempts")
        delivery = Delivery(
            delivery_id(task.seed, task.id), task.id, task.account_id, url, "pending", 0, due_at
        )
        delivery = _disturbed(delivery, due_at, self._take(tx, account, task))
        wake_at = None
        if delivery.due_at is not None:
            wake_at = account.clock.real_time_of(delivery.due_at, real_now)
        tx.add_delivery(delivery, ended_at, wake_at)

    def _take(self, tx: Transaction, account: Account, task: Task) -> Hit | None:
        if not account.faults_version:
            return None
        request = tx.request(task.id)
        facts = Facts("", None if request is None else request.prompt, task.id)
        hit = self._faults.take(
            tx, account.id, account.faults_version, account.seed, "delivery", facts
        )
        if hit is not None and hit.name == "callback_out_of_order":
            # One callback waits at a time, so that there is one to overtake it.
            return None if tx.has_held_delivery(account.id) else hit
        return hit


def _move(tx: Transaction, account_id: str, entries: Sequence[LedgerEntry], ended: int) -> None:
    """Apply movements of one account's ended tasks at once, and write each down."""
    movement = total(entry.movement for entry in entries)
    moved = tx.move_credits(account_id, movement, ended=ended, entries=len(entries))
    if moved is None:
        raise RuntimeError(f"the reservations of {account_id}'s tasks are not in its account")
    tx.add_ledger_entries(account_id, entries, moved)


def delivery_id(task_seed: int, task_id: str) -> str:
    """The id of the delivery that reports a task's end."""
    return f"msg_{token(task_seed, 'delivery', task_id)}"


def _disturbed(delivery: Delivery, due_at: int, hit: Hit | None) -> Delivery:
    if hit is None:
        return delivery
    if hit.name == "callback_dropped":
        return delivery._replace(state="dropped", due_at=None)
    if hit.name == "callback_duplicated":
        return delivery._replace(copies_left=hit.parameters["copies"])
    later = due_at + round(hit.parameters["seconds"] * SECOND)
    return delivery._replace(due_at=later, held=hit.name == "callback_out_of_order")
