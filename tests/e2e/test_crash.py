"""Servers that are killed while they are used lose nothing; make torture does it 200 times."""

import pytest

from scripts.torture.concurrency import concurrency
from scripts.torture.crash import crash


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_is_killed_keeps_its_promises(workers: int) -> None:
    assert crash("sqlite", replicas=1, workers=workers, kills=5, seed=1).problems == []


def test_what_concurrent_clients_see_has_an_order() -> None:
    assert concurrency("sqlite", replicas=1, rounds=1, seed=1).problems == []
