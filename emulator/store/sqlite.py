"""The SQLite driver: one connection, one writer, migrations at start."""

import asyncio
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from emulator.store.checkpoints import Checkpoints
from emulator.store.opening import MEMORY
from emulator.store.records import StoreError, StoreUnavailable, tell
from emulator.store.sql_files import FOREIGN, load_migrations, load_queries, newer_schema
from emulator.store.transaction import Transaction
from emulator.store.wal_index import OPENING, WalIndexHead

BUSY_TIMEOUT_SECONDS = 5.0
_CACHE_KIB = 16 * 1024
_CHECKPOINT_PAGES = 8_000

T = TypeVar("T")

# A transaction has the whole file to itself here: rows need no locks of their own.
_ROW_LOCK = re.compile(r"\s+FOR (NO KEY )?UPDATE( SKIP LOCKED)?")
_PARAMETER = re.compile(r":(\w+)")

_Binding = tuple[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]]


def _by_position(query: str) -> _Binding:
    """A query with its parameters by position, which SQLite binds faster than by name."""
    names = _PARAMETER.findall(query)
    if len(names) > 1:
        return _PARAMETER.sub("?", query), itemgetter(*names)
    return _PARAMETER.sub("?", query), lambda given: tuple([given[name] for name in names])


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

    announces = False  # another process's changes are seen when they are looked for

    def __init__(self, path: str) -> None:
        self.path = path
        self._index_head: WalIndexHead | None = None
        self._checkpoints: Checkpoints | None = None
        self._queries = {
            name: _by_position(_ROW_LOCK.sub("", text)) for name, text in load_queries().items()
        }
        try:
            if path != MEMORY:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            with OPENING:
                self._open(path)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot use the database {path}: {error}") from error
        self._transaction = Transaction(self._run, self._run_many)
        self._waiting: list[tuple[Callable[[Transaction], Any], asyncio.Future[Any]]] = []

    async def write(self, work: Callable[[Transaction], T], account_id: str | None = None) -> T:
        """Run ``work`` in one transaction: all of it happens, or, where it raises, nothing.

        Nobody else writes meanwhile, whatever the account.

        What waits to be written at the same time is committed together: a commit costs more
        than the work in it. Each work then keeps its own savepoint, so one that raises takes
        nothing with it.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._write_waiting)
        self._waiting.append((work, done))
        return await done

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        """Like ``write``, at once, for code that runs outside an event loop."""
        with self._committed():
            return work(self._transaction)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work``, which reads with a single query."""
        return work(self._transaction)

    def read_now(self, work: Callable[[Transaction], T]) -> T:
        """Like ``read``, at once."""
        return work(self._transaction)

    def version(self) -> bytes | tuple[int, int]:
        """What changes with each commit of this process or another."""
        if self._index_head is not None:
            return self._index_head.read()
        others: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return self._connection.total_changes, others

    def _write_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        results: list[tuple[asyncio.Future[Any], Any, Exception | None]]
        try:
            with self._committed():
                if len(waiting) == 1:  # what it raises undoes the transaction, which is its own
                    work, done = waiting[0]
                    results = [(done, work(self._transaction), None)]
                else:
                    results = [(done, *self._attempt(work)) for work, done in waiting]
        except Exception as error:  # nothing of it happened
            results = [(done, None, error) for _, done in waiting]
        for done, result, problem in results:
            tell(done, result, problem)

    def _attempt(self, work: Callable[[Transaction], Any]) -> tuple[Any, Exception | None]:
        execute = self._connection.execute
        execute("SAVEPOINT work")
        try:
            result = work(self._transaction)
        except Exception as problem:
            execute("ROLLBACK TO work")
            execute("RELEASE work")
            return None, problem
        execute("RELEASE work")
        return result, None

    @contextmanager
    def _committed(self) -> Iterator[None]:
        execute = self._connection.execute
        try:
            execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:  # another process writes, and goes on writing
            raise StoreUnavailable(f"the database is kept busy: {error}") from error
        try:
            yield
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise
        if self._checkpoints is not None:
            self._checkpoints.after_commit()

    async def listen(self, heard: Callable[[], None]) -> None:
        """Not here."""
        raise NotImplementedError

    async def announce(self) -> None:
        """Not here."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file; what was committed stays."""
        if self._checkpoints is not None:
            self._checkpoints.close()
        with OPENING:
            self._connection.close()
            if self._index_head is not None:
                self._index_head.close()
                self._index_head = None

    def _open(self, path: str) -> None:
        self._connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, cached_statements=256
        )
        try:
            self._prepare()
            if path != MEMORY and os.name == "posix":
                self._map_index()
        except BaseException:
            self._connection.close()
            raise

    def _map_index(self) -> None:
        """Find the WAL-index; without it SQLite is asked what changed, which takes longer."""
        path: str = self._connection.execute("PRAGMA database_list").fetchone()[2]
        try:
            self._index_head = WalIndexHead(path)
        except (OSError, ValueError):
            return
        self._checkpoints = Checkpoints(path, self._connection, self._index_head)

    def _run(self, name: str, parameters: Mapping[str, Any]) -> "sqlite3.Cursor":
        query, values = self._queries[name]
        return self._connection.execute(query, values(parameters))

    def _run_many(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        query, values = self._queries[name]
        self._connection.executemany(query, map(values, rows))

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA journal_mode = WAL")
        # A commit is in the operating system's hands when it returns, so kill -9 loses nothing;
        # only a power cut could lose the last ones, which no test run depends on.
        execute("PRAGMA synchronous = NORMAL")
        execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # What a savepoint would restore is kept in memory: past 64 KiB it would go to a new file.
        execute("PRAGMA temp_store = MEMORY")
        execute("BEGIN IMMEDIATE")
        version: int = execute("PRAGMA user_version").fetchone()[0]
        migrations = load_migrations("sqlite")
        if version > len(migrations):
            raise sqlite3.DatabaseError(newer_schema(version, len(migrations)))
        if version == 0 and execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError(FOREIGN)
        for statements in migrations[version:]:
            for statement in statements:
                execute(statement)
        execute(f"PRAGMA user_version = {len(migrations)}")
        execute("COMMIT")
