"""A server in a process of its own, on real sockets."""

import os
import re
import signal
import subprocess
import sys
import threading
from typing import Self

from tests.support.api import Api

KEY = "sk-e2e"
START_TIMEOUT_SECONDS = 30


class Process:
    """A server process; ``url`` is where its banner says that it listens.

    ``client`` is the API as ``KEY`` sees it. Leaving its ``with`` block stops the process.
    """

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
        self.client = Api(self.url, KEY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

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
