"""Keeps what went over the wire."""

import threading
from pathlib import Path
from typing import Any

from contracts.exchange import Exchange, Trace
from contracts.redact import Redactor
from contracts.target import Clock
from contracts.trace_file import TraceFile


class Recorder:
    """Numbers exchanges as they end, and keeps them in the trace.

    Args:
        trace: where they go.
        redactor: takes the secrets out.
        clock: the target's time.
    """

    def __init__(self, trace: Trace, redactor: Redactor, clock: Clock) -> None:
        self.trace = trace
        self.redactor = redactor
        self.clock = clock
        self._file: TraceFile | None = None
        self._lock = threading.Lock()

    def add(self, **values: Any) -> Exchange:
        """Record an exchange; ``values`` are its attributes without the number."""
        with self._lock:
            exchange = Exchange(number=len(self.trace.exchanges) + 1, **values)
            self.trace.exchanges.append(exchange)
            if self._file is not None:
                self._file.catch_up()
            return exchange

    def keep_in(self, path: Path) -> None:
        """Keep the trace in a file too, from now on."""
        with self._lock:
            self._file = TraceFile(path, self.trace)
