"""What a judge says: one finding for each thing that it looked at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from contracts.exchange import Exchange
from contracts.view import View


class Outcome(StrEnum):
    """What one observation says about a claim."""

    HOLDS = "holds"
    BREAKS = "breaks"
    READS = "reads"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation about one claim.

    Attributes:
        claim_id: the claim.
        outcome: what it says.
        message: what was seen, in one line; empty for one that merely holds.
        exchanges: numbers of the exchanges that show it.
        reading: ``A`` or ``B``, a reading that claims.yaml names, or the words of another one.
        check: who says so; filled in by whoever runs the judges.
    """

    claim_id: str
    outcome: Outcome
    message: str = ""
    exchanges: tuple[int, ...] = ()
    reading: str | None = None
    check: str = ""


def holds(claim_id: str, *exchanges: Exchange) -> Finding:
    """The claim was seen to hold."""
    return Finding(claim_id, Outcome.HOLDS, "", _numbers(exchanges))


def breaks(claim_id: str, message: str, *exchanges: Exchange) -> Finding:
    """The claim was seen broken."""
    return Finding(claim_id, Outcome.BREAKS, message, _numbers(exchanges))


def reads(claim_id: str, reading: str, message: str, *exchanges: Exchange) -> Finding:
    """One of several readings of the claim was seen.

    Args:
        claim_id: the claim.
        reading: ``A`` or ``B`` of claims.yaml, or a few words for one that it doesn't have.
        message: what was seen.
        exchanges: where.
    """
    return Finding(claim_id, Outcome.READS, message, _numbers(exchanges), reading)


def unsupported(claim_id: str, message: str, *exchanges: Exchange) -> Finding:
    """The target has no such route."""
    return Finding(claim_id, Outcome.UNSUPPORTED, message, _numbers(exchanges))


def judged(claim_id: str, right: bool, message: str, *exchanges: Exchange) -> Finding:
    """``holds`` or ``breaks``, as ``right`` says; the message is for the second."""
    return holds(claim_id, *exchanges) if right else breaks(claim_id, message, *exchanges)


def _numbers(exchanges: Iterable[Exchange]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(exchange.number for exchange in exchanges))


Judge = Callable[[View], Iterable[Finding]]
_Judge = TypeVar("_Judge", bound=Judge)

JUDGES: dict[str, tuple[tuple[str, ...], Judge]] = {}


def judges(*claim_ids: str) -> Callable[[_Judge], _Judge]:
    """Register a judge, a pure function of a view, for the claims that it speaks about."""

    def register(function: _Judge) -> _Judge:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        JUDGES[name] = (claim_ids, function)
        return function

    return register
