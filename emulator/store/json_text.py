"""Values as JSON, quickly."""

import json
from typing import Any

from pydantic_core import PydanticSerializationError, to_json


def json_bytes(value: Any) -> bytes:
    """Write a value as JSON, in UTF-8."""
    try:
        return to_json(value)
    except PydanticSerializationError:  # half a character that a client sent
        return json.dumps(value).encode()
