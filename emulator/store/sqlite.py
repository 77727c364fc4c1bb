"""The SQLite driver: one connection, one writer, migrations at start."""

import re
import sqlite3
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from emulator.store.records import StoreError
from emulator.store.transaction import Transaction

MEMORY = ":memory:"
BUSY_TIMEOUT_SECONDS = 5.0

T = TypeVar("T")

_QUERY = re.compile(r"^-- name: (\w+)\n(.*?);$", re.DOTALL | re.MULTILINE)


def load_queries() -> dict[str, str]:
    """Read ``queries.sql``: name -> text."""
    text = files("emulator.store").joinpath("queries.sql").read_text("utf-8")
    return dict(_QUERY.findall(text))


class SqliteDatabase:
    """A SQLite file in WAL mode, or a database in memory.

    A transaction is a plain function of a ``Transaction``; it runs here, on the event loop's
    thread, because it is shorter than handing it to another thread would take. A committed
    transaction survives a killed process.

    Args:
        path: a file, created where it is missing, or ``":memory:"``.

    Raises:
        StoreError: the file can't be opened, written, or is no database of this emulator.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._queries = load_queries()
        try:
            if path != MEMORY:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, cached_statements=256
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot use the database {path}: {error}") from error
        self._transaction = Transaction(self._run)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one transaction: all of it happens, or, where it raises, nothing."""
        return self.write_now(work)

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        """Like ``write``, for code that runs outside an event loop."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            result = work(self._transaction)
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise
        return result

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work``, which reads with a single query."""
        return work(self._transaction)

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._connection.close()

    def _run(self, name: str, parameters: Mapping[str, Any]) -> "sqlite3.Cursor":
        return self._connection.execute(self._queries[name], parameters)

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA journal_mode = WAL")
        # A commit is in the operating system's hands when it returns, so kill -9 loses nothing;
        # only a power cut could lose the last ones, which no test run depends on.
        execute("PRAGMA synchronous = NORMAL")
        execute("PRAGMA foreign_keys = ON")
        execute("BEGIN IMMEDIATE")
        version: int = execute("PRAGMA user_version").fetchone()[0]
        migrations = _migrations()
        if version > len(migrations):
            raise sqlite3.DatabaseError(
                f"it was written by a newer emulator (schema {version},"
                f" this one knows {len(migrations)})"
            )
        if version == 0 and execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError("it belongs to another program")
        for migration in migrations[version:]:
            for statement in _statements(migration):
                execute(statement)
        execute(f"PRAGMA user_version = {len(migrations)}")
        execute("COMMIT")


def _migrations() -> list[str]:
    folder = files("emulator.store").joinpath("migrations")
    scripts = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return [script.read_text("utf-8") for script in sorted(scripts, key=lambda s: s.name)]


def _statements(script: str) -> list[str]:
    text = re.sub(r"^--.*\n", "", script, flags=re.MULTILINE)
    return [statement for statement in text.split(";") if statement.strip()]
