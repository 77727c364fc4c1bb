"""Credits: what is reserved, charged and refunded, and how the balance moves."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from contracts.exchange import Exchange, fields_of
from contracts.findings import Finding, breaks, judged, judges, reads
from contracts.model import Wish
from contracts.observed import BALANCE, FAILED, SUCCESS, Creation, Life
from contracts.prices import DEFAULT_IMAGE_CREDITS, assumed_price
from contracts.view import View

_PLAIN_FIELDS = {"model", "prompt", "callback_url"}


def whole(value: Any) -> int | None:
    """A whole number that is not below zero; None for all else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


class Told(NamedTuple):
    """What a task tells about its credits."""

    reserved: int
    charged: int
    refunded: int


def told(task: Mapping[str, Any]) -> Told | None:
    """A task's credits; None where it does not tell them in the assumed words (TASK-7)."""
    credits = fields_of(task.get("credits"))
    numbers = [whole(credits.get(name)) for name in Told._fields]
    known = [number for number in numbers if number is not None]
    return Told(*known) if len(known) == len(numbers) else None


@judges("CRED-1")
def are_whole_numbers(view: View) -> Iterator[Finding]:
    """Every number under ``credits`` is whole and not below zero (CRED-1)."""
    for exchange, name, value in _numbers(view):
        message = f"{name} is {value!r}, which is no whole number from 0"
        yield judged("CRED-1", whole(value) is not None, message, exchange)


def _numbers(view: View) -> Iterator[tuple[Exchange, str, Any]]:
    for creation in view.creations:
        if creation.status == 202:
            for name, value in fields_of(creation.answer.get("credits")).items():
                yield creation.exchange, f"credits.{name}", value
    for life in view.lives.values():
        for read in life.reads:
            for name, value in fields_of(read.task.get("credits")).items():
                yield read.exchange, f"credits.{name}", value
    for exchange in view.calls("GET", BALANCE):
        if exchange.response is not None and exchange.response.status == 200:
            value = fields_of(exchange.response.json).get("credits")
            yield exchange, "credits", value


@judges("CRED-1")
def add_up(view: View) -> Iterator[Finding]:
    """At the end charged and refunded make up what was reserved; before it both are 0 (CRED-1)."""
    for life in view.lives.values():
        for read in life.reads:
            numbers = told(read.task)
            if numbers is None:
                continue
            reserved, charged, refunded = numbers
            right = charged + refunded == reserved if read.ended else charged == 0 and refunded == 0
            message = (
                f"{life.task_id} is {read.status}: reserved {reserved}, charged {charged},"
                f" refunded {refunded}"
            )
            yield judged("CRED-1", right, message, read.exchange)


@judges("CRED-2")
def reservation_is_told_and_kept(view: View) -> Iterator[Finding]:
    """Each creation tells what it reserved, above zero; the task tells the same (CRED-2)."""
    for creation in view.creations:
        if creation.status != 202:
            continue
        value = fields_of(creation.answer.get("credits")).get("reserved")
        message = f"credits.reserved of the creation is {value!r}"
        yield judged("CRED-2", bool(whole(value)), message, creation.exchange)
        life = view.lives.get(creation.task_id or "")
        for exchange, task in _sightings(life):
            seen = fields_of(task.get("credits")).get("reserved", value)
            message = f"{value!r} was reserved at the creation; the task says {seen!r}"
            yield judged("CRED-2", seen == value, message, creation.exchange, exchange)


def _sightings(life: Life | None) -> Iterator[tuple[Exchange, Mapping[str, Any]]]:
    if life is not None:
        for read in life.reads:
            yield read.exchange, read.task
        for callback in life.callbacks:
            yield callback, fields_of(callback.request.json)


def reserved_by(creation: Creation) -> int | None:
    """What a creation says that it reserved; None where it says nothing usable."""
    return whole(fields_of(creation.answer.get("credits")).get("reserved"))


