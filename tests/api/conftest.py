"""Which tests of the API run on both engines; with ON_POSTGRES set, all run on PostgreSQL."""

import pytest

from tests.support.postgres import needs_postgres
from tests.support.world import ON_POSTGRES

ON_BOTH = {"test_callbacks", "test_clock", "test_forcing", "test_lifecycle", "test_snapshot"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the chosen modules once more, on PostgreSQL."""
    if metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        engines = ["memory", pytest.param("postgres", marks=needs_postgres)]
        metafunc.fixturenames.insert(0, "engine")
        metafunc.parametrize("engine", engines, indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the worlds of a test keep what they keep."""
    name: str = request.param
    if name == "postgres":
        monkeypatch.setenv(ON_POSTGRES, "1")
    return name
