"""Holds many slow connections open, and sees that a normal client is answered all the same.

``python -m scripts.torture_connections URL --connections 10000 --seconds 30``: each connection
sends a byte of an endless header now and then. Connections that the server closes count as that;
what fails the run is a normal request that takes a second or is not answered with 200.
"""

import argparse
import asyncio
import resource
import sys
import time
from urllib.parse import urlsplit

import httpx2

_OPENED_AT_ONCE = 200
_BYTE_EVERY_SECONDS = 2.0
_LOOK_EVERY_SECONDS = 0.5
_SLOWEST_SECONDS = 1.0


class Crowd:
    """Slow connections; ``opened``, ``closed`` and ``refused`` are counts."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._gate = asyncio.Semaphore(_OPENED_AT_ONCE)
        self.opened = self.closed = self.refused = 0

    async def hold(self, until: float) -> None:
        """Open one connection and feed it bytes."""
        try:
            async with self._gate:
                _, writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            self.refused += 1
            return
        self.opened += 1
        try:
            writer.write(b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            while time.monotonic() < until:
                await asyncio.sleep(_BYTE_EVERY_SECONDS)
                writer.write(b"a")
                await writer.drain()
        except OSError:
            self.closed += 1
        finally:
            writer.close()


async def look(url: str, until: float) -> list[float]:
    """Be a normal client; the seconds that each answer took, infinite where none came."""
    took = []
    while time.monotonic() < until:
        started = time.monotonic()
        try:
            async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
                ok = (await client.get(f"{url}/_emulator/health")).status_code == 200
        except httpx2.HTTPError:
            ok = False
        took.append(time.monotonic() - started if ok else float("inf"))
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    return took


async def torture(url: str, connections: int, seconds: float) -> bool:
    """Run it and print what was seen; whether every normal request was answered in time."""
    parts = urlsplit(url)
    crowd = Crowd(parts.hostname or "127.0.0.1", parts.port or 80)
    until = time.monotonic() + seconds
    holders = [asyncio.create_task(crowd.hold(until)) for _ in range(connections)]
    took = await look(url, until)
    await asyncio.gather(*holders)
    slowest = max(took, default=float("inf"))
    print(
        f"{crowd.opened:,} connections opened, {crowd.refused:,} refused, {crowd.closed:,} closed"
        f" by the server; {len(took)} normal requests, the slowest took {slowest:.3f} s"
    )
    return slowest < _SLOWEST_SECONDS


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.torture_connections")
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    held = asyncio.run(torture(given.url.rstrip("/"), given.connections, given.seconds))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
