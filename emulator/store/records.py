"""What the store gives back, and what a database is."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from emulator.core.clock import AccountClock
from emulator.core.credits import Movement
from emulator.core.task import Task

if TYPE_CHECKING:
    from asyncio import Future

    from emulator.store.transaction import Transaction

T = TypeVar("T")
Row = tuple[Any, ...]


class StoreError(Exception):
    """The database can't be used; the message says which and why."""


class StoreUnavailable(StoreError):
    """The database does not answer at present, or is kept busy by others."""


class Cursor(Protocol):
    """What a driver's query gives back."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    @property
    def rowcount(self) -> int:
        """Rows that were changed."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def __iter__(self) -> Iterator[Any]:
        """All rows."""


class Database(Protocol):
    """One engine.

    Whatever it is asked may raise ``StoreUnavailable``.

    Attributes:
        announces: whether processes can tell each other of changes.
    """

    announces: bool

    async def write(self, work: "Callable[[Transaction], T]", account_id: str | None = None) -> T:
        """Run ``work`` in one transaction: all of it happens, or nothing.

        Args:
            work: what to do; it may be run more than once, and only the last run counts.
            account_id: meanwhile nobody else changes this account, or what belongs to it; None:
                ``work`` makes one, or touches single rows.
        """

    def write_now(self, work: "Callable[[Transaction], T]") -> T:
        """Like ``write``, at once, for code that runs outside an event loop."""

    async def read(self, work: "Callable[[Transaction], T]") -> T:
        """Run ``work``, which reads with a single query."""

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call ``heard`` at each announcement of any process, until cancelled."""

    async def announce(self) -> None:
        """Let every process that listens hear of a change."""

    def close(self) -> None:
        """Close all connections."""


def tell(done: "Future[Any]", result: Any, problem: Exception | None) -> None:
    """Tell who waits what came of a work; who was cancelled is not told, but it is done."""
    if done.done():
        return
    if problem is None:
        done.set_result(result)
    else:
        done.set_exception(problem)


class Account(NamedTuple):
    """An account's row: a world of its own."""

    id: str
    seed: int
    clock: AccountClock
    granted: int
    available: int
    reserved: int
    charged: int
    faults_version: int
    clock_leased_until: int


class ApiKey(NamedTuple):
    """A key as it is stored: hashed, with what it may do.

    Attributes:
        hash: SHA-256 of the key, in hexadecimal digits.
        account_id: the account that it opens.
        name: for people.
        hint: the key's first and last characters, for people.
        budget_credits: what it may spend in all, or None.
        requests_per_minute: how often it may call, or None.
        models: the models that it may use, or None for all.
        budget_used: what it has spent or set aside, in credits.
        created_at, revoked_at: real instants.
    """

    hash: str
    account_id: str
    name: str
    hint: str
    budget_credits: int | None
    requests_per_minute: int | None
    models: tuple[str, ...] | None
    created_at: int
    revoked_at: int | None = None
    budget_used: int = 0


class Caller(NamedTuple):
    """The key and the account behind a request; ``used_at`` is a real instant."""

    key_hash: str
    revoked: bool
    budget_credits: int | None
    requests_per_minute: int | None
    models: tuple[str, ...] | None
    account_id: str
    seed: int
    id_seed: int
    clock: AccountClock
    available: int
    faults_version: int
    used_at: int


class LedgerPart(NamedTuple):
    """Which entries of a ledger are asked for.

    Attributes:
        limit: the most of them.
        after: only entries with a higher number.
        before: only entries with a lower number, and then the newest first; None: oldest first.
        task_id: only entries of this task; None: all.
    """

    limit: int
    after: int = 0
    before: int | None = None
    task_id: str | None = None


class LedgerEntry(NamedTuple):
    """A movement that is to be written down, when it happened, and the task that it is about."""

    movement: Movement
    at: int
    task_id: str | None


class Moved(NamedTuple):
    """An account after a movement of its credits.

    Attributes:
        available: what can be spent.
        entry_number: of the ledger's last entry.
        tasks_created: how many there ever were.
        clock, seed, id_seed: the account's.
        wake_at: the real instant at which its next task ends, as far as that is noted.
    """

    available: int
    entry_number: int
    tasks_created: int
    clock: AccountClock
    seed: int
    id_seed: int
    wake_at: int | None


class StoredTask(NamedTuple):
    """A task, and of its account the clock, the seed and the faults' version."""

    task: Task
    clock: AccountClock
    account_seed: int
    faults_version: int


class Upload(NamedTuple):
    """An uploaded or fetched image."""

    media_type: str
    content: bytes
    account_id: str
    clock: AccountClock
