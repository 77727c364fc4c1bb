"""The spend ledger: what may cost credits is reserved here before it is sent.

Each movement is on disk before the request leaves, so a run that is killed has not forgotten what
it may have spent. A reservation that nobody settled counts as spent.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import IO, Any
from uuid import uuid4

from contracts.options import EXIT_FILE, EXIT_LIMIT, EngineError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # not on Windows; runs at the same time then see each other's spend late
    fcntl = None


class LimitReachedError(EngineError):
    """The next request could cost more than is left."""

    def __init__(self, message: str) -> None:
        super().__init__(message, EXIT_LIMIT)


class DayFile:
    """What a day's runs spent at one target with one key, one JSON line a movement.

    Args:
        path: the file; it and its folder are made where they don't exist.

    Raises:
        EngineError: it can't be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError as error:
            message = f"the spend ledger {path} can't be written: {error.strerror}"
            raise EngineError(message, EXIT_FILE) from error

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        try:
            with self.path.open("r+b") as file:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            message = f"the spend ledger {self.path} can't be written: {error.strerror}"
            raise EngineError(message, EXIT_FILE) from error

    def total(self) -> int:
        """What was spent, in credits; reservations that were not settled included."""
        with self._locked() as file:
            return sum(self._amounts(file).values())

    def reserve(self, credits: int, limit: int | None, what: str) -> str | None:
        """Write a reservation down, unless it could go over the limit.

        Returns:
            The reservation's id; None where it would go over.
        """
        with self._locked() as file:
            spent = sum(self._amounts(file).values())
            if limit is not None and spent + credits > limit:
                return None
            name = uuid4().hex
            self._append(file, {"id": name, "reserved": credits, "what": what})
            return name

    def settle(self, name: str, credits: int) -> None:
        """Write down what a reservation cost; the last word counts."""
        with self._locked() as file:
            self._amounts(file)  # takes away what another run that was killed left torn
            self._append(file, {"id": name, "settled": credits})

    def _append(self, file: IO[bytes], line: dict[str, Any]) -> None:
        file.write(json.dumps(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())

    def _amounts(self, file: IO[bytes]) -> dict[str, int]:
        whole, newline, torn = file.read().rpartition(b"\n")
        if torn:  # its writer was killed before its request left
            file.truncate(len(whole + newline))
            file.seek(0, os.SEEK_END)
        amounts: dict[str, int] = {}
        for number, text in enumerate(whole.splitlines(), 1):
            try:
                line = json.loads(text)
                amount = line.get("settled", line.get("reserved"))
                if type(amount) is not int or amount < 0:
                    raise ValueError(amount)  # noqa: TRY301
                amounts[line["id"]] = amount
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
                message = (
                    f"line {number} of the spend ledger {self.path} can't be read; look at it,"
                    " then mend or remove it"
                )
                raise EngineError(message, EXIT_FILE) from error
        return amounts


@dataclass
class Reservation:
    """Credits that a request may cost.

    Attributes:
        credits: as they were priced, then as they were settled.
        name: its id in the day's file; None where there is no file.
        settled: whether the target told what it cost.
    """

    credits: int
    name: str | None
    settled: bool = False


class SpendLedger:
    """Reserves and settles; the one place that says whether a request may be sent.

    Args:
        limit_credits: the day's hard stop; None where there is none.
        day_file: what earlier runs spent, and where this one is written down; None for none.
    """

    def __init__(self, limit_credits: int | None, day_file: DayFile | None) -> None:
        self.limit_credits = limit_credits
        self._day_file = day_file
        self._lock = threading.Lock()
        self._reservations: list[Reservation] = []
        self._untold_credits = 0

    @property
    def spent_credits(self) -> int:
        """What this run spent, what is not settled included."""
        return sum(reservation.credits for reservation in self._reservations)

    @property
    def unsettled_credits(self) -> int:
        """What this run reserved and never heard of again."""
        return sum(r.credits for r in self._reservations if not r.settled)

    @property
    def today_credits(self) -> int:
        """What all runs of the day spent."""
        return self._day_file.total() if self._day_file else self.spent_credits

    def figures(self) -> dict[str, int | None]:
        """All of these numbers, for the trace's facts."""
        return {
            "limit_credits": self.limit_credits,
            "spent_credits": self.spent_credits,
            "unsettled_credits": self.unsettled_credits,
            "today_credits": self.today_credits,
        }

    def reserve(self, credits: int, what: str) -> Reservation:
        """Set aside what a request may cost.

        Raises:
            LimitReachedError: that is more than is left.
        """
        with self._lock:
            name = None
            if self._day_file is not None:
                name = self._day_file.reserve(credits, self.limit_credits, what)
                fits = name is not None
            else:
                limit = self.limit_credits
                fits = limit is None or self.spent_credits + credits <= limit
            if not fits:
                raise LimitReachedError(self._refusal(credits, what))
            reservation = Reservation(credits, name)
            self._reservations.append(reservation)
            return reservation

    def settle(self, reservation: Reservation, credits: int) -> None:
        """Note what a request did cost."""
        with self._lock:
            reservation.credits = credits
            reservation.settled = True
            if self._day_file is not None and reservation.name is not None:
                self._day_file.settle(reservation.name, credits)

    def note_fall(self, credits: int) -> Fraction:
        """Note by how much the balance has fallen: what no answer told was spent too.

        Args:
            credits: since the run began.

        Returns:
            How many times more than told it is; 1 where it is not more.
        """
        with self._lock:
            missing = credits - self.spent_credits
            if missing <= 0:
                return Fraction(1)
            told = self.spent_credits - self._untold_credits
            name = None
            if self._day_file is not None:
                name = self._day_file.reserve(missing, None, "what the balance fell by")
            self._reservations.append(Reservation(missing, name, settled=True))
            self._untold_credits += missing
            return Fraction(credits, told) if told else Fraction(1)

    def _refusal(self, credits: int, what: str) -> str:
        return (
            f"{what} may cost {credits:,} credits; {self.today_credits:,} of today's limit of"
            f" {self.limit_credits or 0:,} are spent. Raise --max-credits, or lower the price with"
            " --credits-per-image if you know it."
        )
