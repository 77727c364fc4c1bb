"""A request's body as a JSON object, strictly."""

import codecs
import json
from collections import Counter
from typing import Any

from emulator.core.errors import Refusal, shown


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object, strictly: see ``read_json_object``."""
    try:
        value = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        problem = f"byte {error.start} ({body[error.start]:#04x}) is not valid UTF-8"
    except json.JSONDecodeError as error:
        problem = f"{error.msg} at line {error.lineno}, column {error.colno}"
        if body.startswith(codecs.BOM_UTF8):
            problem = "it begins with a byte order mark (BOM)"
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError as error:
        problem = str(error)
    else:
        if isinstance(value, dict):
            return value
        message = f"The body must be a JSON object; {shown(value)} was sent."
        raise Refusal("invalid_body", message, "body")
    message = f"The body must be a JSON object in UTF-8: {problem}."
    raise Refusal("invalid_json", message, "body")


def check_characters(body: bytes, value: dict[str, Any]) -> None:
    """Check that a body has whole characters only; JSON can spell halves, nothing else takes them.

    Raises:
        Refusal: it has half a character.
    """
    if b"\\ud" not in body and b"\\uD" not in body:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        problem = f"it has half a character (a lone surrogate, {error.object[error.start]!a})"
        message = f"The body must be a JSON object in UTF-8: {problem}."
        raise Refusal("invalid_json", message, "body") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    counts = Counter(name for name, _ in pairs)
    name = next(name for name, count in counts.items() if count > 1)
    message = f"The field {shown(name)} is there more than once; send each field once."
    raise Refusal("duplicate_field", message, name.encode("utf-8", "replace").decode())


def _no_such_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_such_number)
