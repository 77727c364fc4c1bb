"""The PostgreSQL driver: any number of processes on one database.

A transaction is a plain function of a ``Transaction``; it runs in a worker thread, on a
connection of the pool, with psycopg's pipeline, so that only what is read is waited for.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import Buffer
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumperUnknown
from psycopg_pool import ConnectionPool, PoolTimeout

from emulator.store.opening import shown_database
from emulator.store.records import StoreError, StoreUnavailable
from emulator.store.sql_files import FOREIGN, load_migrations, load_queries, newer_schema
from emulator.store.transaction import Transaction

_CONNECT_SECONDS = 5
_LONGEST_WAIT_SECONDS = 5.0  # for a connection, while the database restarts
_MOST_TOGETHER = 50
_MOST_TRIES = 10
_CHANNEL = "gpt_image_emulator"
_MIGRATION_LOCK = 0x67707469  # any number that is ours
_PARAMETER = re.compile(r":(\w+)")
# Somebody else was first, or stood in the way: what is done again meets the new state.
_AGAIN = (errors.UniqueViolation, errors.SerializationFailure, errors.DeadlockDetected)

T = TypeVar("T")
Work = Callable[[Transaction], Any]
Outcome = tuple[Any, Exception | None]


class PostgresDatabase:
    """A PostgreSQL database that replicas share.

    Args:
        url: ``postgresql://...``.
        connections: the most that this process opens, beside one that listens.

    Raises:
        StoreError: the database can't be reached, or is no database of this emulator.
    """

    announces = True

    def __init__(self, url: str, connections: int) -> None:
        self._url = url
        self._queries = {name: for_psycopg(text) for name, text in load_queries().items()}
        try:
            with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
                _migrate(connection)
        except psycopg.Error as error:
            raise StoreError(f"cannot use the database {shown_database(url)}: {error}") from error
        self._pool = ConnectionPool(
            url,
            min_size=1,
            max_size=connections,
            timeout=_LONGEST_WAIT_SECONDS,
            kwargs={"autocommit": True, "connect_timeout": _CONNECT_SECONDS},
            configure=_configure,
            open=True,
        )
        self._threads = ThreadPoolExecutor(connections, "postgres")
        self._waiting: dict[str, list[tuple[Work, asyncio.Future[Any]]]] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def write(self, work: Callable[[Transaction], T], account_id: str | None = None) -> T:
        """Run ``work`` in one transaction: all of it happens, or, where it raises, nothing.

        It may run more than once, where somebody else stood in the way. What waits for the same
        account at the same time is committed together, each work in a savepoint of its own.
        """
        if account_id is None:
            return await self._in_thread(lambda: _result(self._alone(None, work)))
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.get(account_id)
        if waiting is None:
            self._waiting[account_id] = waiting = []
            writing = asyncio.create_task(self._write_waiting(account_id))
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)
        waiting.append((work, done))
        return await done

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        """Like ``write``, in this thread, for code that runs outside an event loop."""
        result: T = _result(self._alone(None, work))
        return result

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work``, which reads with a single query."""
        return await self._in_thread(lambda: self._read(work))

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call ``heard`` at each announcement, until cancelled or cut off.

        Raises:
            StoreUnavailable: the connection was lost.
        """
        try:
            connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
            async with connection:
                await connection.execute(f"LISTEN {_CHANNEL}")
                heard()  # something may have been announced before
                async for _ in connection.notifies():
                    heard()
        except psycopg.Error as error:
            raise StoreUnavailable(f"the database can't be listened to: {error}") from error

    async def announce(self) -> None:
        """Let every process that listens hear of a change."""
        await self._in_thread(self._announce)

    def close(self) -> None:
        """Close all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.close(timeout=1)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _write_waiting(self, account_id: str) -> None:
        while waiting := self._waiting[account_id]:
            batch, self._waiting[account_id] = waiting[:_MOST_TOGETHER], waiting[_MOST_TOGETHER:]
            works = [work for work, _ in batch]
            try:
                outcomes = await self._in_thread(partial(self._together, account_id, works))
            except BaseException as error:  # the server stops
                outcomes = [(None, StoreUnavailable(str(error)))] * len(batch)
            for (_, done), (result, problem) in zip(batch, outcomes, strict=True):
                if done.done():  # the caller was cancelled meanwhile; its work is committed
                    continue
                if problem is None:
                    done.set_result(result)
                else:
                    done.set_exception(problem)
        del self._waiting[account_id]

    def _together(self, account_id: str, works: Sequence[Work]) -> list[Outcome]:
        """Do several works in one transaction, or, where the database minds one, each alone."""
        if len(works) > 1:
            with suppress(psycopg.Error):
                return self._commit(account_id, works)
        return [self._alone(account_id, work) for work in works]

    def _alone(self, account_id: str | None, work: Work) -> Outcome:
        for tries in range(1, _MOST_TRIES + 1):
            try:
                return self._commit(account_id, [work])[0]
            except _AGAIN as error:
                if tries == _MOST_TRIES:
                    return None, error
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                # Before its commit nothing has happened, so it can be done again.
                if tries == _MOST_TRIES or isinstance(error, _InDoubt | PoolTimeout):
                    return None, StoreUnavailable(f"the database does not answer: {error}")
            except Exception as error:
                return None, error
        raise AssertionError("unreachable")

    def _commit(self, account_id: str | None, works: Sequence[Work]) -> list[Outcome]:
        """Do works in one transaction in which nobody else changes the account."""
        committing = False
        with self._pool.connection() as connection:
            try:
                with connection.pipeline() as pipeline:
                    tx = Transaction(_Runner(connection, self._queries, pipeline))
                    connection.execute("BEGIN")
                    if account_id is not None:
                        tx.lock_account(account_id)
                    outcomes = [_attempt(connection, tx, work, len(works)) for work in works]
                    pipeline.sync()  # what the database minds is told before the commit
                    committing = True
                    connection.execute("COMMIT")
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                if committing:
                    raise _InDoubt(str(error)) from error
                raise
            finally:
                with suppress(psycopg.Error):
                    connection.rollback()
        return outcomes

    def _announce(self) -> None:
        try:
            with self._pool.connection() as connection:
                connection.execute(f"NOTIFY {_CHANNEL}")
        except psycopg.OperationalError as error:
            raise StoreUnavailable(f"the database does not answer: {error}") from error

    def _read(self, work: Callable[[Transaction], T]) -> T:
        for tries in range(1, _MOST_TRIES + 1):
            try:
                with self._pool.connection() as connection:
                    return work(Transaction(_Runner(connection, self._queries)))
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                if tries == _MOST_TRIES or isinstance(error, PoolTimeout):
                    raise StoreUnavailable(f"the database does not answer: {error}") from error
        raise AssertionError("unreachable")


