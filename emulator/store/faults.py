"""Faults in the store, and how often they met something."""

import json
from typing import Any, NamedTuple

from emulator.core.errors import account_deleted
from emulator.core.fault import Fault, parse_fault
from emulator.store.queries import Queries


class StoredFault(NamedTuple):
    """A fault of an account.

    Attributes:
        number: 1 for the account's first; faults are asked in this order.
        fault: what it does, and whom it meets.
        seen: requests, tasks, files or callbacks that it could have met.
        hits: those that it met.
    """

    number: int
    fault: Fault
    seen: int
    hits: int

    @property
    def is_active(self) -> bool:
        """Whether it can still act."""
        return self.fault.times is None or self.hits < self.fault.times


class FaultQueries(Queries):
    """What a transaction can do with faults."""

    def faults_version(self, account_id: str) -> int:
        """Count of changes of the account's faults; 0: it never had one."""
        row = self._run("faults_version", {"id": account_id}).fetchone()
        return 0 if row is None else row[0]

    def change_faults(self, account_id: str) -> None:
        """Say that the account's faults changed."""
        self._run("change_faults", {"id": account_id})

    def add_fault(self, account_id: str, fault: Fault, directive: str | None = None) -> int:
        """Add a fault; return its number."""
        row = self._run("next_fault_number", {"id": account_id}).fetchone()
        if row is None:
            raise account_deleted()
        number: int = row[0]
        spec = json.dumps(fault.as_json())
        parameters: dict[str, Any] = {"id": account_id, "number": number, "spec": spec}
        self._run("add_fault", {**parameters, "directive": directive, "times": fault.times})
        self.change_faults(account_id)
        return number

    def faults(self, account_id: str) -> list[StoredFault]:
        """An account's faults, in the order in which they are asked."""
        return [
            StoredFault(row[0], parse_fault(json.loads(row[1])), row[2], row[3])
            for row in self._run("faults", {"id": account_id})
        ]

    def count_faults(self, account_id: str) -> int:
        """How many faults an account has."""
        count: int = self._run("count_faults", {"id": account_id}).fetchone()[0]
        return count

    def has_directive(self, account_id: str, directive: str) -> bool:
        """Whether the account has met a directive before."""
        parameters = {"id": account_id, "directive": directive}
        return self._run("fault_of_directive", parameters).fetchone() is not None

    def see_fault(self, account_id: str, number: int) -> int | None:
        """Count a match; return how many there were; None where the fault is used up or gone."""
        row = self._run("see_fault", {"id": account_id, "number": number}).fetchone()
        return None if row is None else row[0]

    def hit_fault(self, account_id: str, number: int) -> None:
        """Count a hit; where it was the last, the account's faults change."""
        row = self._run("hit_fault", {"id": account_id, "number": number}).fetchone()
        if row is not None and row[0] == row[1]:
            self.change_faults(account_id)

    def remove_faults(self, account_id: str, number: int | None = None) -> int:
        """Remove one fault, or all; return how many."""
        removed = self._run("remove_faults", {"id": account_id, "number": number}).rowcount
        self.change_faults(account_id)
        return removed
