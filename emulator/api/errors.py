"""One table: a refusal's code -> status; a status -> the error's type."""

from typing import Any

from emulator.core.errors import Refusal
from emulator.core.task_detail import Failure
from emulator.settings import Settings

# ERR-2
TYPE_BY_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",  # AUTH-1
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    409: "invalid_request_error",
    410: "not_found_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
    431: "invalid_request_error",
}

STATUS_BY_CODE = {
    "invalid_content_type": 400,
    "invalid_json": 400,
    "invalid_body": 400,
    "duplicate_field": 400,
    "missing_field": 400,
    "invalid_type": 400,
    "invalid_value": 400,
    "invalid_size": 400,
    "too_many_images": 400,
    "invalid_image": 400,
    "content_policy": 400,  # ERR-6
    "invalid_api_key": 401,  # AUTH-1
    "insufficient_credits": 402,  # ERR-3
    "api_key_budget_exhausted": 402,  # ERR-4
    "invalid_control_token": 401,
    "model_not_allowed": 403,
    "host_not_allowed": 403,
    "cross_site_request": 403,
    "control_closed": 403,
    "invalid_signature": 403,
    "model_not_found": 404,  # MOD-2
    "task_not_found": 404,  # TASK-10
    "not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "task_ended": 409,  # TASK-4
    "conflict": 409,
    "link_expired": 410,  # MEDIA-2
    "body_too_large": 413,
    "rate_limit_exceeded": 429,  # ERR-5
    "headers_too_large": 431,
    "internal_error": 500,
    "service_unavailable": 503,
}

# ERR-7: what a call that waited for a task answers when the task fails.
STATUS_BY_FAILURE = {
    "content_policy": 400,
    "content_filter": 400,
    "image_safety": 400,
    "rate_limit": 429,
    "not_found": 502,
    "service_unavailable": 503,
    "timeout": 504,
}


class TaskFailed(Exception):
    """A call waited for a task, and the task failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure["message"])
        self.failure = failure
        self.retry_after_seconds: int | None = None


def status_of(refusal: Refusal, settings: Settings) -> int:
    """The HTTP status of a refusal."""
    if refusal.code == "link_expired":
        return settings.media_expired_status
    return STATUS_BY_CODE[refusal.code]


def error_body(status: int, code: str, message: str, param: str | None) -> dict[str, Any]:
    """The upstream's error body (ERR-1)."""
    kind = TYPE_BY_STATUS.get(status, "api_error")
    return {"error": {"message": message, "type": kind, "code": code, "param": param}}
