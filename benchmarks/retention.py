"""What retention costs and brings: how long sweeps take, and whether a server stops growing.

``python -m benchmarks.retention`` takes about two minutes and prints two tables.
"""

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import httpx2

from emulator.adapters.entropy import SystemEntropy
from emulator.adapters.real_clock import SystemClock
from emulator.compose import Server, compose
from emulator.core.clock import DAY
from emulator.service.accounts import Accounts
from emulator.settings import Settings

TASKS = 100_000
ACCOUNTS = 10_000
GROWTH_SECONDS = 40
TASKS_A_SECOND = 200
RETAIN_DAYS = 5
BODY = {"model": "gpt-image-2", "prompt": "A lighthouse at dawn, " + "with waves, " * 20}


class _Later(SystemClock):
    """The machine's clock, some days ahead."""

    days = 0

    def now(self) -> int:
        return super().now() + self.days * DAY


async def _sweep(name: str, server: Server) -> None:
    """Sweep once; print how long it took, and how long its transactions kept the loop busy."""
    took_ms, busy_ms = list[float](), list[float]()
    database: Any = server.database
    plain = database._write_waiting  # noqa: SLF001

    def timed() -> None:
        started, busy = time.perf_counter(), time.thread_time()
        plain()
        took_ms.append((time.perf_counter() - started) * 1000)
        busy_ms.append((time.thread_time() - busy) * 1000)

    database._write_waiting = timed  # noqa: SLF001
    started, busy = time.perf_counter(), time.process_time()
    await server.retention.sweep()
    took, busy = time.perf_counter() - started, time.process_time() - busy
    database._write_waiting = plain  # noqa: SLF001
    _say(
        f"| {name} | {took:.1f} s | {busy:.1f} s | {len(took_ms):,}"
        f" | {_quantiles(busy_ms)} | {_quantiles(took_ms)} |"
    )


def _quantiles(values: list[float]) -> str:
    ordered = sorted(values)
    shown = (median(ordered), ordered[len(ordered) * 99 // 100], ordered[-1])
    return " / ".join(f"{value:.1f}" for value in shown)


async def _client(server: Server, key: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(server.app),
        base_url="http://127.0.0.1",
        headers={"Authorization": f"Bearer {key}"},
    )


async def sweeps(folder: Path) -> None:
    """Measure sweeps of many tasks in one account, and of many accounts."""
    _say(
        "| sweep | it takes | processor | transactions | their processor time, ms: median, 99 of"
        " 100, longest | their time, ms |\n|---|---|---|---|---|---|"
    )
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
            images, error_code, reserved, charge, base_url, request_id, request
            FROM c, (SELECT * FROM tasks LIMIT 1)"""
        )
        connection.execute(
            """INSERT INTO task_ends SELECT account_id, 1, ends_at, id, starts_at FROM tasks
            WHERE id LIKE 'task_copy%'"""
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
            """INSERT INTO deliveries
            (id, task_id, account_id, url, state, attempts_made, created_at)
            SELECT 'msg_' || id, id, account_id, callback_url, 'delivered', 1, ends_at
            FROM tasks WHERE id LIKE 'task_copy%'"""
        )
        connection.execute(
            """INSERT INTO attempts SELECT id, 1, created_at, 200, 1, 'ok', NULL FROM deliveries"""
        )


def _megabytes(path: Path) -> float:
    return path.stat().st_size / 1e6 if path.exists() else 0.0


async def growth(folder: Path, retain_days: float) -> None:
    """Create tasks at a steady rate, a day each second, and watch the file and the memory."""
    path = folder / "growth.db"
    settings = Settings(database=str(path), log="none", retain_days=retain_days)
    clock = _Later()
    server = compose(settings, clock)
    beside = [
        asyncio.create_task(run()) for run in (server.runner.run, server.services.journal.run)
    ]
    async with await _client(server, "sk-0") as client:
        started, made = time.perf_counter(), 0
        while (passed := time.perf_counter() - started) < GROWTH_SECONDS:
            if clock.days != int(passed):
                clock.days = int(passed)
                if retain_days:
                    await server.retention.sweep()
                if clock.days % 5 == 0:
                    _look(path, retain_days, clock.days, made)
            if made >= passed * TASKS_A_SECOND:
                await asyncio.sleep(0.002)
                continue
            key = {"Authorization": f"Bearer sk-{made // 20}"}  # as a fleet of tests does
            answer = await client.post("/v1/images/generations", json=BODY, headers=key)
            answer.raise_for_status()
            made += 1
    for task in beside:
        task.cancel()
    server.close()


def _look(path: Path, retain_days: float, days: int, made: int) -> None:
    resident = Path("/proc/self/statm").read_text().split()[1]
    _say(
        f"| {retain_days:g} | {days} | {made:,} | {_megabytes(path):.1f} MB"
        f" | {_megabytes(Path(f'{path}-wal')):.1f} MB | {int(resident) * 4096 / 1e6:.1f} MB |"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Run one measure, or each in a process of its own, so that memory is its own."""
    with tempfile.TemporaryDirectory() as name:
        if arguments == ["sweeps"]:
            asyncio.run(sweeps(Path(name)))
        elif arguments:
            asyncio.run(growth(Path(name), float(arguments[0])))
        else:
            command = [sys.executable, "-m", "benchmarks.retention"]
            subprocess.run([*command, "sweeps"], check=True)
            _say("\n| --retain-days | day | tasks made | file | WAL | memory |")
            _say("|---|---|---|---|---|---|")
            for retain_days in ("0", f"{RETAIN_DAYS}"):
                subprocess.run([*command, retain_days], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
