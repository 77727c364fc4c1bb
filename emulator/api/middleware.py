"""Around every request: its id, its Date, its errors, its note for the logs."""

import asyncio
import logging
import time

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.api.capture import noted_request
from emulator.api.connections import Connections
from emulator.api.disturbance import ConnectionCut, Disturbed, ProxyPage
from emulator.api.errors import STATUS_BY_FAILURE, TaskFailed, error_body, status_of
from emulator.api.finished import Finished
from emulator.api.headers import date_header
from emulator.api.http import Call, FailedCall, JsonAnswer
from emulator.core.clock import SECOND
from emulator.core.errors import Refusal
from emulator.service.services import Services
from emulator.store.records import StoreUnavailable

_log = logging.getLogger("emulator")


class Envelope:
    """Pure ASGI middleware: everything that is the same for every route."""

    def __init__(
        self,
        app: ASGIApp,
        services: Services,
        finished: Finished,
        connections: Connections,
    ) -> None:
        self._app = app
        self._connections = connections
        self._services = services
        self._finished = finished
        self._journal = services.journal
        self._keeps_journal = services.settings.journal_entries > 0
        self._kept_bytes = services.settings.journal_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, the answer is one of ours."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        services = self._services
        call, started = self._begin(scope)
        scope["call"] = call
        scope["app"] = self  # Starlette then raises its 405 instead of answering it

        disturbed: Disturbed | None = None

        async def send_signed(message: Message) -> None:
            nonlocal disturbed
            if message["type"] == "http.response.start":
                call.status = message["status"]
                headers = message["headers"]
                headers.append((b"x-request-id", call.request_id.encode()))  # REQ-1
                headers.append((b"date", date_header(call.now // SECOND)))
                call.answer_type = _content_type(headers)
            elif not message.get("more_body"):
                call.seconds = time.perf_counter() - started
                self._note(scope, call, message.get("body", b""))
                if call.operation or scope["method"] not in ("GET", "HEAD"):
                    services.watch.touch(call.account_id)
            if call.hit is not None:
                disturbed = disturbed or Disturbed(send, call.hit, services.pause)
                await disturbed(message)
            else:
                await send(message)

        try:
            await self._run(scope, receive, send_signed, call)
        except ClientDisconnect:
            pass
        except ConnectionCut as cut:
            await self._connections.cut(scope, receive, in_answer=cut.in_answer)
        finally:
            if not call.status:  # the client went away, or was cut off
                call.seconds = time.perf_counter() - started
                self._note(scope, call, b"")
            self._finished.add(scope, call)

    def _begin(self, scope: Scope) -> tuple[Call, float]:
        """A call, new or begun without the application, and when it began."""
        failed: FailedCall | None = scope.get("failed")
        if failed is not None:
            return failed.call, failed.began
        began, real_now = time.perf_counter(), self._services.clock.now()
        return Call(self._services.entropy.request_id(), real_now, real_now), began

    async def _run(self, scope: Scope, receive: Receive, send: Send, call: Call) -> None:
        """Answer, with an error where one is raised before the answer began."""
        try:
            _raise_failure(scope)
            await self._app(scope, receive, send)
        except (Exception, asyncio.CancelledError) as error:
            if call.status or isinstance(error, ClientDisconnect | ConnectionCut):
                raise
            await self._answer(error, call)(scope, receive, send)

    def _note(self, scope: Scope, call: Call, body: bytes) -> None:
        """Note a request of a known account for the journal, before the client has the answer."""
        if self._keeps_journal and call.operation and call.account_id != "-":
            sent = noted_request(
                scope["method"], scope["path"], scope["query_string"], scope["headers"]
            )
            kept = body[: self._kept_bytes]
            self._journal.note(call.account_id, (sent, call, kept, len(body)))

    def _answer(self, error: BaseException, call: Call) -> ASGIApp:
        if isinstance(error, ProxyPage):
            return error
        _note_error(call, error)
        return self._error(error, call)

    def _error(self, error: BaseException, call: Call) -> JsonAnswer:
        """Turn whatever was raised into the upstream's error body (ERR-1)."""
        headers: dict[str, str] = {}
        if isinstance(error, asyncio.CancelledError):  # its body did not come before the stop
            message = "The emulator is stopping."
            error = Refusal("service_unavailable", message, retry_after_seconds=1)
        if isinstance(error, StoreUnavailable):
            _log.warning("%s", error)
            message = "The database does not answer at present; try again in 1 s."
            error = Refusal("service_unavailable", message, retry_after_seconds=1)
        match error:
            case Refusal():
                status = status_of(error, self._services.settings)
                body = error_body(status, error.code, error.message, error.param)
                if error.retry_after_seconds is not None:
                    headers["Retry-After"] = str(error.retry_after_seconds)
                if status == 401:
                    headers["WWW-Authenticate"] = "Bearer"
            case TaskFailed():
                status = STATUS_BY_FAILURE[error.failure["code"]]
                failure = error.failure
                body = error_body(status, failure["code"], failure["message"], None)
                if error.retry_after_seconds is not None:
                    headers["Retry-After"] = str(error.retry_after_seconds)
            case HTTPException():
                status = error.status_code
                headers.update(error.headers or {})
                allowed = headers.get("Allow", "")
                message = f"This route does not take that method; it takes {allowed}."
                body = error_body(status, "method_not_allowed", message, None)
            case _:
                ids = {"request_id": call.request_id, "task_id": call.task_id}
                _log.error("a request failed", exc_info=error, extra=ids)
                status = 500
                message = "The emulator met an error of its own; its log says more."
                body = error_body(status, "internal_error", message, None)
        return JsonAnswer(body, status, headers)


def _content_type(headers: list[tuple[bytes, bytes]]) -> bytes:
    for name, value in headers:
        if name == b"content-type":
            return value
    return b""


def _raise_failure(scope: Scope) -> None:
    """Raise what a call that was begun without the application has met."""
    failed: FailedCall | None = scope.get("failed")
    if failed is not None:
        raise failed.error


def _note_error(call: Call, error: BaseException) -> None:
    if isinstance(error, Refusal):
        call.refusal = (error.code, error.param, error.claim, error.message)
        call.now = call.now if error.now is None else error.now
        call.account_id = error.account_id or call.account_id
    elif isinstance(error, TaskFailed):
        call.refusal = (error.failure["code"], None, "ERR-7", error.failure["message"])
