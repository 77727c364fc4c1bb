"""Fills a task table with copies of one real row, faster than any API could."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.servers import BenchError

FIRST_NUMBER = 10_000_000  # far from the numbers that a counter in the real ids has reached
DIGITS = len(str(FIRST_NUMBER))


def fill(source: Path, target: Path, task_id: str, total: int) -> None:
    """Make `target` from `source`, with copies of the rows of `task_id` up to `total` tasks.

    The tables are `tasks` and, where there is one, `task_ends`. No column is known by name: text
    that contains the id gets the new id instead, and a number that has to be unique counts on.
    """
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        stored = connection.execute("SELECT count(*) FROM tasks").fetchone()[0]
        for table in ("tasks", "task_ends"):
            if _column_names(connection, table):
                _fill_table(connection, table, task_id, total - stored)
        filled = connection.execute("SELECT count(*) FROM tasks").fetchone()[0]
    if filled != total:
        raise BenchError(f"the table has {filled} rows after it was filled up to {total}")


def _fill_table(connection: sqlite3.Connection, table: str, task_id: str, missing: int) -> None:
    columns = _expressions(connection, table, task_id)
    found = " OR ".join(f'"{name}" = :task_id' for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(columns.values())
    connection.execute(
        f"""WITH RECURSIVE counter(i) AS
                (SELECT 1 UNION ALL SELECT i + 1 FROM counter WHERE i < :missing)
            INSERT INTO {table} ({names})
            SELECT {values} FROM counter, (SELECT * FROM {table} WHERE {found} LIMIT 1)""",
        {"task_id": task_id, "prefix": copied_prefix(task_id), "missing": missing},
    )


def copied_prefix(task_id: str) -> str:
    """What the ids of the copies of `task_id` begin with; their number follows."""
    return task_id[:-DIGITS]


def copied_ids(task_id: str, total: int, count: int) -> list[str]:
    """`count` ids from all over the first `total` copies, always the same ones."""
    numbers = random.Random(1).sample(range(1, total), count)
    return [f"{copied_prefix(task_id)}{FIRST_NUMBER + number}" for number in numbers]


def _expressions(connection: sqlite3.Connection, table: str, task_id: str) -> dict[str, str]:
    """For each column that can be written, the SQL of its value in the i-th copy."""
    counters = _counters(connection, table, task_id)
    new_id = f"(:prefix || ({FIRST_NUMBER} + i))"
    expressions = {}
    for name in _column_names(connection, table):
        if name in counters:
            expressions[name] = f'(SELECT max("{name}") FROM {table}) + i'
        else:
            replaced = f'replace("{name}", :task_id, {new_id})'
            expressions[name] = (
                f'CASE WHEN typeof("{name}") = \'text\' THEN {replaced} ELSE "{name}" END'
            )
    return expressions


def _column_names(connection: sqlite3.Connection, table: str) -> list[str]:
    query = "SELECT name FROM pragma_table_xinfo(?) WHERE NOT hidden"
    return [name for (name,) in connection.execute(query, (table,))]


def _counters(connection: sqlite3.Connection, table: str, task_id: str) -> set[str]:
    """The number columns without which a copy would break a unique index."""
    rows = connection.execute(
        """SELECT list.name, info.name FROM pragma_index_list(:table) AS list
           JOIN pragma_index_info(list.name) AS info WHERE list."unique"
           UNION ALL SELECT 'primary key', name FROM pragma_table_info(:table) WHERE pk""",
        {"table": table},
    )
    indexes: dict[str, list[str]] = {}
    for index, column in rows.fetchall():
        indexes.setdefault(index, []).append(column)
    counters = set()
    for columns in indexes.values():
        holds_id = " OR ".join(f'"{column}" = ?' for column in columns)
        query = f"SELECT 1 FROM {table} WHERE {holds_id} LIMIT 1"
        if not connection.execute(query, [task_id] * len(columns)).fetchone():
            counters.add(columns[-1])
    return counters
