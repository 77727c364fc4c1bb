"""The SQL that both drivers run: named queries, and migrations in order."""

import re
from pathlib import Path

_HERE = Path(__file__).parent  # importlib.resources would load what reads archives
_QUERY = re.compile(r"^-- name: (\w+)\n(.*?);$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


def load_queries() -> dict[str, str]:
    """Read ``queries.sql``: name -> text, with parameters as ``:name``."""
    text = (_HERE / "queries.sql").read_text("utf-8")
    return dict(_QUERY.findall(text))


def load_migrations(engine: str) -> list[list[str]]:
    """Read the migrations, oldest first: the statements of each.

    Args:
        engine: sqlite or postgresql; after ``-- `` and its name stands what is for it alone.
    """
    scripts = sorted((_HERE / "migrations").glob("*.sql"))
    return [
        _statements(script.read_text("utf-8").replace(f"-- {engine}: ", "")) for script in scripts
    ]


def newer_schema(version: int, known: int) -> str:
    """Why a database can't be used whose schema is newer than this program."""
    return f"it was written by a newer emulator (schema {version}, this one knows {known})"


FOREIGN = "it belongs to another program"


def _statements(script: str) -> list[str]:
    return [part for part in _COMMENT.sub("", script).split(";") if part.strip()]
