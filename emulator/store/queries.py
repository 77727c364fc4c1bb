"""The ground of all queries: a driver's function."""

from collections.abc import Callable, Mapping
from typing import Any

from emulator.store.records import Cursor


class Queries:
    """Runs named queries.

    Args:
        run: the driver's function: a query's name and its parameters -> a cursor.
    """

    def __init__(self, run: Callable[[str, Mapping[str, Any]], Cursor]) -> None:
        self._run = run

    def ping(self) -> None:
        """Ask for an answer, whichever."""
        self._run("ping", {}).fetchone()
