"""What refusals do, and which of two faults is told: credits stay, the key comes first."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from contracts.checks.evidence import (
    altered,
    error_of,
    is_against_policy,
    is_emulator,
    is_key,
    limits_of,
    outcome_of,
    status_of,
    text_in,
    with_key,
)
from contracts.exchange import Exchange, fields_of
from contracts.field_rules import MODEL
from contracts.findings import Finding, breaks, judged, judges, reads
from contracts.model import expectation
from contracts.observed import CREATIONS, Balance, Creation
from contracts.prices import assumed_price
from contracts.view import View

_NO_CREDITS = "insufficient_credits"
_HOUR_SECONDS = 3600.0
# Claims that rest on no source where they say that something is refused.
_ASSUMED = frozenset({"GEN-4", "GEN-16", "MOD-2"})


@judges("ERR-3")
def too_few_credits_is_402(view: View) -> Iterator[Finding]:
    """A creation that the balance can't pay is a 402 with its own code and type (ERR-3)."""
    for creation in view.creations:
        error, status = error_of(creation.exchange), creation.status
        if status == 402 and error.get("code") != "api_key_budget_exhausted":
            told = (error.get("code"), error.get("type"))
            message = f"the code and type of a 402 are {told[0]} and {told[1]}"
            right = told == (_NO_CREDITS, "insufficient_quota")
            yield judged("ERR-3", right, message, creation.exchange)
        elif creation.accepted or status == 403:
            credits = _available(view, creation)
            price = None if credits is None else price_of(view, creation)
            if credits is None or price is None or price <= credits:
                continue
            limits = limits_of(view, creation.exchange.sender)
            if status == 403 and (not limits or "models" in limits):
                continue  # the key may not use the model
            message = (
                f"a creation for {price} credits was answered {outcome_of(creation.exchange)}; the"
                f" account has {credits}"
            )
            yield breaks("ERR-3", message, creation.exchange)


def price_of(view: View, creation: Creation) -> int | None:
    """What a creation costs: as the same request did before, else as an emulator has it."""
    if creation.wish is None or creation.expected is None or creation.expected.kind != "accept":
        return None
    shape = replace(creation.wish, prompt="", callback_url=None)
    for other in view.creations:
        reserved = fields_of(other.answer.get("credits")).get("reserved")
        if other is creation or other.task_id is None or type(reserved) is not int:
            continue
        if other.wish and replace(other.wish, prompt="", callback_url=None) == shape:
            return int(reserved)
    return assumed_price(creation.wish, "medium") if is_emulator(view) else None


def _available(view: View, creation: Creation) -> int | None:
    """What a creation's account can spend, where that is known for sure."""
    sender = creation.exchange.sender
    if limits_of(view, sender).get("credits") == 0:
        return 0
    before = [b for b in balances_of(view, sender)
              if b.exchange.number < creation.exchange.number]  # fmt: skip
    if not before or not view.trace.exclusive:
        return None
    last = before[-1]
    moved = [
        one
        for one in view.creations
        if one.exchange.sender == sender
        and one is not creation
        and one.exchange.number > last.exchange.number
        and _begins_before(one.exchange, creation.exchange)
        and not 400 <= one.status < 500
    ]
    return last.credits if not moved and _is_at_rest(view, last) else None


def balances_of(view: View, sender: str) -> list[Balance]:
    return [balance for balance in view.balances if balance.exchange.sender == sender]


def _begins_before(exchange: Exchange, other: Exchange) -> bool:
    """Whether it was sent before another one was answered."""
    return exchange.number < other.number or exchange.sent_at < other.sent_at + other.seconds


def _is_at_rest(view: View, balance: Balance) -> bool:
    """Whether nothing of the account was under way when a balance was read."""
    number, sender = balance.exchange.number, balance.exchange.sender
    for creation in view.creations:
        if creation.exchange.sender != sender or creation.exchange.number > number:
            continue
        if creation.status in (200, *range(400, 500)):
            continue
        life = view.lives.get(creation.task_id or "")
        if life is not None and any(read.exchange.number < number for read in life.ends):
            continue
        lost = creation.task_id is None  # an answer that did not come, or a 5xx
        if not lost or balance.exchange.sent_at - creation.exchange.sent_at < _HOUR_SECONDS:
            return False
    return True


