"""What every handler needs of HTTP: the call, its caller, its body, and an answer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from emulator.api.form_summary import form_summary
from emulator.api.headers import api_key_of, header_of, host_of, require_content_type
from emulator.api.json_body import check_characters, parse_json_object
from emulator.core.errors import Refusal
from emulator.core.fault import Hit
from emulator.service.services import Services
from emulator.settings import MIB
from emulator.store.json_text import json_bytes
from emulator.store.records import Caller

_MAX_FORM_FILES = 40
_MAX_FORM_FIELDS = 100
_MAX_FORM_FIELD_BYTES = 1024 * 1024
_READ_LIMITS = 2  # how many times the largest body is read before the connection is dropped


UNKNOWN_OPERATION = "unknown"  # of a request that no route takes


@dataclass(slots=True)
class Call:
    """What is known of a request while it is answered.

    Attributes:
        request_id: the ``X-Request-Id`` of its answer (REQ-1).
        started_at: the real instant at which it came.
        now: the instant of its answer: the account's, once it is known.
        account_id: the caller's account, once it is known.
        status: the answer's status, once it is sent.
        operation: the ``operationId`` of openapi.yaml; empty for routes of the emulator's own.
        task_id: the task that it made or asked for, or None.
        faults: names of the faults that met it.
        hit: the fault that disturbs its answer, or None.
        sent: the request's body, as much of it as the journal keeps; None: it was not read.
        sent_is_cut: whether that is not all of it.
        refusal: code, param, claim and message of its refusal, or None.
        answer_type: the Content-Type of its answer, once it is sent.
        seconds: how long it took until its answer was sent, in real time.
    """

    request_id: str
    started_at: int
    now: int
    account_id: str = "-"
    status: int = 0
    operation: str = ""
    task_id: str | None = None
    faults: tuple[str, ...] = ()
    hit: Hit | None = None
    sent: bytes | None = None
    sent_is_cut: bool = False
    refusal: tuple[str, str | None, str | None, str] | None = None
    answer_type: bytes = b""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A call that was begun without the application, and why that did not do.

    Attributes:
        call: what is known of it.
        began: when it came, on the clock of ``time.perf_counter``.
        error: what was raised.
    """

    call: Call
    began: float
    error: BaseException


def call_of(request: Request) -> Call:
    """The call that a request belongs to."""
    call: Call = request.scope["call"]
    return call


def header(request: Request, name: bytes) -> str | None:
    """Read a request header, given its lower-case name."""
    return header_of(request.scope["headers"], name)


def api_key(request: Request) -> str | None:
    """Read the key of a request."""
    return api_key_of(request.scope["headers"])


async def authenticate(request: Request, services: Services, *, counted: bool = True) -> Caller:
    """Find the caller of a request; ``counted``: it counts towards its requests a minute."""
    caller = await services.accounts.authenticate(api_key(request), counted=counted)
    note_caller(request, services, caller)
    return caller


def note_caller(request: Request, services: Services, caller: Caller) -> None:
    """Put the answer on the caller's clock."""
    call = call_of(request)
    call.account_id = caller.account_id
    call.now = caller.clock.now(services.clock.now())


def base_url(request: Request, services: Services) -> str:
    """Scheme and host that links begin with."""
    if services.settings.public_url:
        return services.settings.public_url
    host = host_of(request.scope["headers"])
    if host is None:
        address, port = request.scope.get("server") or ("127.0.0.1", 80)
        host = f"{address}:{port}"
    return f"{request.scope['scheme']}://{host}"


async def read_json_object(request: Request, services: Services) -> dict[str, Any]:
    """Read a JSON object, strictly.

    Raises:
        Refusal: the Content-Type is not JSON, or the body is too large, broken, no object, too
            deep, or names a field twice.
    """
    require_content_type(request.scope["headers"], "application/json")
    receive = limited_receive(request, services)
    chunks = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    call, kept_bytes = call_of(request), services.settings.journal_body_bytes
    call.sent, call.sent_is_cut = body[:kept_bytes], len(body) > kept_bytes
    value = parse_json_object(body)
    if not call.operation:  # of the emulator's own: it is kept, and shown as it is
        check_characters(body, value)
    return value


class WholeForm(MultiPartParser):
    """Starlette's parser, which would take a form that breaks off, and leave its last file open."""

    _has_ended = False

    def on_end(self) -> None:
        """Note that the last boundary came."""
        self._has_ended = True

    async def parse(self) -> FormData:
        """Parse the whole form.

        Raises:
            MultiPartException: it is broken, or breaks off.
        """
        form = await super().parse()
        if not self._has_ended:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("It breaks off before its last boundary.")
        return form


@asynccontextmanager
async def open_form(request: Request, services: Services) -> AsyncIterator[FormData]:
    """Read a multipart form; its files wait in temporary files until it is closed.

    Raises:
        Refusal: the Content-Type is not multipart, or the body is too large or broken.
    """
    require_content_type(request.scope["headers"], "multipart/form-data")
    limited = Request(request.scope, limited_receive(request, services))
    parser = WholeForm(
        request.headers,
        limited.stream(),
        max_files=_MAX_FORM_FILES,
        max_fields=_MAX_FORM_FIELDS,
        max_part_size=_MAX_FORM_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, LookupError, ValueError) as error:
        problem = error.message if isinstance(error, MultiPartException) else str(error)
        message = f"The body must be a multipart form: {problem}"
        raise Refusal("invalid_body", message, "body") from error
    call = call_of(request)
    call.sent, call.sent_is_cut = form_summary(form, services.settings.journal_body_bytes)
    try:
        yield form
    finally:
        await form.close()


def limited_receive(request: Request, services: Services) -> Receive:
    """Receive the body up to the limit.

    The returned function raises ``Refusal`` where the body is larger, and ``ClientDisconnect``
    where the client goes away.
    """
    limit = services.settings.max_body_mib * MIB
    length = header(request, b"content-length") or ""
    declared = int(length) if length.isascii() and length.isdigit() and len(length) < 18 else 0
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        received += len(message.get("body", b""))
        # A client that still sends would miss the answer, so what it sends is read, and dropped.
        while received > limit and message.get("more_body") and received <= _READ_LIMITS * limit:
            message = await request.receive()
            received += len(message.get("body", b""))
        if received > limit:
            raise _too_large(limit, max(received, declared))
        return message

    if declared > _READ_LIMITS * limit:
        raise _too_large(limit, declared)
    return receive


def _too_large(limit: int, received: int) -> Refusal:
    message = f"The body may have {limit:,} bytes at most; {received:,} or more were sent."
    return Refusal("body_too_large", message, "body")


class JsonAnswer:
    """An answer in JSON, as the two ASGI messages that it is.

    Args:
        payload: the body.
        status: the HTTP status.
        headers: further headers.
    """

    __slots__ = ("_body", "_headers", "_status")

    def __init__(
        self, payload: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self._body = json_bytes(payload)
        self._status = status
        self._headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self._body)),
        ]
        for name, value in (headers or {}).items():
            self._headers.append((name.lower().encode(), value.encode("latin-1")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        await send(
            {"type": "http.response.start", "status": self._status, "headers": self._headers}
        )
        await send({"type": "http.response.body", "body": self._body})
