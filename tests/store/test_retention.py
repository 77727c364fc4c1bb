"""The rows behind retention: a lease among processes, and batches of what is old."""

from typing import Any

from emulator.core.credits import grant, reserve
from emulator.store.records import ApiKey, LedgerEntry
from emulator.store.sqlite import SqliteDatabase
from emulator.store.transaction import Transaction

ACCOUNT = "acct_1"


def book(tx: Transaction, *instants: int) -> None:
    """An account whose first entry is a grant of 100 credits, the others reservations of 1."""
    tx.add_account(ACCOUNT, 1, 1, 0)
    for number, at in enumerate(instants):
        movement = reserve(1) if number else grant(100)
        moved = tx.move_credits(ACCOUNT, movement)
        assert moved is not None
        tx.add_ledger_entries(ACCOUNT, [LedgerEntry(movement, at, None)], moved)


def ledger(database: SqliteDatabase) -> list[tuple[int, str, int, int]]:
    rows: Any = database._connection.execute(
        "SELECT number, kind, available, available_after FROM ledger_entries ORDER BY number"
    )
    return list(rows)


def test_a_lease_has_one_holder_until_it_ends() -> None:
    database = SqliteDatabase(":memory:")

    def take(held: int, until: int, now: int) -> bool:
        return database.write_now(lambda tx: tx.take_lease("sweep", held, until, now))

    assert take(0, 100, 10)
    assert not take(0, 150, 50)
    assert take(100, 190, 90)  # its holder keeps it
    assert not take(100, 200, 120)  # one that held it before does not
    assert take(0, 300, 190)
    database.close()


def test_a_ledger_is_folded_up_to_the_first_entry_that_is_not_old() -> None:
    database = SqliteDatabase(":memory:")
    database.write_now(lambda tx: book(tx, 1, 2, 9, 3, 4))
    assert database.write_now(lambda tx: tx.fold_ledger(ACCOUNT, 5, 100)) == 2
    assert ledger(database) == [
        (2, "carried_forward", 99, 99), (3, "reservation", -1, 98), (4, "reservation", -1, 97),
        (5, "reservation", -1, 96),
    ]  # fmt: skip
    assert database.write_now(lambda tx: tx.fold_ledger(ACCOUNT, 5, 100)) == 0
    database.close()


def test_a_ledger_is_folded_in_batches() -> None:
    database = SqliteDatabase(":memory:")
    database.write_now(lambda tx: book(tx, *range(8)))
    steps = [database.write_now(lambda tx: tx.fold_ledger(ACCOUNT, 8, 3)) for _ in range(5)]
    assert steps == [3, 3, 3, 2, 0]
    assert ledger(database) == [(8, "carried_forward", 93, 93)]
    database.close()


def test_what_a_sweep_asks_has_an_index() -> None:
    database = SqliteDatabase(":memory:")
    for name in ("old_tasks", "old_uploads", "oldest_ledger", "oldest_journal", "unused_account"):
        query, bind = database._queries[name]
        values = bind(dict.fromkeys(("id", "before", "limit"), 1))
        plan = database._connection.execute("EXPLAIN QUERY PLAN " + query, values).fetchall()
        steps = [str(step[3]) for step in plan]
        assert not [step for step in steps if step.startswith("SCAN") or "TEMP B-TREE" in step], (
            name,
            steps,
        )
    database.close()


def test_a_key_that_is_used_at_the_last_moment_stays() -> None:
    database = SqliteDatabase(":memory:")
    database.write_now(lambda tx: book(tx, 1))
    key = ApiKey("hash", ACCOUNT, ACCOUNT, "sk-…", None, None, None, created_at=10)
    database.write_now(lambda tx: tx.add_key(key))
    assert database.write_now(lambda tx: tx.unused_account(ACCOUNT, 11)) == ("hash", 1)
    assert database.write_now(lambda tx: tx.mark_used("hash", 20))
    assert not database.write_now(lambda tx: tx.remove_unused_key("hash", 11))
    assert database.write_now(lambda tx: tx.remove_unused_key("hash", 21))
    assert not database.write_now(lambda tx: tx.mark_used("hash", 30))
    database.close()
