"""Runs the contract kit against a fresh emulator in both profiles, as ``make verify`` does.

Reports go to ``contract-report/PROFILE``; further arguments go to ``gpt-image-contracts run``.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROFILES = ("model-page", "reference")
FOLDER = Path("contract-report")


@contextmanager
def emulator(profile: str) -> Iterator[str]:
    """Start an emulator of its own; yields its URL."""
    command = [sys.executable, "-m", "emulator.cli", "serve", "--port", "0", "--profile", profile,
               "--database", ":memory:", "--log", "none"]  # fmt: skip
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GPT_IMAGE_EMULATOR_")}
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=clean
        ) as server,
    ):
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+", server.stdout.readline())
            if found is None:
                raise SystemExit(f"the emulator did not start: {' '.join(command)}")
            yield found[0]
        finally:
            server.terminate()


def main(arguments: list[str]) -> int:
    """Verify both profiles; return the worse exit code."""
    worst = 0
    for profile in PROFILES:
        print(f"Profile {profile}:", flush=True)
        with emulator(profile) as url:
            command = [sys.executable, "-m", "contracts.cli", "run", "--base-url", url,
                       "--output", str(FOLDER / profile), *arguments]  # fmt: skip
            worst = max(worst, subprocess.run(command, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
