"""What a task's end moves: credits, the key's budget, and the callback."""

from emulator.core.callback import Delivery
from emulator.core.credits import settle
from emulator.core.seed import token
from emulator.settings import Settings
from emulator.store.records import StoredTask
from emulator.store.transaction import Transaction


def settle_task(tx: Transaction, stored: StoredTask, settings: Settings, real_now: int) -> bool:
    """Settle a task whose end has come; exactly once, whoever asks.

    Args:
        tx: the transaction that does it all.
        stored: the task, its account's clock and its key.
        settings: the callback policy.
        real_now: the real instant.

    Returns:
        False where it was settled before.
    """
    task = stored.task
    if not tx.mark_settled(task.id):
        return False
    for movement in settle(task.reserved, task.charge):
        moved = tx.move_credits(task.account_id, movement)
        if moved is None:
            raise RuntimeError(f"the reservation of {task.id} is not in its account")
        tx.add_ledger_entry(task.account_id, movement, moved, task.timeline.ends_at, task.id)
    if task.charge < task.reserved:
        tx.give_back_budget(stored.key_hash, task.reserved - task.charge)  # ERR-4
    url = task.request.callback_url
    if url is not None and settings.callbacks != "off":
        due_at = settings.retry_policy.due_at(1, task.timeline.ends_at, task.seed)
        delivery = Delivery(
            id=f"msg_{token(task.seed, 'delivery')}",
            task_id=task.id,
            account_id=task.account_id,
            url=url,
            state="pending",
            attempts_made=0,
            due_at=due_at,
        )
        wake_at = None if due_at is None else stored.clock.real_time_of(due_at, real_now)
        tx.add_delivery(delivery, task.timeline.ends_at, wake_at)
    return True
