"""Credits: what is reserved, charged and refunded, and how the balance moves."""

import math
from collections.abc import Hashable, Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from contracts.checks.evidence import (
    answer_of,
    has_no_such_route,
    is_emulator,
    shown,
    status_of,
)
from contracts.exchange import Exchange, fields_of
from contracts.findings import Finding, breaks, holds, judged, judges, reads, unsupported
from contracts.model import Wish
from contracts.observed import BALANCE, FAILED, SUCCESS, Creation, Life, Read
from contracts.prices import DEFAULT_IMAGE_CREDITS, assumed_price
from contracts.view import View

MOST_CREDITS = 10**15  # what is beyond is no number to reckon with
_PLAIN_FIELDS = {"model", "prompt", "callback_url"}


class Told(NamedTuple):
    """What a task tells about its credits."""

    reserved: int
    charged: int
    refunded: int

    @property
    def adds_up(self) -> bool:
        """Whether charged and refunded make up what was reserved."""
        return self.charged + self.refunded == self.reserved

    def __str__(self) -> str:
        return f"{self.reserved} reserved, {self.charged} charged, {self.refunded} refunded"


def whole(value: Any) -> int | None:
    """A whole number that is not below zero; None for all else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number: 30.0 is 30
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def told(task: Mapping[str, Any]) -> Told | None:
    """A task's credits; None where it does not tell them in the assumed words (TASK-7)."""
    credits = fields_of(task.get("credits"))
    numbers = [whole(credits.get(name)) for name in Told._fields]
    known = [number for number in numbers if number is not None and number <= MOST_CREDITS]
    return Told(*known) if len(known) == len(numbers) else None


def reserved_by(creation: Creation) -> int | None:
    """What a creation says that it reserved; None where it says nothing usable."""
    value = whole(fields_of(creation.answer.get("credits")).get("reserved"))
    return None if value is None or value > MOST_CREDITS else value


def settled(life: Life, end: Read, reserved: int) -> tuple[int, int]:
    """What a task costs after its end, at the least and at the most (CRED-6).

    Args:
        life: the task.
        end: a read after its end.
        reserved: what its creation reserved, in credits.
    """
    if end.status == FAILED:
        return 0, 0
    numbers = told(end.task)
    if numbers is not None and numbers.reserved == reserved and numbers.adds_up:
        return numbers.charged, numbers.charged
    is_whole = life.wish is not None and len(end.urls) >= life.wish.n
    return (reserved if end.status in SUCCESS and is_whole else 0), reserved


def price_shape(view: View, wish: Wish) -> Hashable:
    """What may decide about the price of one image; of an emulator that is known (CRED-5)."""
    is_ratio = ":" in wish.size
    tier = wish.resolution if is_ratio else ""  # GEN-5
    if is_emulator(view):
        return "ratio" if is_ratio else wish.size, tier, wish.quality
    references = len(wish.references) + wish.image_parts
    return wish.size, tier, wish.quality, wish.endpoint == "edits", references


@judges("CRED-1")
def are_whole_numbers(view: View) -> Iterator[Finding]:
    """The credits of creations, tasks and balances are whole and not below zero (CRED-1)."""
    for exchange, name, value in _numbers(view):
        message = f"{name} is {shown(value)}, which is no whole number from 0"
        yield judged("CRED-1", whole(value) is not None, message, exchange)


def _numbers(view: View) -> Iterator[tuple[Exchange, str, Any]]:
    seen = [(c.exchange, c.answer) for c in view.creations if c.status == 202]
    seen += [(read.exchange, read.task) for life in view.lives.values() for read in life.reads]
    for exchange, answer in seen:
        credits = fields_of(answer.get("credits"))
        for name in Told._fields:
            if credits.get(name) is not None:
                yield exchange, f"credits.{name}", credits[name]
    for exchange in view.calls("GET", BALANCE):
        value = fields_of(answer_of(exchange)).get("credits")
        if status_of(exchange) == 200 and value is not None:
            yield exchange, "credits", value


@judges("CRED-1")
def add_up(view: View) -> Iterator[Finding]:
    """At the end charged and refunded make up what was reserved; before it both are 0 (CRED-1)."""
    for life in view.lives.values():
        for read in life.reads:
            numbers = told(read.task)
            if numbers is None:
                continue
            nothing = numbers.charged == numbers.refunded == 0
            right = numbers.adds_up if read.ended else nothing
            message = f"{shown(life.task_id)} is {shown(read.status)} with {numbers}"
            yield _as_worded("CRED-1", right, numbers, message, read.exchange)


def _as_worded(
    claim_id: str, right: bool, numbers: Told, message: str, *exchanges: Exchange
) -> Finding:
    """What a task tells in words that no document defines: another use of them breaks nothing."""
    if right:
        return holds(claim_id, *exchanges)
    return reads(claim_id, str(numbers), message, *exchanges)


@judges("CRED-2")
def reservation_is_told_and_kept(view: View) -> Iterator[Finding]:
    """Each creation tells what it reserved, above zero; the task tells the same (CRED-2)."""
    for creation in view.creations:
        if creation.status != 202:
            continue
        value = fields_of(creation.answer.get("credits")).get("reserved")
        reserved = reserved_by(creation)
        message = f"credits.reserved of the creation is {shown(value)}"
        yield judged("CRED-2", bool(reserved), message, creation.exchange)
        for exchange, task in _sightings(view.lives.get(creation.task_id or "")):
            numbers = told(task)
            if reserved and numbers is not None:
                message = f"{reserved} credits were reserved, and the task tells {numbers}"
                right = numbers.reserved == reserved
                yield _as_worded("CRED-2", right, numbers, message, creation.exchange, exchange)


