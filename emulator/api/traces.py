"""OpenTelemetry spans of requests and callback attempts; loaded where --otlp-endpoint is set.

Spans are made after the fact, from what is finished, with its own times. Names and attributes are
those of OpenTelemetry's semantic conventions for HTTP; what only the emulator knows is under
``emulator.``.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from emulator import __version__
from emulator.api.finished import Batch, FinishedCall, known_method
from emulator.core.address import split_http_url
from emulator.core.redaction import redact
from emulator.service.tally import AttemptMade, result_word

_NAME = "gpt-image-emulator"
_NANOSECONDS_PER_MS = 1_000_000
_MOST_TASKS_KNOWN = 10_000
_LONGEST_TEXT = 1000
_LONGEST_STOP_SECONDS = 0.7  # a server stops within a second, whether or not spans are taken

_Attributes = Mapping[str, str | int | tuple[str, ...] | None]


class Traces:
    """Makes spans and sends them, beside the requests, from a thread of its own.

    Args:
        endpoint: an OTLP receiver's base URL, such as http://collector:4318.
    """

    def __init__(self, endpoint: str) -> None:
        resource = Resource.create({"service.name": _NAME, "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(_NAME, __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._creations: OrderedDict[str, Context] = OrderedDict()  # by the task's id

    def take(self, batch: Batch) -> None:
        """Make the spans of a batch."""
        for finished in batch.calls:
            self._add_request(finished)
        for attempt in batch.attempts:
            self._add_attempt(attempt)

    async def run(self) -> None:
        """Wait until cancelled; then send what is left, as long as a moment."""
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        stopping = threading.Thread(target=self._provider.shutdown, daemon=True)
        stopping.start()
        stopping.join(_LONGEST_STOP_SECONDS)

    def _add_request(self, finished: FinishedCall) -> None:
        call, is_route = finished.call, finished.operation.startswith("/")
        error = None
        if call.status == 0 or call.status >= 500:
            error = str(call.status) if call.status else "no_answer"
        attributes: _Attributes = {
            "http.request.method": known_method(finished.method),
            "http.response.status_code": call.status or None,
            "http.route": finished.operation if is_route else None,
            "url.path": _text(finished.path),
            "url.scheme": "http",
            "error.type": error,
            "emulator.request_id": call.request_id,
            "emulator.task_id": _text(call.task_id),
            "emulator.account_id": None if call.account_id == "-" else call.account_id,
            "emulator.faults": call.faults or None,
        }
        parent = None
        if finished.traceparent is not None:
            carrier = {"traceparent": finished.traceparent.decode("latin-1")}
            parent = self._propagator.extract(carrier, Context())
        start = call.started_at * _NANOSECONDS_PER_MS
        end = start + round(call.seconds * 1e9)
        made = self._add(finished.operation, SpanKind.SERVER, parent, attributes, start, end)
        if call.task_id is not None and finished.method == "POST":
            self._creations[call.task_id] = made
            if len(self._creations) > _MOST_TASKS_KNOWN:
                self._creations.popitem(last=False)

    def _add_attempt(self, attempt: AttemptMade) -> None:
        delivery, result = attempt.delivery, attempt.result
        url = split_http_url(delivery.url)
        attributes: _Attributes = {
            "http.request.method": "POST",
            "http.request.resend_count": (delivery.attempts_made - 1) or None,
            "http.response.status_code": result.status,
            "server.address": url and url.hostname,
            "server.port": url and (url.port or (443 if url.scheme == "https" else 80)),
            "url.full": url and _text(f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"),
            "error.type": None if result.delivered else str(result.status or result_word(result)),
            "emulator.delivery_id": delivery.id,
            "emulator.task_id": delivery.task_id,
            "emulator.account_id": delivery.account_id,
        }
        start = attempt.started_at * _NANOSECONDS_PER_MS
        end = attempt.ended_at * _NANOSECONDS_PER_MS
        parent = self._creations.get(delivery.task_id)
        self._add("callback", SpanKind.CLIENT, parent, attributes, start, end)

    def _add(
        self,
        name: str,
        kind: SpanKind,
        parent: Context | None,
        attributes: _Attributes,
        start: int,
        end: int,
    ) -> Context:
        """Make a span; return what its children need."""
        known = {key: value for key, value in attributes.items() if value is not None}
        span = self._tracer.start_span(name, parent or Context(), kind, known, start_time=start)
        if "error.type" in known:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)
        return set_span_in_context(NonRecordingSpan(span.get_span_context()), Context())


def _text(text: str | None) -> str | None:
    """What a client sent, without secrets, as a text that can be sent on."""
    if text is None:
        return None
    return redact(text)[:_LONGEST_TEXT].encode("utf-8", "backslashreplace").decode()
