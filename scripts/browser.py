"""Makes sure that the browser tests have a Chromium: python -m scripts.browser.

Silent where there is one. Elsewhere Debian's is installed, by root; who can't is told in one line.
"""

import os
import shutil

from scripts.packages import make_sure

PACKAGES = ("chromium", "fonts-dejavu-core")  # a page without a font has no text
HOW = "apt-get install chromium, or set CHROMIUM to the path of a Chromium"


def find() -> str | None:
    """The Chromium's path: the variable CHROMIUM's, or the first on PATH."""
    return shutil.which(os.environ.get("CHROMIUM") or "chromium")


def main() -> None:
    """Find or install; say so where there is none in the end."""
    otherwise = f"There is no Chromium, so the browser tests are skipped. To have them: {HOW}."
    packages = () if os.environ.get("CHROMIUM") else PACKAGES
    make_sure(find, packages, otherwise)


if __name__ == "__main__":
    main()
