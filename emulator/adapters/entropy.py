"""Unpredictable ids and secrets."""

import itertools
import os


class SystemEntropy:
    """Randomness from the operating system."""

    def __init__(self) -> None:
        self._prefix = os.urandom(8).hex()
        self._count = itertools.count(1)

    def request_id(self) -> str:
        """Make an id that no other request of any process has."""
        return f"req_{self._prefix}{next(self._count) & 0xFFFFFFFF:08x}"

    def token(self) -> str:
        """Make 48 hexadecimal digits that nobody can guess."""
        return os.urandom(24).hex()
