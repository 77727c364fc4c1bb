"""What was read stays until anybody writes, this process or another."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.store.read_cache import ReadCache
from emulator.store.sqlite import SqliteDatabase
from emulator.store.transaction import Transaction

needs_posix = pytest.mark.skipif(os.name != "posix", reason="elsewhere SQLite is asked")


class Counted:
    """Reads a value of the table ``meta``, and counts how often."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.reads = 0
        self.cache = ReadCache(database, self._load)

    def _load(self, tx: Transaction, name: str) -> str:
        self.reads += 1
        row = tx._run("meta", {"name": name}).fetchone()
        return "nothing" if row is None else str(row[0])


@pytest.fixture(params=["file", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteDatabase:
    return SqliteDatabase(":memory:" if request.param == "memory" else str(tmp_path / "a.db"))


def test_a_value_is_read_once(database: SqliteDatabase) -> None:
    counted = Counted(database)
    assert [counted.cache.get("color") for _ in range(3)] == ["nothing"] * 3
    assert counted.reads == 1
    database.close()


def test_a_write_of_this_process_is_seen_at_once(database: SqliteDatabase) -> None:
    counted = Counted(database)
    assert counted.cache.get("color") == "nothing"
    database.write_now(lambda tx: tx.meta("color", "red"))
    assert counted.cache.get("color") == "red"
    database.close()


def test_no_more_is_kept_than_may(database: SqliteDatabase) -> None:
    counted = Counted(database)
    for number in range(5_000):
        counted.cache.get(f"name {number}")
    assert len(counted.cache._values) <= 4_096
    database.close()


WRITES = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for value in sys.stdin:
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('color', ?)", (value.strip(),))
    print("written", flush=True)
"""


@pytest.mark.parametrize("asks_sqlite", [pytest.param(False, marks=needs_posix), True])
def test_each_write_of_another_process_is_seen_at_once(tmp_path: Path, asks_sqlite: bool) -> None:
    path = str(tmp_path / "a.db")
    database = SqliteDatabase(path)
    if asks_sqlite:  # as where the index can't be read
        assert database._index_head is not None
        database._index_head.close()
        database._index_head = None
    counted = Counted(database)
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    ) as other:  # fmt: skip
        assert other.stdin is not None
        assert other.stdout is not None
        for number in range(200):
            counted.cache.get("color")
            other.stdin.write(f"{number}\n")
            assert other.stdout.readline() == "written\n"
            assert counted.cache.get("color") == str(number)
    database.close()


CONNECTS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("SELECT count(*) FROM meta").fetchone()[0])
connection.close()
"""


@needs_posix
def test_closing_one_of_two_connections_leaves_the_other_its_locks(tmp_path: Path) -> None:
    """A process that connects and finds no locks takes itself for the only one, and tidies up."""
    path = tmp_path / "a.db"
    index = Path(f"{path}-shm")
    first, second = SqliteDatabase(str(path)), SqliteDatabase(str(path))
    first.close()
    inode = index.stat().st_ino
    subprocess.run([sys.executable, "-c", CONNECTS, str(path)], check=True, capture_output=True)
    assert index.stat().st_ino == inode
    counted = Counted(second)
    assert counted.cache.get("color") == "nothing"
    second.write_now(lambda tx: tx.meta("color", "red"))
    assert counted.cache.get("color") == "red"
    with sqlite3.connect(path) as reader:
        assert reader.execute("SELECT value FROM meta WHERE name = 'color'").fetchone() == ("red",)
    reader.close()
    second.close()
    assert not index.exists()
