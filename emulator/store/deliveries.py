"""Callback deliveries in the store, and the clock that moves what is due."""

from collections.abc import Collection
from typing import Any

from emulator.core.callback import AttemptResult, Delivery
from emulator.core.clock import AccountClock
from emulator.store.queries import Queries
from emulator.store.records import Row


class DeliveryQueries(Queries):
    """What a transaction can do with deliveries and with an account's clock."""

    def set_clock(self, account_id: str, clock: AccountClock, real_now: int) -> None:
        """Set an account's clock, and with it the real time at which its work is due."""
        self._run(
            "set_clock",
            {"id": account_id, "offset_ms": clock.offset_ms, "frozen_at": clock.frozen_at},
        )
        due = {
            "id": account_id,
            "frozen_at": clock.frozen_at,
            "offset_ms": clock.offset_ms,
            "real_now": real_now,
        }
        self._run("wake_account", due)
        self._run("wake_deliveries", due)

    def add_delivery(self, delivery: Delivery, created_at: int, wake_at: int | None) -> None:
        """Add a delivery that was not tried yet; ``wake_at`` is the real time of its attempt."""
        self._run(
            "add_delivery",
            {
                "id": delivery.id, "task_id": delivery.task_id,
                "account_id": delivery.account_id, "url": delivery.url, "host": delivery.host,
                "state": delivery.state, "due_at": delivery.due_at, "wake_at": wake_at,
                "created_at": created_at, "copies_left": delivery.copies_left,
                "held": int(delivery.held),
            },
        )  # fmt: skip
        self._note(delivery.account_id)

    def delivery(self, delivery_id: str) -> Delivery | None:
        """Find a delivery."""
        row = self._run("delivery", {"id": delivery_id}).fetchone()
        return None if row is None else _delivery(row)

    def has_delivery_due(self, real_now: int) -> bool:
        """Whether any delivery's next attempt is due."""
        return self._run("delivery_due", {"real_now": real_now}).fetchone() is not None

    def claim_deliveries(
        self,
        owner: str,
        real_now: int,
        leased_until: int,
        limit: int,
        busy_hosts: Collection[str],
    ) -> list[Delivery]:
        """Take deliveries whose next attempt is due, but for those to busy hosts.

        Nobody but the owner takes them until a real instant. Those of an account whose clock is
        being moved stay.
        """
        parameters = {
            "owner": owner, "real_now": real_now, "leased_until": leased_until, "limit": limit,
            "busy_hosts": "|".join(("", *busy_hosts, "")),
        }  # fmt: skip
        return [_delivery(row) for row in self._run("claim_deliveries", parameters)]

    def lease_delivery(
        self, delivery_id: str, owner: str, real_now: int, leased_until: int
    ) -> bool:
        """Take one delivery, due or not; False where somebody else has it."""
        parameters = {
            "id": delivery_id, "owner": owner, "real_now": real_now, "leased_until": leased_until,
        }  # fmt: skip
        return self._run("lease_delivery", parameters).rowcount == 1

    def renew_delivery(self, delivery_id: str, owner: str, leased_until: int) -> None:
        """Keep a delivery that the owner took until a later instant."""
        parameters = {"id": delivery_id, "owner": owner, "leased_until": leased_until}
        self._run("renew_delivery", parameters)

    def first_delivery_due(self, account_id: str, until: int) -> Delivery | None:
        """The account's delivery whose attempt is due first, up to an instant."""
        row = self._run("first_delivery_due", {"id": account_id, "until": until}).fetchone()
        return None if row is None else _delivery(row)

    def record_attempt(
        self, after: Delivery, result: AttemptResult, at: int, wake_at: int | None
    ) -> bool:
        """Write down an attempt and the delivery's state after it; False where it is stale."""
        changed = self._run(
            "update_delivery",
            {
                "id": after.id, "state": after.state, "attempts_made": after.attempts_made,
                "due_at": after.due_at, "wake_at": wake_at, "copies_left": after.copies_left,
            },
        ).rowcount  # fmt: skip
        if changed:
            self._run(
                "add_attempt",
                {
                    "delivery_id": after.id, "number": after.attempts_made, "at": at,
                    "status": result.status, "duration_ms": result.duration_ms,
                    "answer": result.answer, "error": result.error,
                },
            )  # fmt: skip
            self._note(after.account_id)
        return changed == 1

    def has_held_delivery(self, account_id: str) -> bool:
        """Whether a delivery of the account waits for a later one."""
        return self._run("has_held_delivery", {"id": account_id}).fetchone() is not None

    def release_held_deliveries(
        self, account_id: str, now: int, wake_at: int | None, but: str
    ) -> None:
        """Let held deliveries of the account go out now, but for the one that was attempted."""
        parameters = {"id": account_id, "now": now, "wake_at": wake_at, "except": but}
        self._run("release_held_deliveries", parameters)
        self._note(account_id)

    def deliveries_of_account(
        self, account_id: str, limit: int, task_id: str | None = None
    ) -> list[Delivery]:
        """An account's deliveries, or those of one of its tasks, newest first."""
        parameters = {"id": account_id, "limit": limit, "task_id": task_id}
        rows = self._run("deliveries_of_account", parameters)
        return [_delivery(row) for row in rows]

    def attempts(self, delivery_id: str) -> list[dict[str, Any]]:
        """A delivery's attempts, oldest first."""
        names = ("number", "at", "status", "duration_ms", "answer", "error")
        rows = self._run("attempts", {"delivery_id": delivery_id})
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _note(self, account_id: str) -> None:
        """Count a change of the account's deliveries, for who looks on."""
        self._run("note_deliveries", {"id": account_id})


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=row[0], task_id=row[1], account_id=row[2], url=row[3], state=row[4],
        attempts_made=row[5], due_at=row[6], copies_left=row[7], held=row[8] == 1,
    )  # fmt: skip
