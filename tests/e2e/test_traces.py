"""Traces over a real socket: spans of requests and callbacks in OpenTelemetry's own protocol."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.e2e.conftest import Serve
from tests.support.serving import QuietHandler, serving

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID = "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01"}


class Collector(ThreadingHTTPServer):
    """Takes spans, and callbacks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.spans: list[Span] = []
        self.resources: list[dict[str, Any]] = []
        self.called_back = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            self.resources.append(attributes(resource.resource))
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def span(self, name: str) -> Span:
        (found,) = [span for span in self.spans if span.name == name]
        return found


class Handler(QuietHandler, BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.body()
        if self.path == "/v1/traces":
            self.server.take(body)
        else:
            self.server.called_back.set()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    with serving(collector):
        yield collector


def attributes(holder: Any) -> dict[str, Any]:
    """A span's or a resource's attributes as plain values."""
    return {
        pair.key: (
            [each.string_value for each in pair.value.array_value.values]
            or pair.value.string_value
            or pair.value.int_value
        )
        for pair in holder.attributes
    }


def test_a_request_and_its_callback_belong_to_the_trace_of_the_client(
    serve: Serve, collector: Collector
) -> None:
    server = serve("--latency", "instant", "--otlp-endpoint", collector.url)
    hook = f"{collector.url.replace('http://', 'http://me:secret@')}/hook?token=secret"
    created = server.client.post(
        "/v1/images/generations",
        json={"model": "gpt-image-2", "prompt": "x [[fault: task_fails]]", "callback_url": hook},
        headers=TRACEPARENT,
    ).json()
    assert collector.called_back.wait(10)
    server.client.get("/v1/tasks/sk-secret")
    server.client.get("/_emulator/clock")
    server.stop()

    assert collector.resources[0]["service.name"] == "gpt-image-emulator"
    creation, callback = collector.span("createImageTask"), collector.span("callback")
    assert (creation.trace_id.hex(), creation.parent_span_id.hex()) == (TRACE_ID, PARENT_ID)
    assert (callback.trace_id.hex(), callback.parent_span_id) == (TRACE_ID, creation.span_id)
    assert (creation.kind, callback.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
    assert creation.start_time_unix_nano < creation.end_time_unix_nano
    known = attributes(creation)
    assert known.pop("emulator.account_id").startswith("acct_")
    assert known == {
        "http.request.method": "POST",
        "http.response.status_code": 202,
        "url.path": "/v1/images/generations",
        "url.scheme": "http",
        "emulator.request_id": created["request_id"],
        "emulator.task_id": created["task_id"],
        "emulator.faults": ["task_fails"],
    }
    called = attributes(callback)
    assert called["url.full"] == f"{collector.url}/hook"
    assert called["http.response.status_code"] == 200
    assert called["emulator.task_id"] == created["task_id"]
    assert called["emulator.delivery_id"].startswith("msg_")
    assert not collector.span("getTask").parent_span_id
    clock = attributes(collector.span("/_emulator/clock"))
    assert clock["http.route"] == "/_emulator/clock"
    assert "secret" not in str(collector.spans)


def test_a_collector_that_is_away_delays_no_answer_and_no_stop(serve: Serve) -> None:
    server = serve("--otlp-endpoint", "http://127.0.0.1:1")
    assert server.client.get("/v1/models").status_code == 200
    assert server.stop() == 0


def test_without_the_extra_one_line_says_what_to_install() -> None:
    # As where OpenTelemetry is not installed: its import fails.
    code = (
        "import sys; sys.modules['opentelemetry'] = None; from emulator.cli import main;"
        "sys.exit(main(['serve', '--port', '0', '--otlp-endpoint', 'http://127.0.0.1:4318']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "gpt-image-emulator: --otlp-endpoint needs the extra traces, which is not installed:"
        " pip install 'gpt-image-emulator[traces]'\n"
    )
