"""Credits move as ledger entries; every unit is available, reserved or charged.

The invariant: granted = available + reserved + charged, and none of them below zero.
The store applies a movement in one guarded UPDATE, so the database keeps it too.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

CARRIED_FORWARD = "carried_forward"


class Movement(NamedTuple):
    """One change of an account's credits, as the ledger keeps it (CRED-7).

    Attributes:
        kind: grant, purchase, adjustment, reservation, consumption, refund or carried_forward.
        granted, available, reserved, charged: what is added to each sum, in credits.
    """

    kind: str
    granted: int = 0
    available: int = 0
    reserved: int = 0
    charged: int = 0


def grant(credits: int) -> Movement:
    """Give an account credits."""
    return Movement("grant", granted=credits, available=credits)


def purchase(credits: int) -> Movement:
    """Give an account credits that were bought."""
    return Movement("purchase", granted=credits, available=credits)


def adjust(credits: int) -> Movement:
    """Give an account credits from outside, or take them where ``credits`` is below zero."""
    return Movement("adjustment", granted=credits, available=credits)


@lru_cache(maxsize=256)
def reserve(credits: int) -> Movement:
    """Set a task's price aside when the task is created (CRED-1)."""
    return Movement("reservation", available=-credits, reserved=credits)


def total(movements: Iterable[Movement]) -> Movement:
    """Add movements up, so that they can be applied as one."""
    return _sum("total", ((m.granted, m.available, m.reserved, m.charged) for m in movements))


@lru_cache(maxsize=256)
def settle(reserved: int, charged: int) -> tuple[Movement, ...]:
    """Close a task's reservation: charge what was used, give back the rest (CRED-6).

    Args:
        reserved: the task's reservation, in credits.
        charged: what its images cost, from 0 (it failed) to ``reserved``.

    Raises:
        ValueError: more would be charged than was reserved.
    """
    if not 0 <= charged <= reserved:
        raise ValueError(f"cannot charge {charged} of a reservation of {reserved} credits")
    refund = reserved - charged
    movements = []
    if charged:
        movements.append(Movement("consumption", reserved=-charged, charged=charged))
    if refund:
        movements.append(Movement("refund", available=refund, reserved=-refund))
    return tuple(movements)


def carry_forward(sums: Iterable[tuple[int, int, int, int]]) -> Movement:
    """Write one entry in the place of many, so that a ledger stays short and adds up.

    Args:
        sums: what each of them added: granted, available, reserved, charged.
    """
    return _sum(CARRIED_FORWARD, sums)


def _sum(kind: str, sums: Iterable[tuple[int, int, int, int]]) -> Movement:
    granted = available = reserved = charged = 0
    for each in sums:
        granted += each[0]
        available += each[1]
        reserved += each[2]
        charged += each[3]
    return Movement(kind, granted, available, reserved, charged)
