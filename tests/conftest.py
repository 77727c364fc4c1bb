"""Fixtures that every test may use."""

from collections.abc import AsyncIterator

import pytest

from tests.support.world import World, open_world


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as world:
        yield world
