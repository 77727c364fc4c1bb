"""What was read of a SQLite database, until anybody writes to it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from emulator.store.transaction import Transaction

if TYPE_CHECKING:
    from emulator.store.sqlite import SqliteDatabase

Key = TypeVar("Key")
Value = TypeVar("Value")

_MOST_ENTRIES = 4_096


class ReadCache(Generic[Key, Value]):
    """Values that were made of what the database holds.

    All are forgotten as soon as this process or another has committed anything, so none is ever
    out of date.

    Args:
        database: what is read.
        load: makes a key's value, with a single query.
    """

    def __init__(
        self, database: "SqliteDatabase", load: Callable[[Transaction, Key], Value]
    ) -> None:
        self._database = database
        self._load = load
        self._version: object = None
        self._values: dict[Key, Value] = {}

    def get(self, key: Key) -> Value:
        """A key's value."""
        version = self._database.version()
        values = self._values
        if version != self._version or len(values) >= _MOST_ENTRIES:
            values.clear()
            self._version = version
        value = values.get(key)
        if value is None:
            value = values[key] = self._database.read_now(lambda tx: self._load(tx, key))
        return value
