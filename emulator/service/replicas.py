"""Other processes on the same database: what happens here is told, what they tell is heard."""

import asyncio
import logging

from emulator.service.ground import Ground
from emulator.store.records import StoreUnavailable

_log = logging.getLogger("emulator.replicas")

_PAUSE_SECONDS = 1.0


class Replicas:
    """Keeps waiting calls and runners of all processes awake.

    Missing an announcement costs a second: everything that is due is looked for that often.
    """

    def __init__(self, ground: Ground) -> None:
        self._database = ground.database
        self._wakeups = ground.wakeups

    async def run(self) -> None:
        """Tell and hear, until cancelled; nothing where processes can't tell each other."""
        if self._database.announces:
            await asyncio.gather(self._listen(), self._announce())

    async def _listen(self) -> None:
        while True:
            try:
                await self._database.listen(self._wakeups.hear)
            except StoreUnavailable as error:
                _log.warning("%s", error)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _announce(self) -> None:
        """Tell others what changed here, many changes at once."""
        to_announce = self._wakeups.to_announce
        while True:
            await to_announce.wait()
            to_announce.clear()
            try:
                await self._database.announce()
            except StoreUnavailable as error:
                _log.warning("%s", error)
