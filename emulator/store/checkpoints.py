"""Moves what was committed from a SQLite database's log to its file, beside the requests."""

import logging
import sqlite3
import threading
from contextlib import closing

from emulator.store.wal_index import WalIndexHead

_log = logging.getLogger("emulator.store")

_FRAMES = 8_000  # pages of 4 KiB in the log, from which they are moved
_MOST_FRAMES = 64_000  # from which SQLite moves them in a commit, whatever happens here
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints:
    """Left alone, SQLite would do it in a commit, and every request would wait for the disk.

    A thread moves most of it. The rest, what came meanwhile, is moved between two transactions:
    only then the log begins anew.

    Args:
        path: the database file.
        connection: what commits.
        index: tells how long the log is.
    """

    def __init__(self, path: str, connection: sqlite3.Connection, index: WalIndexHead) -> None:
        self._path = path
        self._connection = connection
        self._index = index
        self._moving: threading.Thread | None = None
        self._moved_frames = 0
        connection.execute(f"PRAGMA wal_autocheckpoint = {_MOST_FRAMES}")

    def after_commit(self) -> None:
        """See whether there is something to move; what goes wrong in that undoes no commit."""
        try:
            self._look()
        except (sqlite3.Error, RuntimeError) as error:  # RuntimeError: no thread can be started
            self._warn(error)

    def close(self) -> None:
        """Wait for the thread."""
        if self._moving is not None:
            self._moving.join()

    def _look(self) -> None:
        if self._moving is not None:
            if not self._moving.is_alive():
                self._moving = None
                self._connection.execute(_CHECKPOINT)
                self._moved_frames = self._index.frames()
            return
        frames = self._index.frames()
        if frames < self._moved_frames:  # the log began anew
            self._moved_frames = 0
        if frames - self._moved_frames >= _FRAMES:
            moving = threading.Thread(target=self._move, name="checkpoint", daemon=True)
            moving.start()
            self._moving = moving

    def _move(self) -> None:
        try:
            with closing(sqlite3.connect(self._path)) as own:
                own.execute(_CHECKPOINT)
        except sqlite3.Error as error:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        _log.warning("the log of %s was not moved: %s", self._path, error)
