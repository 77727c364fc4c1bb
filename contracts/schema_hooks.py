"""What Schemathesis is taught; it loads this module in a process of its own.

A schema can't say which combinations of fields are valid, so the checks that Schemathesis has for
accepted and refused data would raise false alarms. This check asks the kit's own model.
"""

from typing import Any, cast

import schemathesis

from contracts.exchange import Request, fields_of, parsed_json
from contracts.model import expectation

_ABOUT_THE_ACCOUNT = frozenset({402, 403, 429})


@schemathesis.check
def documented_outcome(
    _context: schemathesis.CheckContext,
    answer: schemathesis.Response,
    _case: "schemathesis.Case[Any]",
) -> None:
    """Fail where a request was accepted or refused against what the documents say."""
    sent = answer.request
    body = cast("str | bytes | None", sent.body) or b""
    content = body.encode() if isinstance(body, str) else body
    headers = tuple((str(name), str(value)) for name, value in sent.headers.items())
    request = Request(sent.method or "", sent.url or "", headers, content)
    problem = contradiction(request, answer.status_code, answer.content)
    if problem:
        raise AssertionError(problem)


def contradiction(request: Request, status: int, body: bytes) -> str | None:
    """Say how an answer's status contradicts the documents; None where it does not.

    Args:
        request: what was sent.
        status: of the answer.
        body: of the answer.
    """
    expected = expectation(request)
    if expected is None or expected.kind == "open" or status in _ABOUT_THE_ACCOUNT or status >= 500:
        return None
    error = fields_of(fields_of(parsed_json(body)).get("error"))
    if expected.kind == "accept":
        param = str(error.get("param")).partition("[")[0]
        if status < 400 or param in expected.unless or error.get("code") == "content_policy":
            return None
        return f"a valid request was refused with {status} ({', '.join(expected.claims)})"
    if status in expected.statuses or expected.claims == ("GEN-4",):  # a profile may map sizes
        return None
    accepted = " or ".join(map(str, sorted(expected.statuses)))
    reason = f"{expected.why} ({', '.join(expected.claims)})"
    return f"{status} where {accepted} was due: {reason}"
