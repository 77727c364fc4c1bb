"""A line for each request that was answered."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from emulator.api.finished import Batch, FinishedCall
from emulator.core.clock import rfc3339

# Several processes may write to one pipe: what is no longer than this is never mixed up there.
_PIECE_BYTES = 4096


class AccessLog:
    """Writes requests.

    A line has no query string and no header, so neither a key nor a signature is ever in it, and
    nothing that a client sends can begin a line of its own.

    Args:
        form: text, json or none.
        stream: where to.
    """

    def __init__(self, form: str, stream: TextIO | None = None) -> None:
        self._render = {"text": _text, "json": _json}.get(form)
        self._stream = stream or sys.stderr

    def write(self, batch: Batch) -> None:
        """Write a line for each request of a batch."""
        if self._render is None or not batch.calls:
            return
        for piece in _pieces(map(self._render, batch.calls)):
            self._stream.write(piece)
            self._stream.flush()


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Join lines, which are ASCII, to pieces of whole lines."""
    piece: list[str] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > _PIECE_BYTES:
            yield "".join(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    yield "".join(piece)


def _text(finished: FinishedCall) -> str:
    call = finished.call
    time = rfc3339(call.started_at)[:23]
    task = "" if call.task_id is None else f" {_printable(call.task_id)}"
    return (
        f"{time} {call.status} {finished.method} {_printable(finished.path)}"
        f" {call.seconds * 1000:.1f}ms {call.account_id} {call.request_id}{task}\n"
    )


def _printable(text: str) -> str:
    if text.isprintable() and text.isascii():
        return text
    return text.encode("unicode_escape").decode()


def _json(finished: FinishedCall) -> str:
    call = finished.call
    entry = {
        "time": rfc3339(call.started_at),
        "status": call.status,
        "method": finished.method,
        "path": finished.path,
        "operation": finished.operation,
        "duration_ms": round(call.seconds * 1000, 3),
        "account_id": call.account_id,
        "request_id": call.request_id,
        "task_id": call.task_id,
        "faults": call.faults,
    }
    return json.dumps(entry) + "\n"
