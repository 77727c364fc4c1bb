"""Empty PostgreSQL databases for tests, on a cluster that the first of them starts."""

import atexit
from contextlib import ExitStack
from functools import cache
from itertools import count

import psycopg
import pytest

from emulator.store.postgres import PostgresDatabase
from scripts.postgres import Cluster, cluster, is_there

needs_postgres = pytest.mark.skipif(not is_there(), reason="there is no PostgreSQL")

_numbers = count(1)


@cache
def own_cluster() -> Cluster:
    """This process's cluster, with a database that has the schema and nothing else."""
    running = ExitStack()
    one = running.enter_context(cluster())
    atexit.register(running.close)
    PostgresDatabase(one.create("template"), 1).close()
    return one


def new_database() -> str:
    """The URL of a database with nothing in it."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(own_cluster().url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template")
    return own_cluster().url(name)


def drop_database(url: str) -> None:
    """Drop a database of ``new_database``, whoever is connected."""
    name = url.partition("@/")[2].partition("?")[0]
    with psycopg.connect(own_cluster().url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
