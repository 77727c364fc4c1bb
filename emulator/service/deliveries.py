"""Delivering callbacks: each attempt once, whoever asks for it."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emulator.core.callback import AttemptResult, Delivery, after_attempt, signature_headers
from emulator.core.clock import SECOND, rfc3339
from emulator.core.ports import RealClock, Sender
from emulator.core.task_detail import task_detail
from emulator.settings import Settings
from emulator.store.records import Caller, Database, StoredTask
from emulator.store.transaction import Transaction

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

    def __init__(
        self,
        database: Database,
        clock: RealClock,
        sender: Sender,
        settings: Settings,
        media_secret: bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sender = sender
        self._settings = settings
        self._media_secret = media_secret
        self._under_way: dict[str, asyncio.Task[Attempt | None]] = {}

    @property
    def under_way(self) -> int:
        """How many attempts are under way."""
        return len(self._under_way)

    def start(self, delivery_id: str) -> "asyncio.Task[Attempt | None]":
        """Start a delivery's next attempt, or join the one that is under way."""
        running = self._under_way.get(delivery_id)
        if running is None:
            running = asyncio.create_task(self._attempt(delivery_id))
            self._under_way[delivery_id] = running
            running.add_done_callback(lambda _: self._under_way.pop(delivery_id, None))
        return running

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

    async def list(self, caller: Caller, limit: int) -> list[dict[str, Any]]:
        """An account's deliveries with every attempt, newest first."""

        def work(tx: Transaction) -> list[dict[str, Any]]:
            return [
                {
                    "delivery_id": delivery.id,
                    "task_id": delivery.task_id,
                    "url": delivery.url,
                    "state": delivery.state,
                    "next_attempt_at": None
                    if delivery.due_at is None
                    else rfc3339(delivery.due_at),
                    "attempts": [
                        {**attempt, "at": rfc3339(attempt["at"])}
                        for attempt in tx.attempts(delivery.id)
                    ],
                }
                for delivery in tx.deliveries_of_account(caller.account_id, limit)
            ]

        return await self._database.write(work)

    async def _attempt(self, delivery_id: str) -> Attempt | None:
        found = await self._database.write(lambda tx: self._take(tx, delivery_id))
        if found is None:
            return None
        delivery, stored = found
        at = stored.clock.now(self._clock.now())
        body = self.payload(stored)
        secret = self._settings.callback_secret
        headers = {"Content-Type": "application/json", "User-Agent": "gpt-image-emulator"}
        if secret is not None:
            headers |= signature_headers(secret, delivery.id, at, body)
        result = await self._sender.send(delivery.url, body, headers)
        policy = self._settings.retry_policy
        after = after_attempt(delivery, result, at, stored.task.seed, policy)

        def record(tx: Transaction) -> None:
            now = tx.task(delivery.task_id)
            clock = stored.clock if now is None else now.clock
            due_at = after.due_at
            wake_at = None if due_at is None else clock.real_time_of(due_at, self._clock.now())
            tx.record_attempt(after, result, at, wake_at)

        await self._database.write(record)
        return Attempt(after, at, result)

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

    def _take(self, tx: Transaction, delivery_id: str) -> tuple[Delivery, StoredTask] | None:
        delivery = tx.delivery(delivery_id)
        stored = None if delivery is None else tx.task(delivery.task_id)
        if delivery is None or stored is None or delivery.state != "pending":
            return None
        timeout_ms = round(self._settings.callback_timeout_seconds * SECOND)
        tx.lease_delivery(delivery, self._clock.now() + timeout_ms + _LEASE_MARGIN_MS)
        return delivery, stored
