"""/_emulator: everything that the upstream does not have."""

from typing import Any

from pydantic_core import SchemaValidator, ValidationError
from pydantic_core import core_schema as rule
from starlette.requests import Request
from starlette.types import ASGIApp

from emulator import __version__
from emulator.api.http import JsonAnswer, authenticate, call_of, read_json_object
from emulator.core.clock import rfc3339
from emulator.core.errors import Refusal, shown
from emulator.service.accounts import NewKey
from emulator.service.services import Services
from emulator.store.records import ApiKey, LedgerPart

_MOST_ROWS = 1000
_HIGHEST_NUMBER = 10**15
_KEY_FIELDS = {
    "name": "a text of 1 to 100 characters",
    "credits": "a whole number from 0 to 10^12, what its account is granted",
    "budget_credits": "a whole number from 0 to 10^12",
    "requests_per_minute": "a whole number from 1 to 1,000,000",
    "models": "a list of models' ids",
}


# What POST /_emulator/keys takes; each field may be left out.
_KEY_RULES = {
    "name": rule.str_schema(min_length=1, max_length=100),
    "credits": rule.nullable_schema(rule.int_schema(ge=0, le=10**12)),
    "budget_credits": rule.nullable_schema(rule.int_schema(ge=0, le=10**12)),
    "requests_per_minute": rule.nullable_schema(rule.int_schema(ge=1, le=10**6)),
    "models": rule.nullable_schema(rule.list_schema(rule.str_schema())),
}
_KEY_BODY = SchemaValidator(
    rule.typed_dict_schema(
        {name: rule.typed_dict_field(accepted) for name, accepted in _KEY_RULES.items()},
        total=False,
        config={"strict": True},
        extra_behavior="forbid",
    )
)


async def health(request: Request, services: Services) -> ASGIApp:
    """Answer a probe: the server takes requests."""
    return JsonAnswer({"status": "ok", "version": __version__})


async def ready(request: Request, services: Services) -> ASGIApp:
    """Answer a probe: requests can be worked on."""
    problem = await services.readiness.problem()
    if problem is None:
        return JsonAnswer({"status": "ready"})
    return JsonAnswer({"status": "unavailable", "problem": problem}, 503)


async def live(request: Request, services: Services) -> ASGIApp:
    """Answer a probe: the process answers."""
    return JsonAnswer({"status": "live"})


async def read_clock(request: Request, services: Services) -> ASGIApp:
    """Answer the account's clock."""
    caller = await authenticate(request, services, counted=False)
    return JsonAnswer(await services.clocks.read(caller.account_id))


async def command_clock(request: Request, services: Services) -> ASGIApp:
    """Freeze, resume, advance or set the account's clock."""
    caller = await authenticate(request, services, counted=False)
    body = await read_json_object(request, services)
    answer, now = await services.clocks.command(caller, body)
    call_of(request).now = now
    return JsonAnswer(answer)


async def account(request: Request, services: Services) -> ASGIApp:
    """Answer the account: its id, its seed and its sums in credits."""
    caller = await authenticate(request, services, counted=False)
    return JsonAnswer(await services.accounts.overview(caller))


async def ledger(request: Request, services: Services) -> ASGIApp:
    """Answer the account's ledger, oldest entry first, or newest (CRED-7)."""
    caller = await authenticate(request, services, counted=False)
    after, before = after_and_before(request)
    limit = number_of(request, "limit", 100, _MOST_ROWS)
    part = LedgerPart(limit, after, before, request.query_params.get("task_id"))
    return JsonAnswer({"data": await services.accounts.ledger(caller, part)})


async def deliveries(request: Request, services: Services) -> ASGIApp:
    """Answer the account's callback deliveries with every attempt, newest first."""
    caller = await authenticate(request, services, counted=False)
    limit = number_of(request, "limit", 100, _MOST_ROWS)
    task_id = request.query_params.get("task_id")
    return JsonAnswer({"data": await services.deliveries.list(caller, limit, task_id)})


async def list_keys(request: Request, services: Services) -> ASGIApp:
    """Answer all keys, without the keys themselves."""
    return JsonAnswer({"data": [_shown(key) for key in await services.accounts.list_keys()]})


async def create_key(request: Request, services: Services) -> ASGIApp:
    """Create a key with an account of its own; it is shown this once."""
    body = await read_json_object(request, services)
    try:
        fields: dict[str, Any] = _KEY_BODY.validate_python(body)
    except ValidationError as error:
        raise _bad_key(error) from error
    credits, models = fields.get("credits"), fields.get("models")
    new = NewKey(
        fields.get("name", "key"),
        services.settings.initial_credits if credits is None else credits,
        fields.get("budget_credits"),
        fields.get("requests_per_minute"),
        None if models is None else tuple(models),
    )
    key, record = await services.accounts.create_key(new)
    return JsonAnswer({"key": key, **_shown(record)}, 201)


async def revoke_key(request: Request, services: Services) -> ASGIApp:
    """Revoke the keys of a name."""
    name: str = request.path_params["name"]
    revoked = await services.accounts.revoke(name)
    if not revoked:
        raise Refusal("not_found", f"There is no key named {shown(name)} that is not revoked.")
    return JsonAnswer({"revoked": revoked})


def _bad_key(error: ValidationError) -> Refusal:
    first = error.errors(include_url=False)[0]
    param = str(first["loc"][0])
    accepted = (
        f"{param} must be {_KEY_FIELDS[param]}"
        if param in _KEY_FIELDS
        else "There is no such field"
    )
    sent = first["input"] if param in _KEY_FIELDS else param
    message = f"{accepted}; {shown(sent)} was sent. A key takes {', '.join(_KEY_FIELDS)}."
    return Refusal("invalid_value", message, param)


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "hint": key.hint,
        "account_id": key.account_id,
        "budget_credits": key.budget_credits,
        "budget_used": key.budget_used,
        "requests_per_minute": key.requests_per_minute,
        "models": key.models,
        "created_at": rfc3339(key.created_at),
        "revoked_at": None if key.revoked_at is None else rfc3339(key.revoked_at),
    }


def after_and_before(request: Request) -> tuple[int, int | None]:
    """Read the numbers between which rows are asked for; None: no ``before``.

    Raises:
        Refusal: both are there, or one is no number.
    """
    names = request.query_params.keys()
    if {"after", "before"} <= names:
        message = (
            "after and before were both sent; send after for the oldest rows first, before for"
            " the newest."
        )
        raise Refusal("invalid_value", message, "before")
    before = number_of(request, "before", 0, _HIGHEST_NUMBER) if "before" in names else None
    return number_of(request, "after", 0, _HIGHEST_NUMBER), before


def number_of(request: Request, name: str, default: int, most: int) -> int:
    """Read a whole number from the query."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)) or int(text) > most:
        raise Refusal.invalid_value(name, text, f"a whole number from 0 to {most:,}")
    return int(text)
