"""Faults that somebody asked for: what they are, whom they meet, how often."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from emulator.core.errors import Refusal, is_text, shown
from emulator.core.fault_catalogue import (
    FAULTS,
    NEEDS_CALLBACKS,
    NEEDS_SECRET,
    NO_OPERATIONS,
    OPERATIONS_BY_STATUS,
    PRESETS,
    FaultKind,
)
from emulator.core.seed import fraction

MAX_FAULTS = 1_000  # an account's
_LONGEST_TEXT = 1_000

# Whom a fault meets, and how often; each is optional.
CRITERIA = {
    "operation": "an operationId of openapi.yaml",
    "prompt": f"a text of 1 to {_LONGEST_TEXT:,} characters that the prompt contains",
    "prompt_regex": f"a regular expression of 1 to {_LONGEST_TEXT:,} characters for the prompt",
    "task_id": "a task's id",
    "every": "a whole number from 1 to 1,000,000: only each nth match",
    "skip": "a whole number from 0 to 1,000,000: the first matches that are let through",
    "times": "a whole number from 1 to 1,000,000: how often it acts",
    "probability": "a number from 0 to 1: how likely each match is to be hit",
}
_COUNTS = {"every": 1, "skip": 0, "times": 1}
_IN_DIRECTIVES = ("every", "skip", "times", "probability")

_DIRECTIVE = re.compile(r"\[\[\s*fault\b\s*(:?)([^\[\]]*)\]\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault with what it takes and whom it meets.

    Attributes:
        name: a key of ``FAULTS``.
        parameters: a value for each of its parameters.
        operation, prompt, prompt_regex, task_id: whom it meets; None: everybody.
        every, skip, times, probability: how often, see ``CRITERIA``.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    operation: str | None = None
    prompt: str | None = None
    prompt_regex: str | None = None
    task_id: str | None = None
    every: int = 1
    skip: int = 0
    times: int | None = None
    probability: float = 1.0

    @property
    def kind(self) -> FaultKind:
        """What the catalogue says of it."""
        return FAULTS[self.name]

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that it can meet; none: it has to do with callbacks."""
        if self.operation is not None:
            return (self.operation,)
        if "status" in self.parameters and self.kind.phase == "request":
            return OPERATIONS_BY_STATUS[self.parameters["status"]]
        return self.kind.operations

    def fires(self, seen: int, seed: int, number: int) -> bool:
        """Whether it acts on a match.

        Args:
            seen: 1 for the first match.
            seed: the account's.
            number: the fault's own.
        """
        turn = seen - self.skip
        if turn < 1 or turn % self.every:
            return False
        return self.probability >= 1 or fraction(seed, "fault", number, seen) < self.probability

    def as_json(self) -> dict[str, Any]:
        """The fault as ``parse_fault`` takes it."""
        criteria = {name: getattr(self, name) for name in CRITERIA}
        usual = {"every": 1, "skip": 0, "probability": 1.0}
        return {
            "fault": self.name,
            **{name: value for name, value in self.parameters.items() if value is not None},
            **{
                name: value
                for name, value in criteria.items()
                if value is not None and value != usual.get(name)
            },
        }


class Hit(NamedTuple):
    """A fault that acts now.

    Attributes:
        name: a key of ``FAULTS``.
        parameters: a value for each of its parameters.
    """

    name: str
    parameters: Mapping[str, Any]


class Facts(NamedTuple):
    """What a fault is held against.

    Attributes:
        operation: the operationId; empty for callbacks.
        prompt: the prompt of the creation or of the task, or None where there is none.
        task_id: the task that is asked for or has ended, or None.
    """

    operation: str
    prompt: str | None = None
    task_id: str | None = None


