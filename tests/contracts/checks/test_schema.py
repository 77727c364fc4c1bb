"""The judge that holds answers against openapi.yaml."""

from collections.abc import Iterator
from typing import Any

import pytest

from contracts.checks import schema
from contracts.description import claims_of, description, expanded
from contracts.exchange import Exchange
from contracts.findings import JUDGES
from tests.contracts.support import callback, creation, exchange, findings, summary, task_read

CREATED: dict[str, Any] = {
    "task_id": "task_1",
    "status": "pending",
    "poll_url": "/v1/tasks/task_1",
    "request_id": "req_1",
    "credits": {"reserved": 30},
}


def balance(**members: Any) -> Exchange:
    usual = {"credits": 1, "currency": "credits", **members}
    headers = {"X-Request-Id": "req_1"}
    return exchange("GET", "/v1/credits/balance", answer=usual, answer_headers=headers)


def called_back(**members: Any) -> Exchange:
    response = task_read().response
    assert response is not None
    return callback({**response.json, **members}, "http://kit.test/hook")


@pytest.mark.parametrize(
    ("seen", "of_an_emulator", "elsewhere"),
    [
        (balance(), [], []),
        (balance(credits="1"), ["CRED-1"], ["CRED-1"]),
        (balance(more=1), ["CRED-8"], []),
        (creation(), [], []),
        (creation(answer={**CREATED, "poll_url": None}), ["GEN-13"], ["GEN-13"]),
        (creation(answer={**CREATED, "status": "queued"}), ["GEN-14"], ["GEN-14"]),
        (called_back(), [], []),
        (called_back(type=7), ["TASK-5"], ["TASK-5"]),
        (called_back(more=7), ["TASK-3"], []),
        (exchange("GET", "/v1/models", status=302), ["MOD-1"], []),
        (exchange("GET", "/v1/models", status=404, answer=b"Not Found"), ["ERR-2"], []),
        (exchange("GET", "/v1/models", status=0), [], []),
    ],
)
def test_answers_are_as_described(
    seen: Exchange, of_an_emulator: list[str], elsewhere: list[str]
) -> None:
    for target, expected in (("emulator", of_an_emulator), ("other", elsewhere)):
        found = findings(schema.answers_are_as_described, seen, target=target)
        assert summary(found) == [(claim, "breaks") for claim in expected], target


def test_it_speaks_about_every_claim_that_the_description_names_first() -> None:
    whole = description()
    answers = [item[method]["responses"] for item in whole["paths"].values()
               for method in ("get", "head", "post") if method in item]  # fmt: skip
    named = set(_first_claims(expanded([answers, whole["components"]["schemas"]["Task"]], True)))
    spoken_about = set(JUDGES["schema.answers_are_as_described"][0])
    assert named - spoken_about == set()


def _first_claims(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from claims_of(node)[:1]
        for name, value in node.items():
            if name != "x-claim":
                yield from _first_claims(value)
    elif isinstance(node, list):
        for value in node:
            yield from _first_claims(value)
