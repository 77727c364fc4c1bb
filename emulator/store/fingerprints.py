"""What tells that something of an account changed, in one query."""

from typing import NamedTuple

from emulator.core.clock import AccountClock
from emulator.store.queries import Queries


class Fingerprint(NamedTuple):
    """An account at a moment; each part differs once what it is named after has changed.

    Attributes:
        account: credits and ledger.
        tasks: how many there are, run, and have started.
        deliveries: changes of deliveries and attempts.
        inbox: inboxes, messages, and changes of what is answered.
        journal: the requests that were noted.
        faults: their changes, and how often they met and hit something.
        clock: the account's clock.
        next_at: the instant of the clock at which a task starts or ends next; None: none does.
    """

    account: tuple[int, ...]
    tasks: tuple[int, ...]
    deliveries: tuple[int, ...]
    inbox: tuple[int, ...]
    journal: tuple[int, ...]
    faults: tuple[int, ...]
    clock: AccountClock
    next_at: int | None


class FingerprintQueries(Queries):
    """What a transaction can tell of an account's changes."""

    def fingerprint(self, key_hash: str, real_now: int) -> Fingerprint | None:
        """The account of a key as it is now; None where the key or the account is gone."""
        row = self._run("fingerprint", {"hash": key_hash, "real_now": real_now}).fetchone()
        if row is None:
            return None
        return Fingerprint(
            account=tuple(row[0:3]),
            tasks=tuple(row[3:6]),
            deliveries=(row[6],),
            inbox=tuple(row[7:10]),
            journal=(row[10],),
            faults=tuple(row[11:14]),
            clock=AccountClock(row[14], row[15]),
            next_at=row[16],
        )
