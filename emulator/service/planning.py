"""A task's whole life, decided when it is created."""

from collections.abc import Sequence
from typing import NamedTuple

from emulator.core.fault import Hit
from emulator.core.request import ImageRequest
from emulator.core.seed import derive, numbered_id
from emulator.core.task import Task, Timeline, jittered, plan
from emulator.settings import Settings
from emulator.store.records import Caller, Moved


class Order(NamedTuple):
    """A creation as it is asked for.

    Attributes:
        caller: whose task it is.
        request: what is asked, checked.
        operation: how it came, for the faults that it may meet.
        base_url: scheme and host that the task's links begin with.
        forced: what goes wrong in any case.
    """

    caller: Caller
    request: ImageRequest
    operation: str
    base_url: str
    forced: Hit | None = None


def planned_task(
    order: Order,
    image_price: int,
    moved: Moved,
    number: int,
    hits: Sequence[Hit],
    now: int,
    settings: Settings,
) -> Task:
    """Decide a task.

    Args:
        order: what is asked.
        image_price: what one image costs, in credits.
        moved: the account, after the reservation.
        number: the task's, in its account.
        hits: the faults that met it.
        now: the account's instant.
        settings: how long tasks take.
    """
    caller, request = order.caller, order.request
    task_seed = derive(moved.seed, "task seed", number)
    duration_ms = settings.latency.duration_ms(
        moved.seed, number, request.quality, request.resolution, request.n
    )
    if "task_jitter" in [hit.name for hit in hits]:
        duration_ms = jittered(duration_ms, task_seed)
    timeline = _timeline(request, now, duration_ms, hits, settings)
    name = numbered_id(moved.id_seed, number)
    return Task(
        id=f"task_{name}",
        account_id=caller.account_id,
        number=number,
        seed=task_seed,
        key_hash=caller.key_hash,
        model=request.model,
        callback_url=request.callback_url,
        created_at=now,
        timeline=timeline,
        reserved=image_price * request.n,
        charge=image_price * timeline.images,
        settled=False,
        base_url=order.base_url,
        request_id=f"req_{name}",
    )


def _timeline(
    request: ImageRequest, now: int, duration_ms: int, hits: Sequence[Hit], settings: Settings
) -> Timeline:
    faults = [hit for hit in hits if hit.name != "callback_early"]
    timeline = plan(
        request,
        now=now,
        duration_ms=duration_ms,
        stuck_after_ms=settings.stuck_after_ms,
        starts_pending=settings.profile.first_status == "pending",
        fault=faults[0] if faults else None,
    )
    if len(faults) < len(hits):
        return timeline._replace(starts_at=now, ends_at=now)
    return timeline
