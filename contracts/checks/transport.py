"""Keys, prefixes and request ids."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from contracts.checks.evidence import (
    NO_ROUTE,
    answer_of,
    call_of,
    error_of,
    is_emulator,
    is_key,
    is_of_a_proxy,
    keys_are_recorded,
    outcome_of,
    status_of,
    with_key,
)
from contracts.exchange import Exchange, fields_of, header, split_url
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.model import NO_SUCH_TASK, expectation, sent_key
from contracts.observed import BALANCE, CREATIONS, MODELS, TASKS, UPLOAD
from contracts.view import View

_BEARER, _X_API_KEY = "authorization", "x-api-key"
_BODY_FAULTS = (400, 409, 413, 415, 422)
_SHORTEST_KEY = 5


def _route(exchange: Exchange) -> str | None:
    """The route of a documented call; None for any other."""
    method, path = exchange.request.method, exchange.request.path
    if method == "POST" and path in (*CREATIONS, UPLOAD):
        return path
    if method == "GET" and path in (BALANCE, MODELS):
        return path
    is_task = method == "GET" and path.startswith(TASKS)
    return TASKS if is_task and "/" not in path.removeprefix(TASKS) else None


@judges("AUTH-1")
def no_usable_key_is_401(view: View) -> Iterator[Finding]:
    """Calls without a usable key are answered 401 (AUTH-1)."""
    recorded = keys_are_recorded(view)
    for exchange in view.api:
        route, status = _route(exchange), status_of(exchange)
        if route is None or is_key(exchange) or status in (*NO_ROUTE[1:], 429) or status >= 500:
            continue
        key = sent_key(exchange.request.headers)
        if route == MODELS and (key is None or not is_emulator(view)):
            continue  # MOD-1: this one works without a key
        if status in _BODY_FAULTS and _has_another_fault(exchange):
            continue  # ERR-9: which of two faults comes first is assumed
        if status == 401:
            yield holds("AUTH-1", exchange)
        elif recorded:
            what = "without a key" if key is None else "with a key that nobody has"
            message = f"{call_of(exchange)} {what} was answered {outcome_of(exchange)}, not 401"
            yield breaks("AUTH-1", message, exchange)


def _has_another_fault(exchange: Exchange) -> bool:
    expected = expectation(with_key(exchange.request))
    return expected is not None and expected.kind != "accept"


@judges("AUTH-2")
def x_api_key_works(view: View) -> Iterator[Finding]:
    """A key that works as a Bearer token works in ``x-api-key`` alone (AUTH-2)."""
    as_bearer: defaultdict[str, set[tuple[str | None, int]]] = defaultdict(set)
    for exchange in view.api:
        if header(exchange.request.headers, _BEARER) and is_key(exchange):
            as_bearer[exchange.sender].add((_route(exchange), status_of(exchange)))
    for exchange in view.api:
        headers, status = exchange.request.headers, status_of(exchange)
        if header(headers, _BEARER) or not header(headers, _X_API_KEY) or not is_key(exchange):
            continue
        known = as_bearer[exchange.sender]
        statuses = {seen for _, seen in known}
        if 401 in statuses or not statuses & {200, 202} or status == 429 or status >= 500:
            continue
        works_elsewhere = {(_route(exchange), 200), (_route(exchange), 202)} & known
        if status == 403 and not works_elsewhere:
            continue
        message = (
            f"{call_of(exchange)} with x-api-key was answered {outcome_of(exchange)}; as a Bearer"
            " token the same key works"
        )
        yield judged("AUTH-2", status not in (401, 403), message, exchange)


@judges("AUTH-3")
def key_is_never_repeated(view: View) -> Iterator[Finding]:
    """No answer and no callback contains a key that was sent; one finding a key (AUTH-3)."""
    first_use: dict[str, Exchange] = {}
    for exchange in view.answered:
        key = sent_key(exchange.request.headers)
        if key is not None and is_key(exchange) and len(key) >= _SHORTEST_KEY:
            first_use.setdefault(key, exchange)
    for key, used in first_use.items():
        word = re.compile(rf"(?<![\w-]){re.escape(key)}(?![\w-])".encode())
        if any(word.search(exchange.request.body) for exchange in view.sent):
            continue  # a text of the caller's that may come back
        told = next((one for one in view.trace if word.search(_received(one))), None)
        if told is None:
            yield holds("AUTH-3", used)
        else:
            where = f"the answer to {call_of(told)}" if told.direction == "sent" else "a callback"
            yield breaks("AUTH-3", f"{where} contains the API key of {used.sender}", told)


def _received(exchange: Exchange) -> bytes:
    """All that the target sent in an exchange."""
    if exchange.direction != "sent":
        return _flat(exchange.request.headers) + exchange.request.body
    response = exchange.response
    return b"" if response is None else _flat(response.headers) + response.body


def _flat(headers: Iterable[tuple[str, str]]) -> bytes:
    return "\n".join(f"{name}: {value}" for name, value in headers).encode() + b"\n"


@judges("BASE-1")
def same_api_under_both_prefixes(view: View) -> Iterator[Finding]:
    """Routes and reads are the same under ``/v1`` and ``/api/v1`` (BASE-1)."""
    yield from _same_routes(view)
    yield from _same_reads(view)


def _is_prefixed(view: View, exchange: Exchange) -> bool:
    base = split_url(view.trace.base_url).path.rstrip("/")
    return split_url(exchange.request.url).path.removeprefix(base).startswith("/api/v1/")


def _same_routes(view: View) -> Iterator[Finding]:
    """Hold the routes that were called under both prefixes against each other."""
    called: defaultdict[str, dict[bool, list[Exchange]]] = defaultdict(
        lambda: {False: [], True: []}
    )
    own = {(life.task_id, life.creation.exchange.sender) for life in view.lives.values()
           if life.creation is not None}  # fmt: skip
    for exchange in view.api:
        route, status = _route(exchange), status_of(exchange)
        task_id = exchange.request.path.removeprefix(TASKS)
        if route is None or status == 429 or (status >= 500 and status not in NO_ROUTE):
            continue
        if route == TASKS and (task_id, exchange.sender) not in own:
            continue  # a 404 of somebody else's task tells nothing of the route
        if error_of(exchange).get("param") != "model":
            called[route][_is_prefixed(view, exchange)].append(exchange)
    for route, by_prefix in called.items():
        if not by_prefix[False] or not by_prefix[True]:
            continue
        there = [_answering(by_prefix[prefixed]) for prefixed in (False, True)]
        if there[0] and there[1]:
            yield holds("BASE-1", there[0], there[1])
        elif there[0] or there[1]:
            present, absent = ("/v1", "/api/v1") if there[0] else ("/api/v1", "/v1")
            missing = by_prefix[there[1] is None][0]
            name = route.removeprefix("/v1")
            message = f"{present}{name} answers, {absent}{name} does not: {outcome_of(missing)}"
            yield breaks("BASE-1", message, missing, *filter(None, there))


def _answering(exchanges: list[Exchange]) -> Exchange | None:
    return next((one for one in exchanges if status_of(one) not in NO_ROUTE), None)


def _same_reads(view: View) -> Iterator[Finding]:
    """Hold each read under ``/api/v1`` against the nearest same one under ``/v1``."""
    plain: defaultdict[tuple[str, str, str], list[Exchange]] = defaultdict(list)
    prefixed = []
    for exchange in view.api:
        status = status_of(exchange)
        if exchange.request.method != "GET" or status == 429 or status >= 500:
            continue
        if _is_prefixed(view, exchange):
            prefixed.append(exchange)
        else:
            plain[_read_key(exchange)].append(exchange)
    for exchange in prefixed:
        number, others = exchange.number, plain[_read_key(exchange)]
        if others and exchange.request.path != TASKS + NO_SUCH_TASK:
            other = min(others, key=lambda one: abs(one.number - number))
            yield judged("BASE-1", *_compared(other, exchange), other, exchange)


def _read_key(exchange: Exchange) -> tuple[str, str, str]:
    request = exchange.request
    return request.path, split_url(request.url).query, exchange.sender


def _compared(plain: Exchange, prefixed: Exchange) -> tuple[bool, str]:
    """Whether two answers are of the same kind, and how they differ."""
    path = plain.request.path
    statuses = status_of(plain), status_of(prefixed)
    if statuses[0] != statuses[1]:
        return False, f"{path} is answered {statuses[0]}, /api{path} {statuses[1]}"
    bodies = fields_of(answer_of(plain)), fields_of(answer_of(prefixed))
    if bodies[0].get("status") != bodies[1].get("status"):
        return True, ""  # the task went on meanwhile
    members = [", ".join(sorted(body)) for body in bodies]
    message = f"{path} has the members {members[0]}; /api{path} has {members[1]}"
    same_task = bodies[0].get("task_id") == bodies[1].get("task_id")
    return members[0] == members[1] and same_task, message


@judges("REQ-1")
def request_id_on_every_answer(view: View) -> Iterator[Finding]:
    """Each answer below ``/v1`` has an ``X-Request-Id``, each POST one of its own (REQ-1)."""
    seen: dict[str, Exchange] = {}
    for exchange in view.api:
        answer, status = exchange.response, status_of(exchange)
        request_id = header(answer.headers, "x-request-id") if answer else None
        if status < 400:
            reading = "A" if request_id else "not on every answer"
            message = f"the {status} of {call_of(exchange)} has no X-Request-Id"
            yield reads("REQ-1", reading, "" if request_id else message, exchange)
        elif request_id or not is_of_a_proxy(exchange):
            message = f"the error {outcome_of(exchange)} of {call_of(exchange)} has no X-Request-Id"
            yield judged("REQ-1", bool(request_id), message, exchange)
        if request_id and exchange.request.method == "POST":
            brought = header(exchange.request.headers, "x-request-id") == request_id
            first = seen.setdefault(request_id, exchange)
            if first is not exchange and not brought:
                message = f"two answers have the same X-Request-Id, {request_id}"
                yield breaks("REQ-1", message, first, exchange)


@judges("REQ-2")
def creation_repeats_request_id(view: View) -> Iterator[Finding]:
    """``request_id`` of a creation's answer is its ``X-Request-Id`` (REQ-2)."""
    for creation in view.creations:
        answer = creation.exchange.response
        if answer is None or answer.status != 202:
            continue
        sent, told = header(answer.headers, "x-request-id"), creation.answer.get("request_id")
        if sent is not None or not isinstance(told, str):
            message = f"request_id is {told!r}, X-Request-Id {sent!r}"
            yield judged("REQ-2", sent == told, message, creation.exchange)