def parse_fault(body: Mapping[str, Any], *, signs: bool = True, calls_back: bool = True) -> Fault:
    """Read a fault.

    Args:
        body: ``fault``, its parameters and its criteria, in one object.
        signs: whether callbacks are signed.
        calls_back: whether callbacks are sent.

    Raises:
        Refusal: it is unknown, takes something else, or can never act.
    """
    name = body.get("fault")
    if not isinstance(name, str) or name not in FAULTS:
        raise Refusal.invalid_value("fault", name, FAULTS)
    kind = FAULTS[name]
    parameters = {key: parameter.default for key, parameter in kind.parameters.items()}
    criteria = {}
    for key, value in body.items():
        if key in kind.parameters:
            if not kind.parameters[key].is_valid(value):
                raise Refusal.invalid_value(key, value, kind.parameters[key].accepted)
            parameters[key] = value
        elif key in CRITERIA:
            if not _is_criterion(key, value):
                raise Refusal.invalid_value(key, value, CRITERIA[key])
            criteria[key] = value
        elif key != "fault":
            accepted = ", ".join([*kind.parameters, *CRITERIA])
            message = f"{name} takes {accepted}; {shown(key)} was sent."
            raise Refusal("invalid_value", message, key)
    fault = Fault(name, parameters, **criteria)
    _check_it_can_act(fault, signs=signs, calls_back=calls_back)
    return fault


def parse_preset(name: object) -> list[dict[str, Any]]:
    """Read a preset's name: the faults in it.

    Raises:
        Refusal: there is no such preset.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise Refusal.invalid_value("preset", name, PRESETS)
    return list(PRESETS[name])


def parse_directives(
    prompt: str, *, signs: bool = True, calls_back: bool = True
) -> list[tuple[str, Fault]]:
    """Read the fault directives in a prompt: each one's text, and its fault.

    A directive's fault meets every prompt that contains its text.

    Raises:
        Refusal: a directive names an unknown fault or parameter, or a value out of range.
    """
    found: dict[str, Fault] = {}
    for match in _DIRECTIVE.finditer(prompt) if "[[" in prompt else ():
        name, *pairs = match[2].split() or [""]
        body: dict[str, Any] = {"fault": name}
        given = {key: _value(text) for key, _, text in (pair.partition("=") for pair in pairs)}
        body |= given
        unusable = "fault" in given or set(body) & _elsewhere(name)
        if unusable or not match[1] or len(match[0]) > _LONGEST_TEXT:
            raise Refusal.invalid_value("prompt", match[0], _directives())
        try:
            fault = parse_fault({**body, "prompt": match[0]}, signs=signs, calls_back=calls_back)
        except Refusal as refusal:
            message = f"prompt carries {shown(match[0])}: {refusal.message}"
            raise Refusal("invalid_value", message, "prompt") from refusal
        found[match[0]] = fault
    return list(found.items())


def _elsewhere(name: str) -> set[str]:
    own = FAULTS[name].parameters if name in FAULTS else ()
    return set(CRITERIA) - set(_IN_DIRECTIVES) - set(own)


def _directives() -> str:
    return (
        "free of fault directives, or carry one such as [[fault: task_fails code=image_safety]]"
        f" or [[fault: http_error status=503 times=2]]; faults are {', '.join(FAULTS)}"
    )


def _value(text: str) -> Any:
    """A directive's value: a number where it reads as one."""
    for number in (int, float):
        try:
            return number(text) if text.isascii() and "_" not in text else text
        except ValueError:
            continue
    return text


def _is_criterion(key: str, value: Any) -> bool:
    if key in _COUNTS:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and _COUNTS[key] <= value <= 1_000_000
    if key == "probability":
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return is_text(value) and 1 <= len(value) <= _LONGEST_TEXT


def _check_it_can_act(fault: Fault, *, signs: bool, calls_back: bool) -> None:
    name, kind = fault.name, fault.kind
    if name in NEEDS_CALLBACKS and not calls_back:
        message = f"{name} can never act: callbacks are off (--callbacks)."
        raise Refusal("invalid_value", message, "fault")
    if name in NEEDS_SECRET and not signs:
        message = f"{name} can never act: callbacks are not signed (--callback-secret)."
        raise Refusal("invalid_value", message, "fault")
    if fault.operation is not None:
        possible = Fault(name, fault.parameters).operations
        if possible == NO_OPERATIONS:
            message = f"{name} has to do with callbacks, so operation can't be chosen."
            raise Refusal("invalid_value", message, "operation")
        if fault.operation not in possible:
            what = f"{name} {shown(fault.parameters)}" if fault.parameters else name
            message = f"{what} meets {', '.join(possible)}; {shown(fault.operation)} was sent."
            raise Refusal("invalid_value", message, "operation")
    if fault.task_id is not None and kind.phase in ("task", "early"):
        message = f"{name} acts before its task has an id: choose by prompt, prompt_regex or times."
        raise Refusal("invalid_value", message, "task_id")