def _sightings(life: Life | None) -> Iterator[tuple[Exchange, Mapping[str, Any]]]:
    if life is not None:
        for read in life.reads:
            yield read.exchange, read.task
        for callback in life.callbacks:
            yield callback, fields_of(callback.request.json)


@judges("CRED-3")
def plain_image_costs_30(view: View) -> Iterator[Finding]:
    """A request for one image at the default settings reserves 30 credits (CRED-3)."""
    for creation, reserved, _ in _reservations(view):
        sent = fields_of(creation.exchange.request.json)
        if sent and set(sent) <= _PLAIN_FIELDS:
            message = f"one image at the defaults reserves {reserved}, not {DEFAULT_IMAGE_CREDITS}"
            yield judged("CRED-3", reserved == DEFAULT_IMAGE_CREDITS, message, creation.exchange)


@judges("CRED-5")
def price_table(view: View) -> Iterator[Finding]:
    """Reservations against the assumed prices, whatever a default image costs (CRED-5)."""
    seen = [
        (creation, reserved, wish, assumed_price(wish, "medium"))
        for creation, reserved, wish in _reservations(view)
    ]
    units = {Fraction(reserved * DEFAULT_IMAGE_CREDITS, price) for _, reserved, _, price in seen}
    for creation, reserved, wish, price in seen:
        reading = "A"
        if len(units) == 1 and len(seen) > 1 and reserved != price:
            reading = f"the table's proportions, with {max(units)} for a default image"
        elif reserved != price:
            reading = f"{reserved} credits where {price} are assumed"
        yield reads("CRED-5", reading, f"{_asked(wish)} reserves {reserved}", creation.exchange)


def _reservations(view: View) -> Iterator[tuple[Creation, int, Wish]]:
    """What was asked for, and what was reserved for it."""
    for creation in view.creations:
        reserved, wish = reserved_by(creation), creation.wish
        if creation.status == 202 and reserved is not None and wish is not None and wish.n > 0:
            yield creation, reserved, wish


def _asked(wish: Wish) -> str:
    quality = wish.quality or "default quality"
    return f"{wish.n} x {wish.size}, {wish.resolution}, {quality}"


@judges("CRED-4")
def scale_with_n(view: View) -> Iterator[Finding]:
    """Reservations of requests that differ in ``n`` alone are in its proportion (CRED-4)."""
    first: dict[Hashable, tuple[Creation, int, int]] = {}
    for creation, reserved, wish in _reservations(view):
        shape = price_shape(view, wish)
        other, price, count = first.setdefault(shape, (creation, reserved, wish.n))
        if count != wish.n:
            message = f"n {count} reserves {price}, n {wish.n} reserves {reserved}"
            rounding = 0 if is_emulator(view) else count + wish.n - 1  # CRED-1: whole credits
            right = abs(price * wish.n - reserved * count) <= rounding
            yield judged("CRED-4", right, message, other.exchange, creation.exchange)


@judges("CRED-6")
def end_settles_the_reservation(view: View) -> Iterator[Finding]:
    """A success is charged, a failure refunded, k of n images cost k of n (CRED-6)."""
    for life in view.lives.values():
        for read in life.ends:
            numbers = told(read.task)
            if numbers is None:
                continue
            if read.status == FAILED:
                right = numbers.charged == 0 and numbers.refunded == numbers.reserved
                message = f"{shown(life.task_id)} failed with {numbers}"
                yield _as_worded("CRED-6", right, numbers, message, read.exchange)
            elif read.status in SUCCESS and life.wish is not None:
                yield from _success(life.wish.n, life.task_id, read, numbers)


def _success(asked: int, task_id: str, read: Read, numbers: Told) -> Iterator[Finding]:
    made = len(read.urls)
    message = f"{shown(task_id)} made {made} of {asked} images with {numbers}"
    if made >= asked:
        right = numbers.charged == numbers.reserved
        yield _as_worded("CRED-6", right, numbers, message, read.exchange)
    elif made:
        fair = math.ceil(Fraction(numbers.reserved * made, asked))
        reading = "A" if numbers.charged == fair else f"charged {numbers.charged}, not {fair}"
        yield reads("CRED-6", reading, message, read.exchange)


@judges("CRED-8")
def balance_has_its_members(view: View) -> Iterator[Finding]:
    """Each balance is an object with a number ``credits`` and ``currency: credits`` (CRED-8)."""
    for exchange in view.calls("GET", BALANCE):
        if has_no_such_route(exchange):
            yield unsupported("CRED-8", f"{BALANCE} answers {status_of(exchange)}", exchange)
        if status_of(exchange) != 200:
            continue
        answer = fields_of(answer_of(exchange))
        credits, currency = answer.get("credits"), answer.get("currency")
        if isinstance(credits, bool) or not isinstance(credits, int | float):
            yield breaks("CRED-8", f"credits is {shown(credits)}, no number", exchange)
        else:
            message = f"currency is {shown(currency)}, not credits"
            yield judged("CRED-8", currency == "credits", message, exchange)
