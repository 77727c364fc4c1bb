"""Callbacks: when each attempt is due, what makes it delivered, and its signature."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from emulator.core.clock import SECOND
from emulator.core.errors import Refusal
from emulator.core.seed import fraction

_SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that Standard Webhooks gives to secrets


class RetryPolicy(NamedTuple):
    """When a delivery is tried (CB-3; all of it are settings).

    Attributes:
        delays_seconds: before each attempt, counted from the attempt before it.
        jitter: each delay grows by a part of it between 0 and this.
    """

    delays_seconds: tuple[float, ...] = (0, 5, 30, 120, 600, 3600)
    jitter: float = 0.1

    def due_at(self, attempt: int, after: int, seed: int) -> int | None:
        """Decide when an attempt is due, on the account's clock.

        Args:
            attempt: 1 for the first.
            after: the task's end, or the instant of the attempt before.
            seed: the task's seed.

        Returns:
            An instant, or None where the attempts are exhausted.
        """
        if attempt > len(self.delays_seconds):
            return None
        factor = 1 + self.jitter * fraction(seed, "callback", attempt)
        return after + round(self.delays_seconds[attempt - 1] * factor * SECOND)


class Delivery(NamedTuple):
    """The delivery of one task's end to its ``callback_url``.

    Attributes:
        id: ``msg_`` and 24 hexadecimal digits; the same in every attempt.
        task_id, account_id: what it reports, and whose it is.
        url: where to.
        state: pending, delivered, exhausted, refused (by the address policy) or dropped (by a
            fault).
        attempts_made: how many attempts ended.
        due_at: the next attempt's instant on the account's clock; None where there is none.
        copies_left: how often it goes out again after it was delivered.
        held: whether it waits for a later callback to go out first.
    """

    id: str
    task_id: str
    account_id: str
    url: str
    state: str
    attempts_made: int
    due_at: int | None
    copies_left: int = 0
    held: bool = False

    @property
    def host(self) -> str:
        """Host and port that it goes to."""
        return host_of(self.url)


class AttemptResult(NamedTuple):
    """What one attempt met.

    Attributes:
        status: the HTTP status, or None where no answer came.
        duration_ms: how long it took in real time.
        answer: the first bytes of the answer's body, as text.
        error: why no answer came, or None.
        refused: the address policy did not let it go out.
    """

    status: int | None
    duration_ms: int
    answer: str = ""
    error: str | None = None
    refused: bool = False

    @classmethod
    def not_answered(cls, error: str) -> "AttemptResult":
        """An attempt that met no answer."""
        return cls(None, 0, error=error)

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it: any 2xx (CB-3)."""
        return self.status is not None and 200 <= self.status < 300


def host_of(url: str) -> str:
    """Host and port of a callback URL."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def after_attempt(
    delivery: Delivery, result: AttemptResult, now: int, seed: int, policy: RetryPolicy
) -> Delivery:
    """Decide a delivery's next state from what an attempt met (CB-2, CB-3)."""
    made, copies_left = delivery.attempts_made + 1, delivery.copies_left
    due_at = None
    if delivery.state != "pending":  # a copy, or on request: what was delivered stays so
        copies_left -= 1
        state = "delivered" if result.delivered else delivery.state
    elif result.delivered:
        state = "delivered"
    elif result.refused:
        state = "refused"
    else:
        due_at = policy.due_at(made + 1, now, seed)
        state = "exhausted" if due_at is None else "pending"
    if state == "delivered" and copies_left > 0:
        due_at = now
    return delivery._replace(
        state=state,
        attempts_made=made,
        due_at=due_at,
        copies_left=max(0, copies_left),
        held=False,
    )


def parse_secret(text: str) -> bytes:
    """Read a signing secret: ``whsec_`` and base64, as Standard Webhooks writes it.

    Raises:
        Refusal: it is something else, or shorter than 24 bytes.
    """
    if text.startswith(_SECRET_PREFIX):
        try:
            secret = base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
        except binascii.Error:
            secret = b""
        if 24 <= len(secret) <= 64:
            return secret
    raise Refusal.invalid_value(
        "callback-secret", "(hidden)", "whsec_ followed by the base64 of 24 to 64 bytes"
    )


def signature_headers(secret: bytes, message_id: str, now: int, body: bytes) -> dict[str, str]:
    """Make the Standard Webhooks headers of one attempt (CB-4).

    Args:
        secret: the signing key.
        message_id: the delivery's id.
        now: the attempt's instant on the account's clock.
        body: the exact bytes that are sent.
    """
    timestamp = str(now // SECOND)
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def verify(
    secret: bytes,
    headers: Mapping[str, str],
    body: bytes,
    now: int,
    tolerance_seconds: int = 300,
) -> str | None:
    """Verify the Standard Webhooks headers of a message (CB-4).

    Args:
        secret: the signing key.
        headers: by name, in any case.
        body: the exact bytes that came.
        now: the instant that the timestamp is held against.
        tolerance_seconds: how far from it the timestamp may be.

    Returns:
        Why they do not verify; None where they do.
    """
    found = {name.lower(): value for name, value in headers.items()}
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if not found.get(name):
            return f"the header {name} is missing"
    timestamp = found["webhook-timestamp"]
    plain = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not plain or timestamp != str(int(timestamp)):  # a zero before it was not signed
        return "webhook-timestamp is no number of Unix seconds"
    signed_at = int(timestamp) * SECOND
    age_seconds = now // SECOND - int(timestamp)
    if abs(age_seconds) > tolerance_seconds:
        where = "old" if age_seconds > 0 else "ahead"
        return (
            f"webhook-timestamp is {abs(age_seconds)} s {where}; {tolerance_seconds} s are allowed"
        )
    expected = signature_headers(secret, found["webhook-id"], signed_at, body)["webhook-signature"]
    # Several are sent while a secret is being changed; one of them has to match.
    given = [signature.encode() for signature in found["webhook-signature"].split()]
    if any([hmac.compare_digest(signature, expected.encode()) for signature in given]):  # noqa: C419
        return None
    if not any(signature.startswith(b"v1,") for signature in given):
        return "webhook-signature has no signature of version v1"
    return "no signature matches the body, the id and the timestamp"
