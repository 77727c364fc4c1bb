"""Creations and polls that meet nothing unusual, answered without a framework in between.

Everything else is told to go the usual way, through the application: what is refused, what a fault
may meet, what first has to be written down. Nothing has happened by then, so it can begin anew.
"""

import re
import time
from asyncio import Future
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from emulator.api.capture import NotedRequest, noted_request
from emulator.api.finished import Finished, FinishedCall, traceparent_of
from emulator.api.headers import (
    Headers,
    api_key_of,
    date_header,
    host_of,
    require_content_type,
)
from emulator.api.http import Call, FailedCall
from emulator.api.json_body import parse_json_object
from emulator.api.schemas import parse_creation
from emulator.core.clock import SECOND
from emulator.core.errors import Refusal
from emulator.core.fault import Facts
from emulator.core.task import Status, Task
from emulator.core.task_detail import creation_answer, shown_status, task_detail
from emulator.service.accounts import hash_key
from emulator.service.planning import Order
from emulator.service.services import Services
from emulator.service.tasks import Created
from emulator.store.json_text import json_bytes
from emulator.store.read_cache import ReadCache
from emulator.store.records import Caller
from emulator.store.transaction import Transaction

if TYPE_CHECKING:
    from emulator.store.sqlite import SqliteDatabase

HOT_PATH = re.compile(rb"(?:/api)?/v1/(?:tasks/(\w+)|images/generations)")  # BASE-1
_JSON = b"application/json"
_STATUS_LINES = {200: b"HTTP/1.1 200 OK\r\n", 202: b"HTTP/1.1 202 Accepted\r\n"}
_ANSWER_HEAD = (
    b"%bcontent-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\ndate: %b\r\n"  # REQ-1
)


class Head(NamedTuple):
    """A request's line and headers, and what they say of a creation or a poll.

    Attributes:
        method, url, headers: as they were sent; names of headers in lower case.
        path: the URL, which has no query here, as text.
        task_id: what is polled; None: it is a creation.
        key_hash: of the caller's key.
        base_url: scheme and host that links begin with.
        noted: what the journal keeps of it.
        traceparent: the header of that name, for traces.
    """

    method: str
    url: bytes
    headers: Headers
    path: str
    task_id: str | None
    key_hash: str
    base_url: str
    noted: NotedRequest
    traceparent: bytes | None


class Exchange(Protocol):
    """A request that came, and the connection that its answer goes to."""

    def reply(self, head: bytes, body: bytes) -> None:
        """Send an answer: its status line and headers, each with its line's end, and its body."""

    def fail(self, failed: FailedCall) -> None:
        """Let the application say what went wrong."""


class _Polled:
    """A task that was asked for, and the answer to that as long as its status is the same."""

    __slots__ = ("body", "caller", "status", "task")

    def __init__(self, caller: Caller, task: Task) -> None:
        self.caller = caller
        self.task = task
        self.status: Status | None = None
        self.body = b""