@judges("CRED-3", "CRED-5")
def price_table(view: View) -> Iterator[Finding]:
    """Reservations against the assumed prices (CRED-5), a plain request's apart (CRED-3)."""
    for creation in view.creations:
        reserved, wish = reserved_by(creation), creation.wish
        if creation.status != 202 or reserved is None or wish is None:
            continue
        asked = _asked(wish)
        body = creation.exchange.request.json
        if isinstance(body, dict) and set(body) <= _PLAIN_FIELDS:
            message = f"one image at the defaults reserves {reserved}, not {DEFAULT_IMAGE_CREDITS}"
            yield judged("CRED-3", reserved == DEFAULT_IMAGE_CREDITS, message, creation.exchange)
        price = assumed_price(wish, "medium")
        reading = "A" if reserved == price else f"{reserved} credits where {price} are assumed"
        yield reads("CRED-5", reading, f"{asked} reserves {reserved}", creation.exchange)


def _asked(wish: Wish) -> str:
    quality = wish.quality or "default quality"
    return f"{wish.n} x {wish.size}, {wish.resolution}, {quality}"


@judges("CRED-4")
def scale_with_n(view: View) -> Iterator[Finding]:
    """Reservations of requests that differ in ``n`` alone are in its proportion (CRED-4)."""
    first: dict[object, tuple[Creation, int]] = {}
    for creation in view.creations:
        reserved, wish = reserved_by(creation), creation.wish
        if creation.status != 202 or reserved is None or wish is None or wish.n < 1:
            continue
        tier = wish.resolution if ":" in wish.size else ""
        size = wish.size if "x" in wish.size else "auto" if wish.size == "auto" else "ratio"
        other, price = first.setdefault((size, tier, wish.quality), (creation, reserved))
        if other.wish is None or other.wish.n == wish.n:
            continue
        message = f"n {other.wish.n} reserves {price}, n {wish.n} reserves {reserved}"
        right = price * wish.n == reserved * other.wish.n
        yield judged("CRED-4", right, message, other.exchange, creation.exchange)


@judges("CRED-6")
def end_settles_the_reservation(view: View) -> Iterator[Finding]:
    """A success is charged, a failure refunded, k of n images cost k of n (CRED-6)."""
    for life in view.lives.values():
        for read in life.ends:
            numbers = told(read.task)
            if numbers is None:
                continue
            where = read.exchange
            if read.status == FAILED:
                right = numbers.charged == 0 and numbers.refunded == numbers.reserved
                message = f"{life.task_id} failed: {numbers._asdict()}"
                yield judged("CRED-6", right, message, where)
            elif read.status in SUCCESS and life.wish is not None:
                yield from _success(life, read.urls, numbers, where)


def _success(
    life: Life, urls: tuple[str, ...], numbers: Told, where: Exchange
) -> Iterator[Finding]:
    asked = life.wish.n if life.wish is not None else 0
    message = f"{life.task_id} made {len(urls)} of {asked} images: {numbers._asdict()}"
    if len(urls) >= asked:
        yield judged("CRED-6", numbers.charged == numbers.reserved, message, where)
    elif urls:
        fair = math.ceil(numbers.reserved * len(urls) / asked)
        reading = "A" if numbers.charged == fair else f"charged {numbers.charged}, not {fair}"
        yield reads("CRED-6", reading, message, where)


@judges("CRED-8")
def balance_has_its_members(view: View) -> Iterator[Finding]:
    """Each balance is an object with a number ``credits`` and ``currency: credits`` (CRED-8)."""
    for exchange in view.calls("GET", BALANCE):
        if exchange.response is None or exchange.response.status != 200:
            continue
        answer = fields_of(exchange.response.json)
        credits, currency = answer.get("credits"), answer.get("currency")
        if isinstance(credits, bool) or not isinstance(credits, int | float):
            yield breaks("CRED-8", f"credits is {credits!r}, no number", exchange)
        else:
            message = f"currency is {currency!r}, not 'credits'"
            yield judged("CRED-8", currency == "credits", message, exchange)
