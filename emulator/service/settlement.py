"""What a task's end moves: credits, the key's budget, and the callback."""

from emulator.core.callback import Delivery
from emulator.core.credits import settle
from emulator.core.seed import token
from emulator.core.task import Task
from emulator.settings import Settings
from emulator.store.transaction import Transaction


def delivery_id(task_seed: int, task_id: str) -> str:
    """The id of a task's delivery."""
    return f"msg_{token(task_seed, 'delivery', task_id)}"


def settle_task(tx: Transaction, task_id: str, settings: Settings, real_now: int) -> None:
    """Settle a task whose end has come, unless somebody did.

    Args:
        tx: the transaction that does it all, or nothing.
        task_id: the task.
        settings: the callback policy.
        real_now: the real instant.
    """
    task = tx.claim_task(task_id)
    if task is not None:
        _book_end(tx, task, settings, real_now)


def settle_ended(tx: Transaction, limit: int, settings: Settings, real_now: int) -> None:
    """Settle up to ``limit`` tasks whose end has come, on all accounts whose clocks run."""
    for task in tx.claim_ended(real_now, limit):
        _book_end(tx, task, settings, real_now)


def _book_end(tx: Transaction, task: Task, settings: Settings, real_now: int) -> None:
    for movement in settle(task.reserved, task.charge):
        moved = tx.move_credits(task.account_id, movement)
        if moved is None:
            raise RuntimeError(f"the reservation of {task.id} is not in its account")
        tx.add_ledger_entry(task.account_id, movement, moved, task.timeline.ends_at, task.id)
    if task.charge < task.reserved:
        tx.give_back_budget(task.key_hash, task.reserved - task.charge)  # ERR-4
    if task.callback_url is not None and settings.callbacks != "off":
        _plan_delivery(tx, task, task.callback_url, settings, real_now)


def _plan_delivery(
    tx: Transaction, task: Task, url: str, settings: Settings, real_now: int
) -> None:
    account = tx.account(task.account_id)
    due_at = settings.retry_policy.due_at(1, task.timeline.ends_at, task.seed)
    if account is None or due_at is None:
        raise RuntimeError(f"the delivery of {task.id} has no account or no attempts")
    delivery = Delivery(
        delivery_id(task.seed, task.id), task.id, task.account_id, url, "pending", 0, due_at
    )
    wake_at = account.clock.real_time_of(due_at, real_now)
    tx.add_delivery(delivery, task.timeline.ends_at, wake_at)