class PlainCalls:
    """Answers creations and polls, or says that the application should.

    Args:
        services: the use cases.
        database: theirs.
        finished: where requests are noted.
    """

    def __init__(self, services: Services, database: "SqliteDatabase", finished: Finished) -> None:
        self._services = services
        self._settings = services.settings
        self._finished = finished
        self._callers = ReadCache(database, _find_caller)
        self._polls = ReadCache(database, _find_polled)

    def head_of(self, method: str, url: bytes, headers: Headers) -> Head | None:
        """Read a head; None where it is no creation's and no poll's that is all right."""
        found = HOT_PATH.fullmatch(url)
        if found is None or method != ("GET" if found[1] else "POST"):
            return None
        host = host_of(headers)
        try:
            key = api_key_of(headers)
            if method == "POST":
                require_content_type(headers, "application/json")
        except Refusal:
            return None
        if key is None or host is None:
            return None
        path = url.decode("ascii")
        return Head(
            method=method,
            url=url,
            headers=headers,
            path=path,
            task_id=None if found[1] is None else found[1].decode("ascii"),
            key_hash=hash_key(key),
            base_url=self._settings.public_url or f"http://{host}",
            noted=noted_request(method, path, b"", headers),
            traceparent=traceparent_of(headers),
        )

    def answer(self, head: Head, body: bytes, exchange: Exchange) -> bool:
        """Answer a request now or a little later; False: the application has to."""
        if head.task_id is None:
            return self._create(head, body, exchange)
        return self._poll(head, head.task_id, exchange)

    def _poll(self, head: Head, task_id: str, exchange: Exchange) -> bool:
        """As ``tasks.read`` does."""
        began = time.perf_counter()
        real_now = self._services.clock.now()
        try:
            polled = self._polls.get((head.key_hash, task_id))
        except Exception:  # the application meets it again, and says so
            return False
        if polled is None or not self._services.accounts.admits_at_once(polled.caller, real_now):
            return False
        if not self._services.faults.is_unmet(polled.caller, Facts("getTask", None, task_id)):
            return False
        task, now = polled.task, polled.caller.clock.now(real_now)
        if task.has_ended(now) and not task.settled:
            return False
        settings = self._settings
        profile, ttl_ms = settings.profile, settings.media_ttl_ms
        status = shown_status(task, now, profile, ttl_ms)
        if status is not polled.status:
            secret = self._services.media_secret
            polled.body = json_bytes(task_detail(task, now, profile, secret, ttl_ms))
            polled.status = status
        request_id = self._services.entropy.request_id()
        call = Call(request_id, real_now, now, task.account_id, 200, "getTask", task_id)
        self._reply(head, call, began, polled.body, exchange)
        return True

    def _create(self, head: Head, body: bytes, exchange: Exchange) -> bool:
        """As ``images.create`` does."""
        began = time.perf_counter()
        services = self._services
        real_now = services.clock.now()
        try:
            caller = self._callers.get(head.key_hash)
            if caller is None or not services.accounts.admits_at_once(caller, real_now):
                return False
            creation = parse_creation(parse_json_object(body), self._settings)
            request = creation.request
            facts = Facts("createImageTask", request.prompt)
            if creation.reference_urls or not services.faults.is_unmet(caller, facts):
                return False
            services.tasks.check(caller, request)
        except Exception:  # the application meets it again, and says so
            return False
        call = Call(
            "", real_now, caller.clock.now(real_now), caller.account_id, 202, "createImageTask"
        )
        kept_bytes = self._settings.journal_body_bytes
        call.sent, call.sent_is_cut = body[:kept_bytes], len(body) > kept_bytes
        order = Order(caller, request, call.operation, head.base_url)
        created = services.tasks.order(order)
        created.add_done_callback(partial(self._created, head, call, began, exchange))
        return True

    def _created(
        self, head: Head, call: Call, began: float, exchange: Exchange, created: "Future[Created]"
    ) -> None:
        error = created.exception()
        if error is not None:
            call.request_id, call.status = self._services.entropy.request_id(), 0
            exchange.fail(FailedCall(call, began, error))
            return
        result = created.result()
        task = self._services.tasks.note_created(result)
        call.faults = tuple(hit.name for hit in result.hits)  # of a fault that came meanwhile
        call.request_id, call.task_id = task.request_id, task.id  # REQ-2
        body = json_bytes(creation_answer(task, self._settings.profile))
        self._reply(head, call, began, body, exchange)

    def _reply(self, head: Head, call: Call, began: float, body: bytes, exchange: Exchange) -> None:
        """Note a call, and send its answer, as the application's envelope does."""
        call.answer_type = _JSON
        call.seconds = time.perf_counter() - began
        settings, services = self._settings, self._services
        if settings.journal_entries > 0:
            kept = body[: settings.journal_body_bytes]
            services.journal.note(call.account_id, (head.noted, call, kept, len(body)))
        services.watch.touch(call.account_id)
        fields = (
            _STATUS_LINES[call.status], _JSON, len(body), call.request_id.encode(),
            date_header(call.now // SECOND),
        )  # fmt: skip
        exchange.reply(_ANSWER_HEAD % fields, body)
        self._finished.note(
            FinishedCall(head.method, head.path, call.operation, call, head.traceparent)
        )


def _find_caller(tx: Transaction, key_hash: str) -> Caller | None:
    return tx.caller(key_hash)


def _find_polled(tx: Transaction, names: tuple[str, str]) -> _Polled | None:
    caller, stored = tx.caller_and_task(*names)
    return None if caller is None or stored is None else _Polled(caller, stored.task)