@judges("ERR-3", "ERR-6", "ERR-9")
def refusal_moves_no_credits(view: View) -> Iterator[Finding]:
    """Balances around refused creations are equal, and no refusal names a task (ERR-9)."""
    for creation in view.creations:
        if 400 <= creation.status < 500 and "task_id" in creation.answer:
            message = f"a refusal ({outcome_of(creation.exchange)}) names a task"
            yield breaks("ERR-9", message, creation.exchange)
    if not view.trace.exclusive:
        return
    for sender in dict.fromkeys(balance.exchange.sender for balance in view.balances):
        for before, after in pairwise(balances_of(view, sender)):
            yield from _around_refusals(view, before, after)


def _around_refusals(view: View, before: Balance, after: Balance) -> Iterator[Finding]:
    first, last = before.exchange, after.exchange
    between = [
        creation
        for creation in view.creations
        if creation.exchange.sender == first.sender
        and creation.exchange.number > first.number
        and _begins_before(creation.exchange, last)
    ]
    refused = [creation.exchange for creation in between if 400 <= creation.status < 500]
    same, fell = before.credits == after.credits, after.credits < before.credits
    # What an emulator's open tasks do meanwhile is to give back.
    is_theirs = _is_at_rest(view, before) or (is_emulator(view) and fell)
    if not refused or len(refused) < len(between) or not (same or is_theirs):
        return
    told = outcome_of(refused[0]) if len(refused) == 1 else f"{len(refused)} refused creations"
    message = f"the balance went from {before.credits} to {after.credits} over {told}"
    for claim_id in ("ERR-9", *_claims_of_refusals(refused)):
        yield judged(claim_id, same, message, first, *refused, last)


def _claims_of_refusals(refused: list[Exchange]) -> Iterator[str]:
    """The claims that speak about all of some refusals."""
    if all(status_of(one) == 402 for one in refused):
        yield "ERR-3"
    if all(error_of(one).get("code") == "content_policy" for one in refused):
        yield "ERR-6"


@judges("ERR-9")
def first_of_two_faults_answers(view: View) -> Iterator[Finding]:
    """Of two faults the one that comes first in the assumed order is told (ERR-9)."""
    for exchange in view.api:
        faults = list(_faults(view, exchange))
        status = status_of(exchange)
        if len(faults) < 2:
            continue
        (first, statuses), others = faults[0], faults[1:]
        other = next((name for name, later in others if status in later), None)
        if status in statuses and not _tells_another(exchange, first):
            yield reads("ERR-9", "A", f"{first} came before {others[0][0]}", exchange)
        elif other is not None:
            message = f"{other} came before {first}: {outcome_of(exchange)}"
            yield reads("ERR-9", f"{other} before {first}", message, exchange)


def _tells_another(exchange: Exchange, first: str) -> bool:
    """Whether a 400 that could be of two faults is of the later one."""
    error = error_of(exchange)
    is_model = error.get("param") == "model" or text_in(error, "code") == "model_not_found"
    is_content = text_in(error, "code") == "content_policy"
    return (is_model and first == "fields") or (is_content and first in ("fields", "model"))


def _faults(view: View, exchange: Exchange) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The faults of a request in the assumed order, with the statuses that tell them."""
    request = with_key(exchange.request)
    fields = fields_of(request.json)
    model, prompt = fields.get("model"), fields.get("prompt")
    is_unknown_model = isinstance(model, str) and model not in ("", MODEL)
    if is_unknown_model:
        request = altered(request, model=MODEL) or request
    expected = expectation(request)
    if expected is None:
        return
    if not is_key(exchange):
        yield "key", (401,)
    if expected.kind == "reject" and not _ASSUMED.issuperset(expected.claims):
        is_task = expected.claims == ("TASK-10",)
        yield ("task", (404,)) if is_task else ("fields", (400,))
    if is_unknown_model:
        yield "model", (400, 404)
    # How a policy comes before the model is nobody's business: an emulator refuses at once.
    if is_against_policy(view, prompt) and not is_unknown_model:
        yield "content", (400,)
    if request.path in CREATIONS and limits_of(view, exchange.sender).get("credits") == 0:
        yield "credits", (402,)
