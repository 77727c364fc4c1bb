"""The journal: each account's requests and answers, bounded, written beside the requests."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from emulator.service.locks import Locks
from emulator.settings import Settings
from emulator.store.journal import JournalEntry, JournalFilter
from emulator.store.records import Database, StoreUnavailable
from emulator.store.transaction import Transaction

_log = logging.getLogger("emulator.journal")

_FLUSH_SECONDS = 1.0
_BUSY_SHARE = 0.1  # of what is kept: an account that makes more in a second is busy,
_LONGEST_BUSY_FLUSHES = 10  # and written only every so many times, or once it is calm
_PART = 50  # entries that are written at once; then others are answered before it goes on


class Found(NamedTuple):
    """What a query of the journal finds.

    Attributes:
        entries: oldest first, as many as were asked for.
        total: how many the filter takes.
        lost: how many entries the account no longer has, whatever the filter.
    """

    entries: list[JournalEntry]
    total: int
    lost: int


class _Waiting:
    """An account's requests since they were last written: the newest, and how many there were."""

    __slots__ = ("drafts", "looks", "made", "seen")

    def __init__(self, most: int) -> None:
        self.drafts: deque[Any] = deque(maxlen=most)
        self.made = 0
        self.seen = 0
        self.looks = 0

    def is_busy(self) -> bool:
        """Whether so much came since the last look that what is written now is soon replaced."""
        came, self.seen = self.made - self.seen, self.made
        self.looks += 1
        return (
            came >= _BUSY_SHARE * (self.drafts.maxlen or 0) and self.looks < _LONGEST_BUSY_FLUSHES
        )

    def take(self) -> tuple[list[Any], int]:
        """Take the oldest; say how many were made up to the last of them, forgotten ones too."""
        part = [self.drafts.popleft() for _ in range(min(_PART, len(self.drafts)))]
        made, self.made = self.made - len(self.drafts), len(self.drafts)
        self.seen = self.looks = 0
        return part, made

    def put_back(self, part: list[Any], made: int) -> None:
        """Undo ``take``; what has no place any more is counted."""
        self.made += made
        for draft in reversed(part):
            if len(self.drafts) == self.drafts.maxlen:
                return
            self.drafts.appendleft(draft)


class Journal:
    """Notes requests, writes them in batches, and answers what came.

    Args:
        database: where entries are kept.
        settings: how many.
        entry_of: writes down what was noted.
    """

    def __init__(
        self, database: Database, settings: Settings, entry_of: Callable[[Any], JournalEntry]
    ) -> None:
        self._database = database
        self._most = settings.journal_entries
        self._entry_of = entry_of
        self._waiting: dict[str, _Waiting] = {}
        self._turns = Locks()  # keep an account's entries in order

    def note(self, account_id: str, draft: object) -> None:
        """Note a request; what would not be kept anyway is forgotten here, and only counted."""
        waiting = self._waiting.get(account_id)
        if waiting is None:
            waiting = self._waiting[account_id] = _Waiting(self._most)
        waiting.made += 1
        waiting.drafts.append(draft)

    @asynccontextmanager
    async def replaced(self, account_id: str) -> AsyncIterator[None]:
        """Write nothing of an account while the block replaces it; then forget what waits."""
        async with self._turns.of(account_id):
            yield
            self._waiting.pop(account_id, None)

    async def run(self) -> None:
        """Write what waits, again and again, until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            try:
                await self.flush_calm()
            except Exception:
                _log.exception("the journal was not written")

    async def flush_calm(self) -> None:
        """Write what waits, but not yet what would be replaced before anybody reads it."""
        calm = [name for name, waiting in self._waiting.items() if not waiting.is_busy()]
        for account_id in calm:
            await self.flush_account(account_id)

    async def flush(self) -> None:
        """Write all that waits, as far as the database lets it."""
        try:
            for account_id in list(self._waiting):
                await self.flush_account(account_id)
        except StoreUnavailable:
            _log.exception("entries of the journal were lost")

    async def find(self, account_id: str, only: JournalFilter, limit: int) -> Found:
        """Find an account's entries."""
        await self.flush_account(account_id)

        def work(tx: Transaction) -> Found:
            entries = tx.journal(account_id, only, limit) if limit else []
            total = tx.count_journal(account_id, only)
            return Found(entries, total, tx.lost_journal_entries(account_id))

        return await self._database.write(work, account_id)

    async def clear(self, account_id: str) -> int:
        """Forget an account's entries; return how many there were."""
        await self.flush_account(account_id)
        return await self._database.write(lambda tx: tx.forget_journal(account_id), account_id)

    async def flush_account(self, account_id: str) -> None:
        """Write what waits of an account, oldest first; what comes meanwhile may wait."""
        async with self._turns.of(account_id):
            waiting = self._waiting.get(account_id)
            if waiting is None:
                return
            for _ in range(0, len(waiting.drafts), _PART):
                await self._write_part(account_id, waiting)
            if not waiting.drafts:
                del self._waiting[account_id]

    async def _write_part(self, account_id: str, waiting: _Waiting) -> None:
        part, made = waiting.take()
        entries = [self._entry_of(draft) for draft in part]

        def work(tx: Transaction) -> None:
            last = tx.add_to_journal(account_id, entries, made)
            if last > self._most:
                tx.trim_journal(account_id, last - self._most)

        try:
            await self._database.write(work, account_id)
        except StoreUnavailable:
            waiting.put_back(part, made)
            raise
