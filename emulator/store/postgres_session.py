"""What a PostgreSQL connection needs to run this emulator's SQL."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumperUnknown

from emulator.store.sql_files import FOREIGN, load_migrations, newer_schema
from emulator.store.transaction import Transaction

_MIGRATION_LOCK = 0x67707469  # any number that is ours
_PARAMETER = re.compile(r":(\w+)")


class QueryRunner:
    """Runs named queries on one connection."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        queries: Mapping[str, str],
        pipeline: psycopg.Pipeline | None = None,
    ) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._queries = queries
        self._pipeline = pipeline

    def __call__(self, name: str, parameters: Mapping[str, Any]) -> "_Cursor":
        cursor = self._execute(self._queries[name], parameters)
        return _Cursor(cursor, self._pipeline)

    def many(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a query for each of many rows, of which none is asked back."""
        self._connection.cursor().executemany(self._queries[name], rows)


def session(
    connection: psycopg.Connection[Any],
    queries: Mapping[str, str],
    pipeline: psycopg.Pipeline | None = None,
) -> Transaction:
    """What can be done on a connection."""
    runner = QueryRunner(connection, queries, pipeline)
    return Transaction(runner, runner.many)


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


def configure(connection: psycopg.Connection[Any]) -> None:
    connection.adapters.register_dumper(str, _TextDumper)
    connection.adapters.register_dumper(int, Int8Dumper)
    # Locks of a machine that is gone are let go.
    connection.execute("SET idle_in_transaction_session_timeout = '30s'")


def for_psycopg(query: str) -> str:
    """Write a query's parameters as psycopg takes them."""
    return _PARAMETER.sub(r"%(\1)s", query.replace("%", "%%"))


def migrate(connection: psycopg.Connection[Any]) -> None:
    """Bring the schema up to date, one process at a time."""
    execute, migrations = connection.execute, load_migrations("postgresql")
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
