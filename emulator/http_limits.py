"""The limits of connections as rules: how many, how large, how slow; and how one is refused."""

import json
import sys
from http import HTTPStatus
from typing import NamedTuple

from emulator.api.errors import STATUS_BY_CODE, error_body
from emulator.settings import Settings

if sys.platform != "win32":
    import resource

_KIB = 1024
_RESERVED_FILES = 256  # for databases, callbacks, fetches
_RETRY_AFTER = {503: 1}


class Limits(NamedTuple):
    """What a server bears.

    Attributes:
        head_bytes: most bytes of a request's line and headers.
        patience_seconds: how long a request may take to come, or an answer lie unread.
        connections: how many may be open.
    """

    head_bytes: int
    patience_seconds: float
    connections: int


def limits_of(settings: Settings) -> Limits:
    """The limits that are set, as far as this process may open files."""
    return Limits(
        settings.max_header_kib * _KIB,
        settings.receive_timeout_seconds,
        most_connections(settings.max_connections, file_limit()),
    )


def most_connections(wanted: int, files: int | None) -> int:
    """How many connections may be open where so many files may be; None: any number."""
    if files is None:
        return wanted
    return min(wanted, max(files - _RESERVED_FILES, files // 2))


def file_limit() -> int | None:
    """How many files this process may open; None: any number."""
    if sys.platform == "win32":
        return None
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if files == resource.RLIM_INFINITY else files


def raise_file_limit() -> None:
    """Let this process open as many files as it may allow itself."""
    if sys.platform != "win32":
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # macOS names no limit, and takes none
            pass


class Stopwatch:
    """How long a client has let the server wait, by looks at it now and then.

    The looks are all that it costs, so what began between two of them counts from the second.
    """

    def __init__(self) -> None:
        self._whole: int | None = None
        self._waits_since = 0.0
        self._unsent = 0
        self._unread_since = 0.0

    def waited(self, whole: int | None, now_seconds: float) -> float:
        """How long the next request has been awaited, in seconds.

        Args:
            whole: how many requests came whole until now; None: none is awaited.
            now_seconds: any clock that runs evenly.
        """
        if whole is None or whole != self._whole:
            self._whole, self._waits_since = whole, now_seconds
        return now_seconds - self._waits_since

    def unread(self, unsent_bytes: int, now_seconds: float) -> float:
        """How long the client has read nothing of what it is to get, in seconds."""
        if self._unsent == 0 or unsent_bytes < self._unsent:
            self._unread_since = now_seconds
        self._unsent = unsent_bytes
        return now_seconds - self._unread_since


def refusal(code: str, message: str) -> bytes:
    """The whole answer that a connection ends with."""
    status = STATUS_BY_CODE[code]
    body = json.dumps(error_body(status, code, message, None)).encode()
    retry_after = f"retry-after: {_RETRY_AFTER[status]}\r\n" if status in _RETRY_AFTER else ""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n{retry_after}connection: close\r\n\r\n"
    )
    return head.encode() + body
