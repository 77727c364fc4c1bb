"""Delivering callbacks: each attempt once, whoever asks for it."""

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from emulator.core.callback import AttemptResult, Delivery, after_attempt, signature_headers
from emulator.core.clock import SECOND, rfc3339
from emulator.core.errors import Refusal, shown
from emulator.core.fault import Facts, Hit
from emulator.core.inbox import own_inbox
from emulator.core.ports import Sender
from emulator.core.task_detail import task_detail
from emulator.service.faults import Faults
from emulator.service.ground import Ground
from emulator.service.inboxes import Inboxes
from emulator.service.tally import AttemptMade
from emulator.store.records import Caller, StoredTask
from emulator.store.transaction import Transaction

_log = logging.getLogger("emulator.deliveries")

_LEASE_MARGIN_MS = 5 * SECOND


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was made.

    Attributes:
        delivery: the delivery's state after it.
        at: its instant on the account's clock.
        result: what it met.
    """

    delivery: Delivery
    at: int
    result: AttemptResult


class Deliveries:
    """Use cases about callbacks."""

    def __init__(self, ground: Ground, sender: Sender, inboxes: Inboxes, faults: Faults) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._sender = sender
        self._inboxes = inboxes
        self._settings = ground.settings
        self._media_secret = ground.media_secret
        self._faults = faults
        self._wakeups = ground.wakeups
        self._tally = ground.tally
        self._under_way: dict[str, asyncio.Task[Attempt | None]] = {}

    @property
    def under_way(self) -> int:
        """How many attempts are under way."""
        return len(self._under_way)

    def start(self, delivery_id: str, *, again: bool = False) -> "asyncio.Task[Attempt | None]":
        """Start a delivery's next attempt, or join the one that is under way.

        Args:
            delivery_id: the delivery.
            again: also where no attempt is left, or it was delivered.
        """
        running = self._under_way.get(delivery_id)
        if running is None:
            running = asyncio.create_task(self._attempt_unless_abandoned(delivery_id, again))
            self._under_way[delivery_id] = running
            running.add_done_callback(partial(self._ended, delivery_id))
        return running

    def _ended(self, delivery_id: str, attempt: "asyncio.Task[Attempt | None]") -> None:
        self._under_way.pop(delivery_id, None)
        error = None if attempt.cancelled() else attempt.exception()
        if error is not None:
            ids = {"delivery_id": delivery_id}
            _log.error("a callback attempt failed", exc_info=error, extra=ids)

    @property
    def under_way_ids(self) -> tuple[str, ...]:
        """The deliveries whose attempts are under way."""
        return tuple(self._under_way)

    async def abandon(self, delivery_ids: Iterable[str]) -> None:
        """Abandon attempts that are under way: their deliveries are gone."""
        running = [self._under_way[name] for name in delivery_ids if name in self._under_way]
        for attempt in running:
            attempt.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def due(self, real_now: int, limit: int) -> list[Delivery]:
        """Deliveries whose next attempt is due and not under way."""
        rows = await self._database.read(lambda tx: tx.deliveries_to_wake(real_now, limit))
        return [delivery for delivery in rows if delivery.id not in self._under_way]

    async def settle(self) -> None:
        """Wait for the attempts that are under way."""
        await asyncio.gather(*self._under_way.values())

    async def stop(self) -> None:
        """Abandon what is under way; it stays due, and goes out after the next start."""
        for running in list(self._under_way.values()):
            running.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._sender.close()

    async def list(
        self, caller: Caller, limit: int, task_id: str | None = None
    ) -> list[dict[str, Any]]:
        """An account's deliveries, or a task's, with every attempt, newest first."""

        def work(tx: Transaction) -> list[dict[str, Any]]:
            found = tx.deliveries_of_account(caller.account_id, limit, task_id)
            return [_shown(tx, delivery) for delivery in found]

        return await self._database.write(work)

    async def read(self, caller: Caller, delivery_id: str) -> dict[str, Any]:
        """One delivery with every attempt and its body.

        Raises:
            Refusal: there is no such delivery, or it is another account's.
        """

        def work(tx: Transaction) -> dict[str, Any]:
            delivery = tx.delivery(delivery_id)
            stored = None if delivery is None else tx.task(delivery.task_id)
            if delivery is None or stored is None or delivery.account_id != caller.account_id:
                message = f"There is no delivery {shown(delivery_id)} in this account."
                raise Refusal("not_found", message, "delivery_id")
            return {**_shown(tx, delivery), "body": json.loads(self.payload(stored))}

        return await self._database.write(work)

    async def redeliver(self, caller: Caller, delivery_id: str) -> dict[str, Any]:
        """Make one more attempt now, in whatever state the delivery is.

        Returns:
            The delivery after it, as ``read`` shows it.

        Raises:
            Refusal: as ``read`` does.
        """
        await self.read(caller, delivery_id)
        await asyncio.shield(self.start(delivery_id, again=True))
        return await self.read(caller, delivery_id)

    async def _attempt_unless_abandoned(self, delivery_id: str, again: bool) -> Attempt | None:
        try:
            return await self._attempt(delivery_id, again)
        except asyncio.CancelledError:  # whoever waits for it goes on
            return None

    async def _attempt(self, delivery_id: str, again: bool) -> Attempt | None:
        found = await self._database.write(lambda tx: self._take(tx, delivery_id, again))
        if found is None:
            return None
        delivery, stored, hit = found
        started_at = self._clock.now()
        at = stored.clock.now(started_at)
        result = await self._send(delivery, stored, at, hit)
        ended_at = self._clock.now()
        policy = self._settings.retry_policy
        after = after_attempt(delivery, result, at, stored.task.seed, policy)

        def record(tx: Transaction) -> int | None:
            now = tx.task(delivery.task_id)
            clock = stored.clock if now is None else now.clock
            due_at = after.due_at
            wake_at = None if due_at is None else clock.real_time_of(due_at, self._clock.now())
            tx.record_attempt(after, result, at, wake_at)
            if stored.faults_version:
                soon = clock.real_time_of(at, self._clock.now())
                tx.release_held_deliveries(delivery.account_id, at, soon, delivery.id)
                return soon
            return wake_at

        self._wakeups.due_at(await self._database.write(record))
        self._tally.attempted(AttemptMade(after, result, started_at, ended_at))
        self._wakeups.touch(delivery.account_id)
        return Attempt(after, at, result)

    async def _send(
        self, delivery: Delivery, stored: StoredTask, at: int, hit: Hit | None
    ) -> AttemptResult:
        """Send a callback, as far as a fault lets it."""
        name = None if hit is None else hit.name
        if name == "callback_refused":
            return AttemptResult.not_answered("connection refused (callback_refused)")
        body, signed_at = self.payload(stored), at
        headers = {"Content-Type": "application/json", "User-Agent": "gpt-image-emulator"}
        secret = self._settings.callback_secret
        if secret is not None:
            if hit is not None and name == "callback_stale_timestamp":
                signed_at -= hit.parameters["seconds"] * SECOND
            if name == "callback_wrong_signature":
                secret = bytes(byte ^ 0xFF for byte in secret)
            headers |= signature_headers(secret, delivery.id, signed_at, body)
        inbox = own_inbox(delivery.url, stored.task.base_url)
        if inbox is None:
            result = await self._sender.send(delivery.url, body, headers)
        else:
            result = await self._inboxes.hand_over(delivery, inbox, headers, body, at)
        if name == "callback_timeout":
            limit_seconds = self._settings.callback_timeout_seconds
            error = f"no complete answer within {limit_seconds:g} s (callback_timeout)"
            return AttemptResult.not_answered(error)
        return result

    def payload(self, stored: StoredTask) -> bytes:
        """The callback's body: the task's detail at its end, the same in every attempt (CB-1)."""
        task = stored.task
        detail = task_detail(
            task,
            task.timeline.ends_at,
            self._settings.profile,
            self._media_secret,
            self._settings.media_ttl_ms,
        )
        return json.dumps(detail, ensure_ascii=False).encode()

    def _take(
        self, tx: Transaction, delivery_id: str, again: bool
    ) -> tuple[Delivery, StoredTask, Hit | None] | None:
        delivery = tx.delivery(delivery_id)
        stored = None if delivery is None else tx.task(delivery.task_id)
        if delivery is None or stored is None or not (again or delivery.due_at is not None):
            return None
        timeout_ms = round(self._settings.callback_timeout_seconds * SECOND)
        tx.lease_delivery(delivery, self._clock.now() + timeout_ms + _LEASE_MARGIN_MS)
        hit = None
        if stored.faults_version:
            request = tx.request(stored.task.id)
            facts = Facts("", None if request is None else request.prompt, stored.task.id)
            hit = self._faults.take(
                tx,
                delivery.account_id,
                stored.faults_version,
                stored.account_seed,
                "attempt",
                facts,
            )
        return delivery, stored, hit


def _shown(tx: Transaction, delivery: Delivery) -> dict[str, Any]:
    return {
        "delivery_id": delivery.id,
        "task_id": delivery.task_id,
        "url": delivery.url,
        "state": delivery.state,
        "next_attempt_at": None if delivery.due_at is None else rfc3339(delivery.due_at),
        "attempts": [
            {**attempt, "at": rfc3339(attempt["at"])} for attempt in tx.attempts(delivery.id)
        ],
    }
