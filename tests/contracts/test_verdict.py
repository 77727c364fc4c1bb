"""Findings become verdicts: a table of what each mixture says about a claim."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.claims import Reading
from contracts.findings import JUDGES, Finding, Outcome
from contracts.verdict import ClaimVerdict, Judgement, Verdict, conclude, judge, run_judges
from contracts.view import View
from tests.contracts.report_samples import claim
from tests.contracts.support import trace

HOLDS = Finding("TASK-1", Outcome.HOLDS, exchanges=(1,))
BREAKS = Finding("TASK-1", Outcome.BREAKS, "it went back", (2,))
ABSENT = Finding("TASK-1", Outcome.UNSUPPORTED, "there is no such route", (3,))
BOTH_READINGS = {"A": Reading("pending", "model-page"), "B": Reading("processing", "reference")}
ONE_PROFILE = {"A": Reading("as assumed"), "B": Reading("otherwise")}


def read_as(reading: str) -> Finding:
    return Finding("TASK-1", Outcome.READS, f"seen: {reading}", (1,), reading)


def decided(*found: Finding, strict: bool = False, **changes: Any) -> ClaimVerdict:
    """What these findings say about a documented MUST, unless changed."""
    return conclude([claim("TASK-1", **changes)], found, {}, strict, {}).of("TASK-1")


@pytest.mark.parametrize(
    ("found", "changes", "verdict"),
    [
        ([HOLDS], {}, Verdict.PASS),
        ([HOLDS, BREAKS], {}, Verdict.FAIL),
        ([HOLDS, BREAKS], {"strength": "SHOULD"}, Verdict.NON_STRICT),
        ([HOLDS, BREAKS], {"strength": "OBSERVED"}, Verdict.NON_STRICT),
        ([HOLDS, BREAKS], {"strength": "SHOULD", "strict": True}, Verdict.FAIL),
        ([HOLDS], {"level": "assumed"}, Verdict.OBSERVED),
        ([BREAKS], {"level": "assumed"}, Verdict.OBSERVED),
        ([BREAKS], {"level": "assumed", "strict": True}, Verdict.FAIL),
        ([BREAKS], {"level": "conflicting"}, Verdict.FAIL),
        ([], {}, Verdict.NOT_RUN),
        ([ABSENT], {}, Verdict.UNSUPPORTED),
        ([ABSENT, HOLDS], {}, Verdict.PASS),
        ([ABSENT, BREAKS], {}, Verdict.FAIL),
        ([HOLDS], {"witnesses": 2}, Verdict.NOT_RUN),
        ([HOLDS, HOLDS], {"witnesses": 2}, Verdict.PASS),
        ([BREAKS], {"witnesses": 9}, Verdict.FAIL),
    ],
)
def test_what_findings_say(found: list[Finding], changes: Any, verdict: Verdict) -> None:
    assert decided(*found, **changes).verdict is verdict


@pytest.mark.parametrize(
    ("readings", "changes", "verdict", "reading"),
    [
        ("A", {}, Verdict.OBSERVED, "A"),
        ("B", {}, Verdict.OBSERVED, "B"),
        ("AAB", {}, Verdict.OBSERVED, "A and B"),
        ("A", {"witnesses": 2}, Verdict.NOT_RUN, None),
        (["queued"], {}, Verdict.FAIL, "queued"),
        (["queued"], {"level": "assumed"}, Verdict.OBSERVED, "queued"),
        (["A", "queued"], {"level": "assumed", "strict": True}, Verdict.FAIL, "queued"),
        ("B", {"strict": True}, Verdict.OBSERVED, "B"),
        ("AAB", {"strict": True}, Verdict.FAIL, "B"),
        ("B", {"strict": True, "level": "assumed", "readings": ONE_PROFILE}, Verdict.FAIL, "B"),
        ("B", {"level": "assumed", "readings": ONE_PROFILE}, Verdict.OBSERVED, "B"),
    ],
)
def test_what_readings_say(readings: Any, changes: Any, verdict: Verdict, reading: Any) -> None:
    """Both readings of a conflict are right; a mixture within one profile is not, if strict."""
    given = {"level": "conflicting", "readings": BOTH_READINGS, **changes}
    found = decided(*(read_as(one) for one in readings), **given)
    assert (found.verdict, found.reading) == (verdict, reading)


@pytest.mark.parametrize("level", ["conflicting", "assumed"])
def test_what_both_readings_share_does_not_tell_them_apart(level: str) -> None:
    found = decided(HOLDS, level=level, readings=BOTH_READINGS)
    assert (found.verdict, found.reading) == (Verdict.NOT_RUN, None)
    assert found.reason == "nothing in the trace tells its readings apart"


def test_a_documented_claim_with_a_reading_needs_what_holds_too() -> None:
    assert decided(read_as("A"), HOLDS, readings=BOTH_READINGS).verdict is Verdict.PASS
    assert decided(read_as("A"), readings=BOTH_READINGS).verdict is Verdict.OBSERVED


def test_a_profile_is_what_most_claims_speak_for() -> None:
    claims = [claim(f"TASK-{n}", level="conflicting", readings=BOTH_READINGS) for n in (1, 2, 3)]
    found = [
        Finding(name, Outcome.READS, "", (1,), reading)
        for name, reading in [("TASK-1", "A"), ("TASK-1", "A"), ("TASK-1", "A"),
                              ("TASK-2", "B"), ("TASK-3", "B")]
    ]  # fmt: skip
    judgement = conclude(claims, found, {}, False, {})
    assert judgement.votes == {"model-page": 1, "reference": 2}
    assert judgement.profile == "reference"
    strict = conclude(claims, found, {}, True, {})
    assert [one.claim_id for one in strict.having(Verdict.FAIL)] == ["TASK-1"]


def test_why_nothing_was_sent_is_told_only_where_nothing_was_seen() -> None:
    claims = [claim("TASK-1"), claim("TASK-2")]
    why = {"TASK-1": "no callback receiver", "TASK-2": "no callback receiver"}
    judgement = conclude(claims, [HOLDS], {}, False, why)
    assert (judgement.of("TASK-1").verdict, judgement.of("TASK-1").reason) == (Verdict.PASS, "")
    assert judgement.of("TASK-2").reason == "no callback receiver"


def test_a_judge_that_stops_takes_no_other_along(monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(view: View) -> list[Finding]:
        raise KeyError("prompt")

    run_judges(View(trace()))
    monkeypatch.setitem(JUDGES, "lives.stops", (("TASK-1",), stops))
    monkeypatch.setitem(JUDGES, "lives.goes", (("TASK-2",), lambda view: [
        Finding("TASK-2", Outcome.HOLDS)]))  # fmt: skip
    for name in set(JUDGES) - {"lives.stops", "lives.goes"}:
        monkeypatch.delitem(JUDGES, name)
    judgement = judge(trace(), [claim("TASK-1"), claim("TASK-2")], strict=False)
    assert judgement.of("TASK-1").verdict is Verdict.ENGINE_ERROR
    assert judgement.of("TASK-1").reason == "lives.stops stopped: KeyError: 'prompt'"
    assert judgement.of("TASK-2").verdict is Verdict.PASS
    assert judgement.of("TASK-2").findings[0].check == "lives.goes"


def test_what_breaks_a_claim_is_kept_first() -> None:
    kept = decided(*[HOLDS] * 30, read_as("A"), BREAKS).findings
    assert [one.outcome for one in kept[:3]] == [Outcome.BREAKS, Outcome.READS, Outcome.HOLDS]
    assert len(kept) == 12


@given(
    st.lists(st.sampled_from([HOLDS, BREAKS, ABSENT, *map(read_as, ["A", "B", "odd"])])),
    st.sampled_from(["documented", "conflicting", "assumed"]),
    st.sampled_from(["MUST", "SHOULD", "OBSERVED"]),
    st.integers(1, 4),
    st.booleans(),
)
def test_no_verdict_is_better_than_its_evidence(
    found: list[Finding], level: str, strength: str, witnesses: int, strict: bool
) -> None:
    given = {"level": level, "strength": strength, "witnesses": witnesses}
    seen: ClaimVerdict = decided(*found, strict=strict, readings=BOTH_READINGS, **given)
    assert seen.witnesses == len([one for one in found if one is not ABSENT])
    if seen.verdict is Verdict.PASS:
        assert BREAKS not in found
        assert level == "documented"
        assert seen.witnesses >= witnesses
    if BREAKS in found:
        assert seen.verdict in (Verdict.FAIL, Verdict.NON_STRICT, Verdict.OBSERVED)
        assert (seen.verdict is Verdict.OBSERVED) <= (level == "assumed" and not strict)
    if not found:
        assert seen.verdict is Verdict.NOT_RUN


def test_a_judgement_is_asked_by_claim() -> None:
    judgement = conclude([claim("TASK-1")], [], {}, False, {})
    assert isinstance(judgement, Judgement)
    assert judgement.having(Verdict.PASS) == ()
    with pytest.raises(StopIteration):
        judgement.of("TASK-9")
