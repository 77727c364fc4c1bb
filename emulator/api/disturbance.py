"""Faults of the transport: what a client receives instead of the answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from emulator.api.errors import TaskFailed
from emulator.api.http import Call, call_of
from emulator.core.errors import Refusal
from emulator.core.fault import Facts, Hit
from emulator.core.fault_catalogue import FAILURES
from emulator.core.ports import Pause
from emulator.service.services import Services
from emulator.store.records import Caller

_DRIPS = 20
_CORRUPT_BYTES = 64
_ERRORS: dict[int, tuple[str, str, str]] = {  # ERR-2 to ERR-6: code, message, claim
    400: ("content_policy", FAILURES["content_policy"], "ERR-6"),
    401: ("invalid_api_key", "Unknown API key.", "AUTH-1"),
    402: ("insufficient_credits", "This request needs more credits than are available.", "ERR-3"),
    403: ("model_not_allowed", "This API key may not use the model.", "AUTH-3"),
    404: ("model_not_found", "The model does not exist.", "MOD-2"),
    429: ("rate_limit_exceeded", "Too many requests; try again later.", "ERR-5"),
    500: ("internal_error", "The server met an error.", "ERR-2"),
}
_TASK_NOT_FOUND = ("task_not_found", "There is no such task.", "TASK-10")
_FAILURES: dict[int, str] = {502: "not_found", 503: "service_unavailable", 504: "timeout"}
_USUAL_RETRY_SECONDS = 1
_PROXY_PAGE = """\
<html>
<head><title>{status} {reason}</title></head>
<body>
<center><h1>{status} {reason}</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""
_REASONS = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}


class ConnectionCut(Exception):
    """The connection is to be cut.

    Args:
        in_answer: what was sent of the answer still goes out before.
    """

    def __init__(self, *, in_answer: bool = False) -> None:
        super().__init__("the connection is cut by a fault")
        self.in_answer = in_answer


class ProxyPage(Exception):
    """A proxy answers instead of the API."""

    def __init__(self, status: int) -> None:
        super().__init__(f"a proxy's page with status {status}")
        self.status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        reason = _REASONS[self.status]
        body = _PROXY_PAGE.format(status=self.status, reason=reason).encode()
        headers = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def meet_faults(
    request: Request,
    services: Services,
    caller: Caller,
    prompt: str | None = None,
    task_id: str | None = None,
) -> Caller:
    """Let the faults that a request meets act: refuse it, or disturb its answer.

    Args:
        request: the request, parsed and valid.
        services: the use cases.
        caller: who sent it.
        prompt: of a creation.
        task_id: of the task that is asked for.

    Returns:
        The caller, who knows of faults that the prompt brought.

    Raises:
        Refusal, TaskFailed, ConnectionCut, ProxyPage: what the client gets instead.
    """
    call = call_of(request)
    facts = Facts(call.operation, prompt, task_id)
    if services.faults.is_unmet(caller, facts):
        return caller
    caller, hit = await services.faults.meet(caller, facts)
    if hit is not None:
        call.faults = (*call.faults, hit.name)
        _act(call, hit)
    return caller


def _act(call: Call, hit: Hit) -> None:
    match hit.name:
        case "http_error":
            raise _error(call.operation, **hit.parameters)
        case "content_policy":
            raise _error(call.operation, 400, None)
        case "reset_before_work":
            raise ConnectionCut
        case "proxy_error_page":
            raise ProxyPage(hit.parameters["status"])
        case _:
            call.hit = hit


def _error(operation: str, status: int, retry_after_seconds: int | None) -> Exception:
    if status in _FAILURES:
        code = _FAILURES[status]
        failure = TaskFailed({"type": "api_error", "code": code, "message": FAILURES[code]})
        failure.retry_after_seconds = retry_after_seconds
        return failure
    is_poll = status == 404 and operation == "getTask"
    code, message, claim = _TASK_NOT_FOUND if is_poll else _ERRORS[status]
    if status == 429 and retry_after_seconds is None:
        retry_after_seconds = _USUAL_RETRY_SECONDS
    param = "prompt" if code == "content_policy" else None
    return Refusal(code, message, param, claim=claim, retry_after_seconds=retry_after_seconds)


class Disturbed:
    """Takes an answer of one piece, and sends what a fault makes of it.

    Args:
        send: where to.
        hit: the fault.
        pause: lets real time pass.
    """

    def __init__(self, send: Send, hit: Hit, pause: Pause) -> None:
        self._send = send
        self._hit = hit
        self._pause = pause
        self._head: Message = {}

    async def __call__(self, message: Message) -> None:
        """Take the answer's head, then its body."""
        if message["type"] == "http.response.start":
            self._head = message
        else:
            effect = _EFFECTS[self._hit.name]
            await effect(self, message.get("body", b""), self._hit.parameters)

    async def send(self, *pieces: bytes, complete: bool = True) -> None:
        """Send the head and a body in pieces."""
        await self._send(self._head)
        for number, piece in enumerate(pieces, start=1):
            more = number < len(pieces) or not complete
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    async def pass_slowly(self, body: bytes, given: Mapping[str, Any]) -> None:
        """Wait, then send."""
        await self._pause(given["seconds"])
        await self.send(body)

    async def drip(self, body: bytes, given: Mapping[str, Any]) -> None:
        """Send bit by bit."""
        size = max(1, -(-len(body) // _DRIPS))
        await self.send(b"", complete=False)  # the head alone would wait for a body
        for at in range(0, len(body), size):
            await self._pause(given["seconds"] / _DRIPS)
            piece = {"type": "http.response.body", "body": body[at : at + size], "more_body": True}
            await self._send(piece)
        await self._send({"type": "http.response.body", "body": b""})

    async def cut(self, body: bytes, given: Mapping[str, Any]) -> None:
        """Send nothing."""
        raise ConnectionCut

    async def truncate(self, body: bytes, given: Mapping[str, Any]) -> None:
        """Send half of what the head promises."""
        await self.send(body[: len(body) // 2], complete=False)
        raise ConnectionCut(in_answer=True)

    async def halve(self, body: bytes, given: Mapping[str, Any]) -> None:
        """Send half of the body as if that were all of it."""
        half = body[: len(body) // 2]
        self._set_header(b"content-length", b"%d" % len(half))
        await self.send(half)

    async def corrupt(self, body: bytes, given: Mapping[str, Any]) -> None:
        """Turn bytes in the middle into others."""
        at = len(body) // 2
        broken = bytes(byte ^ 0xFF for byte in body[at : at + _CORRUPT_BYTES])
        await self.send(body[:at] + broken + body[at + _CORRUPT_BYTES :])

    async def mislabel(self, body: bytes, given: Mapping[str, Any]) -> None:
        """Send another Content-Type."""
        self._set_header(b"content-type", given["content_type"].encode())
        await self.send(body)

    def _set_header(self, name: bytes, value: bytes) -> None:
        others = [(key, old) for key, old in self._head["headers"] if key != name]
        self._head["headers"] = [*others, (name, value)]


_Effect = Callable[[Disturbed, bytes, Mapping[str, Any]], Awaitable[None]]
_EFFECTS: dict[str, _Effect] = {
    "slow_first_byte": Disturbed.pass_slowly,
    "slow_drip": Disturbed.drip,
    "reset_after_work": Disturbed.cut,
    "truncated_body": Disturbed.truncate,
    "invalid_json": Disturbed.halve,
    "media_slow": Disturbed.pass_slowly,
    "media_truncated": Disturbed.truncate,
    "media_wrong_type": Disturbed.mislabel,
    "media_corrupt": Disturbed.corrupt,
}
