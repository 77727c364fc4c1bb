"""A PostgreSQL of one's own, for tests and benchmarks: python -m scripts.postgres.

A cluster in a temporary folder, on a Unix socket that only its owner and root can reach, run by
a user who is not root, gone when its user is done. Debian's package is installed by root where
it is missing; who can't is told in one line.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from scripts.packages import make_sure

PACKAGE = "postgresql"
VARIABLE = "GPT_IMAGE_TEST_POSTGRES"  # the URL of a server that is there already
HOW = f"apt-get install {PACKAGE}, or set {VARIABLE} to the URL of a server"
LONGEST_SECONDS = 60
# Without fsync only a power cut could lose what was committed.
_SETTINGS = """
listen_addresses = ''
fsync = off
max_connections = 300
shared_buffers = 64MB
"""


class NoPostgres(Exception):
    """There is no PostgreSQL to start; the message says why."""


class Cluster:
    """A cluster that this process starts and stops.

    Args:
        folder: empty, and its owner's; the data and the socket go there.
    """

    def __init__(self, folder: Path) -> None:
        self._binaries = _binaries()
        self._data, self._folder = folder / "data", folder
        self._user = _user()
        if self._user is not None:
            shutil.chown(folder, self._user.pw_uid, self._user.pw_gid)
        words = ("-A", "trust", "-U", "emulator", "-E", "UTF8", "--locale=C", "--no-sync")
        self._run("initdb", *words, "-D", str(self._data))
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(f"{_SETTINGS}unix_socket_directories = '{folder}'\n")

    def url(self, database: str = "postgres") -> str:
        """Where it is reached."""
        return f"postgresql://emulator@/{database}?host={quote(str(self._folder), safe='/')}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-l", log, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: ``fast`` ends connections in order, ``immediate`` as a crash would."""
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop")

    def create(self, database: str) -> str:
        """Make an empty database; return its URL."""
        self._run("createdb", "-h", str(self._folder), "-U", "emulator", database)
        return self.url(database)

    def _run(self, program: str, *words: str) -> None:
        command = [str(self._binaries / program), *words]
        user, group, more = None, None, None
        if self._user is not None:
            user, group, more = self._user.pw_uid, self._user.pw_gid, ()
        try:
            subprocess.run(
                command, check=True, timeout=LONGEST_SECONDS, cwd=self._folder,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                user=user, group=group, extra_groups=more,
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()[-500:]
            raise NoPostgres(f"{program} failed: {said}") from error


def _binaries() -> Path:
    """Where initdb and pg_ctl are: the newest of Debian's, or the first on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    path = shutil.which("initdb")
    if path is None:
        raise NoPostgres("there is no initdb")
    return Path(path).resolve().parent


def _user() -> pwd.struct_passwd | None:
    """Whom to run it as: None is oneself; root, whom it refuses, takes somebody without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgres("it does not run as root, and there is no other user")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a cluster until the block ends.

    Raises:
        NoPostgres: there is none.
    """
    # Not under a folder that only root may enter; a socket's path has 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:
        one = Cluster(Path(folder))
        one.start()
        try:
            yield one
        finally:
            one.stop("immediate")


def is_there() -> bool:
    """Whether tests can have a PostgreSQL."""
    if os.environ.get(VARIABLE):
        return True
    try:
        return bool(_binaries())
    except NoPostgres:
        return False


def main() -> None:
    """Find or install; say so where there is none in the end."""
    otherwise = f"There is no PostgreSQL, so its tests are skipped. To have them: {HOW}."
    make_sure(is_there, (PACKAGE,), otherwise)


if __name__ == "__main__":
    main()
