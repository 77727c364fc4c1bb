"""Faults that a client asks for with a directive in its prompt: ``[[fault: NAME key=value]]``."""

import re
from dataclasses import dataclass

from emulator.core.errors import Refusal
from emulator.core.request import MAX_IMAGES

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

FAULTS = {
    "content_policy": "refuse the request with 400 content_policy, before any credits move",
    "task_fails": "fail the task at its end; code=CODE names the error, image_safety by default",
    "task_hangs": "never finish the task; the sweep fails and refunds it",
    "partial": "succeed with images=K of the n images, and charge only those",
}

_DIRECTIVE = re.compile(r"\[\[\s*fault\b\s*(:?)([^\[\]]*)\]\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a task.

    Attributes:
        name: a key of ``FAULTS``.
        code: for task_fails, the error's code.
        images: for partial, how many images come out.
    """

    name: str
    code: str = "image_safety"
    images: int = 0


def parse_directive(prompt: str) -> Fault | None:
    """Read the first fault directive in a prompt; None where there is none.

    Raises:
        Refusal: the directive names an unknown fault or parameter, or a value out of range.
    """
    if "[[" not in prompt:
        return None
    match = _DIRECTIVE.search(prompt)
    if match is None:
        return None
    name, *pairs = match[2].split() or [""]
    if name not in FAULTS or not match[1]:
        raise Refusal.invalid_value("prompt", match[0], _directives())
    parameters = dict(pair.partition("=")[::2] for pair in pairs)
    code = parameters.pop("code", "image_safety") if name == "task_fails" else ""
    images = parameters.pop("images", "1") if name == "partial" else "0"
    if parameters or (name == "task_fails" and code not in PROVOKED_FAILURES):
        raise Refusal.invalid_value("prompt", match[0], _directives())
    if not re.fullmatch("[0-9]{1,2}", images) or int(images) > MAX_IMAGES:
        raise Refusal.invalid_value("prompt", match[0], _directives())
    return Fault(name, code, int(images))


def _directives() -> str:
    return (
        "free of fault directives, or carry one of [[fault: content_policy]], [[fault: task_fails"
        f" code=CODE]] with CODE one of {', '.join(PROVOKED_FAILURES)}, [[fault: task_hangs]],"
        f" [[fault: partial images=K]] with K from 0 to {MAX_IMAGES}"
    )
