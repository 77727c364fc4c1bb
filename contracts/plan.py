"""What a run would send, in what order, and what it could cost. Sends nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.claims import Claim
from contracts.exchange import Request
from contracts.field_rules import MODEL
from contracts.generated_requests import generated_rejects
from contracts.observed import GENERATIONS
from contracts.options import Options
from contracts.price_book import PriceBook
from contracts.prices import worst_price
from contracts.reject_catalogue import CATALOGUE
from contracts.rejects import Reject, build
from contracts.tasks_plan import Means, PlannedTask, plan_tasks

GENERATED_REJECTS = 30
_MOST_IMAGES = 4  # what a generated one may cost where it is accepted, in default images
# A target that takes what it must refuse is not sent more of it.
MOST_ACCEPTED_REJECTS = 3


@dataclass(frozen=True)
class Plan:
    """What a run sends.

    Attributes:
        means: what is possible at the target.
        rejects: requests that must be refused, in order; empty in read-only mode.
        tasks: creations that are meant to be accepted; empty but in paid mode.
        expected_credits: what the tasks cost by the assumed price table.
        most_credits: what all of it can cost at most.
        covered: ids of the claims that this can show.
        uncovered: claim id -> why it can't.
    """

    means: Means
    rejects: tuple[Reject, ...]
    tasks: tuple[PlannedTask, ...]
    expected_credits: int
    most_credits: int
    covered: tuple[str, ...]
    uncovered: dict[str, str]


def make_plan(options: Options, means: Means, prices: PriceBook, claims: Sequence[Claim]) -> Plan:
    """Decide what to send.

    Args:
        options: what is asked.
        means: what is possible at the target.
        prices: what a request may cost.
        claims: the catalogue.
    """
    refused: tuple[Reject, ...] = ()
    if options.mode in ("must-reject", "paid"):
        generated = generated_rejects(options.seed, GENERATED_REJECTS)
        refused = (*CATALOGUE, *generated)
        if not means.faults:
            # What no document forbids could be accepted, and then it costs.
            cheap = [one for one in generated if worst_price(_request(one), 1) <= _MOST_IMAGES]
            refused = tuple(one for one in (*CATALOGUE, *cheap) if one.documented)
    tasks: tuple[PlannedTask, ...] = ()
    if options.mode == "paid":
        tasks = plan_tasks(options.tasks, means, options.seed)
    uncovered = {
        claim.id: reason
        for claim in claims
        if (reason := _why_not(claim, options, means, bool(tasks))) is not None
    }
    most = sum(prices.worst_credits(_creation(task)) for task in tasks)
    if refused:
        dearest = sorted(
            (worst_price(_request(reject), prices.credits_per_image) for reject in refused),
            reverse=True,
        )
        most += sum(dearest[:MOST_ACCEPTED_REJECTS])
    return Plan(
        means,
        refused,
        tasks,
        sum(task.expected_credits for task in tasks),
        most,
        tuple(claim.id for claim in claims if claim.id not in uncovered),
        uncovered,
    )


def _request(reject: Reject) -> Request:
    method, path, headers, content = build(reject, "sk-x")
    return Request(method, f"http://target{path}", headers, content)


def _creation(task: PlannedTask) -> Request:
    """A request that costs what a task does, which may be sent in other words."""
    body = json.dumps({"model": MODEL, "prompt": "x", **task.fields}).encode()
    headers = (("Content-Type", "application/json"),)
    return Request("POST", f"http://target{GENERATIONS}", headers, body)


_LACKS = {
    "time": "needs time to pass: the run's state file lets recheck finish it",
    "callback": "needs a callback: give --public-callback-url",
    "faults": "needs a failure, which can't be provoked here; it is judged where one is met",
    "keys": "needs keys with limits or another account; it is judged where one is met",
}

_LACKS_MOVED_TIME = "needs time to pass, which can't be moved here; it is judged where it did"


def _why_not(claim: Claim, options: Options, means: Means, paid: bool) -> str | None:
    """Why a run can't show a claim; None where it can."""
    if claim.paid and not paid and not options.task_ids:
        return f"needs paid tasks; the mode is {options.mode}"
    if claim.id == "ERR-8" and options.mode == "read-only":
        return "needs requests that must be refused; the mode is read-only"
    has = {
        "time": means.time,
        "callback": means.callbacks,
        "faults": means.faults,
        "keys": means.keys or options.second_key is not None,
    }
    lacking = [need for need in claim.needs if not has[need]]
    if lacking == ["time"] and len(claim.needs) > 1:
        return _LACKS_MOVED_TIME
    return _LACKS[lacking[0]] if lacking else None
