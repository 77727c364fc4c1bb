"""What a check came to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """What a check met.

    Attributes:
        problems: one line for each promise that was broken.
        summary: what was done, in one line.
    """

    problems: list[str]
    summary: str
