"""What tasks keep away from a balance; nothing here judges.

A balance is known only for an instant, and requests may overlap. What each creation keeps away
from it is therefore worked out between two amounts; what can't be told is not judged.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple

from contracts.checks.credits import MOST_CREDITS, price_shape, reserved_by, settled
from contracts.checks.evidence import is_emulator
from contracts.exchange import Exchange
from contracts.observed import GENERATIONS, Balance, Creation, result_urls
from contracts.prices import assumed_price
from contracts.view import View

# Elsewhere a refund may take a moment after the end shows, and grants and expirations happen.
_LAG_SECONDS = 5.0
_LONGEST_BETWEEN_SECONDS = 3600.0
_FORGOTTEN_AFTER_SECONDS = 1800.0  # what a lost answer may have started has ended by then
_MOST_IMAGES = 1000  # what is beyond is no number to reckon with

State = Literal["absent", "open", "done", "unsure"]


class Between(NamedTuple):
    """Credits, at the least and at the most."""

    least: float
    most: float

    def plus(self, other: "Between") -> "Between":
        """Add both ends."""
        return Between(self.least + other.least, self.most + other.most)

    def less(self, other: "Between") -> "Between":
        """What is between two amounts that are not known exactly."""
        return Between(self.least - other.most, self.most - other.least)

    @property
    def is_exact(self) -> bool:
        """Whether it is one amount."""
        return self.least == self.most

    def __str__(self) -> str:
        if self.is_exact:
            return f"{self.least:g}"
        most = "more" if self.most == math.inf else f"{self.most:g}"
        return f"{self.least:g} to {most}"


_NOTHING, _ANYTHING = Between(0, 0), Between(0, math.inf)


@dataclass(frozen=True)
class Held:
    """What a creation keeps away from a balance.

    Attributes:
        state: what is known of it when the balance was read.
        credits: if what is reserved is not in the balance.
        charged: if it is.
    """

    state: State
    credits: Between = _NOTHING
    charged: Between = _NOTHING

    @property
    def is_at_rest(self) -> bool:
        """Whether it was over, or had not begun."""
        return self.state in ("absent", "done")


@dataclass(frozen=True)
class Change:
    """Two balances of an account, and what happened between them.

    Attributes:
        earlier: the first.
        later: the second.
        moved: the creations that are in another state at the second, or may be.
        credits: how far the balance has to fall, if what is reserved is not in it.
        charged: how far, if it is.
    """

    earlier: Balance
    later: Balance
    moved: tuple[Creation, ...]
    credits: Between
    charged: Between

    @property
    def fell(self) -> int:
        """How far the balance fell."""
        return self.earlier.credits - self.later.credits

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Where it shows."""
        made = (creation.exchange for creation in self.moved)
        return self.earlier.exchange, self.later.exchange, *made


