"""The book of what was sold: each task once, however often it is reported."""

import sqlite3
from pathlib import Path

from picture_shop.client import Task

_TABLE = """
CREATE TABLE IF NOT EXISTS sales (
    task_id TEXT PRIMARY KEY,
    credits INTEGER NOT NULL,
    day TEXT NOT NULL
)
"""
_RECORD = "INSERT INTO sales VALUES (?, ?, ?) ON CONFLICT (task_id) DO NOTHING"


class Sales:
    """Sales in a SQLite file, so that they outlive a restart. Threads may share it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._run(_TABLE)

    def record(self, task: Task) -> bool:
        """Record a task's sale; return whether it is new.

        The primary key decides: of two reports at the same moment, one is new.
        """
        day = (task.completed_at or "")[:10]
        return self._run(_RECORD, task.task_id, task.charged, day) == 1

    def task_ids(self) -> list[str]:
        """What was sold, in the order in which it was recorded."""
        return [str(row[0]) for row in self._rows("SELECT task_id FROM sales ORDER BY rowid")]

    def credits_of_day(self, day: str) -> int:
        """What the pictures of a day (``"2030-01-31"``, UTC) cost."""
        query = "SELECT coalesce(sum(credits), 0) FROM sales WHERE day = ?"
        return int(str(self._rows(query, day)[0][0]))

    def _run(self, statement: str, *values: object) -> int:
        connection = sqlite3.connect(self._file)
        try:
            with connection:  # one transaction
                return connection.execute(statement, values).rowcount
        finally:
            connection.close()

    def _rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self._file)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()
