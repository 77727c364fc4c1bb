"""openapi.yaml is valid, its examples fit it, and it is served."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from tests.support import contract
from tests.support.world import World

FACT_SECTIONS = {
    "AUTH", "BASE", "REQ", "ERR", "GEN", "TASK", "MEDIA", "SYNC", "EDIT", "UPL", "CB", "CRED",
    "MOD", "DOC",
}  # fmt: skip


def nodes(node: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in the description with its place."""
    if isinstance(node, dict):
        yield path, node
        for name, value in node.items():
            yield from nodes(value, f"{path}/{name}")
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from nodes(value, f"{path}/{position}")


def test_it_is_valid_openapi() -> None:
    validate(contract.document())


EXAMPLES = [
    (path, node["schema"], example)
    for path, node in nodes(contract.document())
    if isinstance(node.get("schema"), dict)
    for example in [
        *([node["example"]] if "example" in node else []),
        *(e["value"] for e in node.get("examples", {}).values() if "value" in e),
    ]
]
SCHEMA_EXAMPLES = [
    (path, node, example)
    for path, node in nodes(contract.document()["components"]["schemas"])
    if isinstance(node.get("examples"), list)
    for example in node["examples"]
]


@pytest.mark.parametrize(
    ("path", "schema", "example"), EXAMPLES + SCHEMA_EXAMPLES, ids=lambda v: str(v)[:60]
)
def test_each_example_fits_its_schema(path: str, schema: dict[str, Any], example: Any) -> None:
    contract.validator(schema).validate(example)


def test_claims_are_named_where_they_are_visible() -> None:
    claims = {claim for _, node in nodes(contract.document()) for claim in node.get("x-claim", [])}
    sections = {claim.partition("-")[0] for claim in claims}
    assert sections == FACT_SECTIONS
    fidelity = (contract.ROOT / "docs" / "fidelity.md").read_text("utf-8")
    for claim in claims:
        assert claim in fidelity


def test_a_creation_links_to_its_task_and_describes_its_callback() -> None:
    operation = contract.document()["paths"]["/v1/images/generations"]["post"]
    links = contract.resolve(operation["responses"]["202"])["links"]
    assert {contract.resolve(link)["operationId"] for link in links.values()} == {"getTask"}
    assert operation["callbacks"]


async def test_it_is_served(world: World) -> None:
    as_yaml = await world.client.get("/openapi.yaml", headers={"Authorization": ""})
    as_json = await world.client.get("/openapi.json", headers={"Authorization": ""})
    assert yaml.safe_load(as_yaml.content) == as_json.json() == contract.document()
    assert json.loads(as_json.content)["openapi"].startswith("3.1")


async def test_llms_txt_lists_the_routes(world: World) -> None:
    text = (await world.client.get("/llms.txt", headers={"Authorization": ""})).text
    for path in contract.document()["paths"]:
        if path.startswith("/v1"):
            assert path in text


async def test_unknown_routes_and_methods(world: World) -> None:
    for method, path, status in (
        ("GET", "/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", "/v1/tasks/", 404),
        ("DELETE", "/v1/models", 405),
        ("PUT", "/v1/images/generations", 405),
        ("POST", "/v1/tasks/task_1", 405),
    ):
        response = await world.client.request(method, path)
        assert response.status_code == status
        if status == 405:
            assert response.headers["allow"]
