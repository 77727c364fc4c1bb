"""A container of the Dockerfile, as a process without an engine: its ENV and CMD, a free port."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from testcontainers.core.wait_strategies import LogMessageWaitStrategy

_DOCKERFILE = Path(__file__).parents[5] / "Dockerfile"
_IMAGE = "gpt-image-emulator"
_STOP_SECONDS = 30


class DockerContainer:
    """One process with the environment that a container would have."""

    def __init__(self, image: str) -> None:
        if image != _IMAGE:
            raise ValueError(f"there is no image {image!r}")
        text = _DOCKERFILE.read_text("utf-8").replace("\\\n", " ")
        steps = dict(line.split(maxsplit=1) for line in text.splitlines() if line)
        self._command = [sys.executable, "-m", "emulator.cli", *json.loads(steps["CMD"])[1:]]
        self._environment = dict(pair.split("=") for pair in steps["ENV"].split())
        self._inside_port = int(steps["EXPOSE"])
        self._ports: list[int] = []
        self._strategy = LogMessageWaitStrategy("")
        self._outside_port = 0
        self._process: subprocess.Popen[str] | None = None

    def with_exposed_ports(self, *ports: int) -> Self:
        """Expose ports."""
        self._ports += ports
        return self

    def with_env(self, name: str, value: str) -> Self:
        """Set a variable."""
        self._environment[name] = value
        return self

    def waiting_for(self, strategy: LogMessageWaitStrategy) -> Self:
        """Choose when it is ready."""
        self._strategy = strategy
        return self

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            env=os.environ | self._environment | {"GPT_IMAGE_EMULATOR_PORT": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        banner = self._process.stdout.readline()
        assert self._strategy.message in banner, banner
        self._outside_port = int(banner.rsplit(":", 1)[1])
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        with self._process:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)

    def get_container_host_ip(self) -> str:
        """Where it is."""
        return "127.0.0.1"

    def get_exposed_port(self, port: int) -> int:
        """The port outside of one inside."""
        assert port in self._ports
        assert port == self._inside_port
        return self._outside_port
