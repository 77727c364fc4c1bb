"""Sending a callback: its body, its headers, and the faults that meet it on the way."""

import asyncio
import json
from typing import NamedTuple
from weakref import WeakValueDictionary

from emulator.core.callback import AttemptResult, Delivery, signature_headers
from emulator.core.clock import SECOND
from emulator.core.fault import Hit
from emulator.core.inbox import own_inbox
from emulator.core.ports import Sender
from emulator.core.task_detail import task_detail
from emulator.service.ground import Ground
from emulator.service.inboxes import Inboxes
from emulator.store.records import StoredTask


class Sent(NamedTuple):
    """What was sent: the real instant at which it began, and what it met."""

    started_at: int
    result: AttemptResult


class Attempt(NamedTuple):
    """An attempt that was made.

    Attributes:
        delivery: the delivery's state after it.
        at: its instant on the account's clock.
        result: what it met.
    """

    delivery: Delivery
    at: int
    result: AttemptResult


class Sending:
    """Sends callbacks, at most so many to one host at the same time."""

    def __init__(self, ground: Ground, sender: Sender, inboxes: Inboxes) -> None:
        self._ground = ground
        self._clock = ground.clock
        self._sender = sender
        self._inboxes = inboxes
        self._settings = ground.settings
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def send(self, delivery: Delivery, stored: StoredTask, hit: Hit | None) -> Sent:
        """Send a callback once its host has a slot for it, as far as a fault lets it."""
        host = delivery.host
        slot = self._slots.get(host)
        if slot is None:
            slot = asyncio.Semaphore(self._settings.max_callbacks_per_host)
            self._slots[host] = slot
        async with slot:
            started_at = self._clock.now()
            at = stored.clock.now(started_at)
            return Sent(started_at, await self._send(delivery, stored, at, hit))

    async def close(self) -> None:
        """Let go of all connections."""
        await self._sender.close()

    async def _send(
        self, delivery: Delivery, stored: StoredTask, at: int, hit: Hit | None
    ) -> AttemptResult:
        """Send a callback, as far as a fault lets it."""
        name = None if hit is None else hit.name
        if name == "callback_refused":
            return AttemptResult.not_answered("connection refused (callback_refused)")
        body, signed_at = callback_body(stored, self._ground), at
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


def callback_body(stored: StoredTask, ground: Ground) -> bytes:
    """The callback's body: the task's detail at its end, the same in every attempt (CB-1)."""
    task, settings = stored.task, ground.settings
    detail = task_detail(
        task,
        task.timeline.ends_at,
        settings.profile,
        ground.media_secret,
        settings.media_ttl_ms,
    )
    return json.dumps(detail, ensure_ascii=False).encode()
