"""Unpredictable ids and secrets."""

import os


class SystemEntropy:
    """Randomness from the operating system."""

    def token(self) -> str:
        """Make 48 hexadecimal digits that nobody can guess."""
        return os.urandom(24).hex()
