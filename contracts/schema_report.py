"""Schemathesis' events -> failures with their claims."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.description import find_operation
from contracts.exchange import Exchange, Headers, Request, Response
from contracts.model import expectation
from contracts.schema_validation import Violation, violations

# Checks of Schemathesis that no part of openapi.yaml is behind.
_CLAIMS_OF_CHECKS: dict[str, tuple[str, ...]] = {
    "not_a_server_error": ("ERR-2",),
    "ignored_auth": ("AUTH-1",),
    "missing_required_header": ("AUTH-1",),
}
_LONGEST_MESSAGE = 500
_FILTERED = "[Filtered]"


@dataclass(frozen=True)
class SchemaFailure:
    """An answer that a check does not let pass.

    Attributes:
        operation_id: of openapi.yaml; method and path where it has none.
        claims: those that the check is about.
        check: its name in Schemathesis.
        message: what is wrong, in one line.
        exchange: what was sent and answered, its key replaced; None where nothing was recorded.
    """

    operation_id: str
    claims: tuple[str, ...]
    check: str
    message: str
    exchange: Exchange | None


def read_failures(lines: Iterable[str]) -> Iterator[SchemaFailure]:
    """Read the failures of an NDJSON report, each operation's once for each check and claim.

    Args:
        lines: of the report.
    """
    seen = set()
    for line in lines:
        scenario = json.loads(line).get("ScenarioFinished")
        if scenario is None or scenario["status"] != "failure":
            continue
        for failure in _failures_of(scenario["recorder"]):
            key = (failure.operation_id, failure.check, failure.claims)
            if key not in seen:
                seen.add(key)
                yield failure


def _failures_of(recorder: Mapping[str, Any]) -> Iterator[SchemaFailure]:
    for case_id, checks in recorder.get("checks", {}).items():
        for check in checks:
            if check["status"] != "failure":
                continue
            interaction = recorder.get("interactions", {}).get(case_id)
            exchange = _exchange(interaction) if interaction else None
            yield _failure(recorder["label"], check, exchange)


def _failure(label: str, check: Mapping[str, Any], exchange: Exchange | None) -> SchemaFailure:
    name, told = check["name"], check["failure_info"]["failure"]
    message = (
        told["message"] if name == "documented_outcome" else f"{told['title']}: {told['message']}"
    )
    operation_id, claims = label, _CLAIMS_OF_CHECKS.get(name, ())
    operation = exchange and find_operation(exchange.request.method, exchange.request.path)
    if exchange and operation:
        operation_id = operation.id
        found = [] if claims else list(_faults(name, exchange))
        # Schemathesis shows the whole schema; what is wrong is told in fewer words.
        message = "; ".join([fault.message for fault in found if fault.message]) or message
        named = tuple(dict.fromkeys(claim for fault in found for claim in fault.claims))
        claims = claims or named or operation.claims
    message = " ".join(message.split())[:_LONGEST_MESSAGE]
    return SchemaFailure(operation_id, claims, name, message, exchange)


def _faults(check: str, exchange: Exchange) -> list[Violation]:
    """What the kit itself finds wrong in an answer."""
    if check != "documented_outcome":
        return violations(exchange, strict=True)
    expected = expectation(exchange.request)
    return [Violation(expected.claims, "")] if expected else []


def _exchange(interaction: Mapping[str, Any]) -> Exchange:
    sent, answer = interaction["request"], interaction.get("response")
    request = Request(sent["method"], sent["uri"], _headers(sent), _bytes(sent.get("body")))
    response = None
    if answer is not None:
        response = Response(answer["status_code"], _headers(answer), _bytes(answer["content"]))
    return Exchange(
        number=0,
        sent_at=interaction["timestamp"],
        seconds=answer["elapsed"] if answer else 0.0,
        request=request,
        response=response,
        failure=None if answer else "no answer came",
        sender="key-1",
        purpose="schema phase",
    )


def _headers(message: Mapping[str, Any]) -> Headers:
    """Headers, with a label for the key that Schemathesis left out."""
    return tuple(
        (name, "Bearer key-1" if value == _FILTERED and name == "Authorization" else value)
        for name, values in message["headers"].items()
        for value in values
    )


def _bytes(body: Mapping[str, str] | str | None) -> bytes:
    if isinstance(body, Mapping):
        return base64.b64decode(body["$base64"])
    return (body or "").encode()
