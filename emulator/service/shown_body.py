"""Bodies that clients sent, shown as JSON where they are that."""

import json
import math
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

_DEPTH_AROUND = 8  # how deep in an answer a body stands


def shown_body(text: str) -> Any:
    """A body as JSON; as the text that it is where it is none, or can't be shown as JSON."""
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return text
    return value if is_showable(value) else text


def is_showable(value: Any) -> bool:
    """Whether a value can stand in an answer: not too deep, and without half characters."""
    for _ in range(_DEPTH_AROUND):
        value = [value]
    try:
        to_json(value)
    except (PydanticSerializationError, ValueError):
        return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is there twice")
    return fields


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite)
