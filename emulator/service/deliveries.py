"""Delivering callbacks: each attempt once, whoever asks for it."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any, NamedTuple

from emulator.core.callback import Delivery, after_attempt
from emulator.core.clock import rfc3339
from emulator.core.errors import Refusal, shown
from emulator.core.fault import Facts, Hit
from emulator.service.faults import Faults
from emulator.service.ground import Ground
from emulator.service.leases import LEASE_MS, RENEWAL_SECONDS
from emulator.service.sending import Attempt, Sending, Sent, callback_body
from emulator.service.tally import AttemptMade
from emulator.service.wakeups import LONGEST_SLEEP_SECONDS
from emulator.store.records import Caller, StoredTask
from emulator.store.transaction import Transaction

_log = logging.getLogger("emulator.deliveries")

_MOST_UNDER_WAY = 100


class _Taken(NamedTuple):
    """A delivery that this process sends, its task, and the fault that meets the attempt."""

    delivery: Delivery
    stored: StoredTask
    hit: Hit | None


class _Elsewhere(Exception):
    """Another process sends it."""


class Deliveries:
    """Use cases about callbacks."""

    def __init__(self, ground: Ground, sending: Sending, faults: Faults) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._ground = ground
        self._sending = sending
        self._settings = ground.settings
        self._faults = faults
        self._wakeups = ground.wakeups
        self._tally = ground.tally
        self._replica = ground.replica
        self._under_way: dict[str, asyncio.Task[Attempt | None]] = {}
        self._hosts: Counter[str] = Counter()  # of the attempts that ``start_due`` started

    def start(
        self, delivery_id: str, account_id: str, attempts_made: int | None
    ) -> "asyncio.Task[Attempt | None]":
        """Start a delivery's next attempt, or join the one that is under way.

        Args:
            delivery_id: the delivery.
            account_id: whose it is.
            attempts_made: how many were made when it was found due: where there are more by now,
                none is made. None: one is made whatever its state.
        """
        running = self._under_way.get(delivery_id)
        if running is None:
            attempt = self._attempt_unless_abandoned(delivery_id, account_id, attempts_made)
            running = asyncio.create_task(attempt)
            self._under_way[delivery_id] = running
            running.add_done_callback(partial(self._ended, delivery_id))
        return running

    async def start_due(self, real_now: int) -> int:
        """Start the attempts that are due, as far as there is room; return how many."""
        started = 0
        if not await self._database.read(lambda tx: tx.has_delivery_due(real_now)):
            return 0  # to claim nothing would be a write all the same
        while (room := _MOST_UNDER_WAY - len(self._under_way)) > 0:
            limit = min(room, self._settings.max_callbacks_per_host)
            claimed = await self._claim(real_now, limit)
            for delivery in claimed:
                host = delivery.host
                self._hosts[host] += 1
                running = self.start(delivery.id, delivery.account_id, delivery.attempts_made)
                running.add_done_callback(partial(self._leave, host))
            started += len(claimed)
            if len(claimed) < limit:
                break
        return started

    async def _claim(self, real_now: int, limit: int) -> "list[Delivery]":
        most = self._settings.max_callbacks_per_host
        busy = [host for host, count in self._hosts.items() if count >= most]
        until = self._leased_until()
        return await self._database.write(
            lambda tx: tx.claim_deliveries(self._replica, real_now, until, limit, busy)
        )

    def _leave(self, host: str, _: "asyncio.Task[Attempt | None]") -> None:
        """Give an attempt's place to one that waits for it."""
        was_full = (
            len(self._under_way) >= _MOST_UNDER_WAY - 1
            or self._hosts[host] >= self._settings.max_callbacks_per_host
        )
        self._hosts[host] -= 1
        if not self._hosts[host]:
            del self._hosts[host]
        if was_full:
            self._wakeups.wake_runner()

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

    async def settle(self) -> None:
        """Wait for the attempts that are under way."""
        await asyncio.gather(*self._under_way.values())

    async def stop(self) -> None:
        """Abandon what is under way; it stays due, and goes out after the next start."""
        for running in list(self._under_way.values()):
            running.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._sending.close()

    async def list(
        self, caller: Caller, limit: int, task_id: str | None = None
    ) -> list[dict[str, Any]]:
        """An account's deliveries, or a task's, with every attempt, newest first."""

        def work(tx: Transaction) -> list[dict[str, Any]]:
            found = tx.deliveries_of_account(caller.account_id, limit, task_id)
            return [_shown(tx, delivery) for delivery in found]

        return await self._database.write(work, caller.account_id)

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
            return {**_shown(tx, delivery), "body": json.loads(callback_body(stored, self._ground))}

        return await self._database.write(work, caller.account_id)

    async def redeliver(self, caller: Caller, delivery_id: str) -> dict[str, Any]:
        """Make one more attempt now, in whatever state the delivery is.

        Returns:
            The delivery after it, as ``read`` shows it.

        Raises:
            Refusal: as ``read`` does.
        """
        await self.read(caller, delivery_id)
        await asyncio.shield(self.start(delivery_id, caller.account_id, None))
        return await self.read(caller, delivery_id)

    async def _attempt_unless_abandoned(
        self, delivery_id: str, account_id: str, attempts_made: int | None
    ) -> Attempt | None:
        try:
            while True:
                try:
                    taken = await self._database.write(
                        lambda tx: self._take(tx, delivery_id, attempts_made), account_id
                    )
                except _Elsewhere:  # wait until that attempt has ended, or its lease has
                    await self._wakeups.clock_changed(LONGEST_SLEEP_SECONDS)
                else:
                    return None if taken is None else await self._attempt(taken)
        except asyncio.CancelledError:  # whoever waits for it goes on
            return None

    def _leased_until(self) -> int:
        return self._clock.now() + LEASE_MS

    async def _attempt(self, taken: _Taken) -> Attempt:
        delivery, stored, hit = taken
        account_id = delivery.account_id
        sent = await self._keeping_lease(delivery, self._sending.send(delivery, stored, hit))
        ended_at, result = self._clock.now(), sent.result
        at = stored.clock.now(sent.started_at)
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

        self._wakeups.due_at(await self._database.write(record, account_id))
        self._tally.attempted(AttemptMade(after, result, sent.started_at, ended_at))
        self._wakeups.touch(account_id)
        return Attempt(after, at, result)

    async def _keeping_lease(
        self, delivery: Delivery, sending: Coroutine[None, None, Sent]
    ) -> Sent:
        """Wait for an attempt, and let nobody else take its delivery meanwhile."""
        attempt = asyncio.create_task(sending)
        try:
            while not (await asyncio.wait({attempt}, timeout=RENEWAL_SECONDS))[0]:
                await self._database.write(
                    lambda tx: tx.renew_delivery(delivery.id, self._replica, self._leased_until())
                )
            return attempt.result()
        finally:
            attempt.cancel()

    def _take(self, tx: Transaction, delivery_id: str, attempts_made: int | None) -> _Taken | None:
        """Take a delivery for an attempt; None where there is nothing to do.

        Raises:
            _Elsewhere: another process has it.
        """
        delivery = tx.delivery(delivery_id)
        stored = None if delivery is None else tx.task(delivery.task_id)
        if delivery is None or stored is None:
            return None
        was_due = delivery.due_at is not None and delivery.attempts_made == attempts_made
        if attempts_made is not None and not was_due:
            return None
        real_now = self._clock.now()
        if not tx.lease_delivery(delivery_id, self._replica, real_now, self._leased_until()):
            raise _Elsewhere
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
        return _Taken(delivery, stored, hit)


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
