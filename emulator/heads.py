"""Heads of requests that came before."""

from emulator.api.plain_calls import Head

_END_OF_HEAD = b"\r\n\r\n"


class Heads:
    """Heads of plain calls that came before, so that they need not be read again.

    A client sends the same bytes each time it asks for the same thing.
    """

    _MOST, _LONGEST_BYTES = 4096, 2048

    def __init__(self) -> None:
        self._found: dict[bytes, tuple[Head, int]] = {}

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        """The head and the body of a request that came whole, where its head came before."""
        at = data.find(_END_OF_HEAD) + len(_END_OF_HEAD)
        known = self._found.get(data[:at])
        if known is None or len(data) - at != known[1]:
            return None
        return known[0], data[at:]

    def remember(self, head: Head, data: bytes, body: bytes) -> None:
        """Remember what a head was read as, where ``data`` was just that and the body."""
        at = data.find(_END_OF_HEAD) + len(_END_OF_HEAD)
        # Another request in front of it, or a folded line, would be lines more.
        has_its_lines = data.count(b"\n", 0, at) == len(head.headers) + 2
        if has_its_lines and at <= self._LONGEST_BYTES and data[at:] == body:
            if len(self._found) >= self._MOST:
                del self._found[next(iter(self._found))]
            self._found[data[:at]] = head, len(body)
