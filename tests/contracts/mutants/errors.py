"""Refusals with the wrong status, type, code, body or header."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.api import disturbance, images
from emulator.api import errors as table
from emulator.api.http import JsonAnswer, authenticate, read_json_object
from emulator.api.middleware import Envelope
from emulator.api.schemas import parse_creation
from emulator.core import task_detail
from emulator.core.errors import Refusal
from emulator.service.accounts import Accounts
from emulator.service.services import Services
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import Json, around, entries, errors, handler, swap
from tests.contracts.mutants.probe import Probe, error_of

UNKNOWN = "/v1/tasks/task_000000000000000000000000"


_answer_envelope = Envelope.__call__


async def _drop_request_ids(self: Envelope, scope: Scope, receive: Receive, send: Send) -> None:
    async def send_without(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            headers = [header for header in message["headers"] if header[0] != b"x-request-id"]
            message = {**message, "headers": headers}
        await send(message)

    await _answer_envelope(self, scope, receive, send_without)


def _error(is_meant: Callable[[Json], bool], change: Callable[[Json], Any]) -> Patch:
    """Change the error object of some refusals."""

    def changed(status: int, body: Json) -> tuple[int, Any]:
        error = body["error"]
        return status, {"error": change(error)} if is_meant(error) else body

    return errors(changed)


def _in_plain_text(original: Any, self: Envelope, *raised: Any) -> ASGIApp:
    answer: JsonAnswer = original(self, *raised)
    return PlainTextResponse("Not Found", 404) if answer._status == 404 else answer


def _as_detail(status: int, body: Json) -> tuple[int, Any]:
    missing = body["error"]["code"] == "missing_field"
    return status, {"detail": body["error"]["message"]} if missing else body


def _without_retry_after(
    original: Any, self: Envelope, error: BaseException, *rest: Any
) -> ASGIApp:
    if isinstance(error, Refusal):
        error.retry_after_seconds = None
    found: ASGIApp = original(self, error, *rest)
    return found


def _let_content_pass(original: Any, call: Any, hit: Any) -> None:
    if hit.name != "content_policy":
        original(call, hit)


async def _fields_before_key(original: Any, request: Request, services: Services) -> ASGIApp:
    creation = parse_creation(await read_json_object(request, services), services.settings)
    caller = await authenticate(request, services)
    task = await images._create(request, services, caller, creation)
    return images._accepted(request, services, task)


async def _count_nothing(self: Accounts, caller: Any, limit: int) -> None:
    """Let every request pass."""


def _failure(original: Any, task: Any) -> Any:
    found = original(task)
    return found and {**found, "code": "generation_failed"}


def _over_the_rate(probe: Probe) -> Any:
    limited = probe.of(requests_per_minute=1)
    return [limited.get("/v1/credits/balance") for _ in range(2)][-1]


def _waited_for_a_failure(probe: Probe) -> int:
    probe.account.clock.resume()
    prompt = "A fox [[fault: task_fails code=image_safety]]"
    return probe.post("/sync", prompt=prompt).status_code


MUTANTS = (
    Mutant(
        "errors-have-no-request-id",
        "REQ-1",
        "An error has no X-Request-Id.",
        swap(Envelope, "__call__", _drop_request_ids),
        lambda probe: "x-request-id" not in probe.get(UNKNOWN).headers,
    ),
    Mutant(
        "a-402-has-a-type-of-its-own",
        "ERR-2",
        "The type of a 402 is payment_required, which no document has.",
        entries(table.TYPE_BY_STATUS, {402: "payment_required"}),
        lambda probe: error_of(probe.of(credits=0).post())["type"] == "payment_required",
    ),
    Mutant(
        "a-404-has-the-type-of-a-400",
        "ERR-2",
        "The type of a 404 is invalid_request_error.",
        entries(table.TYPE_BY_STATUS, {404: "invalid_request_error"}),
        lambda probe: error_of(probe.get(UNKNOWN))["type"] == "invalid_request_error",
    ),
    Mutant(
        "errors-have-no-param",
        "ERR-1",
        "The error object lacks param, where it should be null.",
        _error(
            lambda error: error["param"] is None,
            lambda error: {name: error[name] for name in ("message", "type", "code")},
        ),
        lambda probe: "param" not in error_of(probe.get(UNKNOWN)),
    ),
    Mutant(
        "missing-fields-have-another-body",
        "ERR-1",
        'A missing field is refused with {"detail": ...} instead of {"error": {...}}.',
        errors(_as_detail),
        lambda probe: "detail" in probe.post(prompt=...).json(),
    ),
    Mutant(
        "a-404-is-plain-text",
        "ERR-1",
        "A 404 is a line of text instead of the error body.",
        around(Envelope, "_error", _in_plain_text),
        lambda probe: probe.get(UNKNOWN).text == "Not Found",
    ),
    Mutant(
        "accepted-values-are-not-named",
        "ERR-8",
        "A value that is not taken is refused without a word about what is.",
        _error(
            lambda error: str(error["code"]).startswith("invalid_"),
            lambda error: {**error, "message": "The request is invalid."},
        ),
        lambda probe: "2K" not in error_of(probe.post(resolution="8K"))["message"],
    ),
    Mutant(
        "invalid-values-are-a-422",
        "ERR-8",
        "A value that is not taken is answered with 422 instead of 400.",
        entries(table.STATUS_BY_CODE, {"invalid_value": 422, "invalid_type": 422}),
        lambda probe: probe.post(resolution="8K").status_code == 422,
    ),
    Mutant(
        "broken-json-is-a-500",
        "ERR-8",
        "A body that is no JSON is answered with 500.",
        entries(table.STATUS_BY_CODE, {"invalid_json": 500}),
        lambda probe: probe.post_raw(b'{"model": ').status_code == 500,
    ),
    Mutant(
        "fields-are-checked-before-the-key",
        "ERR-9",
        "A wrong body without a key is answered with 400 instead of 401.",
        handler("createImageTask", _fields_before_key),
        lambda probe: probe.post(key=None, prompt=...).status_code == 400,
    ),
    Mutant(
        "too-few-credits-are-a-403",
        "ERR-3",
        "Too few credits are answered with 403 instead of 402.",
        entries(table.STATUS_BY_CODE, {"insufficient_credits": 403}),
        lambda probe: probe.of(credits=0).post().status_code == 403,
    ),
    Mutant(
        "a-used-up-budget-has-another-code",
        "ERR-4",
        "A used-up budget is told as too few credits of the account.",
        _error(
            lambda error: bool(error["code"] == "api_key_budget_exhausted"),
            lambda error: {**error, "code": "insufficient_credits"},
        ),
        lambda probe: error_of(probe.of(budget_credits=0).post())["code"] == "insufficient_credits",
    ),
    Mutant(
        "the-rate-is-not-limited",
        "ERR-5",
        "A key may make more requests a minute than it is allowed.",
        swap(Accounts, "_count", _count_nothing),
        lambda probe: _over_the_rate(probe).status_code == 200,
    ),
    Mutant(
        "a-429-does-not-say-when",
        "ERR-5",
        "A 429 has no Retry-After.",
        around(Envelope, "_error", _without_retry_after),
        lambda probe: "retry-after" not in _over_the_rate(probe).headers,
    ),
    Mutant(
        "refused-content-creates-a-task",
        "ERR-6",
        "A prompt against the content policy is taken.",
        around(disturbance, "_act", _let_content_pass),
        lambda probe: probe.post(prompt="A fox [[fault: content_policy]]").status_code == 202,
    ),
    Mutant(
        "waiting-for-a-failure-is-a-500",
        "ERR-7",
        "A call that waited for a task that fails is answered with 500.",
        entries(table.STATUS_BY_FAILURE, dict.fromkeys(table.STATUS_BY_FAILURE, 500)),
        lambda probe: _waited_for_a_failure(probe) == 500,
    ),
    Mutant(
        "failures-have-a-code-of-their-own",
        "ERR-7",
        "A failed task's code is generation_failed, which no document has.",
        around(task_detail, "failure", _failure),
        lambda probe: probe.failed()["error"]["code"] == "generation_failed",
    ),
)
