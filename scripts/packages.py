"""Debian's packages, for what the tests need and pip does not bring."""

import os
import shutil
import subprocess
from collections.abc import Callable

LONGEST_SECONDS = 300


def make_sure(is_there: Callable[[], object], packages: tuple[str, ...], otherwise: str) -> None:
    """Install packages where something is missing; print ``otherwise`` where it still is then."""
    if packages and not is_there():
        install(*packages)
    if not is_there():
        print(otherwise)


def install(*packages: str) -> None:
    """Install packages where this process may; otherwise nothing happens, and the caller looks."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        for command in (("update",), ("install", "-y", "--no-install-recommends", *packages)):
            subprocess.run(
                ["apt-get", "-qq", *command],
                env=quietly, stdin=subprocess.DEVNULL, capture_output=True,
                timeout=LONGEST_SECONDS, check=True,
            )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        pass
