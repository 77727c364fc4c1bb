"""The PostgreSQL driver: any number of processes on one database.

A transaction is a plain function of a ``Transaction``; it runs in a worker thread, on a
connection of the pool, with psycopg's pipeline, so that only what is read is waited for.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolTimeout

from emulator.store.opening import shown_database
from emulator.store.postgres_session import configure, for_psycopg, migrate, session
from emulator.store.records import StoreError, StoreUnavailable, tell
from emulator.store.sql_files import load_queries
from emulator.store.transaction import Transaction

_log = logging.getLogger("emulator.store")

# What it says of a pipeline that was given up is told by the error that ended it.
logging.getLogger("psycopg").setLevel(logging.ERROR)
logging.getLogger("psycopg.pool").setLevel(logging.WARNING)

_CONNECT_SECONDS = 5
LONGEST_START_SECONDS = 10.0  # for the database to come up
_PAUSE_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 5.0  # for a connection, while the database restarts
# What waits at the same time shares a thread, and writes of one account a transaction.
_MOST_WRITES = 50
_MOST_READS = 8
_MOST_TRIES = 10
_CHANNEL = "gpt_image_emulator"
# Somebody else was first, or stood in the way: what is done again meets the new state.
_AGAIN = (errors.UniqueViolation, errors.SerializationFailure, errors.DeadlockDetected)

T = TypeVar("T")
Work = Callable[[Transaction], Any]
Outcome = tuple[Any, Exception | None]
_Waiting = tuple[Work, asyncio.Future[Any]]


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
            with _connected(url) as connection:
                migrate(connection)
        except psycopg.Error as error:
            said = " ".join(str(error).split())
            raise StoreError(f"cannot use the database {shown_database(url)}: {said}") from error
        self._pool = ConnectionPool(
            url,
            min_size=1,
            max_size=connections,
            timeout=_LONGEST_WAIT_SECONDS,
            kwargs={"autocommit": True, "connect_timeout": _CONNECT_SECONDS},
            configure=configure,
            open=True,
        )
        self._threads = ThreadPoolExecutor(connections, "postgres")
        self._connections = connections
        self._waiting: dict[str, list[_Waiting]] = {}  # account -> writes
        self._reads: list[_Waiting] = []
        self._readers = 0
        self._tasks: set[asyncio.Task[None]] = set()

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
            self._begin(self._write_waiting(account_id))
        waiting.append((work, done))
        return await done

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        """Like ``write``, in this thread, for code that runs outside an event loop."""
        result: T = _result(self._alone(None, work))
        return result

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work``, which reads with a single query."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._reads.append((work, done))
        if self._readers < self._connections:
            self._readers += 1
            self._begin(self._read_waiting())
        return await done

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
        await self._in_thread(lambda: _result(_tried(self._announce)))

    def close(self) -> None:
        """Close all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.close(timeout=1)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _begin(self, waiting: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(waiting)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_waiting(self, account_id: str) -> None:
        waiting = self._waiting[account_id]
        while waiting:
            await self._do(waiting, _MOST_WRITES, partial(self._together, account_id))
        del self._waiting[account_id]

    async def _read_waiting(self) -> None:
        while self._reads:
            await self._do(self._reads, _MOST_READS, self._read_all)
        self._readers -= 1

    async def _do(
        self, waiting: list[_Waiting], most: int, do: Callable[[list[Work]], list[Outcome]]
    ) -> None:
        """Do the first of what waits in one thread, and tell those who wait for it."""
        batch = waiting[:most]
        del waiting[:most]
        try:
            outcomes = await self._in_thread(lambda: do([work for work, _ in batch]))
        except BaseException as error:  # the server stops
            outcomes = [(None, StoreUnavailable(str(error)))] * len(batch)
        for (_, done), (result, problem) in zip(batch, outcomes, strict=True):
            tell(done, result, problem)

    def _together(self, account_id: str, works: Sequence[Work]) -> list[Outcome]:
        """Do several works in one transaction, or, where the database minds one, each alone."""
        if len(works) > 1:
            with suppress(psycopg.Error):
                return self._commit(account_id, works)
        return [self._alone(account_id, work) for work in works]

    def _alone(self, account_id: str | None, work: Work) -> Outcome:
        return _tried(lambda: self._commit(account_id, [work])[0][0])

    def _commit(self, account_id: str | None, works: Sequence[Work]) -> list[Outcome]:
        """Do works in one transaction in which nobody else changes the account."""
        committing = False
        with self._pool.connection() as connection:
            try:
                with connection.pipeline() as pipeline:
                    tx = session(connection, self._queries, pipeline)
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
        with self._pool.connection() as connection:
            connection.execute(f"NOTIFY {_CHANNEL}")

    def _read_all(self, works: Sequence[Work]) -> list[Outcome]:
        return [_tried(partial(self._read, work)) for work in works]

    def _read(self, work: Work) -> Any:
        with self._pool.connection() as connection:
            return work(session(connection, self._queries))


def _tried(do: Callable[[], Any]) -> Outcome:
    """Do something, again where somebody stood in the way or the connection was lost."""
    for tries in range(1, _MOST_TRIES + 1):
        try:
            return do(), None
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


def _connected(url: str) -> psycopg.Connection[Any]:
    """Connect; a server that is not up yet, as after a restart of all, is waited for."""
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while True:
        try:
            return psycopg.connect(url, connect_timeout=_CONNECT_SECONDS)
        except psycopg.OperationalError as error:
            is_refusal = "FATAL" in str(error) and "starting up" not in str(error)
            if is_refusal or time.monotonic() > deadline:
                raise
        _log.warning("the database %s does not answer yet", shown_database(url))
        time.sleep(_PAUSE_SECONDS)


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
