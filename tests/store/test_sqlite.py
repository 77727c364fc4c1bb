"""The SQLite driver on a real file."""

import re
import sqlite3
from importlib.resources import files
from pathlib import Path

import pytest

from emulator.core.credits import reserve
from emulator.store.records import StoreError
from emulator.store.sql_files import load_queries
from emulator.store.sqlite import SqliteDatabase
from tests.support.engines import add, available


async def test_what_was_committed_is_there_after_opening_again(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "state.db")
    database = SqliteDatabase(path)
    await database.write(add)
    database.close()
    again = SqliteDatabase(path)
    assert await again.read(available) == 100
    again.close()


async def test_the_database_itself_refuses_to_go_below_zero() -> None:
    database = SqliteDatabase(":memory:")
    await database.write(add)
    assert await database.write(lambda tx: tx.move_credits("acct_1", reserve(101))) is None
    with pytest.raises(sqlite3.IntegrityError):
        database._connection.execute("UPDATE accounts SET available = available - 1")
    with pytest.raises(sqlite3.IntegrityError):
        database._connection.execute(
            "UPDATE accounts SET available = available - 200, reserved = reserved + 200"
        )
    database.close()


def test_files_that_are_no_database_of_ours(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("this is not a database" * 100)
    foreign = tmp_path / "foreign.db"
    newer = tmp_path / "newer.db"
    for path, statement in (
        (foreign, "CREATE TABLE theirs (x)"),
        (newer, "PRAGMA user_version = 999"),
    ):
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.close()
    for path, reason in (
        (text, "not a database"),
        (foreign, "another program"),
        (newer, "newer emulator"),
        (tmp_path, "unable to open"),
    ):
        with pytest.raises(StoreError, match=reason):
            SqliteDatabase(str(path))
    connection = sqlite3.connect(foreign)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    connection.close()


def test_no_query_is_named_twice() -> None:
    text = files("emulator.store").joinpath("queries.sql").read_text("utf-8")
    names = re.findall(r"^-- name: (\w+)$", text, re.MULTILINE)
    assert sorted(names) == sorted(load_queries())


async def test_a_database_behind_a_link_opens_and_sees_what_others_write(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "real" / "state.db")
    linked = SqliteDatabase(str(tmp_path / "link.db"))
    other = SqliteDatabase(str(tmp_path / "real" / "state.db"))
    before = linked.version()
    await other.write(add)
    assert linked.version() != before
    assert linked._index_head is not None
    linked.close()
    other.close()


async def test_without_an_index_that_can_be_read_sqlite_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(path)

    monkeypatch.setattr("emulator.store.sqlite.WalIndexHead", refuse)
    database = SqliteDatabase(str(tmp_path / "state.db"))
    before = database.version()
    await database.write(add)
    assert database.version() != before
    database.close()
