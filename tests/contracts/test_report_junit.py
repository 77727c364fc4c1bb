import xml.etree.ElementTree as ET
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.findings import Outcome
from contracts.report_junit import to_junit
from contracts.verdict import Verdict
from tests.contracts.report_samples import CLAIMS, exchange, finding, run, trace, verdict

# Attributes and members as Jenkins's junit-10 schema and GitLab's reader know them.
ATTRIBUTES = {
    "testsuites": set(),
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"classname", "name"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
}
MEMBERS = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out"],
    "properties": ["property"],
    "testcase": ["skipped", "error", "failure", "system-out"],
}


def parsed(**changes: Any) -> ET.Element:
    text = to_junit(run(**changes), CLAIMS)
    root = ET.fromstring(text.encode("utf-8"))
    for element in root.iter():
        assert set(element.keys()) == ATTRIBUTES[element.tag]
        order = MEMBERS.get(element.tag, [])
        found = [order.index(child.tag) for child in element]
        assert found == sorted(found)
    return root


def case_of(root: ET.Element, claim_id: str) -> ET.Element:
    return next(c for c in root.iter("testcase") if c.get("name", "").startswith(f"{claim_id} "))


def test_each_claim_is_a_test_case_and_the_counts_are_right() -> None:
    suite = parsed()[0]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "1",
        "errors": "1",
        "skipped": "2",
    }
    assert suite.get("time") == "95.500"
    assert suite.get("timestamp") == "2026-11-23T02:13:20"
    names = [(c.get("classname"), c.get("name")) for c in suite.iter("testcase")]
    assert len(set(names)) == len(CLAIMS)
    assert names[0] == ("transport-authentication-errors", "AUTH-1 What `AUTH-1` says")
    assert names[2] == ("the-tasks-life", "TASK-2 The word for success")


def test_verdicts_become_what_ci_systems_know() -> None:
    root = parsed()
    tags = {
        str(case.get("name")).split(" ")[0]: [c.tag for c in case if c.tag != "system-out"]
        for case in root.iter("testcase")
    }
    assert tags == {
        "AUTH-1": [],
        "REQ-1": [],
        "TASK-2": [],
        "TASK-5": ["failure"],
        "MEDIA-1": ["skipped"],
        "UPL-1": ["skipped"],
        "CRED-1": ["error"],
    }
    assert case_of(root, "MEDIA-1")[0].get("message") == "not run: no link was old enough"
    failure = case_of(root, "TASK-5")[0]
    assert failure.get("message") == "`model` is missing"
    assert failure.text is not None
    assert (
        "#1 POST https://images.example.com/v1/images/generations -> 202 in 34 ms" in failure.text
    )
    assert case_of(root, "REQ-1")[0].text == (
        "non-strict: 200 without X-Request-Id\n"
        "lives.something breaks: 200 without X-Request-Id\n"
        "  #2 GET https://images.example.com/v1/tasks/task_1 -> 200 in 34 ms"
    )


def test_the_properties_tell_target_profile_and_spend() -> None:
    values = {p.get("name"): p.get("value") for p in parsed().iter("property")}
    assert values["target"] == "https://images.example.com"
    assert values["profile"] == "model-page"
    assert values["spend"] == (
        "240 of 600 credits spent; 30 of them for answers that were lost; 270 today;"
        " 9 creations, 1 refused"
    )


def test_why_a_run_stopped_and_its_notes_are_told() -> None:
    output = parsed(stopped="the limit was reached")[0].findall("system-out")
    assert output[0].text == "the limit was reached\nLinks were not followed to their end."
    assert parsed(notes=())[0].findall("system-out") == []


def test_a_finding_with_many_exchanges_shows_some_and_counts_the_rest() -> None:
    longer = trace()
    longer.exchanges += [exchange(n, longer[4].request, None) for n in range(7, 21)]
    found = verdict(
        "TASK-5", Verdict.FAIL, "", finding("TASK-5", Outcome.BREAKS, "", *range(1, 21))
    )
    text = case_of(parsed(verdicts=[found], trace=longer), "TASK-5")[0].text
    assert text is not None
    assert text.count("#") == 6
    assert text.endswith("and 14 more exchanges")


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_whatever_a_target_says_is_legal_xml(said: str) -> None:
    found = [verdict("TASK-5", Verdict.FAIL, said, finding("TASK-5", Outcome.BREAKS, said, 1))]
    root = parsed(verdicts=found, notes=(said,), stopped=said, target=said)
    assert case_of(root, "TASK-5")[0].tag == "failure"


def test_markup_in_reasons_stays_text() -> None:
    said = "</failure><script>alert(1)</script>]]>\x1b[2J\x00"
    case = case_of(parsed(verdicts=[verdict("TASK-5", Verdict.FAIL, said)]), "TASK-5")
    assert case[0].get("message") == "</failure><script>alert(1)</script>]]>\\x1b[2J\\x00"
