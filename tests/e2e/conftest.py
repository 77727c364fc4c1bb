"""Real servers in processes of their own, real sockets."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

KEY = "sk-e2e"
START_TIMEOUT_SECONDS = 30


class Process:
    """A server process; ``url`` is where its banner says that it listens."""

    def __init__(self, *flags: str, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "emulator.cli", "serve", "--port", "0", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.errors: list[str] = []
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        stderr = self.process.stderr
        self._reader = threading.Thread(target=lambda: self.errors.extend(stderr))
        self._reader.start()
        self.banner = ""
        for line in self.process.stdout:
            self.banner += line
            if line == "\n":
                break
        found = re.search(r"listens on (\S+)", self.banner)
        assert found, f"no banner: {self.banner}"
        self.url = found[1]
        self.client = httpx2.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30
        )

    def create(self, **fields: Any) -> dict[str, Any]:
        body = {"model": "gpt-image-2", "prompt": "A lighthouse at dawn", **fields}
        response = self.client.post("/v1/images/generations", json=body)
        assert response.status_code == 202, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def task(self, task_id: str) -> dict[str, Any]:
        detail: dict[str, Any] = self.client.get(f"/v1/tasks/{task_id}").json()
        return detail

    def advance(self, duration: str | int) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.post(
            "/_emulator/clock", json={"advance": duration}
        ).json()
        return answer

    def kill(self) -> None:
        self.process.kill()
        self._close()

    def stop(self) -> int:
        """End it as a service manager would; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._close()

    def _close(self) -> int:
        self.client.close()
        code = self.process.wait(START_TIMEOUT_SECONDS)
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


Serve = Callable[..., Process]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers that end with the test; by default on a file of the test."""
    with ExitStack() as stack:

        def start(*flags: str, **options: Any) -> Process:
            if "--database" not in flags:
                flags = ("--database", str(tmp_path / "state.db"), *flags)
            process = Process(*flags, **options)
            stack.callback(process.stop)
            return process

        yield start
