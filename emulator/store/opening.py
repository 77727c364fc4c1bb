"""Opening whichever database is named."""

import re

from emulator.store.records import Database, StoreError

MEMORY = ":memory:"
_SCHEMES = ("postgresql://", "postgres://")
_PASSWORD = re.compile(r"(?<=:)[^:/@]*(?=@)|(?<=password=)[^&]*")


def is_postgres(where: str) -> bool:
    """Whether a database is named by the URL of a PostgreSQL."""
    return where.startswith(_SCHEMES)


def shown_database(where: str) -> str:
    """A database's name, without its password."""
    return _PASSWORD.sub("***", where) if is_postgres(where) else where


def open_database(where: str, connections: int = 1) -> Database:
    """Open a database, and make or migrate what is in it.

    Args:
        where: a SQLite file, ``":memory:"``, or the URL of a PostgreSQL.
        connections: the most that this process opens to a PostgreSQL.

    Raises:
        StoreError: it can't be used.
    """
    if not is_postgres(where):
        from emulator.store.sqlite import SqliteDatabase  # late: a process needs one driver

        return SqliteDatabase(where)
    try:
        from emulator.store.postgres import PostgresDatabase
    except ImportError as error:
        message = "PostgreSQL needs an extra: pip install 'gpt-image-emulator[postgres]'"
        raise StoreError(f"{message} ({error})") from error
    return PostgresDatabase(where, connections)
