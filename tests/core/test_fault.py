"""Faults: what they take, whom they meet, how often."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.errors import Refusal
from emulator.core.fault import CRITERIA, Fault, parse_directives, parse_fault, parse_preset
from emulator.core.fault_catalogue import FAULTS, PRESETS


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_can_be_had_by_its_name_and_written_down(name: str) -> None:
    fault = parse_fault({"fault": name, "times": 2})
    assert parse_fault(fault.as_json()) == fault


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ("http_error", "null")),
        ({"fault": "nonsense"}, ("http_error", "nonsense")),
        ({"fault": "http_error", "status": 418}, ("503", "418")),
        ({"fault": "http_error", "status": True}, ("503", "true")),
        ({"fault": "http_error", "status": [503]}, ("503", "[503]")),
        ({"fault": "http_error", "code": "x"}, ("status", "code")),
        ({"fault": "task_slow", "seconds": -1}, ("from 0", "-1")),
        ({"fault": "partial", "images": 1.5}, ("whole number", "1.5")),
        ({"fault": "task_fails", "times": 0}, ("from 1", "0")),
        ({"fault": "task_fails", "every": True}, ("from 1", "true")),
        ({"fault": "task_fails", "probability": 2}, ("from 0 to 1", "2")),
        ({"fault": "task_fails", "prompt": ""}, ("1 to 1,000", '""')),
        ({"fault": "task_fails", "operation": "getTask"}, ("createImageTask", "getTask")),
        ({"fault": "http_error", "status": 402, "operation": "getTask"}, ("402", "getTask")),
        ({"fault": "task_fails", "task_id": "task_1"}, ("before its task has an id",)),
        ({"fault": "callback_late", "operation": "getTask"}, ("callbacks",)),
    ],
)
def test_a_fault_that_cannot_be_or_never_acts_is_refused(
    body: dict[str, Any], named: tuple[str, ...]
) -> None:
    with pytest.raises(Refusal) as caught:
        parse_fault(body)
    for text in named:
        assert text in caught.value.message


def test_what_needs_callbacks_or_their_signature_is_refused_without() -> None:
    with pytest.raises(Refusal, match="--callbacks"):
        parse_fault({"fault": "callback_late"}, calls_back=False)
    with pytest.raises(Refusal, match="--callback-secret"):
        parse_fault({"fault": "callback_wrong_signature"}, signs=False)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_made_of_faults(name: str) -> None:
    assert [parse_fault(body) for body in parse_preset(name)]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(Refusal, match="strict"):
        parse_preset("nice")


@pytest.mark.parametrize(
    ("criteria", "turns"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"every": 3}, [3, 6]),
        ({"skip": 2}, [3, 4, 5, 6, 7]),
        ({"skip": 1, "every": 2}, [3, 5, 7]),
        ({"probability": 0}, []),
    ],
)
def test_how_often(criteria: dict[str, Any], turns: list[int]) -> None:
    fault = parse_fault({"fault": "task_fails", **criteria})
    assert [seen for seen in range(1, 8) if fault.fires(seen, 1, 1)] == turns


@given(st.integers(0, 2**63 - 1), st.integers(1, 1000))
def test_chance_is_decided_by_the_seed(seed: int, number: int) -> None:
    fault = Fault("task_fails", probability=0.3)
    turns = [fault.fires(seen, seed, number) for seen in range(1, 400)]
    assert turns == [fault.fires(seen, seed, number) for seen in range(1, 400)]
    assert 60 < sum(turns) < 190


def test_directives_are_faults_that_meet_their_own_text() -> None:
    prompt = "A [[fault: http_error status=503 times=2]] fox [[FAULT: task_slow seconds=1.5]]"
    found = parse_directives(prompt)
    assert [text for text, _ in found] == [
        "[[fault: http_error status=503 times=2]]",
        "[[FAULT: task_slow seconds=1.5]]",
    ]
    first, second = (fault for _, fault in found)
    assert (first.name, first.parameters["status"], first.times) == ("http_error", 503, 2)
    assert first.prompt == found[0][0]
    assert second.parameters == {"seconds": 1.5}


@pytest.mark.parametrize(
    "prompt",
    [
        "[[fault: nonsense]]",
        "[[fault:]]",
        "[[fault task_fails]]",
        "[[fault: task_fails code=x]]",
        "[[fault: task_fails operation=getTask]]",
        "[[fault: task_fails prompt=x]]",
        "[[fault: task_slow seconds=nan]]",
        "[[fault: task_slow seconds=1_0]]",
        "[[fault: partial images=99]]",
        "[[fault: content_policy fault=proxy_error_page]]",
        "[[fault: proxy_error_page status=502.0]]",
    ],
)
def test_a_directive_that_cannot_be_is_refused(prompt: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_directives(prompt)
    assert caught.value.param == "prompt"
    assert prompt in caught.value.message


@given(st.text(st.sampled_from("[]fault: =task_fails times_503\n")))
def test_no_prompt_breaks_the_reader(prompt: str) -> None:
    try:
        parse_directives(prompt)
    except Refusal as refusal:
        assert refusal.param == "prompt"


def test_every_criterion_can_be_sent() -> None:
    values: dict[str, Any] = {
        "operation": "getTask",
        "prompt": "fox",
        "prompt_regex": "f.x",
        "task_id": "task_1",
        "every": 2,
        "skip": 1,
        "times": 3,
        "probability": 0.5,
    }
    assert values.keys() == CRITERIA.keys()
    fault = parse_fault({"fault": "http_error", "status": 429, **values})
    assert {name: getattr(fault, name) for name in CRITERIA} == values
