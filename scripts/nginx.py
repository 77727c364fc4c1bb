"""Makes sure that the test of deploy/ has an nginx: python -m scripts.nginx."""

import os
import shutil

from scripts.packages import make_sure

PACKAGE = "nginx-light"


def find() -> str | None:
    """The nginx's path; Debian puts it where only root looks."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def main() -> None:
    """Find or install; say so where there is none in the end."""
    otherwise = f"There is no nginx, so the test of deploy/ is skipped. apt-get install {PACKAGE}."
    make_sure(find, (PACKAGE,), otherwise)


if __name__ == "__main__":
    main()
