"""What a run would send, in what order, and what it could cost. Sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.claims import Claim
from contracts.exchange import Request
from contracts.options import Options
from contracts.price_book import PriceBook
from contracts.prices import DEFAULT_IMAGE_CREDITS, worst_price
from contracts.reject_catalogue import CATALOGUE
from contracts.rejects import Reject, build
from contracts.tasks_plan import Means, PlannedTask, plan_tasks

GENERATED_REJECTS = 30
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
        # What no document forbids could be accepted, and then it costs: only where time and
        # credits are free.
        generated: Sequence[Reject] = ()
        if means.faults:
            # Imported here: it takes Hypothesis along, which a plan does without.
            from contracts.generated_requests import generated_rejects

            generated = generated_rejects(options.seed, GENERATED_REJECTS)
        refused = tuple(
            reject for reject in (*CATALOGUE, *generated) if reject.documented or means.faults
        )
    tasks: tuple[PlannedTask, ...] = ()
    if options.mode == "paid":
        tasks = plan_tasks(options.tasks, means, options.seed)
    uncovered = {
        claim.id: reason
        for claim in claims
        if (reason := _why_not(claim, options, means, bool(tasks))) is not None
    }
    most = sum(_most_credits(task, prices) for task in tasks)
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


def _most_credits(task: PlannedTask, prices: PriceBook) -> int:
    ratio = prices.credits_per_image / DEFAULT_IMAGE_CREDITS
    return -(-task.expected_credits * ratio.numerator // ratio.denominator)


_LACKS = {
    "time": "needs time to pass: the run's state file lets recheck finish it",
    "callback": "needs a callback: give --public-callback-url",
    "faults": "needs a failure, which can't be provoked here; it is judged where one is met",
    "keys": "needs keys with limits or another account; it is judged where one is met",
}


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
    lacking = next((need for need in claim.needs if not has[need]), None)
    return None if lacking is None else _LACKS[lacking]
