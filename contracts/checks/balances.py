"""Balances: that they move by what tasks cost, and by nothing else (CRED-1, CRED-7, CRED-8)."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from contracts.checks.credits import reserved_by, told
from contracts.exchange import Exchange
from contracts.findings import Finding, judged, judges, reads
from contracts.observed import Balance, Creation, Life, result_urls
from contracts.prices import assumed_price
from contracts.view import View

_UNKNOWN = math.inf


class Held(NamedTuple):
    """What a creation keeps away from the balance at an instant: between two amounts."""

    least: float
    most: float
    phase: str


_NOTHING = Held(0, 0, "none")
_MAYBE = Held(0, _UNKNOWN, "maybe")  # nobody knows what it cost, but that does not change again


def held(view: View, creation: Creation, at: Exchange) -> Held:
    """What a creation holds when a balance is read.

    Args:
        view: the trace.
        creation: what may have cost something.
        at: the balance's exchange.
    """
    made = creation.exchange
    if made.number > at.number:
        overlaps = made.sent_at <= at.sent_at + at.seconds
        return Held(0, _UNKNOWN, "unknown") if overlaps else _NOTHING
    if creation.status == 202:
        life = view.lives.get(creation.task_id or "")
        return _held_by_task(life, reserved_by(creation), at)
    if creation.status == 200:
        return _held_by_images(view, creation)
    return _MAYBE


def _held_by_task(life: Life | None, reserved: int | None, at: Exchange) -> Held:
    if life is None or reserved is None:
        return _MAYBE
    end = life.ends[0] if life.ends else None
    numbers = told(end.task) if end is not None else None
    if end is not None and numbers is None:
        return _MAYBE
    if end is not None and numbers is not None and end.exchange.number < at.number:
        return Held(numbers.charged, numbers.charged, "done")
    if any(read.exchange.number > at.number and not read.ended for read in life.reads):
        return Held(reserved, reserved, "open")
    charged = numbers.charged if numbers is not None else 0
    return Held(min(charged, reserved), max(charged, reserved), "unknown")


def _held_by_images(view: View, creation: Creation) -> Held:
    """A call that waited tells no price: a task with the same wish may."""
    wish, made = creation.wish, len(result_urls(creation.answer))
    for other in view.creations if wish is not None else ():
        reserved = reserved_by(other)
        if other.status == 202 and reserved and other.wish and wish and other.wish.n:
            same = (other.wish.size, other.wish.resolution, other.wish.quality)
            if same == (wish.size, wish.resolution, wish.quality):
                price = reserved / other.wish.n * made
                return Held(price, price, "done")
    if view.facts.get("target") == "emulator" and wish is not None and wish.n:
        price = assumed_price(wish, "medium") / wish.n * made  # CRED-5
        return Held(price, price, "done")
    return Held(1, _UNKNOWN, "done")


@judges("CRED-1")
def balance_moves_by_what_was_charged(view: View) -> Iterator[Finding]:
    """Between two balances at rest the balance falls by what the tasks were charged (CRED-1)."""
    for earlier, later, change in _changes(view):
        if change.phase != "settled":
            continue
        fell = earlier.credits - later.credits
        expected = _amount(change)
        message = f"the balance fell by {fell}, by what tasks say it should be {expected}"
        right = change.least <= fell <= change.most
        yield judged("CRED-1", right, message, earlier.exchange, later.exchange)


@judges("CRED-7")
def nothing_moves_without_a_task(view: View) -> Iterator[Finding]:
    """Balances with no task created or ended between them are equal (CRED-7)."""
    for earlier, later, change in _changes(view):
        if change.phase == "none":
            message = f"the balance went from {earlier.credits} to {later.credits}, without a task"
            right = earlier.credits == later.credits
            yield judged("CRED-7", right, message, earlier.exchange, later.exchange)


@judges("CRED-8")
def balance_leaves_out_the_reserved(view: View) -> Iterator[Finding]:
    """A balance with tasks open is lower than at rest by what they reserved (CRED-8)."""
    for earlier, later, change in _changes(view):
        if change.phase == "reserved":
            fell = earlier.credits - later.credits
            expected = _amount(change)
            reading = "A" if fell == change.least else f"fell by {fell}, not by {expected}"
            message = f"with a reservation of {expected} the balance fell by {fell}"
            yield reads("CRED-8", reading, message, earlier.exchange, later.exchange)


def _amount(change: Held) -> str:
    if change.least == change.most:
        return f"{change.least:g}"
    return (
        f"{change.least:g} or more"
        if change.most == _UNKNOWN
        else f"{change.least:g} to {change.most:g}"
    )


def _changes(view: View) -> Iterator[tuple[Balance, Balance, Held]]:
    """Each two balances of an account in a row, with what should have moved between them.

    The phase: ``none``: nothing could move; ``settled``: tasks ended; ``reserved``: tasks were
    created and are open. Pairs of which too little is known are left out.
    """
    if not view.trace.exclusive:
        return
    paid = [c for c in view.creations if not 300 <= c.status < 500]
    for sender in dict.fromkeys(balance.exchange.sender for balance in view.balances):
        own = [balance for balance in view.balances if balance.exchange.sender == sender]
        made = [creation for creation in paid if creation.exchange.sender == sender]
        for earlier, later in pairwise(own):
            change = _change(view, made, earlier, later)
            if change is not None:
                yield earlier, later, change


def _change(view: View, made: list[Creation], earlier: Balance, later: Balance) -> Held | None:
    least = most = 0.0
    phases: set[str] = set()
    for creation in made:
        before = held(view, creation, earlier.exchange)
        after = held(view, creation, later.exchange)
        if "unknown" in (before.phase, after.phase):
            return None
        if before == after:
            continue
        if after.phase == "maybe":
            return None
        phases.add("reserved" if after.phase == "open" else "settled")
        least += after.least - before.most
        most += after.most - before.least
    if len(phases) > 1:
        return None
    return Held(least, most, phases.pop() if phases else "none")
