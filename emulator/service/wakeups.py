"""Tells the runner and waiting calls that something became due earlier than they knew."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

# What another process did is seen within this time, where it is not announced.
LONGEST_SLEEP_SECONDS = 1.0


class Wakeups:
    """Signals inside one process; missing one costs a late reaction, never a lost one.

    Attributes:
        stopping: whether the server stops.
        to_announce: is set when other processes should hear of a change.
    """

    def __init__(self) -> None:
        self.stopping = False
        self.to_announce = asyncio.Event()
        self._runner = asyncio.Event()
        self._runner_sleeps_until: int | None = None
        self._clock = asyncio.Event()
        self._stop = asyncio.Event()
        self._watching: dict[str, set[asyncio.Event]] = {}

    def due_at(self, real_instant: int | None) -> None:
        """Say that work is due at a real instant; None: there is none."""
        if real_instant is None:
            return
        sleeping_until = self._runner_sleeps_until
        if sleeping_until is None or real_instant < sleeping_until:
            self._runner_sleeps_until = real_instant
            self._runner.set()

    async def sleep(self, until: int, seconds: float) -> int | None:
        """Let the runner sleep.

        Args:
            until: the real instant at which it looks again.
            seconds: how long that is.

        Returns:
            That instant, or that of what is known by now to be due before it.
        """
        self._runner_sleeps_until = until
        await wait(self._runner, seconds)
        self._runner.clear()
        return self._runner_sleeps_until

    def wake_runner(self) -> None:
        """Let the runner look again now."""
        self._runner.set()

    def change_clock(self) -> None:
        """Say that an account's clock was changed: whoever waits looks again, everywhere."""
        self.hear()
        self.to_announce.set()

    def hear(self) -> None:
        """Look again at what another process may have changed."""
        self._runner.set()
        self._clock.set()
        self._clock = asyncio.Event()

    async def clock_changed(self, seconds: float) -> None:
        """Wait until any account's clock is changed, the server stops, or time is up.

        Changes by other processes may be missed for up to ``LONGEST_SLEEP_SECONDS``.
        """
        await wait(self._clock, min(seconds, LONGEST_SLEEP_SECONDS))

    async def pause(self, seconds: float) -> None:
        """Let real time pass, until the server stops."""
        await wait(self._stop, seconds)

    @contextmanager
    def watching(self, account_id: str) -> Iterator[asyncio.Event]:
        """Watch an account: the event is set when a request may have changed it."""
        event = asyncio.Event()
        events = self._watching.setdefault(account_id, set())
        events.add(event)
        try:
            yield event
        finally:
            events.discard(event)
            if not events:
                self._watching.pop(account_id, None)

    @property
    def watchers(self) -> int:
        """How many watch an account."""
        return sum(map(len, self._watching.values()))

    def touch(self, account_id: str) -> None:
        """Wake those who watch an account."""
        for event in self._watching.get(account_id, ()):
            event.set()

    def stop(self) -> None:
        """End all waiting: the server stops."""
        self.stopping = True
        self._stop.set()
        self.change_clock()
        for account_id in self._watching:
            self.touch(account_id)


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, or time is up."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
