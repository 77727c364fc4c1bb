"""What every engine promises: all or nothing, nobody in between, and what was said stays said."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from emulator.core.clock import AccountClock
from emulator.core.credits import reserve
from emulator.store import postgres
from emulator.store.opening import open_database, shown_database
from emulator.store.records import Database, StoreError, StoreUnavailable
from emulator.store.sql_files import load_migrations
from emulator.store.transaction import Transaction
from tests.support.engines import ENGINES, SHARED, add, available, database_of
from tests.support.postgres import needs_postgres, new_database, own_cluster


@pytest.fixture(params=ENGINES)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database_of(request.param, tmp_path) as name:
        yield name


@pytest.fixture
def database(where: str) -> Iterator[Database]:
    one = open_database(where, 4)
    one.write_now(add)
    yield one
    one.close()


@pytest.mark.parametrize("account_id", ["acct_1", None])
async def test_work_that_raises_takes_nothing_with_it(
    database: Database, account_id: str | None
) -> None:
    def spend_ten(tx: Transaction) -> None:
        tx.move_credits("acct_1", reserve(10))

    def fail(tx: Transaction) -> None:
        tx.move_credits("acct_1", reserve(50))
        raise ValueError("no")

    results = await asyncio.gather(
        *(database.write(work, account_id) for work in (spend_ten, fail, spend_ten)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), ValueError, type(None)]
    assert await database.read(available) == 80


async def test_what_the_database_minds_takes_only_its_own_work(database: Database) -> None:
    def spend_ten(tx: Transaction) -> None:
        tx.move_credits("acct_1", reserve(10))

    def clash(tx: Transaction) -> None:
        tx.move_credits("acct_1", reserve(1))
        tx.add_account("acct_2", 1, 1, 0)  # its id_seed is another's

    results = await asyncio.gather(
        *(database.write(work, "acct_1") for work in (spend_ten, clash, spend_ten)),
        return_exceptions=True,
    )
    assert [result is None for result in results] == [True, False, True]
    assert await database.read(available) == 80


async def test_credits_never_go_below_zero(database: Database) -> None:
    results = await asyncio.gather(
        *(
            database.write(lambda tx: tx.move_credits("acct_1", reserve(30)), "acct_1")
            for _ in range(5)
        )
    )
    assert [result is None for result in results] == [False, False, False, True, True]
    assert await database.read(available) == 10


async def test_a_cancelled_caller_takes_nobody_with_it(database: Database) -> None:
    def work(tx: Transaction) -> object:
        return tx.move_credits("acct_1", reserve(10))

    leaving = asyncio.create_task(database.write(work, "acct_1"))
    staying = asyncio.create_task(database.write(work, "acct_1"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying is not None
    assert await database.read(available) in (80, 90)


async def test_an_answer_that_is_read_is_of_the_row(database: Database) -> None:
    clock = AccountClock(5, 10**15)
    await database.write(lambda tx: tx.set_clock("acct_1", clock, 0), "acct_1")
    account = await database.read(lambda tx: tx.account("acct_1"))
    assert account is not None
    assert account.clock == clock
    assert await database.read(lambda tx: tx.account("acct_\0\ud7ff")) is None


async def test_a_secret_is_written_once(database: Database) -> None:
    values = await asyncio.gather(
        *(database.write(lambda tx, v=value: tx.meta("secret", v)) for value in "abc")  # type: ignore[misc]
    )
    assert len(set(values)) == 1


@pytest.mark.parametrize("engine", SHARED)
async def test_nobody_changes_an_account_in_between(engine: str, tmp_path: Path) -> None:
    """Two processes read an account's clock and write what follows from it."""
    with database_of(engine, tmp_path) as name:
        databases = [open_database(name, 4) for _ in range(2)]
        databases[0].write_now(add)

        def tick(tx: Transaction) -> None:
            account = tx.account("acct_1")
            assert account is not None
            tx.set_clock("acct_1", AccountClock(account.clock.offset_ms + 1), 0)

        await asyncio.gather(*(one.write(tick, "acct_1") for one in databases for _ in range(25)))
        account = await databases[1].read(lambda tx: tx.account("acct_1"))
        assert account is not None
        assert account.clock.offset_ms == 50
        for one in databases:
            one.close()


