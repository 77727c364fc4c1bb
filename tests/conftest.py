"""Fixtures that every test may use."""

import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from tests.support.world import World, open_world

# No test depends on how fast the machine is at the moment. Where CI is set, the same code gets the
# same examples; elsewhere each run tries others.
settings.register_profile("repository", settings.default, deadline=None)
settings.load_profile("repository")


def pytest_xdist_auto_num_workers() -> int:
    """Workers for ``-n auto``: one more than processors, for tests wait a third of their time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as world:
        yield world
