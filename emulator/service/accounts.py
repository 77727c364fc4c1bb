"""Keys and accounts: who calls, what the key may do, and what the account has."""

import hashlib
from typing import Any, NamedTuple

from emulator.core.clock import MINUTE, SECOND, rfc3339
from emulator.core.credits import Movement, grant
from emulator.core.errors import Refusal, account_deleted
from emulator.core.ports import Entropy, RealClock
from emulator.core.seed import derive
from emulator.settings import Settings
from emulator.store.records import ApiKey, Caller, Database, LedgerEntry, LedgerPart, StoredTask
from emulator.store.transaction import Transaction

KEY_PREFIX = "sk-"  # AUTH-3
_LONGEST_KEY = 256
_MARKS_IN_RETENTION = 10


class NewKey(NamedTuple):
    """What a new key may do.

    Attributes:
        name: for people.
        credits: granted to its new account.
        budget_credits, requests_per_minute, models: its limits, or None.
    """

    name: str
    credits: int
    budget_credits: int | None = None
    requests_per_minute: int | None = None
    models: tuple[str, ...] | None = None


def hash_key(key: str) -> str:
    """Hash a key as the store keeps it (AUTH-3)."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


class Accounts:
    """Use cases about keys and accounts."""

    def __init__(
        self, database: Database, clock: RealClock, entropy: Entropy, settings: Settings
    ) -> None:
        self._database = database
        self._entropy = entropy
        self._clock = clock
        self._settings = settings
        # Only then can an account go for want of use; in strict mode nothing would remake it.
        self._marks_use = settings.retain_ms > 0 and settings.keys == "open"
        self._mark_every_ms = settings.retain_ms // _MARKS_IN_RETENTION
        self._room = _Room(settings.max_accounts)

    async def authenticate(self, key: str | None, *, counted: bool = True) -> Caller:
        """Find the caller behind a key; in open mode the first use creates both.

        Args:
            key: as it was sent, or None.
            counted: False for calls of the emulator's own, which no limit of the upstream meets.

        Raises:
            Refusal: the key is missing, unknown or revoked (AUTH-1), over its requests a
                minute (ERR-5), or new where there are as many accounts as there may be.
        """
        if key is None:
            raise _no_key()
        key_hash = hash_key(key)
        caller = await self._database.read(lambda tx: tx.caller(key_hash))
        return await self._admit(key, key_hash, caller, counted=counted)

    async def authenticate_for_task(
        self, key: str | None, task_id: str, *, counted: bool = True
    ) -> tuple[Caller, StoredTask | None]:
        """Like ``authenticate``, and find one of the account's tasks with the same query."""
        if key is None:
            raise _no_key()
        key_hash = hash_key(key)
        caller, stored = await self._database.read(lambda tx: tx.caller_and_task(key_hash, task_id))
        return await self._admit(key, key_hash, caller, counted=counted), stored

    def admits_at_once(self, caller: Caller, real_now: int) -> bool:
        """Whether ``authenticate`` would only let this caller in: nothing to refuse or to write."""
        return not (
            caller.revoked
            or caller.requests_per_minute is not None
            or (self._marks_use and real_now - caller.used_at > self._mark_every_ms)
        )

    async def known_account(self, key: str | None) -> str | None:
        """The account of a key that was used before; None where there is none."""
        if key is None:
            return None
        caller = await self._database.read(lambda tx: tx.caller(hash_key(key)))
        return None if caller is None else caller.account_id

    async def create_key(self, new: NewKey) -> tuple[str, ApiKey]:
        """Create a key with an account of its own.

        Returns:
            The key, which nobody can show again, and its record.

        Raises:
            Refusal: there are as many accounts as there may be.
        """
        key = KEY_PREFIX + self._entropy.token()
        record = await self._database.write(lambda tx: self._add(tx, key, new))
        return key, record

    async def list_keys(self) -> list[ApiKey]:
        """All keys, oldest first."""
        return await self._database.read(lambda tx: tx.keys())

    async def revoke(self, key_or_name: str) -> int:
        """Revoke a key, given itself or its name; return how many keys it hit."""
        now = self._clock.now()
        return await self._database.write(
            lambda tx: tx.revoke_keys(hash_key(key_or_name), key_or_name, now)
        )

    async def overview(self, caller: Caller) -> dict[str, Any]:
        """The account: its id, seed and sums in credits."""
        account = await self._database.read(lambda tx: tx.account(caller.account_id))
        if account is None:
            raise account_deleted()
        return {
            "account_id": account.id,
            "seed": account.seed,
            "credits": {
                "granted": account.granted,
                "available": account.available,
                "reserved": account.reserved,
                "charged": account.charged,
            },
        }

    async def ledger(self, caller: Caller, part: LedgerPart) -> list[dict[str, Any]]:
        """A part of the account's ledger (CRED-7)."""
        entries = await self._database.read(lambda tx: tx.ledger(caller.account_id, part))
        return [{**entry, "at": rfc3339(entry["at"])} for entry in entries]

    async def _admit(
        self, key: str, key_hash: str, caller: Caller | None, *, counted: bool
    ) -> Caller:
        if caller is None or (self._marks_use and not await self._mark_used(caller)):
            caller = await self._first_use(key, key_hash)
        if caller.revoked:
            message, account_id = "This API key was revoked.", caller.account_id
            raise Refusal("invalid_api_key", message, claim="AUTH-1", account_id=account_id)
        if counted and caller.requests_per_minute is not None:
            await self._count(caller, caller.requests_per_minute)
        return caller

    async def _mark_used(self, caller: Caller) -> bool:
        """Note now and then that a key is in use; False where a sweep was quicker."""
        real_now = self._clock.now()
        if real_now - caller.used_at <= self._mark_every_ms:
            return True
        return await self._database.write(lambda tx: tx.mark_used(caller.key_hash, real_now))

    async def _first_use(self, key: str, key_hash: str) -> Caller:
        if self._settings.keys == "strict":
            message = "Unknown API key. Create one with: gpt-image-emulator keys create"
            raise Refusal("invalid_api_key", message, claim="AUTH-1")
        if not key.startswith(KEY_PREFIX) or not len(KEY_PREFIX) < len(key) <= _LONGEST_KEY:
            message = (
                "API keys begin with sk- and have at most 256 characters;"
                " any such key works here, for example sk-test."
            )
            raise Refusal("invalid_api_key", message, claim="AUTH-3")
        new = NewKey(_account_id(key_hash), self._settings.initial_credits)

        def create(tx: Transaction) -> Caller | None:
            if tx.caller(key_hash) is None:
                self._add(tx, key, new)
            return tx.caller(key_hash)

        caller = await self._database.write(create)
        if caller is None:
            raise RuntimeError("a key that was just created is gone")
        return caller

    def _add(self, tx: Transaction, key: str, new: NewKey) -> ApiKey:
        key_hash, now = hash_key(key), self._clock.now()
        self._room.take(tx, now)
        account_id = _account_id(key_hash)
        id_seed = free_id_seed(tx, account_id, key_hash)
        tx.add_account(account_id, default_seed(key_hash), id_seed, now)
        if new.credits:
            book(tx, account_id, grant(new.credits), now)
        record = ApiKey(
            hash=key_hash,
            account_id=account_id,
            name=new.name,
            hint=_hint(key),
            budget_credits=new.budget_credits,
            requests_per_minute=new.requests_per_minute,
            models=new.models,
            created_at=now,
        )
        tx.add_key(record)
        return record

    async def _count(self, caller: Caller, limit: int) -> None:
        now = caller.clock.now(self._clock.now())
        made, since = await self._database.write(
            lambda tx: tx.count_request(caller.key_hash, now, MINUTE)
        )
        if made > limit:
            wait_seconds = max(1, -(-(since + MINUTE - now) // SECOND))
            raise Refusal(
                "rate_limit_exceeded",
                f"This API key may make {limit} requests a minute, and {made} were made;"
                f" try again in {wait_seconds} s.",
                claim="ERR-5",
                retry_after_seconds=wait_seconds,
                account_id=caller.account_id,
            )


class _Room:
    """How many accounts may still be made: counted once a second at most, since counting is slow.

    What another process makes in that second is not seen, so there can be a few too many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = 0
        self._counted_at: int | None = None

    def take(self, tx: Transaction, real_now: int) -> None:
        """Make room for one account.

        Raises:
            Refusal: there are as many as there may be.
        """
        if self._counted_at is None or not 0 <= real_now - self._counted_at < SECOND:
            self._left = self._most - tx.count_accounts(self._most)
            self._counted_at = real_now
        if self._left <= 0:
            message = (
                f"This server has {self._most:,} accounts, the most that --max-accounts allows;"
                " use a key that has one, or delete one with DELETE /_emulator/account."
            )
            raise Refusal("service_unavailable", message, retry_after_seconds=1)
        self._left -= 1


def default_seed(key_hash: str) -> int:
    """The seed of a key's account, unless another was chosen."""
    return derive(0, "account", key_hash)


def free_id_seed(tx: Transaction, account_id: str, key_hash: str) -> int:
    """The account's own ``id_seed``: its default, unless a snapshot brought that elsewhere."""
    id_seed, tries = default_seed(key_hash), 0
    while tx.account_of_id_seed(id_seed) not in (None, account_id):
        tries += 1
        id_seed = derive(0, "account", key_hash, tries)
    return id_seed


def book(tx: Transaction, account_id: str, movement: Movement, real_now: int) -> bool:
    """Apply a movement that belongs to no task; False where a sum would go below zero."""
    moved = tx.move_credits(account_id, movement)
    if moved is not None:
        entry = LedgerEntry(movement, moved.clock.now(real_now), None)
        tx.add_ledger_entries(account_id, [entry], moved)
    return moved is not None


def _account_id(key_hash: str) -> str:
    return f"acct_{key_hash[:24]}"


def _hint(key: str) -> str:
    """What a person may see of a key."""
    return f"{key[:5]}…{key[-2:]}" if len(key) > 12 else f"{key[:4]}…"


def _no_key() -> Refusal:
    message = "No API key was sent. Send the header Authorization: Bearer sk-... or x-api-key."
    return Refusal("invalid_api_key", message, claim="AUTH-1")
