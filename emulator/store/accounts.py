"""Accounts, keys and credits in the store."""

import json
from collections.abc import Sequence
from typing import Any

from emulator.core.clock import AccountClock
from emulator.core.credits import Movement
from emulator.store.queries import Queries
from emulator.store.records import (
    Account,
    ApiKey,
    Caller,
    LedgerEntry,
    LedgerPart,
    Moved,
    Row,
)

CALLER_COLUMNS = 12
_NO_LIMIT = 2**62


class AccountQueries(Queries):
    """What a transaction can do with accounts, keys and credits."""

    def meta(self, name: str, initial: str) -> str:
        """Read a value that all replicas share, writing ``initial`` where there is none."""
        self._run("add_meta", {"name": name, "value": initial})
        value: str = self._run("meta", {"name": name}).fetchone()[0]
        return value

    def caller(self, key_hash: str) -> Caller | None:
        """Find the key and its account."""
        row = self._run("caller", {"hash": key_hash}).fetchone()
        return None if row is None else caller_of(key_hash, row)

    def lock_account(self, account_id: str) -> None:
        """Let nobody else change an account until the transaction ends."""
        self._run("lock_account", {"id": account_id})

    def lease_clock(self, account_id: str, owner: str, real_now: int, leased_until: int) -> bool:
        """Take or renew the right to move an account's clock; False where another process has it.

        Until a real instant, or ``release_clock``; meanwhile only the owner sends callbacks.
        """
        parameters = {
            "id": account_id, "owner": owner, "real_now": real_now, "leased_until": leased_until,
        }  # fmt: skip
        return self._run("lease_clock", parameters).rowcount == 1

    def release_clock(self, account_id: str, owner: str) -> None:
        """Give back the right to move an account's clock."""
        self._run("release_clock", {"id": account_id, "owner": owner})

    def account(self, account_id: str) -> Account | None:
        """Find an account."""
        row = self._run("account", {"id": account_id}).fetchone()
        if row is None:
            return None
        return Account(row[0], row[1], AccountClock(row[2], row[3]), *row[4:])

    def add_account(self, account_id: str, seed: int, id_seed: int, real_now: int) -> bool:
        """Add an account without credits; False where it exists."""
        parameters = {"id": account_id, "seed": seed, "id_seed": id_seed, "created_at": real_now}
        return self._run("add_account", parameters).rowcount == 1

    def account_of_id_seed(self, id_seed: int) -> str | None:
        """The account whose ids are made of ``id_seed``, or None."""
        row = self._run("account_of_id_seed", {"id_seed": id_seed}).fetchone()
        return None if row is None else str(row[0])

    def count_accounts(self, most: int) -> int:
        """How many accounts there are, counted up to ``most``."""
        count: int = self._run("count_accounts", {"limit": most}).fetchone()[0]
        return count

    def add_key(self, key: ApiKey) -> None:
        """Add a key."""
        parameters = key._asdict()
        parameters["models"] = None if key.models is None else json.dumps(key.models)
        self._run("add_key", parameters)

    def keys(self) -> list[ApiKey]:
        """All keys, oldest first."""
        return [
            ApiKey(
                hash=row[0], account_id=row[1], name=row[2], hint=row[3], budget_credits=row[4],
                budget_used=row[5], requests_per_minute=row[6],
                models=None if row[7] is None else tuple(json.loads(row[7])),
                created_at=row[8], revoked_at=row[9],
            )
            for row in self._run("keys", {})
        ]  # fmt: skip

    def revoke_keys(self, key_hash: str, name: str, real_now: int) -> int:
        """Revoke the key with this hash, or those with this name; return how many."""
        parameters = {"hash": key_hash, "name": name, "now": real_now}
        return self._run("revoke_keys", parameters).rowcount

    def count_request(self, key_hash: str, now: int, window_ms: int) -> tuple[int, int]:
        """Count a request; return how many there are in the window, and when it began."""
        row = self._run(
            "count_request", {"hash": key_hash, "now": now, "window_ms": window_ms}
        ).fetchone()
        return (0, now) if row is None else (row[0], row[1])  # None: deleted a moment ago

    def use_budget(self, key_hash: str, credits: int) -> bool:
        """Take credits of a key's budget; False: too few are left."""
        return (
            self._run("use_budget", {"hash": key_hash, "credits": credits}).fetchone() is not None
        )

    def give_back_budget(self, key_hash: str, credits: int) -> None:
        """Give credits back to the budget of a key that has one."""
        self._run("give_back_budget", {"hash": key_hash, "credits": credits})

    def move_credits(
        self,
        account_id: str,
        movement: Movement,
        tasks: int = 0,
        ended: int = 0,
        entries: int = 1,
        most_in_flight: int = _NO_LIMIT,
    ) -> Moved | None:
        """Apply a movement; None, and nothing done, where a sum would go below zero.

        Args:
            account_id: whose credits.
            movement: what is added to each sum.
            tasks: how many tasks are being created with it.
            ended: how many tasks are being settled with it.
            entries: how many entries of the ledger it makes.
            most_in_flight: nothing is done either where more tasks would be unsettled.
        """
        row = self._run(
            "move_credits",
            {
                "id": account_id, "granted": movement.granted, "available": movement.available,
                "reserved": movement.reserved, "charged": movement.charged, "tasks": tasks,
                "ended": ended, "entries": entries, "most_in_flight": most_in_flight,
            },
        ).fetchone()  # fmt: skip
        if row is None:
            return None
        return Moved(row[0], row[1], row[2], AccountClock(row[3], row[4]), row[5], row[6], row[7])

    def add_ledger_entries(
        self, account_id: str, entries: Sequence[LedgerEntry], moved: Moved
    ) -> None:
        """Write down movements that were applied together.

        Args:
            account_id: whose credits they moved.
            entries: the movements, in order.
            moved: the account after the last of them.
        """
        number, after, rows = moved.entry_number, moved.available, []
        for movement, at, task_id in reversed(entries):
            rows.append(
                {
                    "id": account_id, "number": number, "kind": movement.kind, "task_id": task_id,
                    "granted": movement.granted, "available": movement.available,
                    "reserved": movement.reserved, "charged": movement.charged, "after": after,
                    "at": at,
                }
            )  # fmt: skip
            number, after = number - 1, after - movement.available
        self._run_many("add_ledger_entry", rows[::-1])

    def ledger(self, account_id: str, part: LedgerPart) -> list[dict[str, Any]]:
        """A part of the account's ledger."""
        names = (
            "number", "kind", "task_id", "granted", "available", "reserved", "charged",
            "available_after", "at",
        )  # fmt: skip
        name = "ledger" if part.before is None else "newest_ledger"
        rows = self._run(name, {**part._asdict(), "id": account_id})
        return [dict(zip(names, row, strict=True)) for row in rows]


def caller_of(key_hash: str, row: Row) -> Caller:
    """Read a caller from a row's first columns."""
    (
        revoked_at, budget, per_minute, models, account_id, seed, id_seed, available, offset,
        frozen, faults_version, used_at,
    ) = row[:CALLER_COLUMNS]  # fmt: skip
    return Caller(
        key_hash,
        revoked_at is not None,
        budget,
        per_minute,
        None if models is None else tuple(json.loads(models)),
        account_id,
        seed,
        id_seed,
        AccountClock(offset, frozen),
        available,
        faults_version,
        used_at,
    )