class Account:
    """The balances of one account, and what may have moved them.

    Args:
        view: the trace.
        sender: the account's key.
    """

    def __init__(self, view: View, sender: str) -> None:
        self._view = view
        self._is_emulator = is_emulator(view)
        self._prices: dict[int, Between] = {}
        self.balances = [
            balance
            for balance in view.balances
            if balance.exchange.sender == sender and abs(balance.credits) < MOST_CREDITS
        ]
        self._made = [
            creation
            for creation in view.creations
            if creation.exchange.sender == sender and _may_cost(creation)
        ]

    @cached_property
    def at_rest(self) -> list[Balance]:
        """Those with no task under way, as far as is known for sure."""
        return [
            balance
            for balance in self.balances
            if all(self.held(creation, balance).is_at_rest for creation in self._made)
        ]

    def changes(self, balances: list[Balance]) -> Iterator[Change]:
        """Each two in a row, with what should have moved between them."""
        for earlier, later in pairwise(balances):
            apart = later.exchange.sent_at - earlier.exchange.sent_at
            if self._is_emulator or apart <= _LONGEST_BETWEEN_SECONDS:
                yield self._change(earlier, later)

    def has_made_nothing_before(self, balance: Balance) -> bool:
        """Whether no creation can have moved a balance."""
        return all(self.held(creation, balance).state == "absent" for creation in self._made)

    def _change(self, earlier: Balance, later: Balance) -> Change:
        moved = []
        credits = charged = _NOTHING
        for creation in self._made:
            before, after = self.held(creation, earlier), self.held(creation, later)
            if before.state == after.state != "unsure":
                continue
            moved.append(creation)
            credits = credits.plus(after.credits.less(before.credits))
            charged = charged.plus(after.charged.less(before.charged))
        return Change(earlier, later, tuple(moved), credits, charged)

    def held(self, creation: Creation, balance: Balance) -> Held:
        """What a creation keeps away from a balance."""
        made, at = creation.exchange, balance.exchange
        if _is_before(at, made):
            return Held("absent")
        is_over = _is_before(made, at)
        if creation.status == 202:
            return self._held_by_task(creation, at, is_over)
        price = self._price_of_waiting(creation)
        at_most = Between(0, price.most)
        if creation.status == 200:
            return Held("done", price, price) if is_over else Held("unsure", at_most, at_most)
        if is_over and creation.status >= 300 and (creation.status < 500 or self._is_emulator):
            return Held("done")  # it waited, and failed (ERR-7)
        waited = at.sent_at - made.sent_at - made.seconds
        is_forgotten = is_over and waited > _FORGOTTEN_AFTER_SECONDS
        return Held("done" if is_forgotten else "unsure", at_most, at_most)

    def _held_by_task(self, creation: Creation, at: Exchange, is_over: bool) -> Held:
        told = reserved_by(creation)
        reserved = _ANYTHING if told is None else Between(told, told)
        life = self._view.lives.get(creation.task_id or "")
        end = life.ends[0] if life is not None and life.ends else None
        charged = Between(0, reserved.most)
        if life is not None and end is not None and told is not None:
            charged = Between(*settled(life, end, told))
        is_refunded = charged.least < reserved.most
        lag = _LAG_SECONDS if is_refunded and not self._is_emulator else 0.0
        if is_over and end is not None and _is_before(end.exchange, at, lag):
            return Held("done", charged, charged)
        reads_after = life.reads if life is not None else ()
        if is_over and any(_is_before(at, r.exchange) and not r.ended for r in reads_after):
            return Held("open", reserved)
        least = min(charged.least, reserved.least) if is_over else 0
        return Held("unsure", Between(least, reserved.most), Between(0, charged.most))

    def _price_of_waiting(self, creation: Creation) -> Between:
        number = creation.exchange.number
        if number not in self._prices:
            self._prices[number] = self._priced(creation)
        return self._prices[number]

    def _priced(self, creation: Creation) -> Between:
        """A call that waits tells no price: a task that asked for the same may."""
        wish = creation.wish
        if wish is None or not 1 <= wish.n <= _MOST_IMAGES:
            return _ANYTHING
        is_partial = creation.status == 200 and len(result_urls(creation.answer)) < wish.n
        for other in self._view.creations:
            reserved = reserved_by(other)
            if other.status != 202 or not reserved or other.wish is None or other.wish.n < 1:
                continue
            if price_shape(self._view, other.wish) == price_shape(self._view, wish):
                price = reserved / other.wish.n * wish.n
                return Between(0 if is_partial else price, price)
        if self._is_emulator and self._follows_the_table and not is_partial:
            price = assumed_price(wish, "medium")
            return Between(price, price)
        return Between(0 if is_partial else 1, math.inf)

    @cached_property
    def _follows_the_table(self) -> bool:
        """Whether all that was reserved is as assumed (CRED-5)."""
        return all(
            reserved_by(creation) in (None, assumed_price(creation.wish, "medium"))
            for creation in self._view.creations
            if creation.wish is not None
        )


def _may_cost(creation: Creation) -> bool:
    """Whether a creation may move a balance; calls that wait may do so though they fail."""
    if not 300 <= creation.status < 500:
        return True
    waits = creation.exchange.request.path != GENERATIONS
    is_wrong = creation.expected is not None and creation.expected.kind == "reject"
    return waits and creation.status in (400, 429) and not is_wrong


def _is_before(one: Exchange, other: Exchange, by_seconds: float = 0.0) -> bool:
    """Whether an exchange was over when another began: those that overlap tell no order."""
    over_at = one.sent_at + one.seconds
    return one.number < other.number and over_at + by_seconds <= other.sent_at


def accounts_of(view: View) -> Iterator[Account]:
    """The accounts whose balances were read; none where others used them meanwhile."""
    if view.trace.exclusive:
        for sender in dict.fromkeys(balance.exchange.sender for balance in view.balances):
            yield Account(view, sender)
