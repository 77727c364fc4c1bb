"""A line for each request, written in batches so that it costs the hot path little."""

import asyncio
import json
import sys
from typing import TextIO

from starlette.types import Scope

from emulator.api.http import Call
from emulator.core.clock import rfc3339

_FLUSH_SECONDS = 0.2
_MOST_WAITING = 10_000


class AccessLog:
    """Collects requests and writes them from time to time.

    A line has no query string and no header, so neither a key nor a signature is ever in it.

    Args:
        form: text, json or none.
        stream: where to.
    """

    def __init__(self, form: str, stream: TextIO | None = None) -> None:
        self._form = form
        self._stream = stream or sys.stderr
        self._waiting: list[tuple[str, str, Call]] = []

    def add(self, scope: Scope, call: Call) -> None:
        """Note a request that was answered."""
        if self._form != "none":
            self._waiting.append((scope["method"], scope["path"], call))
            if len(self._waiting) >= _MOST_WAITING:
                self.flush()

    async def run(self) -> None:
        """Write what waits, again and again, until cancelled."""
        try:
            while True:
                await asyncio.sleep(_FLUSH_SECONDS)
                self.flush()
        finally:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        render = _text if self._form == "text" else _json
        self._stream.write("".join([render(*entry) for entry in waiting]))
        self._stream.flush()


def _text(method: str, path: str, call: Call) -> str:
    time = rfc3339(call.started_at)[:23]
    if not path.isprintable() or not path.isascii():
        path = path.encode("unicode_escape").decode()
    return (
        f"{time} {call.status} {method} {path} {call.seconds * 1000:.1f}ms"
        f" {call.account_id} {call.request_id}\n"
    )


def _json(method: str, path: str, call: Call) -> str:
    entry = {
        "time": rfc3339(call.started_at),
        "status": call.status,
        "method": method,
        "path": path,
        "duration_ms": round(call.seconds * 1000, 3),
        "account_id": call.account_id,
        "request_id": call.request_id,
    }
    return json.dumps(entry) + "\n"
