"""The head of a SQLite file's WAL-index, which changes with each commit of any process.

It begins with a counter of transactions, the log's last frame and checksums, and SQLite itself sees
by them whether anybody wrote; ``PRAGMA data_version`` tells the same in fifty times as long, for it
takes and drops a lock. See section 2.1 of https://www.sqlite.org/walformat.html.
"""

import mmap
import os
import sys
import threading
from pathlib import Path

_HEAD_BYTES = 48
_LAST_FRAME = slice(16, 20)


class _Mapped:
    """A WAL-index's head in memory, and how many use it."""

    def __init__(self, path: Path) -> None:
        self.users = 0
        self._descriptor = os.open(path, os.O_RDONLY)  # stays open where mapping it fails
        self.memory = mmap.mmap(self._descriptor, _HEAD_BYTES, access=mmap.ACCESS_READ)

    def close(self) -> None:
        self.memory.close()
        os.close(self._descriptor)


# POSIX drops a process's locks on a file when it closes any descriptor of that file, and SQLite
# holds its locks on this one. So a file is opened once, and closed after the last connection.
_mapped: dict[tuple[int, int], _Mapped] = {}

# Held by who opens or closes a connection and its head, so that nobody else does between the two.
OPENING = threading.RLock()


class WalIndexHead:
    """The head of one database's WAL-index; made and closed by who holds ``OPENING``.

    Args:
        database_path: a database in WAL mode that this process has a connection to; no link to one.

    Raises:
        OSError, ValueError: it has none, or it can't be read.
    """

    def __init__(self, database_path: str) -> None:
        path = Path(f"{database_path}-shm")
        status = path.stat()
        self._file = status.st_dev, status.st_ino
        if self._file not in _mapped:
            _mapped[self._file] = _Mapped(path)
        mapped = _mapped[self._file]
        mapped.users += 1
        self._memory = mapped.memory

    def read(self) -> bytes:
        """What it says now; it says something else after each commit."""
        return self._memory[:_HEAD_BYTES]

    def frames(self) -> int:
        """How many pages the log has."""
        return int.from_bytes(self._memory[_LAST_FRAME], sys.byteorder)

    def close(self) -> None:
        """Let go of it, once the connection is closed."""
        mapped = _mapped[self._file]
        mapped.users -= 1
        if not mapped.users:
            del _mapped[self._file]
            mapped.close()
