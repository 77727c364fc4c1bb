"""What several judges ask about an exchange; nothing here judges."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contracts.exchange import Exchange, Request, fields_of
from contracts.field_rules import MODEL
from contracts.model import Expectation, expectation, sent_key
from contracts.observed import TASKS, Creation
from contracts.redact import KEY_HEADERS, UNKNOWN_KEY
from contracts.view import View

FAILURE_CODES = frozenset(  # ERR-7, and TASK-11
    {"not_found", "rate_limit", "content_policy", "content_filter", "image_safety",
     "service_unavailable", "timeout"}
)  # fmt: skip
CONTENT_CODES = frozenset({"content_policy", "content_filter", "image_safety"})
NO_ROUTE = (404, 405, 501)

_REFUSED = (400, 409, 415, 422)
_LONGEST_SHOWN = 60


def is_emulator(view: View) -> bool:
    """Whether the target promised to do what is only assumed."""
    return view.facts.get("target") == "emulator"


def limits_of(view: View, sender: str) -> Mapping[str, Any]:
    """The limits that a key is known to have; none where nothing is known."""
    return fields_of(fields_of(view.facts.get("keys")).get(sender))


def is_against_policy(view: View, prompt: Any) -> bool:
    """Whether a prompt is known to break the target's content policy (ERR-6)."""
    prompts = view.facts.get("refused_prompts")
    return isinstance(prompts, list) and isinstance(prompt, str) and prompt in prompts


def keys_are_recorded(view: View) -> bool:
    """Whether a missing key was missing: some recorders leave the keys of all requests out."""
    return any(is_key(exchange) for exchange in view.sent)


def has_no_such_route(exchange: Exchange) -> bool:
    """Whether a target without the route, or one without this method, would answer so."""
    is_task = exchange.request.path.startswith(TASKS)
    return status_of(exchange) in NO_ROUTE and not is_task and not error_of(exchange)


def is_key(exchange: Exchange) -> bool:
    """Whether it was sent with a key that somebody may have been given."""
    key = sent_key(exchange.request.headers)
    return key is not None and key != UNKNOWN_KEY


def status_of(exchange: Exchange) -> int:
    """The answer's HTTP status; 0 where none came."""
    return exchange.response.status if exchange.response else 0


def answer_of(exchange: Exchange) -> Any:
    """The answer's JSON; None where it is none."""
    return exchange.response.json if exchange.response else None


def error_of(exchange: Exchange) -> Mapping[str, Any]:
    """The members of an error; none where it has another shape."""
    return fields_of(fields_of(answer_of(exchange)).get("error"))


def text_in(members: Mapping[str, Any], name: str) -> str:
    """A member that is a text; empty where it is none."""
    value = members.get(name)
    return value if isinstance(value, str) else ""


def is_of_a_proxy(exchange: Exchange) -> bool:
    """Whether something before the API may have answered, as it does when that is down."""
    status = status_of(exchange)
    return (status >= 500 or status in (413, 414, 429, 431)) and answer_of(exchange) is None


def call_of(exchange: Exchange) -> str:
    """Method and path, for messages."""
    return f"{exchange.request.method} {exchange.request.path}"


def outcome_of(exchange: Exchange) -> str:
    """What was answered, for messages."""
    error = error_of(exchange)
    told = [text_in(error, name) for name in ("code", "message")]
    words = ": ".join(shown(word) if index else word for index, word in enumerate(told) if word)
    return f"{status_of(exchange)} ({words})" if words else str(status_of(exchange))


def shown(value: Any) -> str:
    """A value in one short line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def fields_sent(request: Request) -> Mapping[str, Any]:
    """The fields of a JSON body; none where it is no JSON object."""
    return fields_of(request.json)


def request_shown(exchange: Exchange) -> str:
    """What a creation asks for besides its model and its prompt, for messages."""
    usual = {"model": MODEL}
    parts = []
    for name, value in fields_sent(exchange.request).items():
        if name == "prompt" and isinstance(value, str) and value:
            if len(value) > _LONGEST_SHOWN:
                parts.append(f"a prompt of {len(value):,} characters")
        elif usual.get(name) != value:
            parts.append(f"{name} {shown(json.dumps(value, ensure_ascii=False))}")
    return ", ".join(parts) or "nothing but model and prompt"


def altered(request: Request, **fields: Any) -> Request | None:
    """The same request with other fields; None where its body is no JSON object."""
    if not isinstance(request.json, dict):
        return None
    return replace(request, body=json.dumps({**request.json, **fields}).encode())


def with_key(request: Request) -> Request:
    """The same request with a key that may be good."""
    headers = tuple((n, v) for n, v in request.headers if n.lower() not in KEY_HEADERS)
    return replace(request, headers=(*headers, ("Authorization", "Bearer sk-x")))


def expected_with(request: Request, **fields: Any) -> Expectation | None:
    """What the documents would say about the same request with other fields."""
    changed = altered(request, **fields)
    return None if changed is None else expectation(changed)


def was_taken(view: View, creation: Creation) -> bool | None:
    """Whether a creation passed validation; None where its answer does not tell.

    An emulator looks at credits last (ERR-9), so there a 402 tells that the rest was in order.
    """
    if creation.accepted:
        return True
    if creation.status == 402 and is_emulator(view):
        return True
    if creation.status not in _REFUSED:
        return None
    error = error_of(creation.exchange)
    if {text_in(error, "code"), text_in(error, "type")} & FAILURE_CODES:
        return None  # the request was right, its content was not
    return False


def json_creations(view: View) -> Iterator[Creation]:
    """Creations with and without waiting, edits left out, that a known key was sent with."""
    for creation in view.creations:
        is_edit = creation.exchange.request.path.endswith("/edits")
        if not is_edit and creation.exchange.response is not None and is_key(creation.exchange):
            yield creation
