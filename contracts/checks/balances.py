"""Balances: that they move by what tasks cost, and by nothing else."""

from collections.abc import Iterator

from contracts.checks.accounts import Account, Change, accounts_of
from contracts.checks.evidence import is_emulator, limits_of
from contracts.findings import Finding, judged, judges, reads
from contracts.observed import FAILED, Creation
from contracts.view import View


@judges("CRED-1")
def balance_moves_by_what_was_charged(view: View) -> Iterator[Finding]:
    """Between two balances at rest the balance falls by what the tasks were charged (CRED-1)."""
    for account in accounts_of(view):
        for change in account.changes(account.at_rest):
            right = change.charged.least <= change.fell <= change.charged.most
            if change.moved and (change.charged.is_exact or not right):
                message = (
                    f"the balance fell by {change.fell}, by what its tasks show it should be"
                    f" {change.charged}"
                )
                yield judged("CRED-1", right, message, *change.exchanges)


@judges("CRED-6")
def failures_cost_nothing(view: View) -> Iterator[Finding]:
    """Between two balances at rest with failed tasks alone the balance stays (CRED-6)."""
    for account in accounts_of(view):
        for change in account.changes(account.at_rest):
            if change.moved and all(_has_failed(view, creation) for creation in change.moved):
                message = f"the balance fell by {change.fell} for failed tasks, which are refunded"
                right = change.fell == 0
                yield judged("CRED-6", right, message, *change.exchanges)


def _has_failed(view: View, creation: Creation) -> bool:
    life = view.lives.get(creation.task_id or "")
    return life is not None and bool(life.ends) and life.ends[0].status == FAILED


@judges("CRED-7")
def nothing_moves_without_a_task(view: View) -> Iterator[Finding]:
    """Balances with no task created or ended between them are equal (CRED-7)."""
    for account in accounts_of(view):
        yield from _as_granted(view, account)
        for change in account.changes(account.balances):
            if change.moved or (change.fell < 0 and not is_emulator(view)):
                continue  # elsewhere a grant, or a refund of what began before the trace
            message = (
                f"the balance went from {change.earlier.credits} to {change.later.credits}, with"
                " no task created or ended between"
            )
            yield judged("CRED-7", change.fell == 0, message, *change.exchanges)


def _as_granted(view: View, account: Account) -> Iterator[Finding]:
    """The first balance of an account whose grant is known is that grant."""
    first = account.balances[0]
    granted = limits_of(view, first.exchange.sender).get("credits")
    if type(granted) is int and account.has_made_nothing_before(first):
        message = f"{granted} credits were granted, and the first balance is {first.credits}"
        yield judged("CRED-7", first.credits == granted, message, first.exchange)


@judges("CRED-8")
def balance_leaves_out_the_reserved(view: View) -> Iterator[Finding]:
    """A balance is read against the one before: without what is reserved, or with it (CRED-8)."""
    for account in accounts_of(view):
        for change in account.changes(account.balances):
            if not change.moved or change.credits == change.charged:
                continue
            reading = _reading(change)
            if reading is not None:
                message = (
                    f"the balance fell by {change.fell}; without what is reserved it should be"
                    f" {change.credits}, with it {change.charged}"
                )
                yield reads("CRED-8", reading, message, *change.exchanges)


def _reading(change: Change) -> str | None:
    """Which reading a change speaks for; None where it could be either."""
    without, included = (
        amount.least <= change.fell <= amount.most for amount in (change.credits, change.charged)
    )
    if without and included:
        return None
    if without:
        return "A" if change.credits.is_exact else None
    if included and not change.charged.is_exact:
        return None
    return "what is reserved is in the balance" if included else f"it fell by {change.fell}"
