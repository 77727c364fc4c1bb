"""The machine's clock."""

import time


class SystemClock:
    """Real time, in milliseconds since the Unix epoch."""

    def now(self) -> int:
        """Return the real instant."""
        return time.time_ns() // 1_000_000
