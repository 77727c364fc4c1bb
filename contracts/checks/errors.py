"""What refusals look like: shape, words, status."""

import re
from collections.abc import Iterator

from contracts.checks.evidence import (
    CONTENT_CODES,
    FAILURE_CODES,
    answer_of,
    call_of,
    error_of,
    fields_sent,
    has_no_such_route,
    is_against_policy,
    is_emulator,
    is_key,
    is_of_a_proxy,
    outcome_of,
    shown,
    status_of,
    text_in,
    was_taken,
)
from contracts.exchange import Exchange, fields_of, media_type
from contracts.field_rules import SIZE_FIELDS, TIER_FIELDS
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.frames import RATIOS, TIERS
from contracts.observed import BALANCE, EDITS, GENERATIONS, MODELS, SYNC, TASKS, Creation
from contracts.sent import endpoint_of
from contracts.view import View

_TYPE_BY_STATUS = {  # ERR-2, the reference pages
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_SERVER_ERROR = "api_error"
_OPENAPI_TYPES = frozenset(  # ERR-2, the OpenAPI document
    {"invalid_request", "auth_error", "rate_limit", "insufficient_quota", "content_policy",
     "timeout", "network_error", "service_error", "billable_error", "unknown"}
)  # fmt: skip
_READ_PATHS = (BALANCE, MODELS)
_STATUS_BY_FAILURE = {  # ERR-7
    "not_found": 502,
    "service_unavailable": 503,
    "rate_limit": 429,
    "timeout": 504,
    **dict.fromkeys(CONTENT_CODES, 400),
}
_JSON = "application/json"
_START_BYTES = 60
_LIMITS = ("16", "3840", "3,840", "3:1", "655360", "655,360", "8294400", "8,294,400")  # GEN-4
_OTHER_STATUSES = frozenset({409, 422, 500})
# Nobody documents that these are refused with 400, or for unreadable files that they are refused.
_ASSUMED_REFUSALS = frozenset({"GEN-4", "GEN-16", "MOD-2", "EDIT-2", "UPL-1"})
_ACCEPTED_WORDS: dict[str, tuple[str, ...]] = {  # ERR-8
    **dict.fromkeys(SIZE_FIELDS, ("auto", *RATIOS)),
    **dict.fromkeys(TIER_FIELDS, TIERS),
    "quality": ("low", "medium", "high"),
    "n": ("1", "10"),
}


def _is_documented(exchange: Exchange) -> bool:
    method, path = exchange.request.method, exchange.request.path
    if endpoint_of(exchange.request) is not None:
        return True
    return method == "GET" and (path in _READ_PATHS or path.startswith(TASKS))


@judges("ERR-1")
def documented_shape(view: View) -> Iterator[Finding]:
    """Each error is ``{"error": {message, type, code, param}}`` in JSON (ERR-1)."""
    for exchange in view.errors:
        if exchange.request.method == "HEAD" or is_of_a_proxy(exchange):
            continue
        is_route = _is_documented(exchange) and not has_no_such_route(exchange)
        if not is_route and not is_emulator(view):
            continue  # nobody documents what an unknown route answers
        problem = _shape_problem(exchange)
        message = f"the {status_of(exchange)} of {call_of(exchange)}: {problem}"
        yield judged("ERR-1", problem is None, message, exchange)


def _shape_problem(exchange: Exchange) -> str | None:
    """Say what is wrong with an error's body; None where nothing is."""
    response = exchange.response
    body = answer_of(exchange)
    if not isinstance(body, dict) or response is None:
        start = response.body[:_START_BYTES].decode("utf-8", "replace") if response else ""
        return f"the body is no JSON object: {shown(start)!r}"
    if media_type(response.headers) != _JSON:
        return f"its type is {media_type(response.headers) or 'missing'}, not {_JSON}"
    error = body.get("error")
    if not isinstance(error, dict):
        return f"error is {shown(error)}, no object; the body has {', '.join(body) or 'nothing'}"
    for name in ("message", "type"):
        if not text_in(error, name).strip():
            return f"error.{name} is {shown(error.get(name))}, no text"
    for name in ("code", "param"):
        if name not in error:
            return f"error has no {name}; it may be null, but is there"
        if error[name] is not None and not isinstance(error[name], str):
            return f"error.{name} is {shown(error[name])}, neither a text nor null"
    return None


@judges("ERR-2", "AUTH-1")
def type_by_status(view: View) -> Iterator[Finding]:
    """``error.type`` is the word for the status in one of two vocabularies (ERR-2, AUTH-1)."""
    for exchange in view.errors:
        status, word = status_of(exchange), text_in(error_of(exchange), "type")
        expected = _SERVER_ERROR if status >= 500 else _TYPE_BY_STATUS.get(status)
        if expected is None or not word:
            continue
        seen = f"the type of a {status} is {word}"
        if status == 401:
            letters = {"authentication_error": "A", "auth_error": "B"}
            yield reads("AUTH-1", letters.get(word, word), seen, exchange)
        if word == expected and word in _OPENAPI_TYPES:
            yield holds("ERR-2", exchange)
        elif word == expected:
            yield reads("ERR-2", "A", seen, exchange)
        elif word in _OPENAPI_TYPES and word != "insufficient_quota":
            yield reads("ERR-2", "B", seen, exchange)
        else:
            yield breaks("ERR-2", f"{seen}; it should be {expected}", exchange)


@judges("ERR-6")
def content_policy_is_refused_before_creation(view: View) -> Iterator[Finding]:
    """A refusal for its content is a 400 that made no task and calls nobody back (ERR-6)."""
    for creation in view.creations:
        error, status = error_of(creation.exchange), creation.status
        prompt = fields_sent(creation.exchange.request).get("prompt")
        if is_against_policy(view, prompt) and was_taken(view, creation):
            message = f"a prompt against the content policy was answered {status}, not 400"
            yield breaks("ERR-6", message, creation.exchange)
        if "content_policy" not in (error.get("code"), error.get("type")):
            continue
        task_id, called = creation.answer.get("task_id"), _callback_of(view, creation)
        if status != 400:
            message = f"a refusal for content_policy is a {status}, not a 400"
            yield breaks("ERR-6", message, creation.exchange)
        elif task_id is not None or called is not None:
            told = f"names the task {task_id}" if called is None else "was called back"
            exchanges = [creation.exchange, called] if called else [creation.exchange]
            yield breaks("ERR-6", f"a refusal for content_policy {told}", *exchanges)
        else:
            yield holds("ERR-6", creation.exchange)


def _callback_of(view: View, creation: Creation) -> Exchange | None:
    """What called back about a refused creation; a URL that serves several tells nothing."""
    url = creation.wish.callback_url if creation.wish else None
    if url is None or creation.exchange.request.path != GENERATIONS:
        return None  # a call that waits can fail with the same code, after its task was made
    users = [one for one in view.creations if one.wish and one.wish.callback_url == url]
    found = (one for one in view.callbacks if one.request.url == url)
    return next(found, None) if len(users) == 1 else None


@judges("ERR-7")
def failure_codes_are_known(view: View) -> Iterator[Finding]:
    """The code of each failed task is one of the documented ones, or null (ERR-7)."""
    for life in view.lives.values():
        if life.failure is None:
            continue
        code = fields_of(life.failure.task.get("error")).get("code")
        if code is None or isinstance(code, str):
            message = f"{life.task_id} failed with the code {code}, which no document has"
            known = code is None or code in FAILURE_CODES
            yield judged("ERR-7", known, message, life.failure.exchange)


@judges("ERR-7")
def failed_wait_has_its_status(view: View) -> Iterator[Finding]:
    """Errors of calls that waited have the status of their code (ERR-7)."""
    for creation in view.creations:
        error = error_of(creation.exchange)
        code, status = text_in(error, "code"), creation.status
        if creation.exchange.request.path not in (SYNC, EDITS) or code not in FAILURE_CODES:
            continue
        seen = f"a call that waited answered {status} for {code}"
        if status == 502 and error.get("param") is not None:
            message = (
                f"{seen} and blames {shown(error['param'])}; a 502 says nothing of the request"
            )
            yield breaks("ERR-7", message, creation.exchange)
        elif status == 504 and code != "timeout":
            yield breaks("ERR-7", f"{seen}; a 504 is a timeout", creation.exchange)
        else:
            expected = _STATUS_BY_FAILURE[code]
            reading = "A" if status == expected else f"{status} for {code}"
            yield reads("ERR-7", reading, f"{seen}; {expected} is assumed", creation.exchange)


@judges("ERR-8")
def bad_request_is_400(view: View) -> Iterator[Finding]:
    """A body that must be refused is refused with 400, 404 for an unknown model (ERR-8)."""
    wrong = _OTHER_STATUSES | ({415} if is_emulator(view) else set())
    for creation in (*view.creations, *view.uploads):
        expected, status = creation.expected, creation.status
        if expected is None or expected.kind != "reject" or not is_key(creation.exchange):
            continue
        if _ASSUMED_REFUSALS.issuperset(expected.claims) and not is_emulator(view):
            continue
        if status in expected.statuses:
            yield holds("ERR-8", creation.exchange)
        elif status in wrong:
            message = f"{expected.why}: answered {outcome_of(creation.exchange)}, not 400"
            yield breaks("ERR-8", message, creation.exchange)


@judges("ERR-8")
def message_names_accepted_values(view: View) -> Iterator[Finding]:
    """The 400 for a value of a short list or a range names what is accepted (ERR-8)."""
    for creation in view.creations:
        expected = creation.expected
        if expected is None or expected.kind != "reject" or creation.status != 400:
            continue
        words = _ACCEPTED_WORDS.get(expected.param or "")
        if words is None:
            continue
        message = text_in(error_of(creation.exchange), "message")
        outside = expected.claims == ("GEN-4",)
        named = _named(_LIMITS if outside else words, message)
        enough = 1 if outside else 2
        why = f"{expected.why}: the message names no accepted values: {shown(message)!r}"
        yield judged("ERR-8", len(named) >= enough, why, creation.exchange)


def _named(words: tuple[str, ...], message: str) -> list[str]:
    """The words that stand for themselves in a message."""
    return [
        word for word in words if re.search(rf"(?<![\w:,.]){re.escape(word)}(?![\w:]|,\d)", message)
    ]


@judges("ERR-8")
def param_names_the_field(view: View) -> Iterator[Finding]:
    """``param`` of the 400 for one wrong field names this field (ERR-8)."""
    for creation in (*view.creations, *view.uploads):
        expected, error = creation.expected, error_of(creation.exchange)
        if expected is None or expected.kind != "reject" or creation.status != 400:
            continue
        if expected.param is None or "param" not in error or not is_key(creation.exchange):
            continue
        param = error["param"]
        if param is None and not is_emulator(view):
            continue  # ERR-1: it may be null
        field = expected.param.partition("[")[0]
        named = re.split(r"[^\w-]+", param) if isinstance(param, str) else []
        others = fields_sent(creation.exchange.request).keys() - {field}
        if expected.claims == ("MOD-2",) and others & set(named):
            continue  # nobody knows what an unknown model takes, so it may be wrong as well
        message = f"{expected.why}: param is {shown(param)}, not {expected.param}"
        yield judged("ERR-8", field in named, message, creation.exchange)
