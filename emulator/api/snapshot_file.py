"""A snapshot as a file: written, and read with one clear error for what is wrong."""

import base64
import json
from typing import Any

from pydantic import ValidationError

from emulator.api.snapshot_schema import SnapshotFile
from emulator.core.errors import Refusal, shown

FORMAT = "gpt-image-emulator account"
VERSION = 1
_LONGEST_PLACE = 120


def snapshot_json(snapshot: dict[str, Any], emulator_version: str) -> bytes:
    """Write a snapshot as its file."""
    uploads = [
        {**upload, "content": base64.b64encode(upload["content"]).decode()}
        for upload in snapshot["uploads"]
    ]
    head = {"format": FORMAT, "version": VERSION, "emulator": emulator_version}
    return json.dumps({**head, **snapshot, "uploads": uploads}).encode()


def parse_snapshot(body: dict[str, Any]) -> dict[str, Any]:
    """Read a snapshot file's object.

    Returns:
        What ``Snapshots.export`` gave.

    Raises:
        Refusal: it is no snapshot, one of another version, or malformed; says where.
    """
    for name, accepted in (("format", FORMAT), ("version", VERSION)):
        if type(body.get(name)) is not type(accepted) or body[name] != accepted:
            raise Refusal.invalid_value(name, body.get(name), json.dumps(accepted))
    try:
        snapshot = SnapshotFile.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise _malformed(_place(first["loc"]), first["msg"], first["input"]) from error
    for table in ("tasks", "deliveries", "inboxes"):
        for index, row in enumerate(getattr(snapshot, table)):
            if problem := row.problem():
                raise Refusal("invalid_value", f"{table}[{index}]: {problem}.", f"{table}[{index}]")
    return snapshot.model_dump()


def _malformed(place: str, problem: str, sent: Any) -> Refusal:
    problem = problem.removeprefix("Value error, ")
    return Refusal("invalid_value", f"{place}: {problem}; {shown(sent)} was sent.", place)


def _place(location: tuple[str | int, ...]) -> str:
    """``("tasks", 3, "width_px")`` -> ``tasks[3].width_px``."""
    place = ""
    for part in location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return place.removeprefix(".")[:_LONGEST_PLACE].encode("utf-8", "replace").decode()
