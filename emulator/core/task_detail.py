"""A task in the upstream's words: what polling shows and callbacks carry."""

from typing import Any, TypedDict

from emulator.core.clock import SECOND, rfc3339
from emulator.core.fault_catalogue import FAILURES
from emulator.core.link import media_path, signed_link
from emulator.core.profile import Profile
from emulator.core.task import Status, Task

# TASK-9: an error's type; the rest are api_error.
_FAILURE_TYPES = {
    "content_policy": "invalid_request_error",
    "content_filter": "invalid_request_error",
    "image_safety": "invalid_request_error",
    "rate_limit": "rate_limit_error",
}


class Failure(TypedDict):
    """A failed task's error."""

    type: str
    code: str
    message: str


def creation_answer(task: Task, profile: Profile) -> dict[str, Any]:
    """The answer to a creation (GEN-13)."""
    answer: dict[str, Any] = {
        "task_id": task.id,
        "status": profile.first_status,  # GEN-14
        "poll_url": f"/v1/tasks/{task.id}",
        "request_id": task.request_id,  # REQ-2
        "credits": {"reserved": task.reserved},
    }
    if profile.names_model:
        answer["model"] = task.model
    return answer


def task_detail(
    task: Task, now: int, profile: Profile, secret: bytes, media_ttl_ms: int
) -> dict[str, Any]:
    """The task at an instant (TASK-5).

    Args:
        task: the task.
        now: an instant of its account's clock.
        profile: whose words to use.
        secret: signs the media links.
        media_ttl_ms: how long the links live (MEDIA-1).
    """
    status = shown_status(task, now, profile, media_ttl_ms)
    ended = task.has_ended(now)
    charged = task.charge if ended else 0
    return {
        "task_id": task.id,
        "status": _word(status, profile),
        "model": task.model,
        "type": "image",
        "created_at": rfc3339(task.created_at),
        "completed_at": rfc3339(task.timeline.ends_at) if ended else None,
        "result": image_result(task, secret, media_ttl_ms) if status is Status.SUCCEEDED else None,
        "error": failure(task) if status is Status.FAILED else None,
        "credits": {  # TASK-7
            "reserved": task.reserved,
            "charged": charged,
            "refunded": task.reserved - charged if ended else 0,
        },
    }


def status_word(task: Task, now: int, profile: Profile, media_ttl_ms: int) -> str:
    """The profile's word for the task's status at an instant."""
    return _word(shown_status(task, now, profile, media_ttl_ms), profile)


def status_words(profile: Profile) -> tuple[str, ...]:
    """All words that the profile has for a status."""
    shown = [status for status in Status if status != Status.EXPIRED or profile.shows_expired]
    return tuple(_word(status, profile) for status in shown)


def shown_status(task: Task, now: int, profile: Profile, media_ttl_ms: int) -> Status:
    """The task's status at an instant, as the profile shows it; the detail changes with it only."""
    return task.status_at(now, media_ttl_ms if profile.shows_expired else None)


def _word(status: Status, profile: Profile) -> str:
    return profile.succeeded if status is Status.SUCCEEDED else status.value


def image_result(task: Task, secret: bytes, media_ttl_ms: int) -> dict[str, Any]:
    """The result of a task that succeeded (TASK-6)."""
    expires_at = task.media_expire_at(media_ttl_ms)
    return {
        "created": task.timeline.ends_at // SECOND,
        "data": [
            {"url": signed_link(secret, task.base_url, media_path(task.id, index), expires_at)}
            for index in range(1, task.timeline.images + 1)
        ],
    }


def failure(task: Task) -> Failure | None:
    """The error of a task that fails (TASK-9, ERR-7); None for one that does not."""
    code = task.timeline.error_code
    if code is None:
        return None
    return {
        "type": _FAILURE_TYPES.get(code, "api_error"),
        "code": code,
        "message": FAILURES[code],
    }
