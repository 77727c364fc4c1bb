import copy
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.claims import Claims, ClaimsError, load_claims, parse_claims
from scripts import fidelity_page

ROOT = Path(__file__).parents[2]
IDS = (
    "AUTH-1", "AUTH-2", "AUTH-3", "BASE-1", "REQ-1", "REQ-2",
    "ERR-1", "ERR-2", "ERR-3", "ERR-4", "ERR-5", "ERR-6", "ERR-7", "ERR-8", "ERR-9",
    "GEN-1", "GEN-2", "GEN-3", "GEN-4", "GEN-5", "GEN-6", "GEN-7", "GEN-8",
    "GEN-9", "GEN-10", "GEN-11", "GEN-12", "GEN-13", "GEN-14", "GEN-15", "GEN-16",
    "TASK-1", "TASK-2", "TASK-3", "TASK-4", "TASK-5", "TASK-6", "TASK-7", "TASK-8", "TASK-9",
    "TASK-10", "TASK-11", "MEDIA-1", "MEDIA-2", "MEDIA-3", "SYNC-1", "EDIT-1", "EDIT-2", "UPL-1",
    "CB-1", "CB-2", "CB-3", "CB-4", "CB-5",
    "CRED-1", "CRED-2", "CRED-3", "CRED-4", "CRED-5", "CRED-6", "CRED-7", "CRED-8",
    "MOD-1", "MOD-2", "DOC-1",
    "PAGE-1", "PAGE-2", "PAGE-3", "PAGE-4", "PAGE-5", "PAGE-6",
)  # fmt: skip
CONFLICTING = {"ERR-2", "GEN-6", "GEN-9", "GEN-14", "TASK-2"}
ASSUMED = {
    "GEN-7", "GEN-8", "GEN-15", "GEN-16", "TASK-4", "TASK-8", "MEDIA-2", "MEDIA-3",
    "CB-3", "CB-4", "CRED-5", "MOD-2",
}  # fmt: skip
BY_PROFILE = {"GEN-4", "GEN-6", "GEN-7", "GEN-9", "GEN-13", "GEN-14", "TASK-2", "TASK-8"}
NO_CLAIMS = {"UTF-8", "UTF-16", "SHA-256"}
Entry = dict[str, Any]

GOOD: Entry = {
    "claims": [
        {
            "id": "TASK-2",
            "section": "The task's life",
            "claim": "The word for success",
            "strength": "MUST",
            "level": "conflicting",
            "level_note": None,
            "sources": ["MP", "RD"],
            "readings": {
                "A": {"says": "`succeeded`", "profile": "model-page"},
                "B": {"says": "`completed`", "profile": "reference"},
            },
            "evidence": "A task that was read after its end.",
            "checks": ["lives.word_for_success"],
            "paid": True,
            "needs": ["time"],
            "witnesses": 1,
            "emulator": "**M** `succeeded`. **R** `completed`",
            "setting": "`--profile`",
        }
    ],
    "checks": {"lives.word_for_success": "The status of each success is read."},
}


def put(**members: Any) -> Callable[[Entry], None]:
    return lambda document: document["claims"][0].update(members)


def leave_out(*names: str) -> Callable[[Entry], None]:
    def change(document: Entry) -> None:
        for name in names:
            del document["claims"][0][name]

    return change


def twice(document: Entry) -> None:
    document["claims"].append(document["claims"][0])


def describe_one_more(document: Entry) -> None:
    document["checks"]["lives.other"] = "Something else."


def put_beside(document: Entry) -> None:
    document["notes"] = []


def put_reading(**members: Any) -> Callable[[Entry], None]:
    return lambda document: document["claims"][0]["readings"]["B"].update(members)


@pytest.fixture(scope="module")
def claims() -> Claims:
    return load_claims()


def test_each_known_claim_is_there_in_order(claims: Claims) -> None:
    assert tuple(claim.id for claim in claims) == IDS


def test_levels(claims: Claims) -> None:
    levels = {claim.id: claim.level for claim in claims}
    assert {name for name, level in levels.items() if level == "conflicting"} == CONFLICTING
    assert {name for name, level in levels.items() if level == "assumed"} == ASSUMED


def test_only_these_claims_depend_on_the_profile(claims: Claims) -> None:
    found = {claim.id for claim in claims if any(r.profile for r in claim.readings.values())}
    assert found == BY_PROFILE


def test_what_is_assumed_or_of_the_page_is_only_observed(claims: Claims) -> None:
    observed = {claim.id for claim in claims if claim.strength == "OBSERVED"}
    assert observed == ASSUMED | {claim.id for claim in claims if claim.id.startswith("PAGE-")}


