"""Who is told how far a run is."""

from typing import Protocol


class Progress(Protocol):
    """Who is told how far a run is."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A phase begins; ``total`` steps are expected."""

    def step(self, text: str = "") -> None:
        """A step was done."""

    def spent(self, credits: int, limit: int | None) -> None:
        """So much is spent."""


class Silent:
    """Tells nobody."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def step(self, text: str = "") -> None:
        """Say nothing."""

    def spent(self, credits: int, limit: int | None) -> None:
        """Say nothing."""
