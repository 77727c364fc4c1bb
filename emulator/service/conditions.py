"""What a clock can run until."""

from typing import Any, NamedTuple

from emulator.core.callback import Delivery
from emulator.core.errors import Refusal
from emulator.service.tasks import no_such_task
from emulator.settings import Settings
from emulator.store.transaction import Transaction

_ACCEPTED = '{"task_ended": "task_..."} or {"deliveries_exhausted": true}'


class Condition(NamedTuple):
    """Something that comes true when enough due work was done.

    Attributes:
        task_id: this task has ended; None: no callback of the account is still to be sent.
    """

    task_id: str | None

    def check(self, tx: Transaction, account_id: str) -> None:
        """Check that it can come true.

        Raises:
            Refusal: the account has no such task.
        """
        if self.task_id is not None:
            stored = tx.task(self.task_id) if self.task_id.isascii() else None
            if stored is None or stored.task.account_id != account_id:
                raise no_such_task(self.task_id)

    def holds(self, tx: Transaction, account_id: str, next_delivery: Delivery | None) -> bool:
        """Whether it is true now.

        Args:
            tx: the transaction to look in.
            account_id: whose condition it is.
            next_delivery: the account's next attempt, whenever it is due; None: there is none.
        """
        if self.task_id is None:
            return next_delivery is None and not tx.expects_callback(account_id)
        stored = tx.task(self.task_id)
        return stored is not None and stored.task.settled


def parse_condition(value: Any, settings: Settings) -> Condition:
    """Read what ``run_until`` was sent with.

    Raises:
        Refusal: it is no condition, or one that can't come true on this server.
    """
    match value:
        case {"task_ended": str(task_id)} if len(value) == 1:
            return Condition(task_id)
        case {"deliveries_exhausted": True} if len(value) == 1:
            if settings.callbacks != "off":
                return Condition(None)
            message = "deliveries_exhausted can't come true: this server runs with --callbacks off."
            raise Refusal("invalid_value", message, "run_until")
    raise Refusal.invalid_value("run_until", value, _ACCEPTED)
