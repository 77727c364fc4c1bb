"""Tasks that are not there, or not one's own (TASK-10)."""

import re
from collections.abc import Iterator

from contracts.checks.evidence import (
    error_of,
    is_emulator,
    is_key,
    outcome_of,
    shown,
    status_of,
    text_in,
)
from contracts.exchange import Exchange
from contracts.findings import Finding, judged, judges, reads, unsupported
from contracts.model import expectation
from contracts.observed import TASKS
from contracts.view import View

_UNJUDGED = (0, 401, 429)
_MALFORMED = (400, 403, 405, 422)  # what may meet an id that does not look like one


def _asked(exchange: Exchange) -> str:
    return exchange.request.path.removeprefix(TASKS)


def _says_something(exchange: Exchange) -> bool:
    """Whether an answer is about the task, not about the key or an outage."""
    return status_of(exchange) not in _UNJUDGED and status_of(exchange) < 500


def _words(exchange: Exchange) -> tuple[object, ...]:
    """What an error says, without the id that was asked for."""
    error = error_of(exchange)
    message = text_in(error, "message").replace(_asked(exchange), "ID")
    return (error.get("type"), error.get("code"), error.get("param"), message)


def _unknown(view: View) -> Iterator[Exchange]:
    """Reads of ids that no task has, by the id alone or because no trace of a task was seen."""
    for exchange in view.task_reads:
        expected = expectation(exchange.request)
        cannot_be = expected is not None and "TASK-10" in expected.claims
        never_seen = _asked(exchange) not in view.lives and status_of(exchange) == 404
        if is_key(exchange) and (cannot_be or never_seen):
            yield exchange


@judges("TASK-10")
def unknown_task_is_404(view: View) -> Iterator[Finding]:
    """A read of an id that no task has is a 404 with the error body (TASK-10)."""
    for exchange in _unknown(view):
        status, asked = status_of(exchange), _asked(exchange)
        looks_like_one = re.fullmatch(r"task_\w+", asked) is not None
        is_open = not looks_like_one and status in _MALFORMED and not is_emulator(view)
        if not _says_something(exchange) or is_open:
            continue
        message = f"{shown(asked)} is no task, and reading it is answered {outcome_of(exchange)}"
        if status == 404 and not error_of(exchange):
            yield unsupported("TASK-10", f"{message}, without the error body", exchange)
        else:
            yield judged("TASK-10", status == 404, message, exchange)


@judges("TASK-10")
def foreign_task_looks_unknown(view: View) -> Iterator[Finding]:
    """Another account's task reads like one that does not exist (TASK-10)."""
    unknown = next((one for one in _unknown(view) if status_of(one) == 404), None)
    stranger = view.facts.get("stranger")
    for exchange in view.task_reads:
        life = view.lives.get(_asked(exchange))
        made = life.creation.exchange if life is not None and life.creation else None
        if exchange.sender != stranger or made is None or made.sender == stranger:
            continue
        if not _says_something(exchange):
            continue
        if status_of(exchange) != 404:
            reading = f"{status_of(exchange)} for a stranger"
        elif unknown is None:
            continue
        else:
            same = _words(unknown) == _words(exchange)
            reading = "A" if same else "a 404 in other words than for an unknown task"
        message = f"another account's {_asked(exchange)} is answered {outcome_of(exchange)}"
        more = () if unknown is None else (unknown,)
        yield reads("TASK-10", reading, message, made, exchange, *more)
