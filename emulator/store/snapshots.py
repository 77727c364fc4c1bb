"""All rows of an account: out, in, and away."""

from typing import Any

from emulator.core.clock import AccountClock
from emulator.core.errors import Refusal
from emulator.store.queries import Queries

# Table -> the columns of its rows in a snapshot, as the queries name them. A row that stands in
# another table's row comes after it.
TABLES = {
    "tasks": (
        "id", "number", "seed", "width_px", "height_px", "created_at", "starts_at", "ends_at",
        "images", "error_code", "reserved", "charge", "settled", "request",
    ),
    "ledger": (
        "number", "kind", "task_id", "granted", "available", "reserved", "charged",
        "available_after", "at",
    ),
    "deliveries": (
        "id", "task_id", "url", "state", "attempts_made", "due_at", "created_at", "copies_left",
        "held",
    ),
    "attempts": ("delivery_id", "number", "at", "status", "duration_ms", "answer", "error"),
    "uploads": ("id", "media_type", "content", "created_at"),
    "faults": ("number", "spec", "directive", "times", "seen", "hits"),
    "journal": (
        "number", "at", "operation", "method", "path", "status", "duration_ms", "request_id",
        "task_id", "request", "answer", "notes",
    ),
    "inboxes": ("name", "answers", "messages_received"),
    "inbox_messages": (
        "inbox", "number", "at", "delivery_id", "headers", "body", "signature", "status",
    ),
}  # fmt: skip
_ACCOUNT = (
    "seed", "id_seed", "clock_offset_ms", "clock_frozen_at", "granted", "available", "reserved",
    "charged", "tasks_created", "uploads_created", "faults_created", "journal_entries",
)  # fmt: skip

Row = dict[str, Any]


class SnapshotQueries(Queries):
    """What a transaction can do with an account as a whole."""

    def export_account(self, account_id: str) -> tuple[Row, AccountClock] | None:
        """The account's row without its clock, and its clock; None where it is gone."""
        found = self._run("export_account", {"account_id": account_id}).fetchone()
        if found is None:
            return None
        row = dict(zip(_ACCOUNT, found, strict=True))
        return row, AccountClock(row.pop("clock_offset_ms"), row.pop("clock_frozen_at"))

    def export_rows(self, table: str, account_id: str) -> list[Row]:
        """The account's rows of a table in ``TABLES``."""
        rows = self._run(f"export_{table}", {"account_id": account_id})
        return [dict(zip(TABLES[table], row, strict=True)) for row in rows]

    def clear_account(self, account_id: str) -> None:
        """Delete everything that belongs to an account, but not itself and its keys."""
        for table in reversed(TABLES):
            self._run(f"clear_{table}", {"account_id": account_id})
        self._run("clear_task_ends", {"account_id": account_id})

    def delete_account(self, account_id: str) -> None:
        """Delete an account, which was cleared, and its keys."""
        self._run("delete_keys_of_account", {"account_id": account_id})
        self._run("delete_account", {"account_id": account_id})

    def import_account(
        self,
        account_id: str,
        account: Row,
        ledger_entries: int,
        faults: int,
        tasks_in_flight: int,
    ) -> None:
        """Set an account's seeds, sums and counters.

        Args:
            account_id: which account.
            account: as ``export_account`` gives it.
            ledger_entries, faults, tasks_in_flight: how many of them it has.
        """
        counts = {
            "ledger_entries": ledger_entries,
            "faults": faults,
            "tasks_in_flight": tasks_in_flight,
        }
        self._run("import_account", {"account_id": account_id, **account, **counts})

    def import_rows(self, table: str, rows: list[Row], shared: Row) -> None:
        """Add rows.

        Args:
            table: a key of ``TABLES``.
            rows: as ``export_rows`` gives them.
            shared: columns that are the same in each row.

        Raises:
            Refusal: an id of theirs belongs to another account.
        """
        for row in rows:
            if self._run(f"import_{table}", {**shared, **row}).rowcount != 1:
                message = f"{row['id']} belongs to another account of this server."
                raise Refusal("conflict", message, table)
        if table == "tasks":
            self._run_many("add_task_end", [{**shared, **row} for row in rows])

    def set_budget_used(self, account_id: str, credits: int) -> None:
        """Set what the account's keys have spent or set aside; their minutes begin anew."""
        self._run("set_budget_used", {"account_id": account_id, "credits": credits})
