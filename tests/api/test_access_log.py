"""The access log: a line for each request, and no line that is none."""

import io
import json
from typing import Any

import pytest

from emulator.api.access_log import AccessLog
from emulator.api.finished import Batch, FinishedCall
from emulator.api.http import Call
from tests.support.world import START


def logged(form: str, *calls: FinishedCall) -> str:
    stream = io.StringIO()
    AccessLog(form, stream).write(Batch(calls, ()))
    return stream.getvalue()


def call(path: str = "/v1/tasks/task_1", task_id: str | None = "task_1") -> FinishedCall:
    known = Call(
        "req_1", START, START, "acct_1", 200, "getTask", task_id, ("slow_drip",), seconds=0.0012
    )
    return FinishedCall("GET", path, "getTask", known, None)


def test_a_text_line_has_the_task() -> None:
    time = "2027-01-15T08:00:00.000"
    assert logged("text", call()) == (
        f"{time} 200 GET /v1/tasks/task_1 1.2ms acct_1 req_1 task_1\n"
    )
    assert logged("text", call("/", None)) == f"{time} 200 GET / 1.2ms acct_1 req_1\n"


def test_a_json_line_has_all_that_is_known() -> None:
    assert json.loads(logged("json", call())) == {
        "time": "2027-01-15T08:00:00.000Z",
        "status": 200,
        "method": "GET",
        "path": "/v1/tasks/task_1",
        "operation": "getTask",
        "duration_ms": 1.2,
        "account_id": "acct_1",
        "request_id": "req_1",
        "task_id": "task_1",
        "faults": ["slow_drip"],
    }


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("character", ["\n", "\r", "\x85", "\u2028", "\x1b", "é", "\ud800"])
def test_nothing_that_is_sent_begins_a_line(form: str, character: str) -> None:
    sent: Any = f"a{character}2027-01-15T08:00:00.000 200 GET /forged"
    text = logged(form, call(f"/v1/tasks/{sent}", sent))
    assert text.isascii()
    assert len(text.splitlines()) == 1


def test_lines_stay_whole_where_several_processes_write() -> None:
    class Pieces(io.StringIO):
        def __init__(self) -> None:
            super().__init__()
            self.written: list[str] = []

        def write(self, text: str) -> int:
            self.written.append(text)
            return len(text)

    stream = Pieces()
    AccessLog("text", stream).write(Batch([call()] * 300, ()))
    assert len(stream.written) > 1
    assert all(piece.endswith("\n") and len(piece) <= 4096 for piece in stream.written)
    assert "".join(stream.written) == logged("text", call()) * 300


def test_none_is_none() -> None:
    assert logged("none", call()) == ""
