"""A database of an earlier build goes on where it was."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from emulator.core.credits import settle
from emulator.store import postgres_session, sql_files, sqlite
from emulator.store.opening import open_database
from emulator.store.transaction import Transaction
from tests.support.engines import SHARED, database_of

LATEST = len(sql_files.load_migrations("sqlite"))

# What the first schema could hold: a task that was settled, whose callback is due, and one that
# has ended.
FIRST_ROWS = """
INSERT INTO accounts (id, seed, granted, available, reserved, charged, tasks_created,
    ledger_entries, created_at)
VALUES ('acct_1', 7, 100, 50, 20, 30, 2, 3, 1);
INSERT INTO api_keys (hash, account_id, name, hint, created_at)
VALUES ('hash', 'acct_1', 'first', 'sk-1', 1);
INSERT INTO tasks (id, account_id, number, seed, key_hash, model, width_px, height_px, created_at,
    starts_at, ends_at, images, reserved, charge, settled, wake_at, base_url, request_id, request)
VALUES
    ('task_1', 'acct_1', 1, 5, 'hash', 'gpt-image-2', 8, 8, 1, 2, 10, 1, 30, 30, 1, NULL,
    'http://localhost', 'req_1', '{}'),
    ('task_2', 'acct_1', 2, 6, 'hash', 'gpt-image-2', 8, 8, 1, 2, 900, 1, 20, 20, 0, 900,
    'http://localhost', 'req_2', '{}');
INSERT INTO deliveries (id, task_id, account_id, url, state, due_at, wake_at, created_at)
VALUES ('msg_1', 'task_1', 'acct_1', 'http://localhost/', 'pending', 10, 10, 10);
"""


# Databases exist that these have made: a change goes into a file of its own.
MADE_ALREADY = {
    "0001_first.sql": "14dd2eef6c6802d2",
    "0002_steering.sql": "a72551919b2d2a54",
    "0003_watching.sql": "4d6c835eef924f53",
    "0004_replicas.sql": "f82e5e444828f5bb",
    "0005_limits.sql": "bd1ab03a6c0ca7e8",
    "0006_retention.sql": "ad29003eeaf41ac2",
    "0007_listing.sql": "48dc27ec59184aa3",
    "0008_lease_owners.sql": "78951f508b4aad0b",
    "0009_task_ends.sql": "1d4e1c03111a4466",
}


@pytest.fixture(params=SHARED)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database_of(request.param, tmp_path) as name:
        yield name


def open_as(version: int, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open a database as the build did whose schema had this version."""
    known = sql_files.load_migrations

    def load(engine: str) -> list[list[str]]:
        return known(engine)[:version]

    with monkeypatch.context() as patched:
        for driver in (sqlite, postgres_session):
            patched.setattr(driver, "load_migrations", load)
        open_database(where, 2).close()


def run(where: str, script: str) -> None:
    """Run statements beside the emulator."""
    if where.startswith("postgresql:"):
        import psycopg

        with psycopg.connect(where) as postgres:
            postgres.execute(script.encode())
        return
    with closing(sqlite3.connect(where)) as file:
        file.executescript(script)


@pytest.mark.parametrize("version", range(1, LATEST + 1))
def test_what_an_earlier_build_wrote_is_kept_and_goes_on(
    where: str, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if where.startswith("postgresql:"):
        run(where, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")  # it came with the schema
    open_as(1, where, monkeypatch)
    run(where, FIRST_ROWS)
    open_as(version, where, monkeypatch)
    with closing(open_database(where, 2)) as database:
        assert database.write_now(sums) == (100, 50, 20, 30)
        assert database.write_now(callback_due) == "msg_1"
        assert database.write_now(lambda tx: tx.accounts_to_settle(1_000, 10)) == ["acct_1"]
        assert database.write_now(settle_ended) == ["task_2"]
        assert database.write_now(sums) == (100, 50, 0, 50)
        assert database.write_now(lambda tx: tx.accounts_to_settle(1_000, 10)) == []


def sums(tx: Transaction) -> tuple[int, int, int, int]:
    """The account's credits: granted, available, reserved, charged."""
    account = tx.account("acct_1")
    assert account is not None
    return account.granted, account.available, account.reserved, account.charged


def callback_due(tx: Transaction) -> str:
    """The delivery that is to be tried first."""
    delivery = tx.first_delivery_due("acct_1", 1_000)
    assert delivery is not None
    assert tx.lease_delivery(delivery.id, "me", 1_000, 2_000)
    return delivery.id


def settle_ended(tx: Transaction) -> list[str]:
    """Settle what has ended; the count of tasks in flight must allow it."""
    tasks = tx.claim_ended("acct_1", 1_000, 10)
    assert tx.move_credits("acct_1", settle(20, 20)[0], ended=len(tasks)) is not None
    return [task.id for task in tasks]


def test_a_migration_stays_as_it_was() -> None:
    folder = Path(sql_files.__file__).parent / "migrations"
    digests = {
        script.name: hashlib.sha256(script.read_bytes()).hexdigest()[:16]
        for script in folder.glob("*.sql")
    }
    assert digests == MADE_ALREADY, "add a new file to the list; leave those in it alone"
