"""Answers and callbacks, held against the description of the API."""

from collections.abc import Iterator

from contracts.checks.evidence import call_of, has_no_such_route, is_emulator, status_of
from contracts.exchange import Exchange
from contracts.findings import Finding, breaks, judges
from contracts.schema_validation import violations
from contracts.view import View

# The claims that the description names at some part of an answer.
_CLAIMS = (
    "AUTH-1", "AUTH-3", "REQ-1", "ERR-1", "ERR-2", "ERR-3", "ERR-5", "ERR-7",
    "GEN-1", "GEN-6", "GEN-13", "GEN-14",
    "TASK-1", "TASK-2", "TASK-3", "TASK-5", "TASK-6", "TASK-7", "TASK-8", "TASK-9", "TASK-10",
    "MEDIA-1", "MEDIA-2", "SYNC-1", "EDIT-1", "UPL-1", "CB-1",
    "CRED-1", "CRED-2", "CRED-6", "CRED-8", "MOD-1", "MOD-2", "DOC-1",
)  # fmt: skip


@judges(*_CLAIMS)
def answers_are_as_described(view: View) -> Iterator[Finding]:
    """Each answer and callback has the form that openapi.yaml gives it; says what breaks only.

    Away from an emulator that is what documents name: their fields and the types of these.
    """
    strict = is_emulator(view)
    for exchange in view.trace:
        if not strict and _says_nothing(exchange):
            continue
        for violation in violations(exchange, strict=strict):
            claim = next((claim for claim in violation.claims if claim in _CLAIMS), None)
            if claim is not None:
                message = f"{call_of(exchange)}: {violation.message}"
                yield breaks(claim, message, exchange)


def _says_nothing(exchange: Exchange) -> bool:
    """Whether it may come from something before the API, or from no route at all."""
    return 300 <= status_of(exchange) < 400 or has_no_such_route(exchange)
