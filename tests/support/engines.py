"""The engines that a test of the store, or of replicas, runs on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulator.core.credits import grant
from emulator.store.transaction import Transaction
from tests.support.postgres import drop_database, needs_postgres, new_database

SHARED = (pytest.param("sqlite"), pytest.param("postgres", marks=needs_postgres))
ENGINES = (pytest.param("memory"), *SHARED)


def add(tx: Transaction) -> None:
    """Add the account acct_1, with 100 credits."""
    tx.add_account("acct_1", 1, 1, 0)
    tx.move_credits("acct_1", grant(100))


def available(tx: Transaction) -> int:
    """What is left of them."""
    account = tx.account("acct_1")
    assert account is not None
    return account.available


@contextmanager
def database_of(engine: str, folder: Path) -> Iterator[str]:
    """A database with nothing in it, by the name that ``--database`` takes."""
    if engine != "postgres":
        yield ":memory:" if engine == "memory" else str(folder / "state.db")
        return
    url = new_database()
    try:
        yield url
    finally:
        drop_database(url)
