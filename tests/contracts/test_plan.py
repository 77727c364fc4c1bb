"""What a plan says: what may be sent in which mode, what it shows, what it can cost."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.claims import load_claims
from contracts.exchange import Request
from contracts.kit import run_kit
from contracts.options import MODES, Options
from contracts.plan import GENERATED_REJECTS, Plan, make_plan
from contracts.price_book import PriceBook
from contracts.prices import DEFAULT_IMAGE_CREDITS, worst_price
from contracts.reject_catalogue import CATALOGUE
from contracts.rejects import Reject, build
from contracts.tasks_plan import Means
from emulator.testing import Emulator

EMULATOR = Means(faults=True, keys=True, callbacks=True, time=True)
ELSEWHERE = Means(faults=False, keys=False, callbacks=False, time=False)
CLAIMS = tuple(load_claims())


def plan_of(means: Means = ELSEWHERE, price: int | None = 30, **options: Any) -> Plan:
    prices = PriceBook(None if price is None else Fraction(price))
    return make_plan(Options(**options), means, prices, CLAIMS)


def request_of(reject: Reject) -> Request:
    sent = build(reject, "sk-x")
    return Request(sent.method, f"http://target.example{sent.path}", sent.headers, sent.content)


@pytest.mark.parametrize("means", [EMULATOR, ELSEWHERE])
@pytest.mark.parametrize("mode", MODES)
def test_each_mode_sends_more_than_the_one_before(mode: Any, means: Means) -> None:
    plan = plan_of(means, mode=mode, tasks=3)
    assert bool(plan.rejects) == (mode in ("must-reject", "paid"))
    assert len(plan.tasks) == (3 if mode == "paid" else 0)
    assert (plan.expected_credits > 0) == (mode == "paid")
    assert (plan.most_credits > 0) == bool(plan.rejects)


def test_what_no_document_forbids_is_only_sent_where_it_is_free() -> None:
    documented = [reject for reject in CATALOGUE if reject.documented]
    sent = list(plan_of().rejects)
    assert sent[: len(documented)] == documented
    assert all(reject.documented for reject in sent)
    assert len(documented) < len(sent) < len(CATALOGUE) + GENERATED_REJECTS
    free = plan_of(EMULATOR).rejects
    assert len(free) == len(CATALOGUE) + GENERATED_REJECTS


def test_the_same_options_give_the_same_plan() -> None:
    assert plan_of(EMULATOR, seed=7) == plan_of(EMULATOR, seed=7)
    assert plan_of(EMULATOR, seed=7).rejects != plan_of(EMULATOR, seed=8).rejects


@settings(max_examples=10)
@given(st.integers(1, 8), st.integers(1, 2000), st.integers(0, 10**6))
def test_the_most_it_can_cost_is_all_tasks_and_three_rejects(
    tasks: int, price: int, seed: int
) -> None:
    plan = plan_of(price=price, tasks=tasks, seed=seed)
    assert plan.expected_credits == sum(task.expected_credits for task in plan.tasks)
    by_price = sorted(worst_price(request_of(reject), price) for reject in plan.rejects)
    at_this_price = plan.expected_credits * Fraction(price, DEFAULT_IMAGE_CREDITS)
    assert plan.most_credits >= at_this_price + sum(by_price[-3:])


def test_the_most_it_can_cost_is_what_the_ledger_sets_aside() -> None:
    """Priced as they are sent: with references, forms and long prompts."""
    plan = plan_of(EMULATOR, price=1000, tasks=12)
    with Emulator.start() as emulator:
        report = run_kit(emulator.url, Options(tasks=12, credits_per_image=Fraction(1000)))
    made = {"create a task", "edit"}
    sent = [exchange.request for exchange in report.trace if exchange.purpose in made]
    assert len(sent) == 12
    rejects = sorted(worst_price(request_of(reject), 1000) for reject in plan.rejects)
    reserved = sum(worst_price(request, 1000) for request in sent)
    assert plan.most_credits == reserved + sum(rejects[-3:])


@pytest.mark.parametrize("means", [EMULATOR, ELSEWHERE])
@pytest.mark.parametrize("mode", MODES)
def test_each_claim_is_covered_or_it_says_why_not(mode: Any, means: Means) -> None:
    plan = plan_of(means, mode=mode)
    assert set(plan.covered) | set(plan.uncovered) == {claim.id for claim in CLAIMS}
    assert not set(plan.covered) & set(plan.uncovered)
    assert all(plan.uncovered.values())


def test_what_is_missing_is_named() -> None:
    paid = next(claim.id for claim in CLAIMS if claim.paid and not claim.needs)
    assert plan_of(mode="read-only").uncovered[paid] == "needs paid tasks; the mode is read-only"
    assert paid not in plan_of(mode="read-only", task_ids=("task_1",)).uncovered
    by_need = {
        need: next(c.id for c in CLAIMS if c.needs == (need,))
        for need in ("time", "callback", "faults", "keys")
    }
    reasons = plan_of().uncovered
    assert "recheck" in reasons[by_need["time"]]
    assert "--public-callback-url" in reasons[by_need["callback"]]
    assert "can't be provoked" in reasons[by_need["faults"]]
    assert "another account" in reasons[by_need["keys"]]
    assert by_need["keys"] not in plan_of(second_key="sk-second").uncovered
    assert not plan_of(EMULATOR).uncovered
