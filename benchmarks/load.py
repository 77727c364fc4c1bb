"""Sends load with wrk and reads what it counted."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.servers import BenchError, Server, await_idle

KEY = "sk-bench"
BODY = {
    "model": "gpt-image-2",
    "prompt": "A polished product screenshot of a small coffee roaster's web shop",
    "size": "16:9",
    "resolution": "1K",
    "quality": "medium",
    "n": 1,
}
CONNECTIONS = 32
SETTLE_LIMIT_SECONDS = 30.0

# wrk's own summary is made for people; `done` prints the same numbers for this program.
SCRIPT = """
local requests = {%s}
local next_index = 0
request = function()
  next_index = next_index %% #requests + 1
  return requests[next_index]
end
done = function(summary, latency, requests)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('\\nRESULT {"requests": %%d, "microseconds": %%d, "broken": %%d, '
    .. '"refused": %%d, "p50_us": %%d, "p99_us": %%d}\\n', summary.requests, summary.duration,
    broken, errors.status, latency:percentile(50), latency:percentile(99)))
end
"""


def require_wrk() -> None:
    """End the benchmark here if wrk is not installed."""
    if shutil.which("wrk") is None:
        raise BenchError("wrk is missing; on Debian and Ubuntu: apt-get install wrk")


class Load:
    """wrk with one fixed list of requests, sent over and over to one server.

    `folder` is where the script may be written.
    """

    def __init__(self, server: Server, requests: Sequence[str], folder: Path) -> None:
        self.server = server
        self._script = folder / f"{server.name}-{server.port}-{id(self):x}.lua"
        literals = ",\n".join(json.dumps(request) for request in requests)
        self._script.write_text(SCRIPT % literals)

    def run(self, seconds: int) -> tuple[int, float]:
        """Send for `seconds`; return how many were answered, and how many that was a second."""
        counts = self.counts(seconds)
        return counts["requests"], counts["requests"] / counts["microseconds"] * 1e6

    def counts(self, seconds: int) -> dict[str, int]:
        """Send for `seconds`; return wrk's counts, with `p50_us` and `p99_us` of the latency."""
        words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(self._script)]
        finished = subprocess.run(
            [*words, self.server.url],
            capture_output=True,
            text=True,
            timeout=seconds + 30,
            check=False,
        )
        if finished.returncode:
            raise BenchError(f"wrk failed: {(finished.stderr or finished.stdout).strip()[-200:]}")
        return parse_counts(self.server.name, finished.stdout)


def parse_counts(name: str, printed: str) -> dict[str, int]:
    """The counts in what wrk `printed`; refuse those of a run that was not answered in full."""
    line = printed.rpartition("\nRESULT ")[2]
    if not line.startswith("{"):
        raise BenchError(f"wrk failed: {printed.strip()[-200:]}")
    counts: dict[str, int] = json.loads(line)
    if counts["broken"] or counts["refused"] or not counts["requests"]:
        raise BenchError(f"the {name} did not answer everything: {line.strip()}")
    return counts


def creations(server: Server, folder: Path) -> Load:
    """Load that creates the same task again and again."""
    body = json.dumps(BODY)
    head = _head("POST", "/v1/images/generations", server)
    fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return Load(server, [f"{head}{fields}\r\n{body}"], folder)


def reads(server: Server, task_ids: Sequence[str], folder: Path) -> Load:
    """Load that reads `task_ids` in turn."""
    heads = (_head("GET", f"/v1/tasks/{task_id}", server) for task_id in task_ids)
    return Load(server, [f"{head}\r\n" for head in heads], folder)


def _head(method: str, path: str, server: Server) -> str:
    host = f"Host: 127.0.0.1:{server.port}"
    return f"{method} {path} HTTP/1.1\r\n{host}\r\nAuthorization: Bearer {KEY}\r\n"


def create_tasks(server: Server, count: int) -> list[str]:
    """Create `count` tasks one by one and return their ids."""
    return [call(server, "/v1/images/generations", BODY)["task_id"] for _ in range(count)]


def await_ended(server: Server, task_ids: Sequence[str]) -> None:
    """Read each of `task_ids` until it has succeeded."""
    deadline = time.monotonic() + SETTLE_LIMIT_SECONDS
    for task_id in task_ids:
        while call(server, f"/v1/tasks/{task_id}")["status"] not in {"succeeded", "completed"}:
            if time.monotonic() > deadline:
                raise BenchError(f"{task_id} did not succeed in {SETTLE_LIMIT_SECONDS:.0f} s")
            time.sleep(0.05)


def call(server: Server, path: str, body: object = None) -> dict[str, Any]:
    """Send one request, a POST where there is a `body`, and return the JSON of the answer."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server.url}{path}", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            parsed: dict[str, Any] = json.load(answer)
            return parsed
    except (OSError, ValueError) as error:
        raise BenchError(f"the {server.name} did not answer {path}: {error}") from error


def alternate(loads: dict[str, Load], seconds: int, rounds: int) -> dict[str, list[float]]:
    """Run `loads` in turn; return the answers a second that each gave in each round."""
    samples: dict[str, list[float]] = {name: [] for name in loads}
    for each in loads.values():
        each.run(1)
        await_idle(each.server)
    for number in range(rounds):
        order = list(loads) if number % 2 == 0 else list(reversed(loads))
        for name in order:
            samples[name].append(loads[name].run(seconds)[1])
            await_idle(loads[name].server)
    return samples


def ended_tasks(server: Server, count: int) -> list[str]:
    """Ids of tasks that were created on `server` and, on an emulator, have succeeded."""
    task_ids = create_tasks(server, count)
    if server.name != "floor":
        await_ended(server, task_ids)
    return task_ids
