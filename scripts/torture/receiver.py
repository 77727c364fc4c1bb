"""A receiver of callbacks on loopback, which remembers everything and refuses some at first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from scripts.torture.history import Callback

_LONGEST_BODY_BYTES = 1 << 20


class Receiver:
    """Remembers what comes; refuses or drops the first copy of a delivery now and then.

    Args:
        callbacks: what came is added here.
        chance: decides which copies are refused.
    """

    url: str

    def __init__(self, callbacks: list[Callback], chance: Random) -> None:
        self._callbacks = callbacks
        self._chance = chance
        self._seen: set[str] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the requests of one connection."""
        try:
            while await self._take(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the server was killed in the middle
        finally:
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = (line.partition(":") for line in head.split("\r\n")[1:] if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        length = int(headers.get("content-length", "0"))
        if length > _LONGEST_BODY_BYTES:
            return False
        body = await reader.readexactly(length)
        status = self._status(headers.get("webhook-id", ""))
        self._callbacks.append(Callback(headers, body, status == 200))
        if status is None:
            return False
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        return True

    def _status(self, delivery_id: str) -> int | None:
        """What is answered; None: the connection is dropped. A second copy is always taken."""
        first = delivery_id not in self._seen
        self._seen.add(delivery_id)
        return self._chance.choices((200, 503, None), (8, 1, 1))[0] if first else 200


@asynccontextmanager
async def receiving(callbacks: list[Callback], chance: Random) -> AsyncIterator[Receiver]:
    """Run a receiver until the block ends; its ``url`` is where callbacks go to."""
    receiver = Receiver(callbacks, chance)
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
