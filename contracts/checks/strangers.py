"""Tasks that are not there, or not one's own (TASK-10)."""

from collections.abc import Iterator

from contracts.exchange import Exchange, fields_of
from contracts.findings import Finding, judged, judges, reads
from contracts.observed import TASKS, is_foreign
from contracts.view import View

_UNJUDGED = (0, 401, 403, 429)


def _status(exchange: Exchange) -> int:
    return exchange.response.status if exchange.response is not None else 0


def _asked(exchange: Exchange) -> str:
    return exchange.request.path.removeprefix(TASKS)


def _shape(exchange: Exchange) -> tuple[object, ...]:
    """What an error says, without the id that was asked for."""
    response = exchange.response
    error = fields_of(fields_of(response.json if response else None).get("error"))
    message = str(error.get("message")).replace(_asked(exchange), "ID")
    return (_status(exchange), error.get("type"), error.get("code"), error.get("param"), message)


def _unknown(view: View) -> Iterator[Exchange]:
    """Reads of ids that nobody in the trace was given, and that nobody could read."""
    known = {life.task_id for life in view.lives.values() if life.creation or life.callbacks}
    shown = {_asked(exchange) for exchange in view.task_reads if _status(exchange) == 200}
    for exchange in view.task_reads:
        asked = _asked(exchange)
        given = asked in known or (asked in shown and asked.startswith("task_"))
        if exchange.sender.startswith("key-") and not given:
            yield exchange


@judges("TASK-10")
def unknown_task_is_404(view: View) -> Iterator[Finding]:
    """A read of an id that nobody was given is a 404 (TASK-10)."""
    for exchange in _unknown(view):
        status = _status(exchange)
        if status not in _UNJUDGED and status < 500:
            message = f"{_asked(exchange)!r} is no task, and reading it answers {status}"
            yield judged("TASK-10", status == 404, message, exchange)


@judges("TASK-10")
def foreign_task_looks_unknown(view: View) -> Iterator[Finding]:
    """Another account's task reads like one that does not exist (TASK-10)."""
    unknown = next((e for e in _unknown(view) if _status(e) == 404), None)
    for exchange in view.task_reads:
        life = view.lives.get(_asked(exchange))
        if life is None or not is_foreign(life, exchange) or life.creation is None:
            continue
        stranger = view.facts.get("stranger")
        if exchange.sender != stranger or _status(exchange) in _UNJUDGED:
            continue
        if _status(exchange) != 404:
            reading = f"{_status(exchange)} for a stranger"
        elif unknown is not None and _shape(unknown) != _shape(exchange):
            reading = "a 404 that tells it from an unknown task"
        else:
            reading = "A"
        message = f"another account's {life.task_id} answers {_shape(exchange)}"
        more = () if unknown is None else (unknown,)
        yield reads("TASK-10", reading, message, life.creation.exchange, exchange, *more)
