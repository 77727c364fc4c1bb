"""The limits of keys: models, budgets, requests per minute."""

import re
from collections import defaultdict
from collections.abc import Iterator

from contracts.checks.evidence import error_of, is_emulator, limits_of, outcome_of, status_of
from contracts.checks.refusals import balances_of, price_of
from contracts.exchange import Exchange, fields_of, header
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.observed import EDITS, SYNC, Creation, Life
from contracts.view import View

_BUDGET_CODE = "api_key_budget_exhausted"
_RATE_CODE = "rate_limit_exceeded"
_MINUTE_SECONDS = 60
_TOLERANCE_SECONDS = 1.0


@judges("AUTH-3")
def model_list_holds(view: View) -> Iterator[Finding]:
    """A key with a list of models gets none that is not on it, but a 403 (AUTH-3)."""
    for creation in view.creations:
        models = limits_of(view, creation.exchange.sender).get("models")
        if creation.wish is None or not isinstance(models, list) or creation.wish.model in models:
            continue
        if creation.accepted or creation.status == 403:
            message = (
                f"{creation.exchange.sender} may use {', '.join(map(str, models))} alone, and a"
                f" creation with {creation.wish.model} was answered {creation.status}"
            )
            yield judged("AUTH-3", creation.status == 403, message, creation.exchange)


@judges("ERR-4")
def key_budget_is_kept(view: View) -> Iterator[Finding]:
    """A budget that is used up is a 402 of its own, and refunds return to it (ERR-4)."""
    for exchange in view.errors:
        error = error_of(exchange)
        if error.get("code") == _BUDGET_CODE:
            right = (status_of(exchange), error.get("type")) == (402, "insufficient_quota")
            message = f"{_BUDGET_CODE} comes with {status_of(exchange)} and {error.get('type')}"
            yield judged("ERR-4", right, message, exchange)
    senders = dict.fromkeys(creation.exchange.sender for creation in view.creations)
    for sender in senders:
        budget = limits_of(view, sender).get("budget_credits")
        if type(budget) is int:
            yield from _against_budget(view, sender, budget)


def _against_budget(view: View, sender: str, budget: int) -> Iterator[Finding]:
    """Follow what is left of a budget, from one creation to the next."""
    made: list[tuple[int, Life]] = []
    for creation in view.creations:
        if creation.exchange.sender != sender:
            continue
        number, status = creation.exchange.number, creation.status
        least, most = _left(budget, made, number)
        life = view.lives.get(creation.task_id or "")
        reserved = fields_of(creation.answer.get("credits")).get("reserved")
        if life is not None and type(reserved) is int:
            message = f"{reserved} credits were reserved with {most} left of a budget of {budget}"
            yield judged("ERR-4", reserved <= most, message, creation.exchange)
            made.append((reserved, life))
        elif status == 402:
            yield from _refused_for_budget(view, creation, least, most)
        elif not 400 <= status < 500:
            return  # it may have cost something, and nobody knows how much


def _left(budget: int, made: list[tuple[int, Life]], number: int) -> tuple[int, int]:
    """What is left of a budget at the least and at the most, as far as was seen before."""
    least = most = budget
    for reserved, life in made:
        ends = [read for read in life.ends if read.exchange.number < number]
        refunded = fields_of(ends[-1].task.get("credits")).get("refunded") if ends else None
        if type(refunded) is int:
            least, most = least - reserved + refunded, most - reserved + refunded
        else:
            least -= reserved  # it may come back unseen
    return least, most


def _refused_for_budget(view: View, creation: Creation, least: int, most: int) -> Iterator[Finding]:
    price = price_of(view, creation)
    if price is None:
        return
    number, sender = creation.exchange.number, creation.exchange.sender
    seen = [one for one in balances_of(view, sender) if one.exchange.number < number]
    if error_of(creation.exchange).get("code") == _BUDGET_CODE:
        if price <= least:
            message = f"a creation for {price} credits is over the budget, with {least} left of it"
            yield breaks("ERR-4", message, creation.exchange)
    elif price > most and seen and seen[-1].credits >= price:
        message = (
            f"a creation for {price} credits, with {most} left of the key's budget and a balance of"
            f" {seen[-1].credits}, was answered {outcome_of(creation.exchange)}"
        )
        yield breaks("ERR-4", message, creation.exchange, seen[-1].exchange)


