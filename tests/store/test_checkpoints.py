"""A SQLite database's log is moved to its file by a thread, and begins anew."""

import logging
import sqlite3
from itertools import count
from operator import methodcaller
from pathlib import Path

import pytest

from emulator.store import checkpoints
from emulator.store.sqlite import SqliteDatabase

NUMBERS = count()
pytestmark = pytest.mark.skipif("os.name != 'posix'", reason="elsewhere SQLite does it")


@pytest.fixture(autouse=True)
def few_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_FRAMES", 50)


def write(database: SqliteDatabase, times: int) -> None:
    for _ in range(times):
        database.write_now(methodcaller("meta", f"name {next(NUMBERS)}", "x" * 2000))


def frames(database: SqliteDatabase) -> int:
    assert database._index_head is not None
    return database._index_head.frames()


def test_the_log_stays_short_and_nothing_is_lost(tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    database = SqliteDatabase(path)
    longest = 0
    for _ in range(40):
        write(database, 50)
        longest = max(longest, frames(database))
        if database._checkpoints is not None and database._checkpoints._moving is not None:
            database._checkpoints._moving.join()
    assert 50 < longest < 2000  # 7,500 in all
    assert Path(f"{path}-wal").stat().st_size < 2000 * 4200
    database.close()
    with sqlite3.connect(path) as reader:
        assert reader.execute("SELECT count(*) FROM meta").fetchone()[0] >= 2000
        assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    reader.close()


def test_a_reader_that_holds_the_log_does_not_make_it_move_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    move = checkpoints.Checkpoints._move

    def counted(self: checkpoints.Checkpoints) -> None:
        started.append(self)
        move(self)

    monkeypatch.setattr(checkpoints.Checkpoints, "_move", counted)
    path = str(tmp_path / "a.db")
    database = SqliteDatabase(path)
    write(database, 5)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM meta").fetchone()
    write(database, 200)
    length = frames(database)
    assert 1 <= len(started) <= length / 50
    reader.close()
    database.close()


def test_what_goes_wrong_undoes_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: checkpoints.Checkpoints) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(checkpoints.Checkpoints, "_look", fail)
    database = SqliteDatabase(str(tmp_path / "a.db"))
    with caplog.at_level(logging.WARNING):
        database.write_now(lambda tx: tx.meta("color", "red"))
    assert database.read_now(lambda tx: tx.meta("color", "blue")) == "red"
    assert "was not moved: disk I/O error" in caplog.text
    database.close()
