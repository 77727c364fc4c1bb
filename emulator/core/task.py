"""A task is a timeline: its whole life is decided when it is created.

``status_at`` is a pure function of the row and an instant, so polling needs no worker,
and a restart forgets nothing.
"""

from enum import StrEnum
from typing import NamedTuple

from emulator.core.clock import SECOND
from emulator.core.fault import Hit
from emulator.core.request import ImageRequest
from emulator.core.seed import fraction

PENDING_SHARE = 0.2  # of a task's duration is spent in the queue


class Status(StrEnum):
    """Where a task is in its life; a profile chooses the published word."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


# TASK-3, TASK-4: a task only moves along these; TASK-8: a result that lapsed reads expired.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.PROCESSING}),
    Status.PROCESSING: frozenset({Status.SUCCEEDED, Status.FAILED}),
    Status.SUCCEEDED: frozenset({Status.EXPIRED}),
    Status.FAILED: frozenset(),
    Status.EXPIRED: frozenset(),
}


class Timeline(NamedTuple):
    """When a task starts and ends, and how. Times are instants of the account's clock.

    Attributes:
        starts_at: pending until then.
        ends_at: processing until then; the final status from then on.
        images: how many images come out; 0 where it fails, or where a fault takes them all.
        error_code: why it fails, a key of ``fault_catalogue.FAILURES``; None where it succeeds.
    """

    starts_at: int
    ends_at: int
    images: int
    error_code: str | None


class Task(NamedTuple):
    """A task as it is stored.

    Attributes:
        id: ``task_`` and 24 hexadecimal digits.
        account_id: whose task it is.
        number: 1 for the account's first task; seeds what is random about it.
        seed: the task's own seed, derived from the account's.
        key_hash: the key that created it; a refund goes back to its budget.
        model: the model that was asked.
        callback_url: where its end is reported, or None.
        created_at: on the account's clock.
        timeline: the life that was decided at creation.
        reserved: credits set aside.
        charge: credits that its end will cost.
        settled: whether that happened.
        base_url: scheme and host that its links begin with.
        request_id: the id of the creation request.
    """

    id: str
    account_id: str
    number: int
    seed: int
    key_hash: str
    model: str
    callback_url: str | None
    created_at: int
    timeline: Timeline
    reserved: int
    charge: int
    settled: bool
    base_url: str
    request_id: str

    def ended_now(self, now: int, requested_images: int, error_code: str | None) -> "Task":
        """This task with its end at ``now`` instead of later.

        Args:
            now: the instant.
            requested_images: what was asked; comes out where the task would have failed.
            error_code: why it fails; None where it succeeds.
        """
        planned = self.timeline
        images = planned.images if planned.error_code is None else requested_images
        if error_code is not None:
            images = 0
        timeline = Timeline(min(planned.starts_at, now), now, images, error_code)
        charge = self.reserved // requested_images * images
        return self._replace(timeline=timeline, charge=charge)

    def has_ended(self, now: int) -> bool:
        """Whether the task's end has come."""
        return now >= self.timeline.ends_at

    def media_expire_at(self, media_ttl_ms: int) -> int:
        """The instant, a whole second, from which the task's links are dead (MEDIA-1)."""
        return -(-(self.timeline.ends_at + media_ttl_ms) // SECOND) * SECOND

    def status_at(self, now: int, result_ttl_ms: int | None = None) -> Status:
        """The status at an instant of the account's clock.

        Args:
            now: the instant.
            result_ttl_ms: how long after its end a success turns into ``expired``;
                None where it never does (TASK-8).
        """
        timeline = self.timeline
        if now < timeline.starts_at:
            return Status.PENDING
        if now < timeline.ends_at:
            return Status.PROCESSING
        if timeline.error_code is not None:
            return Status.FAILED
        if result_ttl_ms is not None and now >= self.media_expire_at(result_ttl_ms):
            return Status.EXPIRED
        return Status.SUCCEEDED


def plan(
    request: ImageRequest,
    *,
    now: int,
    duration_ms: int,
    stuck_after_ms: int,
    starts_pending: bool,
    fault: Hit | None = None,
) -> Timeline:
    """Decide a task's whole life.

    Args:
        request: what was asked.
        now: the creation's instant.
        duration_ms: how long it would take.
        stuck_after_ms: when the sweep fails a task that has not ended (TASK-11).
        starts_pending: False where the first status is already ``processing`` (GEN-14).
        fault: what goes wrong, or None.
    """
    name = None if fault is None else fault.name
    parameters = {} if fault is None else fault.parameters
    if name == "task_slow":
        duration_ms += round(parameters["seconds"] * SECOND)
    pending_ms = int(min(duration_ms, stuck_after_ms) * PENDING_SHARE) if starts_pending else 0
    starts_at = now + pending_ms
    if name == "task_hangs" or duration_ms > stuck_after_ms:
        return Timeline(starts_at, now + stuck_after_ms, 0, "timeout")
    ends_at = now + duration_ms
    if name == "task_fails":
        return Timeline(starts_at, ends_at, 0, parameters["code"])
    if name == "no_usable_media":
        return Timeline(starts_at, ends_at, 0, None)
    images = request.n
    if name == "partial":
        images = min(parameters["images"], request.n)
        if images == 0:
            return Timeline(starts_at, ends_at, 0, "not_found")  # ERR-7: no usable media
    return Timeline(starts_at, ends_at, images, None)


def jittered(duration_ms: int, seed: int) -> int:
    """Draw a duration between a quarter and four times as long, from a task's seed."""
    return round(duration_ms * 4 ** (2 * fraction(seed, "jitter") - 1))