@judges("ERR-5")
def rate_limit_is_429_until_its_reset(view: View) -> Iterator[Finding]:
    """Over the rate is a 429 with its code, and is over after the reset (ERR-5)."""
    by_sender: defaultdict[str, list[Exchange]] = defaultdict(list)
    for exchange in view.api:
        by_sender[exchange.sender].append(exchange)
    for sender, calls in by_sender.items():
        limit = limits_of(view, sender).get("requests_per_minute")
        if type(limit) is int:
            yield from _over_the_rate(view, calls, limit)
        for index, exchange in enumerate(calls):
            if _is_over_the_rate(exchange):
                yield from _refused_for_rate(exchange)
                if limit is not None or view.trace.exclusive:
                    yield from _after_the_reset(exchange, calls[index + 1 :])


def _is_over_the_rate(exchange: Exchange) -> bool:
    """Whether a 429 is the API's own, and not that of a generation that failed (ERR-7)."""
    waited = exchange.request.path in (SYNC, EDITS)
    error = error_of(exchange)
    return (
        status_of(exchange) == 429
        and bool(error)
        and not (waited and error.get("code") == "rate_limit")
    )


def _refused_for_rate(exchange: Exchange) -> Iterator[Finding]:
    code = error_of(exchange).get("code")
    yield judged("ERR-5", code == _RATE_CODE, f"the code of a 429 is {code}", exchange)
    value = header(exchange.response.headers, "retry-after") if exchange.response else None
    told = "without Retry-After" if value is None else f"Retry-After: {value}"
    right = _retry_after_seconds(exchange) is not None
    yield reads("ERR-5", "A" if right else told, f"a 429 came {told}", exchange)


def _retry_after_seconds(exchange: Exchange) -> int | None:
    """The seconds until a key works again; None where the answer does not tell them."""
    value = header(exchange.response.headers, "retry-after") if exchange.response else None
    if value is None or not re.fullmatch(r"[0-9]{1,3}", value.strip(), re.ASCII):
        return None
    return int(value) if int(value) <= _MINUTE_SECONDS else None


def _after_the_reset(exchange: Exchange, later: list[Exchange]) -> Iterator[Finding]:
    """Look at the first request after the time that a 429 asked for."""
    told = _retry_after_seconds(exchange)
    reset = exchange.sent_at + exchange.seconds + (_MINUTE_SECONDS if told is None else told)
    for between, after in enumerate(later):
        if after.sent_at < reset:
            continue
        if status_of(after) != 429:
            yield holds("ERR-5", exchange, after)
        elif not between:  # what came between may have counted
            message = f"429 again {after.sent_at - exchange.sent_at:.0f} s after a 429"
            if told is None:
                yield breaks("ERR-5", message, exchange, after)
            else:
                message += f" that asked for {told} s"
                yield reads("ERR-5", "429 after its reset", message, exchange, after)
        return


def _over_the_rate(view: View, calls: list[Exchange], limit: int) -> Iterator[Finding]:
    """Find a minute with more requests than a key may make.

    Two minutes that are counted apart may meet in one: only an emulator's first is known.
    """
    for index, first in enumerate(calls):
        end = first.sent_at + _MINUTE_SECONDS - _TOLERANCE_SECONDS
        taken = [one for one in calls[index:] if one.sent_at < end and status_of(one) != 429]
        allowed = limit if index == 0 and is_emulator(view) else 2 * limit
        if len(taken) > allowed:
            message = f"{len(taken)} requests in a minute were taken; the key may make {limit}"
            yield breaks("ERR-5", message, taken[0], taken[-1])
            return
