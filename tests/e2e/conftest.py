"""Real servers in processes of their own, real sockets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import Process

Serve = Callable[..., Process]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers that end with the test; by default on a file of the test."""
    with ExitStack() as stack:

        def start(*flags: str, **options: Any) -> Process:
            if "--database" not in flags:
                flags = ("--database", str(tmp_path / "state.db"), *flags)
            process = Process(*flags, **options)
            stack.callback(process.stop)
            return process

        yield start
