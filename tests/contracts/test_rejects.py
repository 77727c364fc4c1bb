"""Requests that must be refused, and requests that must not."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange import Request
from contracts.generated_requests import generated_rejects
from contracts.model import expectation, wish_of
from contracts.prices import worst_price
from contracts.reject_catalogue import CATALOGUE
from contracts.rejects import Reject, build
from emulator.core.profile import MODEL_PAGE, REFERENCE, Profile
from tests.contracts.strategies import valid_bodies
from tests.support import contract
from tests.support.world import BASE, World, open_world

REQUIRED = {
    "AUTH-1", "GEN-1", "GEN-2", "GEN-3", "GEN-4", "GEN-5", "GEN-9", "GEN-10", "GEN-11", "GEN-12",
    "GEN-16", "MOD-2", "EDIT-1", "EDIT-2", "UPL-1", "TASK-10",
}  # fmt: skip


def request_of(reject: Reject) -> Request:
    method, path, headers, content = build(reject, "sk-any")
    return Request(method, f"http://target.example{path}", headers, content)


def is_as_expected(reject: Reject) -> bool:
    found = expectation(request_of(reject))
    assert found is not None
    assert found.kind == "reject", found
    return (set(found.claims), found.param) == (set(reject.claims), reject.param)


@pytest.mark.parametrize("reject", CATALOGUE, ids=lambda reject: reject.name)
def test_each_case_has_to_be_refused(reject: Reject) -> None:
    assert is_as_expected(reject)


def test_the_catalogue_covers_the_claims_cheapest_first() -> None:
    assert {claim for reject in CATALOGUE for claim in reject.claims} == REQUIRED
    assert len({reject.name for reject in CATALOGUE}) == len(CATALOGUE)
    prices = [worst_price(request_of(reject), 30) for reject in CATALOGUE]
    assert prices == sorted(prices)
    first = {claim for reject in CATALOGUE[:50] for claim in reject.claims}
    # What may be taken for a resolution of 4K, or a high quality, may cost as much.
    assert first >= REQUIRED - {"GEN-5", "GEN-9"}


@given(st.integers(0, 2**32))
def test_each_generated_case_has_to_be_refused(seed: int) -> None:
    assert all(is_as_expected(reject) for reject in generated_rejects(seed, 20))


def test_a_seed_decides_what_is_generated() -> None:
    assert generated_rejects(7, 30) == generated_rejects(7, 40)[:30]
    assert generated_rejects(7, 30) != generated_rejects(8, 30)
    names = [reject.name for reject in generated_rejects(7, 300)]
    assert len(set(names)) == 300


def body_request(body: dict[str, Any]) -> Request:
    headers = (("Authorization", "Bearer sk-any"), ("Content-Type", "application/json"))
    url = "http://target.example/v1/images/generations"
    return Request("POST", url, headers, json.dumps(body).encode())


@given(valid_bodies())
def test_each_valid_body_has_to_be_accepted(body: dict[str, Any]) -> None:
    found = expectation(body_request(body))
    assert found is not None
    assert found.kind == "accept", found
    assert wish_of(body_request(body)) is not None


@pytest.fixture(params=[MODEL_PAGE, REFERENCE], ids=lambda profile: profile.name)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    profile: Profile = request.param
    async with open_world(profile=profile) as world:
        yield world


async def test_the_emulator_refuses_all_of_it(world: World) -> None:
    maps_sizes = world.server.services.settings.profile.maps_sizes
    transport = httpx2.ASGITransport(world.server.app)
    for reject in (*CATALOGUE, *generated_rejects(1, 300)):
        if maps_sizes and "GEN-4" in reject.claims:
            continue
        method, path, headers, content = build(reject, "sk-test")
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            answer = await client.request(method, path, headers=list(headers), content=content)
        contract.check(answer)
        found = expectation(request_of(reject))
        assert found is not None
        assert answer.status_code in found.statuses, (reject.name, answer.text)
        if reject.param is not None:
            assert answer.json()["error"]["param"] == reject.param, reject.name
    assert (await world.client.get("/v1/credits/balance")).json()["credits"] == 100_000


async def test_the_emulator_accepts_what_is_valid(world: World) -> None:
    bodies: list[dict[str, Any]] = []

    @given(valid_bodies())
    def collect(body: dict[str, Any]) -> None:
        bodies.append(body)

    collect()
    for body in bodies:
        found = expectation(body_request(body))
        assert found is not None
        answer = await world.client.post("/v1/images/generations", json=body)
        assert answer.status_code in (*found.statuses, 402), (body, answer.text)
