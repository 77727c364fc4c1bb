"""Whether the server can do its work."""

import asyncio
import logging

from emulator.service.ground import Ground

_log = logging.getLogger("emulator.readiness")

_LONGEST_ANSWER_SECONDS = 2.0


class Readiness:
    """The use case of who sends requests only where they are answered."""

    def __init__(self, ground: Ground) -> None:
        self._database = ground.database
        self._wakeups = ground.wakeups

    async def problem(self) -> str | None:
        """Say why the server takes no requests; None: it does."""
        if self._wakeups.stopping:
            return "The emulator is stopping."
        try:
            async with asyncio.timeout(_LONGEST_ANSWER_SECONDS):
                await self._database.read(lambda tx: tx.ping())
        except Exception as error:  # whatever it is: the log may say more than anybody may read
            _log.warning("the database does not answer: %r", error)
            return f"The database does not answer ({type(error).__name__})."
        return None
