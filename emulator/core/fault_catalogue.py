"""The faults, in one place: what each does, when it acts, and what it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# ERR-7, and the sweep's own word for a task that hung (TASK-11).
FAILURES = {
    "not_found": "The generation returned no usable media.",
    "rate_limit": "The model's provider is limiting requests; try again later.",
    "content_policy": "The prompt was rejected by the content policy.",
    "content_filter": "The generated image was withheld by the content filter.",
    "image_safety": "The generated image did not pass the image safety check.",
    "service_unavailable": "No provider could serve the request.",
    "timeout": "The task did not finish within its time budget.",
}
PROVOKED_FAILURES = tuple(code for code in FAILURES if code != "timeout")

# Operations by their operationId in openapi.yaml.
CREATIONS = ("createImageTask", "createImageSync", "editImage")
V1_OPERATIONS = (*CREATIONS, "uploadImage", "getTask", "getBalance", "listModels")
MEDIA_OPERATIONS = ("getImage", "getUpload")
NO_OPERATIONS: tuple[str, ...] = ()

# ERR-2 to ERR-7: which operation can answer which error.
OPERATIONS_BY_STATUS: dict[int, tuple[str, ...]] = {
    400: CREATIONS,
    401: V1_OPERATIONS,
    402: CREATIONS,
    403: CREATIONS,
    404: (*CREATIONS, "getTask"),
    429: V1_OPERATIONS,
    500: V1_OPERATIONS,
    502: CREATIONS,
    503: V1_OPERATIONS,
    504: CREATIONS,
}


class Parameter(NamedTuple):
    """What a fault takes.

    Attributes:
        accepted: for people.
        default: where it is not given; None: none.
        is_valid: whether a value can be used.
    """

    accepted: str
    default: Any
    is_valid: Callable[[Any], bool]


def _one_of(default: Any, *values: Any) -> Parameter:
    accepted = "one of " + ", ".join(map(str, values))
    kinds = {type(value) for value in values}
    return Parameter(accepted, default, lambda value: type(value) in kinds and value in values)


def _number(least: float, most: float, default: float | None) -> Parameter:
    accepted = f"a number from {least:g} to {most:,.15g}"
    return Parameter(
        accepted,
        default,
        lambda value: (
            _plain(value) is not None and isinstance(value, int | float) and least <= value <= most
        ),
    )


def _whole(least: int, most: int, default: int | None) -> Parameter:
    accepted = f"a whole number from {least} to {most:,}"
    return Parameter(
        accepted,
        default,
        lambda value: isinstance(_plain(value), int) and least <= value <= most,
    )


def _plain(value: Any) -> Any:
    """The value, unless it is a truth value, which Python takes for a number."""
    return None if isinstance(value, bool | list | dict) else value


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One fault that there is.

    Attributes:
        group: what it belongs to, for people.
        phase: when it acts; of each phase, the first fault that applies acts.
        help: what it does.
        operations: which it can meet; none: it has to do with callbacks.
        parameters: what it takes.
    """

    group: str
    phase: str
    help: str
    operations: tuple[str, ...]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def _before(help_text: str, **parameters: Parameter) -> FaultKind:
    operations = V1_OPERATIONS if "status" in parameters else CREATIONS
    return FaultKind("before the task", "request", help_text, operations, parameters)


def _transport(help_text: str, **parameters: Parameter) -> FaultKind:
    return FaultKind("transport", "transport", help_text, V1_OPERATIONS, parameters)


def _lifecycle(help_text: str, **parameters: Parameter) -> FaultKind:
    return FaultKind("lifecycle", "task", help_text, CREATIONS, parameters)


def _media(help_text: str, **parameters: Parameter) -> FaultKind:
    return FaultKind("media", "media", help_text, MEDIA_OPERATIONS, parameters)


def _callback(phase: str, help_text: str, **parameters: Parameter) -> FaultKind:
    return FaultKind("callbacks", phase, help_text, NO_OPERATIONS, parameters)


_SECONDS = _number(0, 3600, 30)

