"""Schemathesis over openapi.yaml, against real emulators."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import schema_phase
from contracts.exchange import Request
from contracts.schema_hooks import contradiction
from contracts.schema_phase import run_schema_phase
from contracts.schema_report import read_failures
from emulator.api import images
from emulator.core.task_detail import creation_answer
from emulator.testing import Emulator

KEY = (("Authorization", "Bearer sk-any"), ("Content-Type", "application/json"))
RIGHT = {"model": "gpt-image-2", "prompt": "A lighthouse"}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.start(latency="instant") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def strict_emulator() -> Iterator[Emulator]:
    with Emulator.start(keys="strict") as emulator:
        yield emulator


def test_the_emulator_passes(emulator: Emulator) -> None:
    result = run_schema_phase(emulator.url, "sk-schema", seed=1, max_examples=2)
    assert result.error is None
    assert result.failures == []
    assert result.cases > 300


def test_a_broken_emulator_fails_where_it_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> dict[str, Any]:
        return {**creation_answer(*arguments), "credits": {"reserved": "30"}}

    monkeypatch.setattr(images, "creation_answer", broken)
    with Emulator.start(latency="instant", profile="reference") as emulator:
        result = run_schema_phase(emulator.url, "sk-schema", seed=2, max_examples=1)
    assert result.error is None
    assert {failure.operation_id for failure in result.failures} == {"createImageTask"}
    failure = result.failures[0]
    assert (failure.check, failure.claims) == ("response_schema_conformance", ("CRED-1",))
    assert failure.message == (
        "createImageTask 202: credits.reserved: '30' is not of type 'integer'"
    )
    assert failure.exchange is not None
    assert failure.exchange.response is not None
    assert failure.exchange.response.status == 202
    assert b"sk-schema" not in repr(failure.exchange).encode()


def error_of(*arguments: Any, **options: Any) -> str:
    result = run_schema_phase(*arguments, **options)
    assert (result.cases, result.failures) == (0, [])
    assert result.error is not None
    assert "\n" not in result.error
    return result.error


def test_a_run_that_says_nothing_is_an_error(
    emulator: Emulator, strict_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "can't be reached at http://127.0.0.1:9" in error_of("http://127.0.0.1:9", "sk-x")
    assert "can't be reached" in error_of("nothing", "sk-x")
    assert "answered 401" in error_of(strict_emulator.url, "sk-x")
    assert "is no emulator" in error_of(f"{strict_emulator.url}/v1", "sk-x")
    monkeypatch.setattr(schema_phase, "_READY_SECONDS", 0.01)
    with Emulator.start(latency="30") as slow:
        assert "no picture came" in error_of(slow.url, "sk-x")
    monkeypatch.undo()
    assert "not done after" in error_of(emulator.url, "sk-x", seconds_limit=0.01)


RIGHT_REPORT: dict[str, Any] = {
    "complete": True,
    "stop_reason": "completed",
    "operations": {"selected": 14, "tested": 14},
    "test_cases": {"generated": 600},
    "errors": [],
    "warnings": {"missing_auth": []},
}


@pytest.mark.parametrize(
    ("exit_code", "report", "error"),
    [
        (0, {}, None),
        (2, {}, "Schemathesis ended with 2: It broke. Badly."),
        (0, None, "Schemathesis ended with 0: It broke. Badly."),
        (1, {}, "it failed without a failure"),
        (1, {"warnings": {"missing_auth": ["GET /a", "GET /b"]}},
         "warning missing_auth: GET /a, GET /b"),
        (1, {"errors": [{"title": "Network error", "count": 3}]}, "Network error (3)"),
        (1, {"complete": False, "stop_reason": "server_unavailable"},
         "the run was not completed (server_unavailable)"),
        (0, {"operations": {"selected": 14, "tested": 13}}, "not every operation was tested"),
    ],
)  # fmt: skip
def test_no_run_is_green_by_accident(
    tmp_path: Path, exit_code: int, report: dict[str, Any] | None, error: str | None
) -> None:
    if report is not None:
        (tmp_path / "report.json").write_text(json.dumps({**RIGHT_REPORT, **report}), "utf-8")
    (tmp_path / "events.ndjson").touch()
    result = schema_phase._result(tmp_path, exit_code, "\nIt broke.\n\nBadly.\n")
    assert result.error == error
    assert result.failures == []


CREATED = Request(
    "POST", "http://target.example/v1/images/generations", KEY, json.dumps(RIGHT).encode()
)


def creation(**fields: Any) -> Request:
    return Request(CREATED.method, CREATED.url, KEY, json.dumps({**RIGHT, **fields}).encode())


def error_body(code: str, param: str | None) -> bytes:
    return json.dumps({"error": {"code": code, "param": param}}).encode()


@pytest.mark.parametrize(
    ("request_", "status", "body", "problem"),
    [
        (creation(), 202, b"", None),
        (creation(), 402, b"", None),
        (creation(), 503, b"", None),
        (creation(), 400, error_body("invalid_value", "prompt"), "refused with 400 (GEN-1)"),
        (creation(), 400, error_body("content_policy", "prompt"), None),
        (creation(input_images=["https://x.example/1.png"]), 400,
         error_body("invalid_image", "input_images[0]"), None),
        (creation(n=0), 400, b"", None),
        (creation(n=0), 202, b"", "202 where 400 was due: n is no whole number"),
        (creation(n=0), 404, b"", "404 where 400 was due"),
        (creation(n="3"), 202, b"", None),
        (creation(n="3"), 400, b"", None),
        (creation(size="1000x1000"), 202, b"", None),
        (creation(model="x"), 404, b"", None),
        (creation(model="x"), 202, b"", "202 where 400 or 404 was due"),
        (Request("GET", "http://target.example/v1/models"), 418, b"", None),
    ],
)  # fmt: skip
def test_the_documented_outcome(
    request_: Request, status: int, body: bytes, problem: str | None
) -> None:
    found = contradiction(request_, status, body)
    assert found is None if problem is None else problem in (found or "")


def scenario(check: str, request: dict[str, Any], response: dict[str, Any] | None) -> str:
    failure = {"title": "Not so", "message": "as it\nshould be"}
    failed = {"name": check, "status": "failure", "failure_info": {"failure": failure}}
    interaction: dict[str, Any] = {"request": request, "timestamp": 1.0}
    if response is not None:
        interaction["response"] = response
    recorder = {
        "label": "GET /v1/credits/balance",
        "checks": {"case": [{"name": "other", "status": "success"}, failed]},
        "interactions": {"case": interaction},
    }
    return json.dumps({"ScenarioFinished": {"status": "failure", "recorder": recorder}})


def test_a_failure_is_told_once_and_without_the_key() -> None:
    sent = {
        "method": "GET",
        "uri": "http://target.example/v1/credits/balance",
        "headers": {"Authorization": ["[Filtered]"], "X-Odd": ["1", "2"]},
    }
    content = {"$base64": base64.b64encode(b'{"credits": -1, "currency": "credits"}').decode()}
    answer = {
        "status_code": 200,
        "headers": {"content-type": ["application/json"], "x-request-id": ["req_1"]},
        "content": content,
        "elapsed": 0.5,
    }
    lines = [
        json.dumps({"ScenarioFinished": {"status": "success", "recorder": {}}}),
        json.dumps({"EngineStarted": {}}),
        scenario("response_schema_conformance", sent, answer),
        scenario("response_schema_conformance", sent, answer),
        scenario("ignored_auth", sent, answer),
        scenario("something_new", sent, None),
    ]
    first, second, third = read_failures(lines)
    assert (first.operation_id, first.claims) == ("getBalance", ("CRED-1",))
    assert "-1 is less than the minimum" in first.message
    assert first.exchange is not None
    assert first.exchange.request.headers == (
        ("Authorization", "Bearer key-1"), ("X-Odd", "1"), ("X-Odd", "2"),
    )  # fmt: skip
    assert first.exchange.seconds == 0.5
    assert (second.check, second.claims) == ("ignored_auth", ("AUTH-1",))
    assert second.message == "Not so: as it should be"
    assert third.exchange is not None
    assert third.exchange.response is None
    assert third.claims == ("CRED-8", "CRED-1")