class _InDoubt(psycopg.OperationalError):
    """The connection was lost while it committed: nobody knows whether it did."""


def _result(outcome: Outcome) -> Any:
    result, problem = outcome
    if problem is not None:
        raise problem
    return result


def _attempt(
    connection: psycopg.Connection[Any], tx: Transaction, work: Work, together: int
) -> Outcome:
    """Do one work; what it refuses takes only its own changes back."""
    if together == 1:
        return work(tx), None
    connection.execute("SAVEPOINT work")
    try:
        result = work(tx)
    except psycopg.Error:
        raise
    except Exception as problem:
        connection.execute("ROLLBACK TO work")
        return None, problem
    connection.execute("RELEASE work")
    return result, None


class _Runner:
    """Runs named queries on one connection."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        queries: Mapping[str, str],
        pipeline: psycopg.Pipeline | None = None,
    ) -> None:
        self._execute = connection.execute
        self._queries = queries
        self._pipeline = pipeline

    def __call__(self, name: str, parameters: Mapping[str, Any]) -> "_Cursor":
        cursor = self._execute(self._queries[name], parameters)
        return _Cursor(cursor, self._pipeline)


class _Cursor:
    """A psycopg cursor that knows its ``rowcount`` in a pipeline, too."""

    __slots__ = ("_cursor", "_pipeline", "fetchall", "fetchone")

    def __init__(self, cursor: psycopg.Cursor[Any], pipeline: psycopg.Pipeline | None) -> None:
        self._cursor, self._pipeline = cursor, pipeline
        self.fetchone = cursor.fetchone
        self.fetchall = cursor.fetchall

    @property
    def rowcount(self) -> int:
        """Rows that were changed."""
        if self._pipeline is not None:
            self._pipeline.sync()
        return self._cursor.rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)


class _TextDumper(StrDumperUnknown):
    """Writes text without NUL, which PostgreSQL does not take."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))


def _configure(connection: psycopg.Connection[Any]) -> None:
    connection.adapters.register_dumper(str, _TextDumper)
    connection.adapters.register_dumper(int, Int8Dumper)
    # Locks of a machine that is gone are let go.
    connection.execute("SET idle_in_transaction_session_timeout = '30s'")


def for_psycopg(query: str) -> str:
    """Write a query's parameters as psycopg takes them."""
    return _PARAMETER.sub(r"%(\1)s", query.replace("%", "%%"))


def _migrate(connection: psycopg.Connection[Any]) -> None:
    """Bring the schema up to date, one process at a time."""
    execute, migrations = connection.execute, load_migrations()
    execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
    tables = {
        row[0]
        for row in execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        )
    }
    if tables and "schema_versions" not in tables:
        raise psycopg.DatabaseError(FOREIGN)
    execute("CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY)")
    row = execute("SELECT COALESCE(max(version), 0) FROM schema_versions").fetchone()
    version = 0 if row is None else row[0]
    if version > len(migrations):
        raise psycopg.DatabaseError(newer_schema(version, len(migrations)))
    for number, statements in enumerate(migrations[version:], version + 1):
        for statement in statements:
            execute(statement.replace(" BLOB ", " BYTEA "))
        execute("INSERT INTO schema_versions VALUES (%s)", (number,))
