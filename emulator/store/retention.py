"""What is old in the store, removed a few rows at a time."""

from itertools import takewhile

from emulator.core.credits import carry_forward
from emulator.store.queries import Queries


class RetentionQueries(Queries):
    """What a transaction can do with what is old.

    Each method that removes takes an account, an instant of its clock, and the most rows, and
    returns how many went.
    """

    def take_lease(self, name: str, held: int, until: int, real_now: int) -> bool:
        """Take a lease that all processes know, or keep it; False where another one holds it.

        Args:
            name: of the lease.
            held: the instant until which the caller holds it, 0 where it does not.
            until: until when it shall hold it, a real instant.
            real_now: the real instant.
        """
        self._run("add_meta", {"name": name, "value": "0"})
        parameters = {"name": name, "held": str(held), "until": str(until), "now": real_now}
        return self._run("take_lease", parameters).rowcount == 1

    def accounts_after(self, account_id: str, limit: int) -> list[str]:
        """The ids that follow an account's id."""
        rows = self._run("accounts_after", {"after": account_id, "limit": limit})
        return [row[0] for row in rows]

    def fold_ledger(self, account_id: str, before: int, limit: int) -> int:
        """Write one entry in the place of the first ones, as far as all of them are old."""
        rows = self._run("oldest_ledger", {"id": account_id, "limit": limit})
        old = list(takewhile(lambda row: row[1] < before, rows.fetchall()))
        if len(old) < 2:
            return 0
        sums = carry_forward([row[2:] for row in old])
        last = {"id": account_id, "number": old[-1][0]}
        self._run("drop_ledger", last)
        self._run(
            "carry_ledger_forward",
            {
                **last, "kind": sums.kind, "granted": sums.granted, "available": sums.available,
                "reserved": sums.reserved, "charged": sums.charged,
            },
        )  # fmt: skip
        return len(old)

    def remove_tasks(self, account_id: str, before: int, limit: int) -> int:
        """Remove settled tasks that ended before, with their deliveries, unless one is due."""
        old = self._run("old_tasks", {"id": account_id, "before": before, "limit": limit})
        rows = old.fetchall()
        for task_id, ends_at, delivery_id in rows:
            if delivery_id is not None:
                self._run("remove_attempts", {"id": delivery_id})
                self._run("remove_delivery", {"id": delivery_id})
            self._run("remove_task", {"id": task_id})
            end = {"account_id": account_id, "ends_at": ends_at, "id": task_id}
            self._run("remove_task_end", end)
        return len(rows)

    def remove_uploads(self, account_id: str, before: int, limit: int) -> int:
        """Remove images that were sent before."""
        old = self._run("old_uploads", {"id": account_id, "before": before, "limit": limit})
        rows = old.fetchall()
        for (upload_id,) in rows:
            self._run("remove_upload", {"id": upload_id})
        return len(rows)

    def remove_journal(self, account_id: str, before: int, limit: int) -> int:
        """Remove the first entries of the journal, as far as all of them are old."""
        rows = self._run("oldest_journal", {"id": account_id, "limit": limit})
        old = list(takewhile(lambda row: row[1] < before, rows.fetchall()))
        if old:
            self._run("trim_journal", {"id": account_id, "until": old[-1][0]})
        return len(old)

    def remove_messages(self, account_id: str, before: int, limit: int) -> int:
        """Remove messages that came before, from all inboxes."""
        old = self._run("old_messages", {"id": account_id, "before": before, "limit": limit})
        rows = old.fetchall()
        for inbox, number in rows:
            self._run("remove_message", {"id": account_id, "inbox": inbox, "number": number})
        return len(rows)

    def mark_used(self, key_hash: str, real_now: int) -> bool:
        """Note that a key was used; False where there is no such key."""
        return self._run("mark_used", {"hash": key_hash, "now": real_now}).rowcount == 1

    def unused_account(self, account_id: str, before: int) -> tuple[str, int] | None:
        """Find out that nobody would miss an account.

        A key that was made by its first use has its account's id as its name; a created one
        can't: its name was there before it.

        Args:
            account_id: the account.
            before: a real instant; its key was not used since.

        Returns:
            The hash of its key, and its seed; None where it has anything of its own.
        """
        row = self._run("unused_account", {"id": account_id, "before": before}).fetchone()
        return None if row is None else (row[0], row[1])

    def remove_unused_key(self, key_hash: str, before: int) -> bool:
        """Remove a key, unless it was used since a real instant: then False."""
        return self._run("remove_unused_key", {"hash": key_hash, "before": before}).rowcount == 1
