"""Half of the highest rate for minutes: latency, memory and errors over time."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2

from scripts.torture.flatness import growth, is_flat
from scripts.torture.result import Result
from scripts.torture.servers import Fleet, fleet, memory_mb

CONNECTIONS = 32
ACCOUNTS = 8
SAMPLE_SECONDS = 30
LEAST_SAMPLES = 8
_SCRIPT = Path(__file__).with_name("soak.lua")
_PROBE_SECONDS = 5
_PREFIX_CHARACTERS = 17  # of a task's id: what all tasks of an account share
# A small cache of pictures is full within the first samples: what grows after that does not end.
FLAGS = ("--latency", "fast", "--initial-credits", "1000000000000", "--picture-cache-mib", "8")


@dataclass(frozen=True, slots=True)
class Sample:
    """What one burst of requests met.

    Attributes:
        rate: requests a second that were answered.
        p50_ms, p99_ms: latency.
        errors: requests that were refused or broke.
        memory_mb: of all server processes, at its end.
        database_mb: the size of the SQLite file and its log, at its end; 0: PostgreSQL's.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    errors: int
    memory_mb: float
    database_mb: float


def soak(engine: str, seconds: int, rate: int | None, show: Callable[[str], None]) -> Result:
    """Send requests for a time, and judge what came of it.

    Args:
        engine: sqlite or postgres.
        seconds: how long.
        rate: requests a second; None: half of what was reached as fast as it goes.
        show: takes each line of a table in Markdown.
    """
    if shutil.which("wrk") is None:
        return Result(["wrk is missing; on Debian and Ubuntu: apt-get install wrk"], "not run")
    with (
        tempfile.TemporaryDirectory(prefix="torture-") as folder,
        fleet(engine, 1, Path(folder), *FLAGS) as servers,
    ):
        accounts = _open_accounts(servers.urls[0])
        if rate is None:
            rate = round(_burst(servers, accounts, 0, _PROBE_SECONDS).rate / 2)
        each = max(1, min(SAMPLE_SECONDS, seconds // LEAST_SAMPLES))
        show(
            _row("seconds", f"requests/s of {rate}", "p50 ms", "p99 ms", "errors", "MB", "file MB")
        )
        show(_row(*["---"] * 7))
        samples = []
        for number in range(1, seconds // each + 1):
            sample = _burst(servers, accounts, rate, each)
            samples.append(sample)
            latencies = (f"{sample.p50_ms:.2f}", f"{sample.p99_ms:.2f}")
            sizes = (f"{sample.memory_mb:.0f}", f"{sample.database_mb:.0f}")
            show(_row(number * each, f"{sample.rate:.0f}", *latencies, sample.errors, *sizes))
    requests = round(sum(sample.rate * each for sample in samples))
    return judged(samples, f"{len(samples)} × {each} s at {rate}/s, {requests:,} requests")


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def judged(samples: Sequence[Sample], what: str) -> Result:
    """Latency and memory must be flat, and nothing may fail."""
    problems, told = [], []
    for name, unit in (("p50_ms", "ms"), ("p99_ms", "ms"), ("memory_mb", "MB")):
        series = [getattr(sample, name) for sample in samples]
        first, last, most = growth(series)
        told.append(f"{name.partition('_')[0]} {first:.1f} to {last:.1f} {unit}")
        if not is_flat(series):
            problems.append(f"{name} grew from {first:.2f} to {last:.2f}; at most {most:.2f}")
    errors = sum(sample.errors for sample in samples)
    if errors:
        problems.append(f"{errors} requests were refused or broke")
    return Result(problems, f"{what}; {', '.join(told)}, {errors} errors")


def _open_accounts(url: str) -> list[str]:
    """Make the accounts: what their tasks' ids begin with, and their keys, in turn."""
    found = []
    for number in range(ACCOUNTS):
        key = f"sk-soak-{number}"
        answer = httpx2.post(
            f"{url}/v1/images/generations",
            json={"model": "gpt-image-2", "prompt": "the first"},
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
        )
        found += [answer.raise_for_status().json()["task_id"][:_PREFIX_CHARACTERS], key]
    return found


def _burst(servers: Fleet, accounts: Sequence[str], rate: int, seconds: int) -> Sample:
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s"]
    command = [*words, "-s", str(_SCRIPT), servers.urls[0], "--", str(CONNECTIONS), str(rate)]
    done = subprocess.run(
        [*command, *accounts], capture_output=True, text=True, timeout=seconds + 60, check=False
    )
    line = done.stdout.rpartition("\nRESULT ")[2]
    if done.returncode or not line.startswith("{"):
        raise RuntimeError(f"wrk failed: {(done.stderr or done.stdout).strip()[-300:]}")
    met = json.loads(line)
    return Sample(
        rate=met["requests"] / met["microseconds"] * 1e6,
        p50_ms=met["p50"] / 1000,
        p99_ms=met["p99"] / 1000,
        errors=met["broken"] + met["refused"],
        memory_mb=sum(memory_mb(replica.pid) for replica in servers.replicas),
        database_mb=_database_mb(servers),
    )


def _database_mb(servers: Fleet) -> float:
    if servers.cluster is not None:
        return 0
    files = (Path(f"{servers.database}{end}") for end in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6
