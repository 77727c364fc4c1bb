"""Holds real answers against openapi.yaml: no answer in any test may differ from it."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).parents[2]
_URI = "urn:openapi"


@cache
def document() -> dict[str, Any]:
    """The description, parsed."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    return parsed


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """Follow a ``$ref`` inside the description."""
    while "$ref" in node:
        found: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator of one schema inside the description."""
    resource = DRAFT202012.create_resource(document())
    registry: Registry[Any] = Registry().with_resource(_URI, resource)
    absolute = json.loads(json.dumps(schema).replace('"$ref": "#/', f'"$ref": "{_URI}#/'))
    return Draft202012Validator(absolute, registry=registry, format_checker=FormatChecker())


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """The operation that a request belongs to."""
    path = path.removeprefix("/api") if path.startswith("/api/v1") else path
    for template, item in document()["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in item:
            operation: dict[str, Any] = item[method.lower()]
            return operation
    return None


def check(response: httpx2.Response) -> None:
    """Fail where an answer is not one that openapi.yaml describes."""
    request = response.request
    path = request.url.path
    if path.startswith("/_emulator"):
        return
    assert re.fullmatch("req_[0-9a-f]{24}", response.headers["x-request-id"])
    assert response.status_code != 500, response.text
    operation = operation_of(request.method, path)
    if operation is None:
        assert response.status_code in (404, 405), f"{request.method} {path} is not described"
        reply = document()["components"]["responses"][
            "RouteNotFound" if response.status_code == 404 else "MethodNotAllowed"
        ]
    else:
        replies = operation["responses"]
        assert str(response.status_code) in replies, (
            f"{operation['operationId']} answered {response.status_code}: {response.text[:300]}"
        )
        reply = resolve(replies[str(response.status_code)])
    if "content" not in reply or request.method == "HEAD":
        assert response.content == b""
        return
    media_type = response.headers["content-type"].partition(";")[0]
    assert media_type in reply["content"], f"{media_type} is not described for {path}"
    if media_type == "application/json":
        validator(reply["content"][media_type].get("schema", {})).validate(response.json())
