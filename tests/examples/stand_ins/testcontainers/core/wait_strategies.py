"""When a container is ready."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LogMessageWaitStrategy:
    """Ready with the first line that contains a message."""

    message: str
