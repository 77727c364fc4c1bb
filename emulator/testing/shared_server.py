"""One server for several processes, which ends when the last of them has gone.

Each process that uses it holds a shared lock on the file ``users`` for its life; the operating
system takes the lock back however the process ends. The server is a process of its own, and waits
for the exclusive lock on the same file: it gets it when nobody is left.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from emulator.testing.emulator import Emulator
from emulator.testing.errors import EmulatorError


class SharedServer:
    """A use of the server of a folder; the first one starts it.

    Args:
        folder: what its users have in common.
        settings: what it is started with.

    Attributes:
        url: where it listens.
        process_id: of the server.

    Raises:
        EmulatorError: it can't start.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._users = _open(folder / "users")
        try:
            with _open(folder / "starting") as starting:
                fcntl.flock(starting, fcntl.LOCK_EX)
                # A server that ends holds this lock until it is gone, and takes its note away.
                fcntl.flock(self._users, fcntl.LOCK_SH)
                note = _read(folder / "server.json") or _start(folder, settings)
            self.url = str(note["url"])
            self.process_id = int(str(note["process_id"]))
        except BaseException:
            self._users.close()
            raise

    def leave(self) -> None:
        """End this use."""
        self._users.close()


def _open(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a", encoding="utf-8")


def _read(path: Path) -> dict[str, object] | None:
    """Read the note of a server, where it still answers."""
    try:
        note: dict[str, object] = json.loads(path.read_text("utf-8"))
        Emulator.connect(str(note["url"])).stop()
    except (OSError, ValueError, KeyError, EmulatorError):
        return None
    return note


def _start(folder: Path, settings: Mapping[str, str]) -> dict[str, object]:
    command = [sys.executable, "-m", "emulator.testing.shared_server", str(folder)]
    with (folder / "server.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 - this module itself
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl+C is for its users
        )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("it was started with both")
    with process.stdin as stdin, process.stdout as stdout:
        stdin.write(json.dumps(dict(settings)) + "\n")  # no command line: it may hold a secret
        stdin.flush()
        line = stdout.readline()
    if not line:
        process.wait()
        problem = (folder / "server.log").read_text("utf-8", "replace").strip().splitlines()
        raise EmulatorError(f"the shared emulator can't start: {'; '.join(problem[-1:])}")
    # It outlives this process, and nobody waits for it.
    process.returncode = 0
    note: dict[str, object] = json.loads(line)
    return note


def main(arguments: Sequence[str]) -> int:
    """Serve the users of a folder until none is left."""
    folder, settings = Path(arguments[0]), json.loads(sys.stdin.readline())
    note_path = folder / "server.json"
    try:
        emulator = Emulator.start(**settings)
    except (EmulatorError, TypeError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    with emulator, _open(folder / "users") as users:
        note = json.dumps({"url": emulator.url, "process_id": os.getpid()})
        note_path.write_text(note, "utf-8")
        print(note, flush=True)  # noqa: T201
        fcntl.flock(users, fcntl.LOCK_EX)
        note_path.unlink()
        os._exit(0)  # nobody is left to wait for an orderly end


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