def test_sources_are_named_but_where_none_says_it(claims: Claims) -> None:
    assert all(claim.sources for claim in claims if claim.level != "assumed")


def test_the_catalogue_is_read_once() -> None:
    assert load_claims() is load_claims()


def test_a_good_document_is_read() -> None:
    claims = parse_claims(yaml.safe_dump(GOOD))
    assert claims["TASK-2"].readings["B"].profile == "reference"
    assert "TASK-2" in claims
    assert "TASK-3" not in claims


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put(colour="red"), "TASK-2: 'colour' is no key of it"),
        (put_beside, "'notes' is no key of it"),
        (put_reading(colour="red"), "TASK-2: 'readings.B.colour' is no key of it"),
        (leave_out("evidence"), "TASK-2: 'evidence' is missing"),
        (leave_out("id"), "claim 1: 'id' is missing"),
        (put(id="task2"), "task2: 'id': String should match"),
        (put(strength="MAY"), "'strength': Input should be 'MUST', 'SHOULD' or 'OBSERVED'; 'MAY'"),
        (put(level="sure"), "'level': Input should be 'documented', 'conflicting' or 'assumed'"),
        (put(sources=["XX"]), "'sources.0': Input should be 'MP'"),
        (put(needs=["money"]), "'needs.0': Input should be 'time'"),
        (put(witnesses=0), "'witnesses': Input should be greater than or equal to 1; 0 was given"),
        (put(paid="yes"), "'paid': Input should be a valid boolean; 'yes' was given"),
        (put(checks=[]), "'checks': Tuple should have at least 1 item"),
        (put(checks=["success"]), "'checks.0': String should match"),
        (put(claim=""), "'claim': String should have at least 1 character"),
        (put_reading(profile="other"), "'readings.B.profile': Input should be 'model-page'"),
        (put(readings={"C": {"says": "x"}}), "'C' was given"),
        (twice, "TASK-2 is there 2 times"),
        (leave_out("readings"), "TASK-2: something in it is assumed or conflicting"),
        (
            put(level="documented", level_note="the order assumed", readings={}),
            "TASK-2: something in it is assumed or conflicting",
        ),
        (put(level="documented"), "neither its level nor its note is assumed or conflicting"),
        (put(readings={"A": {"says": "`succeeded`"}}), "it needs a reading B"),
        (put(level="assumed"), "its strength must be OBSERVED; MUST was given"),
        (put_reading(profile="model-page"), "A must be of model-page and B of reference"),
        (put_reading(profile=None), "A must be of model-page and B of reference"),
        (put(checks=["lives.other"]), "the check 'lives.other' is not described under 'checks'"),
        (describe_one_more, "the check 'lives.other' is not named by any claim"),
    ],
)
def test_one_line_says_what_is_wrong(change: Callable[[Entry], None], message: str) -> None:
    document = copy.deepcopy(GOOD)
    change(document)
    with pytest.raises(ClaimsError) as caught:
        parse_claims(yaml.safe_dump(document))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("claims: [", "is no YAML"), ("", "Input should be"), ("claims: []", "'checks' is missing")],
)
def test_a_file_that_is_no_catalogue(text: str, message: str) -> None:
    with pytest.raises(ClaimsError, match=message) as caught:
        parse_claims(text)
    assert "\n" not in str(caught.value)


def test_the_fidelity_page_is_what_the_claims_give() -> None:
    written = fidelity_page.PAGE.read_text("utf-8")
    assert written == fidelity_page.page(), "python -m scripts.fidelity_page writes it"


def test_the_description_names_existing_claims(claims: Claims) -> None:
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    named = set(claims_named_in(document))
    assert named
    assert named <= set(IDS)


def claims_named_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value.get("x-claim", ())
        for member in value.values():
            yield from claims_named_in(member)
    elif isinstance(value, list):
        for item in value:
            yield from claims_named_in(item)


def test_comments_name_existing_claims() -> None:
    for package in ("emulator", "contracts"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
                if token.type == tokenize.COMMENT:
                    named = set(re.findall(r"\b[A-Z]+-\d+\b", token.string))
                    assert named - NO_CLAIMS <= set(IDS), f"{path}:{token.start[0]}"


def test_nothing_is_given_twice() -> None:
    """YAML readers take the last of two values with one name, and say nothing."""
    node = yaml.compose((ROOT / "contracts/claims.yaml").read_text("utf-8"))
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            names = [name.value for name, _ in node.value]
            assert len(names) == len(set(names)), node.start_mark
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
