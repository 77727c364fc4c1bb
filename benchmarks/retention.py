"""What retention costs and brings: how long sweeps take, and whether a server stops growing.

``python -m benchmarks.retention`` takes about two minutes and prints two tables.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from benchmarks.servers import emulator, memory_megabytes
from emulator.adapters.entropy import SystemEntropy
from emulator.adapters.real_clock import SystemClock
from emulator.compose import Server, compose
from emulator.core.clock import DAY, SECOND
from emulator.service.accounts import Accounts
from emulator.settings import Settings
from emulator.store.transaction import Transaction

TASKS = 100_000
ACCOUNTS = 10_000
GROWTH_SECONDS = 40
TASKS_A_SECOND = 200
RETAIN_DAYS = 3 / 86_400  # three seconds
SWEEP_EVERY_SECONDS = 1.0
BODY = {"model": "gpt-image-2", "prompt": "A lighthouse at dawn, " + "with waves, " * 20}
T = TypeVar("T")


class _Later(SystemClock):
    """The machine's clock, some days ahead."""

    days = 0

    def now(self) -> int:
        return super().now() + self.days * DAY


async def _sweep(name: str, server: Server) -> None:
    """Sweep once; print how long it took, the longest transaction, and the longest turn.

    A turn is what an ``asyncio.sleep(0)`` beside it waits: the loop was busy that long.
    """
    longest = {"transaction": 0.0, "turn": 0.0}
    database, done = server.database, False
    plain = database._write_waiting

    def timed() -> None:
        started = time.perf_counter()
        plain()
        longest["transaction"] = max(longest["transaction"], time.perf_counter() - started)

    async def look() -> None:
        while not done:
            started = time.perf_counter()
            await asyncio.sleep(0)
            longest["turn"] = max(longest["turn"], time.perf_counter() - started)

    database._write_waiting = timed  # type: ignore[method-assign]
    looking, started, cpu = asyncio.create_task(look()), time.perf_counter(), time.process_time()
    await server.retention.sweep()
    took, cpu = time.perf_counter() - started, time.process_time() - cpu
    done = True
    await looking
    database._write_waiting = plain  # type: ignore[method-assign]
    _say(
        f"| {name} | {took:.2f} s | {longest['transaction'] * 1000:.1f} ms"
        f" | {longest['turn'] * 1000:.1f} ms |"
    )


async def _client(server: Server, key: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(server.app),
        base_url="http://127.0.0.1",
        headers={"Authorization": f"Bearer {key}"},
    )


async def sweeps(folder: Path) -> None:
    """Measure sweeps of many tasks in one account, and of many accounts."""
    _say("| sweep | it takes | longest transaction | longest turn of the loop |\n|---|---|---|---|")
    clock = _Later()
    path = folder / "sweeps.db"
    settings = Settings(database=str(path), log="none", retain_days=7, initial_credits=10**9)
    server = compose(settings, clock)
    async with await _client(server, "sk-many") as client:
        hook = {"callback_url": "http://127.0.0.1:9/hook"}
        await client.post("/v1/images/generations", json={**BODY, **hook})
    _fill(path, TASKS)
    clock.days = 8
    await _sweep(f"{TASKS:,} old tasks with deliveries of one account", server)
    accounts = Accounts(server.database, clock, SystemEntropy(), settings)
    for first in range(0, ACCOUNTS, 500):
        keys = [f"sk-{number}" for number in range(first, first + 500)]
        await asyncio.gather(*map(accounts.authenticate, keys))
    await _sweep(f"{ACCOUNTS:,} accounts, none old", server)
    clock.days = 16
    await _sweep(f"{ACCOUNTS:,} accounts that nobody needs", server)
    server.close()


def _fill(path: Path, total: int) -> None:
    """Settled tasks with their ledger, deliveries and attempts, as copies of the one there is."""
    numbers = f"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {total})"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f"""{numbers} INSERT INTO tasks SELECT 'task_copy' || i, account_id, i + 1, seed,
            key_hash, model, callback_url, width_px, height_px, created_at, starts_at, ends_at,
            images, error_code, reserved, charge, 1, NULL, base_url, request_id, request
            FROM c, (SELECT * FROM tasks LIMIT 1)"""
        )
        for offset, kind, available, reserved, charged in (
            (0, "reservation", -30, 30, 0), (1, "consumption", 0, -30, 30),
        ):  # fmt: skip
            connection.execute(
                f"""{numbers} INSERT INTO ledger_entries SELECT account_id, 10 + 2 * i + {offset},
                '{kind}', 'task_copy' || i, 0, {available}, {reserved}, {charged}, 0, created_at
                FROM c, (SELECT * FROM tasks LIMIT 1)"""
            )
        connection.execute(
            """INSERT INTO deliveries SELECT 'msg_' || id, id, account_id, callback_url,
            'delivered', 1, NULL, NULL, ends_at, 0, 0 FROM tasks WHERE settled = 1"""
        )
        connection.execute(
            """INSERT INTO attempts SELECT id, 1, created_at, 200, 1, 'ok', NULL FROM deliveries"""
        )


def _megabytes(path: Path) -> float:
    return path.stat().st_size / 1e6 if path.exists() else 0.0


def growth(folder: Path, retain_days: float) -> None:
    """Create tasks at a steady rate on a server process, and watch its file and its memory."""
    path = folder / f"growth{bool(retain_days)}.db"
    flags = ["--latency", "instant", "--log", "none", "--retain-days", f"{retain_days:.8f}"]
    with emulator(path, *flags) as server, httpx2.Client(base_url=server.url) as client:
        started, made = time.perf_counter(), 0
        next_look = 5.0
        while (passed := time.perf_counter() - started) < GROWTH_SECONDS:
            if passed >= next_look:
                wal = _megabytes(Path(f"{path}-wal"))
                _say(
                    f"| {'on' if retain_days else 'off'} | {passed:.0f} s | {made:,}"
                    f" | {_megabytes(path):.1f} MB | {wal:.1f} MB"
                    f" | {memory_megabytes(server):.1f} MB |"
                )
                next_look += 5
            if made >= passed * TASKS_A_SECOND:
                time.sleep(0.002)
                continue
            key = {"Authorization": f"Bearer sk-fleet-{made // 20}"}  # a new key all the time
            client.post("/v1/images/generations", json=BODY, headers=key).raise_for_status()
            made += 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _run_growth(folder: Path) -> None:
    _say("\n| retention | after | tasks made | file | WAL | memory |\n|---|---|---|---|---|---|")
    for retain_days in (0.0, RETAIN_DAYS):
        growth(folder, retain_days)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(sweeps(Path(name)))
        _run_growth(Path(name))
