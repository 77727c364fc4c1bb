"""What faults are added with."""

from collections.abc import Mapping, Sequence
from typing import Any

__tracebackhide__ = True  # a failed test shows its own lines, not these

FaultSpec = str | Mapping[str, Any]


def body_of(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """One fault, as the control API takes it."""
    return {"fault": name, **parameters}


def body_of_sequence(faults: Sequence[FaultSpec]) -> dict[str, Any]:
    """Several faults; a name alone is a fault without parameters."""
    return {"faults": [body_of(one, {}) if isinstance(one, str) else one for one in faults]}
