"""The journal in the store: requests with their answers, numbered in each account."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from emulator.store.queries import Queries

_HIGHEST_NUMBER = 2**62


class JournalEntry(NamedTuple):
    """A request with its answer.

    Attributes:
        at: when it was answered, on the account's clock.
        operation: its operationId in openapi.yaml.
        method, path, status: as in the access log; the path with its query.
        duration_ms: how long it took, in real time.
        request_id: the ``X-Request-Id`` of its answer.
        task_id: the task that it made or asked for, or None.
        request, answer: both bodies, as much of them as is kept; empty: there is none.
        notes: the rest, as JSON.
        number: its place in the account's journal, once it is stored.
    """

    at: int
    operation: str
    method: str
    path: str
    status: int
    duration_ms: int
    request_id: str
    task_id: str | None
    request: str
    answer: str
    notes: str
    number: int = 0


class JournalFilter(NamedTuple):
    """Which entries are asked for; what is None, or an empty text, takes all.

    Attributes:
        operation, method, task_id: exactly these.
        path, body: texts that the path and the request's body contain, in either case.
        least_status, most_status: bounds of the status.
        after: only entries with a higher number.
        before: only entries with a lower number, and then the newest of them first; None: all.
    """

    operation: str | None = None
    method: str | None = None
    task_id: str | None = None
    path: str = ""
    body: str = ""
    least_status: int = 0
    most_status: int = 999
    after: int = 0
    before: int | None = None

    def parameters(self, account_id: str) -> dict[str, Any]:
        """The filter as a query's parameters."""
        escaped = self.body.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return {
            **self._asdict(),
            "id": account_id,
            "before": _HIGHEST_NUMBER if self.before is None else self.before,
            "direction": 1 if self.before is None else -1,
            "path": _containing(self.path),
            "body": _containing(self.body),
            "json_body": _containing(escaped),
        }


class JournalQueries(Queries):
    """What a transaction can do with the journal."""

    def add_to_journal(self, account_id: str, entries: Sequence[JournalEntry], made: int) -> int:
        """Add the last entries of those that were made; return the last one's number.

        Nothing is added, and 0 returned, where the account is gone.
        """
        row = self._run("claim_journal_numbers", {"id": account_id, "made": made}).fetchone()
        if row is None:
            return 0
        last: int = row[0]
        first = last - len(entries) + 1
        rows = [
            {**entry._asdict(), "account_id": account_id, "number": number}
            for number, entry in enumerate(entries, first)
        ]
        self._run_many("add_journal_entry", rows)
        return last

    def trim_journal(self, account_id: str, until: int) -> None:
        """Remove an account's entries up to a number."""
        self._run("trim_journal", {"id": account_id, "until": until})

    def forget_journal(self, account_id: str) -> int:
        """Remove an account's entries and begin at number 1 again; return how many there were."""
        removed = self._run("forget_journal", {"id": account_id}).rowcount
        self._run("reset_journal_numbers", {"id": account_id})
        return removed

    def journal(self, account_id: str, only: JournalFilter, limit: int) -> list[JournalEntry]:
        """An account's entries, oldest first."""
        rows = self._run("journal", {**only.parameters(account_id), "limit": limit})
        return [JournalEntry(*row) for row in rows]

    def count_journal(self, account_id: str, only: JournalFilter) -> int:
        """How many entries a filter takes."""
        count: int = self._run("count_journal", only.parameters(account_id)).fetchone()[0]
        return count

    def lost_journal_entries(self, account_id: str) -> int:
        """How many entries were made and are no longer kept."""
        row = self._run("lost_journal_entries", {"id": account_id}).fetchone()
        return 0 if row is None else int(row[0])


def _containing(text: str) -> str:
    """A pattern of LIKE, with ``!`` as its escape."""
    for special in "!%_":
        text = text.replace(special, "!" + special)
    return f"%{text}%"