@pytest.mark.parametrize("engine", SHARED)
async def test_what_was_written_is_there_after_opening_again(engine: str, tmp_path: Path) -> None:
    with database_of(engine, tmp_path) as name:
        one = open_database(name)
        await one.write(add)
        one.close()
        again = open_database(name)
        assert await again.read(available) == 100
        again.close()


def test_a_password_is_not_shown() -> None:
    url = "postgresql://me:s3cret@db.example:5432/name?password=t0p&sslmode=require"
    shown = shown_database(url)
    assert "s3cret" not in shown
    assert "t0p" not in shown
    assert shown.startswith("postgresql://me:***@db.example:5432/name")
    assert shown_database("/a:b@c/state.db") == "/a:b@c/state.db"


@needs_postgres
class TestPostgres:
    def test_a_database_that_is_not_there_is_told_in_one_line(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres, "LONGEST_START_SECONDS", 0)
        url = "postgresql://emulator:s3cret@127.0.0.1:9/none?connect_timeout=2"
        with pytest.raises(StoreError, match="cannot use the database") as told:
            open_database(url)
        assert "s3cret" not in str(told.value)
        assert "\n" not in str(told.value)

    def test_a_name_that_is_not_there_is_told_at_once(self) -> None:
        with pytest.raises(StoreError, match="does not exist"):
            open_database(own_cluster().url("nobody_made_this"))

    def test_databases_of_others_and_of_newer_emulators(self) -> None:
        foreign = own_cluster().create("foreign")
        newer = new_database()

        with psycopg.connect(foreign) as connection:
            connection.execute("CREATE TABLE theirs (x INTEGER)")
        with psycopg.connect(newer) as connection:
            connection.execute("INSERT INTO schema_versions VALUES (999)")
        for url, reason in ((foreign, "another program"), (newer, "newer emulator")):
            with pytest.raises(StoreError, match=reason):
                open_database(url)

    async def test_many_open_an_empty_database_at_once(self) -> None:
        url = own_cluster().create("fresh")
        opened = await asyncio.gather(*(asyncio.to_thread(open_database, url, 1) for _ in range(5)))

        with psycopg.connect(url) as connection:
            versions = connection.execute("SELECT count(*) FROM schema_versions").fetchone()
        assert versions == (len(load_migrations("postgresql")),)
        for one in opened:
            one.close()

    async def test_an_announcement_is_heard_by_another(self) -> None:
        url = new_database()
        here, there = open_database(url, 2), open_database(url, 2)
        heard = asyncio.Event()
        listening = asyncio.create_task(there.listen(heard.set))
        await asyncio.wait_for(heard.wait(), 10)  # once, when it begins
        heard.clear()
        await here.announce()
        await asyncio.wait_for(heard.wait(), 10)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        here.close()
        there.close()

    async def test_connections_that_are_cut_are_made_anew(self) -> None:

        url = new_database()
        database = open_database(url, 4)
        await database.write(add)
        await asyncio.gather(*(database.read(available) for _ in range(8)))
        with psycopg.connect(own_cluster().url(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> pg_backend_pid()",
                (url.partition("@/")[2].partition("?")[0],),
            )
        results = await asyncio.gather(*(database.read(available) for _ in range(8)))
        assert results == [100] * 8
        assert await database.write(available, "acct_1") == 100
        database.close()

    async def test_without_a_database_it_says_so(self) -> None:

        url = new_database()
        database = open_database(url, 1)
        await database.write(add)
        name = url.partition("@/")[2].partition("?")[0]
        with psycopg.connect(own_cluster().url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        with pytest.raises(StoreUnavailable):
            await database.read(available)
        database.close()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "emulator.store.postgres", None)
    with pytest.raises(StoreError, match=r"pip install 'gpt-image-emulator\[postgres\]'"):
        open_database("postgresql://db.example/emulator")
