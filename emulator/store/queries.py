"""The ground of all queries: a driver's function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulator.store.records import Cursor


class Queries:
    """Runs named queries.

    Args:
        run: the driver's function: a query's name and its parameters -> a cursor.
        run_many: the same for many rows, of which none is asked back.
    """

    def __init__(
        self,
        run: Callable[[str, Mapping[str, Any]], Cursor],
        run_many: Callable[[str, Sequence[Mapping[str, Any]]], None],
    ) -> None:
        self._run = run
        self._run_many = run_many

    def ping(self) -> None:
        """Ask for an answer, whichever."""
        self._run("ping", {}).fetchone()
