"""A run's trace on disk while the run goes on, so that what a killed one paid for is not lost."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

from contracts.exchange import Trace
from contracts.har import har_entry, to_har


def unfinished(folder: Path, run_id: str) -> Path:
    """Where a run's trace is until its reports are written."""
    return folder / f"unfinished-{run_id}.har"


class TraceFile:
    """A HAR file that is whole at any moment.

    One write puts new entries over what followed the old ones, and that behind them again.

    Args:
        path: the file; what was there is replaced.
        trace: what goes into it.

    Raises:
        OSError: it can't be written, here or later.
    """

    def __init__(self, path: Path, trace: Trace) -> None:
        self._path = path
        self._trace = trace
        path.write_bytes(b"")
        # Entries, and the bytes before the place of the next one; one value, so that an interrupt
        # can't come between them.
        self._written = (0, 0)
        self.catch_up()

    def catch_up(self) -> None:
        """Write what the trace has and the file has not; the trace's facts anew."""
        count, offset = self._written
        entries = [json.dumps(har_entry(one)) for one in self._trace.exchanges[count:]]
        text = '{"log": {"entries": [' if offset == 0 else ""
        text += ", " * bool(count and entries) + ", ".join(entries)
        facts = to_har(replace(self._trace, exchanges=[]))["log"]
        del facts["entries"]
        rest = "], " + json.dumps(facts).removeprefix("{") + "}"
        with self._path.open("r+b", buffering=0) as file:
            replaced_bytes = file.seek(0, os.SEEK_END) - offset
            file.seek(offset)
            content = (text + rest).ljust(replaced_bytes).encode("ascii")
            if file.write(content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._written = (count + len(entries), offset + len(text))
