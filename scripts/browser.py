"""Makes sure that the browser tests have a Chromium: python -m scripts.browser.

Silent where there is one. Elsewhere Debian's is installed, by root; who can't is told in one line.
"""

import os
import shutil
import subprocess

PACKAGES = ("chromium", "fonts-dejavu-core")  # a page without a font has no text
LONGEST_SECONDS = 300
HOW = "apt-get install chromium, or set CHROMIUM to the path of a Chromium"


def find() -> str | None:
    """The Chromium's path: the variable CHROMIUM's, or the first on PATH."""
    return shutil.which(os.environ.get("CHROMIUM") or "chromium")


def install() -> None:
    """Install Debian's Chromium.

    Raises:
        OSError, subprocess.SubprocessError: it did not work.
    """
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("update",), ("install", "-y", "--no-install-recommends", *PACKAGES)):
        subprocess.run(
            ["apt-get", "-qq", *command],
            env=quietly, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=LONGEST_SECONDS, check=True,
        )  # fmt: skip


def main() -> None:
    """Find or install; say so where there is none in the end."""
    may_install = os.geteuid() == 0 and shutil.which("apt-get") and not os.environ.get("CHROMIUM")
    if find() is None and may_install:
        try:
            install()
        except (OSError, subprocess.SubprocessError):
            pass  # told below
    if find() is None:
        print(f"There is no Chromium, so the browser tests are skipped. To have them: {HOW}.")


if __name__ == "__main__":
    main()
