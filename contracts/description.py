"""openapi.yaml, read once: its operations, and its schemas without references."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

# Which fields of a component no document names, so that only a strict reading asks for them.
_UNDOCUMENTED: Mapping[str, frozenset[str]] = {
    "Task": frozenset({"credits"}),  # TASK-7, assumed
    "TaskCredits": frozenset({"reserved", "charged", "refunded"}),
    "TaskError": frozenset({"code"}),  # TASK-9
    "Model": frozenset(  # MOD-1: read by one client, in no reference
        {"capability", "capability_metadata", "execution", "group", "description"}
    ),
    "pricing": frozenset({"credits_per_request"}),
}
_ERROR_TYPES = [  # ERR-2, both vocabularies
    "invalid_request_error", "authentication_error", "insufficient_quota", "permission_error",
    "not_found_error", "rate_limit_error", "api_error",
    "invalid_request", "auth_error", "rate_limit", "content_policy", "timeout", "network_error",
    "service_error", "billable_error", "unknown",
]  # fmt: skip
_OWN_CHOICES = frozenset(
    {"additionalProperties", "allOf", "pattern", "minLength", "minItems", "maxItems"}
)
USE = "x-claim-of-use"  # in an expanded schema: the claims beside the reference that it was
_ANNOTATIONS = frozenset({"description", "default", "examples", "example", "summary"})


@dataclass(frozen=True)
class Operation:
    """A method of a path.

    Attributes:
        id: its ``operationId``.
        is_api: it belongs to the API itself, under ``/v1``.
        responses: by status, without references.
        claims: its ``x-claim``.
    """

    id: str
    is_api: bool
    responses: Mapping[str, Mapping[str, Any]]
    claims: tuple[str, ...]


def description_path() -> Path:
    """Find openapi.yaml: beside the installed packages' modules, or at the root of a checkout."""
    root = Path(__file__).parents[1]
    installed = root / "emulator" / "openapi.yaml"  # a file; nothing of that package is imported
    return installed if installed.exists() else root / "openapi.yaml"


@cache
def description() -> dict[str, Any]:
    """The description, parsed; not to be changed."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    parsed: dict[str, Any] = yaml.load(description_path().read_text("utf-8"), Loader=loader)  # noqa: S506 - a safe loader
    return parsed


def claims_of(node: Mapping[str, Any]) -> tuple[str, ...]:
    """The claims that a part of the description rests on."""
    return tuple(node.get("x-claim", ()))


def resolve(node: Any) -> tuple[str, Any]:
    """Follow references; also tells the name of the last one, empty where there was none."""
    name = ""
    while isinstance(node, dict) and "$ref" in node:
        found: Any = description()
        for step in node["$ref"].removeprefix("#/").split("/"):
            name, found = step, found[step]
        node = found
    return name, node


def find_operation(method: str, path: str) -> Operation | None:
    """The operation that a request belongs to.

    Args:
        method: in capitals.
        path: with whatever stands before ``/v1`` or ``/media``.
    """
    return next(
        (found for verb, place, found in _operations() if verb == method and place.search(path)),
        None,
    )


@cache
def _operations() -> tuple[tuple[str, re.Pattern[str], Operation], ...]:
    operations = []
    for template, item in description()["paths"].items():
        pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)) + "$")
        for method in ("get", "head", "post"):
            if method in item:
                raw = item[method]
                responses = {status: resolve(one)[1] for status, one in raw["responses"].items()}
                is_api = template.startswith("/v1/")
                operation = Operation(raw["operationId"], is_api, responses, claims_of(raw))
                operations.append((method.upper(), pattern, operation))
    return tuple(operations)


def expanded(node: Any, strict: bool, name: str = "") -> Any:
    """A schema with its references written out.

    Args:
        node: the schema, or a part of it.
        strict: False: without what is this server's own choice, so that only what the documents
            name is asked for.
        name: the component or property that it is.
    """
    if isinstance(node, list):
        return [expanded(one, strict) for one in node]
    if not isinstance(node, dict):
        return node
    found, schema = resolve(node)
    name = found or name
    if schema is not node:
        # What stands inside is about the value, what stands beside the reference about its use.
        schema = {**node, **schema, USE: node.get("x-claim", schema.get("x-claim", []))}
        del schema["$ref"]
    name, schema = _without_null_branch(name, schema)
    result: Schema = {}
    for keyword, value in schema.items():
        if keyword in _ANNOTATIONS or (not strict and keyword in _OWN_CHOICES):
            continue
        if keyword in ("properties", "patternProperties"):
            result[keyword] = {key: expanded(one, strict, key) for key, one in value.items()}
        else:
            result[keyword] = value if keyword in ("enum", "const") else expanded(value, strict)
    return result if strict else _softened(result, name)


def _without_null_branch(name: str, schema: Schema) -> tuple[str, Schema]:
    """``anyOf`` a schema or null, as one schema: its faults are then told by name."""
    branches = schema.get("anyOf", ())
    if len(branches) != 2 or branches[1] != {"type": "null"}:
        return name, schema
    found, other = resolve(branches[0])
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return found or name, {**rest, **other, "type": [other["type"], "null"]}


def _softened(schema: Schema, name: str) -> Schema:
    if "required" in schema:
        undocumented = _UNDOCUMENTED.get(name, frozenset())
        schema["required"] = [one for one in schema["required"] if one not in undocumented]
    properties = schema.get("properties", {})
    if "message" in properties:  # an error
        properties["type"] = {"type": "string", "enum": _ERROR_TYPES, "x-claim": ["ERR-2"]}
        properties["code"] = {"type": ["string", "null"]}
    if name == "Model":
        properties["type"] = {"type": "string"}  # other models make other things
    return schema
