"""The report as one JSON file, described by docs/report.schema.json."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema

from contracts.claims import Claim
from contracts.options import EXIT_FILE, EngineError
from contracts.report.build import build
from contracts.report.model import FORMAT, SCHEMA_VERSION, Report
from contracts.report.text import one_line
from contracts.run_report import RunReport

_LARGEST_FILE_BYTES = 1 << 28
_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class LoadedReport:
    """A report that was read from a file.

    Attributes:
        name: the file, as it was named.
        report: what it says.
    """

    name: str
    report: Report


class _Schema(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: object) -> bool:
        return False  # they only repeat the names


def to_json(report: RunReport, claims: Iterable[Claim]) -> dict[str, Any]:
    """Write a report as JSON values.

    Args:
        report: the judged run.
        claims: the catalogue it was judged by.
    """
    return build(report, claims).model_dump(mode="json")


def schema() -> dict[str, Any]:
    """The JSON Schema of what ``to_json`` gives."""
    described = Report.model_json_schema(schema_generator=_Schema, mode="serialization")
    return {"$schema": _SCHEMA_DIALECT, **described}


def load_report(path: Path) -> LoadedReport:
    """Read a report.

    Raises:
        EngineError: there is no such file, or it is no report that this version reads.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise _refused(path, "it is larger than 256 MiB, which no report is")
        content = json.loads(path.read_bytes())
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}; the report.json of a run is needed"
        raise EngineError(message, EXIT_FILE) from error
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"it is no JSON ({one_line(str(error), 200)})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _refused(path, f'it is no JSON object with "format": "{FORMAT}"')
    version = content.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        sent = one_line(json.dumps(version), 40)
        raise _refused(path, f"its schema_version is {sent}; this kit reads {SCHEMA_VERSION}")
    try:
        return LoadedReport(str(path), Report.model_validate(content))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _refused(path, f"{one_line(where, 200)}: {one_line(first['msg'], 200)}") from error


def _refused(path: Path, problem: str) -> EngineError:
    return EngineError(f"{path} is no report of this kit: {problem}", EXIT_FILE)


if __name__ == "__main__":  # docs/report.schema.json
    print(json.dumps(schema(), indent=2, ensure_ascii=False))  # noqa: T201
