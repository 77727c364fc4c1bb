"""Tells the runner and waiting calls that something became due earlier than they knew."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Wakeups:
    """Signals inside one process; missing one costs a late reaction, never a lost one."""

    def __init__(self) -> None:
        self.stopping = False
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

    async def sleep(self, until: int | None, seconds: float | None) -> int | None:
        """Let the runner sleep.

        Args:
            until: the real instant that it knows to be due next; None: nothing is due.
            seconds: how long that is; None: until it is woken.

        Returns:
            The real instant of what is known to be due first by now; None: nothing is.
        """
        self._runner_sleeps_until = until
        await _wait(self._runner, seconds)
        self._runner.clear()
        return self._runner_sleeps_until

    def change_clock(self) -> None:
        """Say that an account's clock was changed: whoever waits looks again."""
        self._runner.set()
        self._clock.set()
        self._clock = asyncio.Event()

    async def clock_changed(self, seconds: float) -> None:
        """Wait until any account's clock is changed, the server stops, or time is up."""
        await _wait(self._clock, seconds)

    async def pause(self, seconds: float) -> None:
        """Let real time pass, until the server stops."""
        await _wait(self._stop, seconds)

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


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
