"""A server in a process of its own, as a reader of the examples starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emulator.settings import ENVIRONMENT_PREFIX

STOP_SECONDS = 30


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of the emulator, without proxies."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ENVIRONMENT_PREFIX) and not name.lower().endswith("_proxy")
    }


@contextmanager
def serve(*flags: str) -> Iterator[str]:
    """Start a server on a free port; its base URL, without /v1, is read from its banner."""
    fixed = ("--port", "0", "--database", ":memory:", "--latency", "instant", "--log", "none")
    command = [sys.executable, "-m", "emulator.cli", "serve", *fixed, *flags]
    environment = clean_environment()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            first_line = process.stdout.readline()
            assert " listens on " in first_line
            yield first_line.split()[-1]
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


@pytest.fixture(scope="session", params=["model-page", "reference"])
def base_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server of each profile."""
    with serve("--profile", request.param) as url:
        yield url