FAULTS: dict[str, FaultKind] = {
    "http_error": _before(
        "refuse the request with a documented error; no task, no credits move",
        status=_one_of(503, *OPERATIONS_BY_STATUS),
        retry_after_seconds=_whole(0, 3600, None),
    ),
    "content_policy": _before("refuse the prompt with 400 content_policy"),
    "slow_first_byte": _transport("do the work, then wait before the answer", seconds=_SECONDS),
    "slow_drip": _transport("do the work, then answer bit by bit", seconds=_SECONDS),
    "reset_before_work": _transport("cut the connection; nothing was done"),
    "reset_after_work": _transport(
        "do the work, then cut the connection: the client can't know whether its task exists"
    ),
    "truncated_body": _transport("do the work, then cut the connection in the answer's middle"),
    "invalid_json": _transport("do the work, then answer half of the JSON"),
    "proxy_error_page": _transport(
        "answer with a proxy's HTML page; nothing was done", status=_one_of(502, 502, 503, 504)
    ),
    "task_fails": _lifecycle(
        "fail the task at its end, and refund it",
        code=_one_of("image_safety", *PROVOKED_FAILURES),
    ),
    "task_slow": _lifecycle("let the task take longer", seconds=_number(0, 1e6, 60)),
    "task_jitter": _lifecycle("let the task take between a quarter and four times as long"),
    "task_hangs": _lifecycle("never finish the task; the sweep fails and refunds it"),
    "partial": _lifecycle(
        "let images=K of the n images come out, and charge only those", images=_whole(0, 10, 1)
    ),
    "no_usable_media": _lifecycle("let the task succeed with an empty list of images, at no cost"),
    "link_dead": FaultKind(
        "media", "link", "answer as if the link's time were over", MEDIA_OPERATIONS
    ),
    "media_slow": _media("wait before the file", seconds=_SECONDS),
    "media_truncated": _media("cut the connection in the file's middle"),
    "media_wrong_type": _media(
        "send the file with another Content-Type",
        content_type=_one_of("text/html", "text/html", "application/octet-stream", "image/gif"),
    ),
    "media_corrupt": _media("send the file with broken bytes in its middle"),
    "callback_early": _callback(
        "early", "end the task at once, and call back before the creation is answered"
    ),
    "callback_dropped": _callback("delivery", "never call back"),
    "callback_late": _callback(
        "delivery", "call back later, on the account's clock", seconds=_number(0, 1e6, 300)
    ),
    "callback_duplicated": _callback(
        "delivery", "call back again after the receiver took it", copies=_whole(1, 10, 1)
    ),
    "callback_out_of_order": _callback(
        "delivery",
        "hold the callback until one of a later task went out, at most for this time",
        seconds=_number(0, 1e6, 60),
    ),
    "callback_timeout": _callback(
        "attempt", "call back, but take the receiver's answer for late: it is tried again"
    ),
    "callback_refused": _callback("attempt", "find the receiver's port closed: it is tried again"),
    "callback_stale_timestamp": _callback(
        "attempt", "sign with a time of long ago", seconds=_whole(1, 10**9, 3600)
    ),
    "callback_wrong_signature": _callback("attempt", "sign with another secret"),
}
NEEDS_SECRET = frozenset({"callback_stale_timestamp", "callback_wrong_signature"})
NEEDS_CALLBACKS = frozenset(name for name, kind in FAULTS.items() if kind.group == "callbacks")

# Hostile but legal: everything in it is allowed by the upstream's documents.
STRICT: tuple[dict[str, Any], ...] = (
    {"fault": "http_error", "status": 429, "retry_after_seconds": 1, "probability": 0.1},
    {"fault": "http_error", "status": 503, "probability": 0.05},
    {"fault": "task_jitter"},
    {"fault": "callback_duplicated", "probability": 0.3},
    {"fault": "callback_out_of_order", "probability": 0.4},
    {"fault": "callback_late", "seconds": 90, "probability": 0.2},
    {"fault": "callback_timeout", "probability": 0.1},
)
PRESETS = {"strict": STRICT}
