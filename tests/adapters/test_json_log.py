"""Log records as JSON lines."""

import json
import logging
from typing import Any

from emulator.adapters.json_log import JsonFormatter


def formatted(message: str, **extra: Any) -> str:
    logger = logging.getLogger("emulator.runner")
    record = logger.makeRecord(
        logger.name, logging.ERROR, __file__, 1, message, (), extra.pop("exc_info", None),
        extra=extra,
    )  # fmt: skip
    record.created = 1_800_000_000.25
    return JsonFormatter().format(record)


def test_a_record_is_one_object_with_its_ids() -> None:
    line = formatted("it\nfailed", request_id="req_1", task_id=None, delivery_id="msg_1")
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2027-01-15T08:00:00.250Z",
        "level": "error",
        "logger": "emulator.runner",
        "message": "it\nfailed",
        "request_id": "req_1",
        "delivery_id": "msg_1",
    }


def test_an_exception_is_one_text() -> None:
    error = ValueError("a\nb")
    line = formatted("it failed", exc_info=(ValueError, error, None))
    assert "\n" not in line
    entry = json.loads(line)
    assert entry["exception"] == "ValueError: a\nb"
