"""What is logged, as one JSON object a line."""

import json
import logging

from emulator.core.clock import SECOND, rfc3339

_IDS = ("request_id", "task_id", "delivery_id")


class JsonFormatter(logging.Formatter):
    """Formats a record; the ids in its ``extra`` are fields of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as a line, without its end."""
        entry = {
            "time": rfc3339(round(record.created * SECOND)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in _IDS:
            value = getattr(record, name, None)
            if value is not None:
                entry[name] = value
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)
