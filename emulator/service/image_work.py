"""Slow work on images: so much at once, so much waiting, and no more."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

from emulator.core.errors import Refusal

T = TypeVar("T")


class ImageWork:
    """Worker threads for drawing and decoding, with a bound on what waits for them.

    Args:
        threads: what is done at once.
        most_waiting: what may wait beside that.
    """

    def __init__(self, threads: int, most_waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "picture")
        self._most = threads + most_waiting
        self._places = BoundedSemaphore(self._most)

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` in a worker thread.

        Raises:
            Refusal: too much waits already.
        """
        if not self._places.acquire(blocking=False):
            message = (
                f"{self._most:,} pictures are drawn, checked or wait for it, the most that"
                " --max-renders and --max-renders-waiting allow; try again in 1 s."
            )
            raise Refusal("service_unavailable", message, retry_after_seconds=1)
        done = self._threads.submit(work)
        # Whoever asked may go away; the place is free when the work has ended, or never began.
        done.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Stop the worker threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
