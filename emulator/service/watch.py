"""Watching an account: what changed, as soon as it did."""

from collections.abc import AsyncGenerator
from typing import NamedTuple

from emulator.core.clock import SECOND, AccountClock
from emulator.service.ground import Ground
from emulator.service.journal import Journal
from emulator.service.wakeups import LONGEST_SLEEP_SECONDS, wait
from emulator.store.fingerprints import Fingerprint
from emulator.store.records import Caller

TOPICS = ("account", "tasks", "deliveries", "inbox", "journal", "faults", "clock")
_SHORTEST_PAUSE_SECONDS = 0.2  # many changes, one event
_HEARTBEAT_SECONDS = 15.0
_REST = 10  # looks take at most an eleventh of the server's time, however many look on


class Change(NamedTuple):
    """What to look at again.

    Attributes:
        topics: some of ``TOPICS``.
        clock: the account's.
        real_now: the instant at which it was looked at.
    """

    topics: tuple[str, ...]
    clock: AccountClock
    real_now: int


class Watch:
    """The use case of who looks on."""

    def __init__(self, ground: Ground, journal: Journal) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._wakeups = ground.wakeups
        self._journal = journal

    def touch(self, account_id: str) -> None:
        """Say that a request may have changed an account."""
        self._wakeups.touch(account_id)

    async def changes(self, caller: Caller) -> AsyncGenerator[Change | None]:
        """Tell each change, all topics first; None after a while in which there was none.

        It ends with the server, and where the key or its account is gone.
        """
        seen: Fingerprint | None = None
        told_at = self._clock.now()
        with self._wakeups.watching(caller.account_id) as touched:
            while not self._wakeups.stopping:
                touched.clear()
                await self._journal.flush_account(caller.account_id)
                real_now = self._clock.now()
                found = await self._look(caller, real_now)
                if found is None:
                    return
                topics = changed(seen, found)
                seen = found
                took_seconds = (self._clock.now() - real_now) / SECOND
                if topics:
                    told_at = real_now
                    yield Change(topics, found.clock, real_now)
                elif real_now - told_at >= _HEARTBEAT_SECONDS * SECOND:
                    told_at = real_now
                    yield None
                rest_seconds = _REST * took_seconds * self._wakeups.watchers
                await self._wakeups.pause(max(_SHORTEST_PAUSE_SECONDS, rest_seconds))
                if not topics:
                    await wait(touched, _seconds_until(found, real_now))

    async def _look(self, caller: Caller, real_now: int) -> Fingerprint | None:
        return await self._database.read(lambda tx: tx.fingerprint(caller.key_hash, real_now))


def changed(seen: Fingerprint | None, found: Fingerprint) -> tuple[str, ...]:
    """The topics in which two looks at an account differ; all where there was none before."""
    return tuple(
        topic for topic in TOPICS if seen is None or getattr(seen, topic) != getattr(found, topic)
    )


def _seconds_until(found: Fingerprint, real_now: int) -> float:
    """How long to wait before the next look."""
    if found.next_at is None or found.clock.frozen_at is not None:
        return LONGEST_SLEEP_SECONDS
    seconds = (found.next_at - found.clock.now(real_now)) / SECOND
    return min(max(seconds, _SHORTEST_PAUSE_SECONDS), LONGEST_SLEEP_SECONDS)
