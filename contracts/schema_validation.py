"""Answers and callbacks, held against openapi.yaml."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from contracts.description import (
    USE,
    Operation,
    claims_of,
    description,
    expanded,
    find_operation,
    resolve,
)
from contracts.exchange import CALLBACK, Exchange, Response, header, media_type

_MOST_VIOLATIONS = 20
_LONGEST_MESSAGE = 300
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
_JSON = "application/json"

_formats = FormatChecker(formats=())


@dataclass(frozen=True, slots=True)
class Violation:
    """A place where an answer is not as described.

    Attributes:
        claims: those that the description of this place rests on, the most direct ones first;
            empty where it rests on none.
        message: what is wrong, in one line.
    """

    claims: tuple[str, ...]
    message: str


def violations(exchange: Exchange, strict: bool) -> list[Violation]:
    """Hold an answer, or a callback's request, against openapi.yaml.

    Args:
        exchange: what was exchanged.
        strict: False: only fields and types that the documents name; unknown fields, other ids
            and codes, and routes that the documents don't have are let through.
    """
    if exchange.direction == CALLBACK:
        found = _of_callback(exchange, strict)
    elif exchange.response is None:
        return []
    else:
        found = _of_answer(exchange, exchange.response, strict)
    return [one for one, _ in zip(found, range(_MOST_VIOLATIONS), strict=False)]


def _of_callback(exchange: Exchange, strict: bool) -> Iterator[Violation]:
    request = exchange.request
    if request.method != "POST":
        yield Violation(("CB-1",), f"a callback is a POST; it was {request.method}")
    sent = media_type(request.headers)
    if sent != _JSON:
        yield Violation(("CB-1",), f"a callback is {_JSON}; it was {sent or 'of no type'}")
    validator = _component_validator("Task", strict=strict)
    yield from _of_json(request.body, request.json, validator, ("CB-1",), "the callback")


def _of_answer(exchange: Exchange, answer: Response, strict: bool) -> Iterator[Violation]:
    request = exchange.request
    operation = find_operation(request.method, request.path)
    if operation is None:
        if strict and "/v1/" in request.path:
            yield from _of_no_route(answer)
    elif strict or operation.is_api:
        described = operation.responses.get(str(answer.status))
        if not strict and answer.status >= 400:
            yield from _of_any_error(answer)
        elif described is None:
            yield _unknown_status(operation, answer)
        else:
            yield from _of_reply(operation, described, request.method, answer, strict)


def _of_no_route(answer: Response) -> Iterator[Violation]:
    name = {404: "RouteNotFound", 405: "MethodNotAllowed"}.get(answer.status)
    if name is None:
        yield Violation(("ERR-2",), f"a path or method that is not there answered {answer.status}")
        return
    described = description()["components"]["responses"][name]
    yield from _of_headers(described, answer)
    yield from _of_body(described, answer, f"the {answer.status} of no route", strict=True)


def _unknown_status(operation: Operation, answer: Response) -> Violation:
    known = ", ".join(operation.responses)
    success = next(iter(operation.responses.values()))
    # The first claim is the one about the status; the others are about what is in the answer.
    claims = claims_of(success)[:1] if answer.status < 400 else ("ERR-2",)
    return Violation(claims, f"{operation.id} answered {answer.status}; described are {known}")


def _of_any_error(answer: Response) -> Iterator[Violation]:
    """An error in general (ERR-1), and its id (REQ-1); not what stands between us may say."""
    if media_type(answer.headers) != _JSON and (answer.status >= 500 or answer.status == 413):
        return
    if header(answer.headers, "x-request-id") is None:
        yield Violation(("REQ-1",), f"the {answer.status} has no X-Request-Id")
    validator, where = _component_validator("Error", strict=False), f"the {answer.status}"
    yield from _of_json(answer.body, answer.json, validator, ("ERR-1",), where, is_error=True)


def _of_reply(
    operation: Operation, described: Mapping[str, Any], method: str, answer: Response, strict: bool
) -> Iterator[Violation]:
    if strict:
        yield from _of_headers(described, answer)
    if method == "HEAD" or "content" not in described:
        if answer.body:
            yield Violation(claims_of(described), f"the {answer.status} has a body")
        return
    claims = claims_of(described) or operation.claims
    sent = media_type(answer.headers)
    if sent not in described["content"]:
        if not strict and answer.json is not None:
            sent = _JSON
        else:
            kinds = ", ".join(described["content"])
            yield Violation(claims, f"the {answer.status} is {sent or 'of no type'}, not {kinds}")
            return
    if sent == _JSON:
        yield from _of_body(described, answer, f"{operation.id} {answer.status}", strict)


def _of_headers(described: Mapping[str, Any], answer: Response) -> Iterator[Violation]:
    for name, reference in described.get("headers", {}).items():
        raw = resolve(reference)[1]
        value = header(answer.headers, name)
        if value is None:
            if raw.get("required"):
                yield Violation(claims_of(raw), f"the {answer.status} has no {name}")
            continue
        schema = resolve(raw["schema"])[1]
        is_number = schema["type"] == "integer"
        typed = int(value) if is_number and re.fullmatch("[0-9]{1,15}", value) else value
        for error in _validator(schema, strict=True).iter_errors(typed):
            yield Violation(claims_of(raw), _told(f"{name} of the {answer.status}", error))


def _of_body(
    described: Mapping[str, Any], answer: Response, where: str, strict: bool
) -> Iterator[Violation]:
    validator = _validator(described["content"][_JSON]["schema"], strict)
    claims, is_error = claims_of(described), answer.status >= 400
    # Of an error, the first claim is the one about its code; the body's own are found by place.
    claims = claims[:1] if is_error else claims
    yield from _of_json(answer.body, answer.json, validator, claims, where, is_error)


def _of_json(
    body: bytes,
    value: Any,
    validator: Draft202012Validator,
    claims: tuple[str, ...],
    where: str,
    is_error: bool = False,
) -> Iterator[Violation]:
    if value is None and body.strip() != b"null":
        yield Violation(("ERR-1",) if is_error else claims, f"{where} is no JSON: {body[:40]!r}")
        return
    for error in validator.iter_errors(value):
        about = _claims_in_error if is_error else _claims_at
        yield Violation(about(error, validator.schema) or claims, _told(where, error))


def _claims_in_error(error: ValidationError, schema: Any) -> tuple[str, ...]:
    """Empty for a code: it belongs to the answer that it is in."""
    place = list(error.absolute_path)
    if place == ["error", "type"]:
        return ("ERR-2",)
    return () if place == ["error", "code"] else ("ERR-1",)


def _claims_at(error: ValidationError, schema: Any) -> tuple[str, ...]:
    """The nearest claims on the way to the part of the schema that is broken."""
    claims: tuple[str, ...] = ()
    for step in error.absolute_schema_path:
        if isinstance(schema, dict):
            claims = claims_of(schema) or claims
        if step != "if":  # what follows it, "then" or "else", stands beside it
            schema = schema[step]
    if error.validator != "required":
        return claims
    required, owner = cast("list[str]", error.validator_value), cast("Any", error.schema)
    missing = next(name for name in required if error.message.startswith(repr(name)))
    field = owner.get("properties", {}).get(missing, {})
    about = field.get(USE) or claims_of(field)
    return tuple(claim for claim in about if claim in claims) or claims


def _told(where: str, error: ValidationError) -> str:
    place = error.json_path.removeprefix("$").removeprefix(".")
    message = error.message.replace("\n", " ")
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]}..."
    return f"{where}: {place}: {message}" if place else f"{where}: {message}"


@cache
def _component_validator(name: str, *, strict: bool) -> Draft202012Validator:
    return _validator(description()["components"]["schemas"][name], strict)


_validators: dict[tuple[int, bool], Draft202012Validator] = {}


def _validator(schema: Mapping[str, Any], strict: bool) -> Draft202012Validator:
    """The validator of a schema of the description, made once.

    The description is read once and stays, so that a schema's identity names it.
    """
    key = (id(schema), strict)
    if key not in _validators:
        whole = expanded(schema, strict)
        _validators[key] = Draft202012Validator(whole, format_checker=_formats)
    return _validators[key]


@_formats.checks("date-time")
def _is_date_time(value: object) -> bool:
    """RFC 3339 (TASK-5)."""
    if not isinstance(value, str):
        return True
    if _DATE_TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value[:19].replace(":60", ":59").replace("t", "T"))
    except ValueError:
        return False
    return True


@_formats.checks("uri")
def _is_uri(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc) and not re.search(r"\s", value)
