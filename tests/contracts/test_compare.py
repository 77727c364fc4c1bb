import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from contracts.claims import Claim
from contracts.compare import Change, Comparison, compare, comparison_json, print_comparison
from contracts.compare_html import comparison_html
from contracts.options import EXIT_FAILED, EXIT_FILE, EXIT_USAGE, EngineError
from contracts.report.build import build
from contracts.report_json import LoadedReport, to_json
from contracts.verdict import ClaimVerdict, Judgement, Verdict
from tests.contracts.conftest import Desk
from tests.contracts.page_reader import read_page
from tests.contracts.report_samples import CLAIMS, VERDICTS, run, verdict

DAY_SECONDS = 86_400
VERDICT_AND_READING = tuple[Verdict, str | None]
PASS, FAIL, OBSERVED = Verdict.PASS, Verdict.FAIL, Verdict.OBSERVED
NON_STRICT, UNSUPPORTED = Verdict.NON_STRICT, Verdict.UNSUPPORTED
NOT_RUN, ENGINE_ERROR = Verdict.NOT_RUN, Verdict.ENGINE_ERROR


def loaded(
    verdicts: Sequence[ClaimVerdict] = VERDICTS,
    name: str = "a.json",
    profile: str | None = "model-page",
    claims: Sequence[Claim] = CLAIMS,
    **changes: Any,
) -> LoadedReport:
    judgement = Judgement(tuple(verdicts), profile, {})
    return LoadedReport(name, build(replace(run(), judgement=judgement, **changes), claims))


def one(verdict_: Verdict | None, reading: str | None = None, reason: str = "") -> LoadedReport:
    """A report about one claim; without it where the verdict is None."""
    if verdict_ is None:
        return loaded([])
    return loaded([verdict("TASK-2", verdict_, reason, reading=reading)])


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ((PASS, None), (PASS, None), Change.SAME),
        ((FAIL, None), (FAIL, None), Change.SAME),
        ((NOT_RUN, None), (NOT_RUN, None), Change.SAME),
        ((PASS, None), (FAIL, None), Change.WORSE),
        ((OBSERVED, "A"), (FAIL, "B"), Change.WORSE),
        ((NON_STRICT, None), (FAIL, None), Change.WORSE),
        ((UNSUPPORTED, None), (FAIL, None), Change.WORSE),
        ((NOT_RUN, None), (FAIL, None), Change.WORSE),
        ((ENGINE_ERROR, None), (FAIL, None), Change.WORSE),
        ((PASS, None), (NON_STRICT, None), Change.WORSE),
        ((PASS, None), (UNSUPPORTED, None), Change.WORSE),
        ((NON_STRICT, None), (UNSUPPORTED, None), Change.WORSE),
        ((FAIL, None), (PASS, None), Change.BETTER),
        ((FAIL, None), (OBSERVED, "A"), Change.BETTER),
        ((FAIL, None), (NON_STRICT, None), Change.BETTER),
        ((FAIL, None), (UNSUPPORTED, None), Change.BETTER),
        ((UNSUPPORTED, None), (PASS, None), Change.BETTER),
        ((NON_STRICT, None), (PASS, None), Change.BETTER),
        ((FAIL, None), (NOT_RUN, None), Change.CHANGED),
        ((PASS, None), (NOT_RUN, None), Change.CHANGED),
        ((PASS, None), (ENGINE_ERROR, None), Change.CHANGED),
        ((NOT_RUN, None), (PASS, None), Change.CHANGED),
        ((NOT_RUN, None), (UNSUPPORTED, None), Change.CHANGED),
        ((PASS, "A"), (OBSERVED, "A"), Change.CHANGED),
        ((OBSERVED, "A"), (OBSERVED, "B"), Change.CHANGED),
        ((PASS, None), (PASS, "A"), Change.CHANGED),
        ((None, None), (FAIL, None), Change.CHANGED),
        ((PASS, None), (None, None), Change.CHANGED),
    ],
)
def test_what_a_change_is(
    before: VERDICT_AND_READING, after: VERDICT_AND_READING, change: Change
) -> None:
    comparison = compare([one(*before), one(*after)])
    assert [row.change for row in comparison.rows] == [change]
    assert comparison.is_worse == (change is Change.WORSE)


RESULTS = st.tuples(st.sampled_from(Verdict), st.sampled_from([None, "A", "B"]))


@given(RESULTS, RESULTS)
def test_what_is_better_one_way_is_not_better_the_other(
    first: VERDICT_AND_READING, second: VERDICT_AND_READING
) -> None:
    there = compare([one(*first), one(*second)]).rows[0].change
    back = compare([one(*second), one(*first)]).rows[0].change
    assert (there is Change.SAME) == (first == second)
    assert (there is Change.SAME) == (back is Change.SAME)
    assert not (there is back and there in (Change.WORSE, Change.BETTER))


def test_all_are_compared_with_the_first_that_has_the_claim() -> None:
    comparison = compare([one(None), one(PASS), one(FAIL), one(PASS), one(NOT_RUN)])
    row = comparison.rows[0]
    changes = [cell.change for cell in row.cells]
    assert changes == [Change.CHANGED, Change.SAME, Change.WORSE, Change.SAME, Change.CHANGED]
    assert row.change is Change.WORSE
    assert row.cells[0].verdict is None


@pytest.mark.parametrize("number", [0, 1, 7])
def test_two_to_six_reports_can_be_compared(number: int) -> None:
    message = f"compare takes 2 to 6 reports; {number} were given"
    with pytest.raises(EngineError, match=message) as caught:
        compare([one(PASS)] * number)
    assert caught.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        (
            [{}, {"target": "http://127.0.0.1:8080", "profile": None}],
            [
                "images.example.com model-page 2026-11-23",
                "127.0.0.1:8080 unknown profile 2026-11-23",
            ],
        ),
        (
            [{}, {"started_at": run().started_at - DAY_SECONDS}],
            [
                "images.example.com model-page 2026-11-23",
                "images.example.com model-page 2026-11-22",
            ],
        ),
        (
            [{}, {"started_at": run().started_at + 60}],
            [
                "images.example.com model-page 2026-11-23 02:13",
                "images.example.com model-page 2026-11-23 02:14",
            ],
        ),
        (
            [{}, {"name": "b.json"}],
            [
                "images.example.com model-page 2026-11-23 02:13 a.json",
                "images.example.com model-page 2026-11-23 02:13 b.json",
            ],
        ),
        (
            [{"target": ""}, {"target": "http://["}],
            [
                "unknown target model-page 2026-11-23",
                "http://[ model-page 2026-11-23",
            ],
        ),
    ],
)
def test_labels_are_as_long_as_it_takes_to_tell_reports_apart(
    changes: list[dict[str, Any]], labels: list[str]
) -> None:
    comparison = compare([loaded(**change) for change in changes])
    assert [column.label for column in comparison.columns] == labels


def test_what_makes_reports_less_comparable_is_said() -> None:
    comparison = compare(
        [loaded(), loaded(VERDICTS[1:], version="0.2.0", strict=True, mode="read-only")]
    )
    assert comparison.notes == (
        "The kit's versions differ: 1: 0.1.0, 2: 0.2.0.",
        "The reports are not judged alike: 1: not strict, 2: strict.",
        "The runs did not go equally far: 1: paid, 2: read-only.",
        "1 claim is not in every report.",
    )
    assert compare([loaded(), loaded()]).notes == ()


def sample() -> Comparison:
    """One claim of each kind of change, four that are the same."""
    other = {
        "REQ-1": verdict("REQ-1", PASS),
        "TASK-2": verdict("TASK-2", OBSERVED, "reading B: `completed`", reading="B"),
        "AUTH-1": verdict("AUTH-1", FAIL, "200 to an unknown key"),
    }
    return compare([loaded(), loaded([other.get(v.claim_id, v) for v in VERDICTS], "b.json")])


def table(comparison: Comparison, width: int = 80, show_all: bool = False) -> str:
    file = io.StringIO()
    print_comparison(comparison, Console(file=file, width=width), show_all)
    return file.getvalue()


def test_the_terminal_shows_what_changed_the_worse_first() -> None:
    lines = table(sample()).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Worse"))
    assert lines[start:] == [
        "Worse     1                  2",
        "  AUTH-1  pass               fail",
        "          2: 200 to an unknown key",
        "",
        "Better   1                  2",
        "  REQ-1  non-strict         pass",
        "         1: 200 without X-Request-Id",
        "",
        "Changed   1                  2",
        "  TASK-2  observed A         observed B",
        "          1: reading A: `succeeded`",
        "          2: reading B: `completed`",
        "",
        "7 claims: 1 worse, 1 better, 1 changed, 4 same",
    ]
    assert lines[:3] == [
        "1  images.example.com model-page 2026-11-23 02:13 a.json",
        "   1 pass, 1 fail, 1 non-strict, 1 observed, 1 unsupported, 1 not run, 1 engine",
        "   error  (a.json)",
    ]


def test_all_shows_what_is_the_same_too() -> None:
    text = table(sample(), show_all=True)
    assert "Same       1                  2\n  TASK-5   fail               fail\n" in text
    assert "no link was old enough" not in text


def test_reports_that_are_equal_say_so() -> None:
    comparison = compare([loaded(), loaded()])
    assert table(comparison).endswith("\n\n7 claims: 0 worse, 0 better, 0 changed, 7 same\n")
    assert not comparison.is_worse


def test_a_reason_that_several_reports_give_is_said_once() -> None:
    text = table(
        compare([one(NOT_RUN, None, "no key"), one(FAIL, None, "x"), one(NOT_RUN, None, "no key")])
    )
    assert "1, 3: no key\n" in text


def test_a_claim_that_a_report_lacks_is_absent_there() -> None:
    assert "  TASK-2  pass               absent\n" in table(compare([one(PASS), one(None)]))


@pytest.mark.parametrize("width", [50, 80, 200])
def test_six_reports_fit_into_the_terminal(width: int) -> None:
    strange = one(OBSERVED, "another reading of many words 漢字漢字漢字", "[bold] " + "y" * 500)
    text = table(
        compare([one(OBSERVED, "A"), strange, one(FAIL), one(None), one(PASS), strange]), width
    )
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "[bold]" in text


def test_the_json_has_everything() -> None:
    values = json.loads(json.dumps(comparison_json(sample())))
    assert values["format"] == "gpt-image-contracts/comparison"
    assert values["totals"] == {"worse": 1, "better": 1, "changed": 1, "same": 4}
    assert values["reports"][1]["file"] == "b.json"
    assert values["reports"][1]["run"]["target"] == "https://images.example.com"
    first = values["claims"][0]
    assert (first["id"], first["change"]) == ("AUTH-1", "worse")
    assert first["reports"][1] == {
        "verdict": "fail",
        "reading": None,
        "reason": "200 to an unknown key",
        "change": "worse",
    }


def test_the_page_shows_the_same_and_asks_no_host() -> None:
    html = comparison_html(sample())
    page = read_page(html)
    titles = [e.text for e in page.all("h2")]
    assert titles == ["Reports", "Worse (1)", "Better (1)", "Changed (1)", "Same (4)"]
    heads = [e.text for e in page.all("th", scope="row")]
    assert heads[:3] == ["AUTH-1", "REQ-1", "TASK-2"]
    assert "✕ fail200 to an unknown key" in page.all("section", aria_labelledby="worse")[0].text
    policy = str(page.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"])
    assert "script-src" not in policy
    assert page.all("script") == []


def test_hostile_words_stay_words_on_the_page() -> None:
    said = "<script>alert(1)</script>\x1b[2J\u202e"
    html = comparison_html(compare([one(PASS), one(FAIL, said, said)]))
    assert read_page(html).all("script") == []
    assert not set(html) & set("\x1b\u202e")
    assert html.count("&lt;script&gt;") == 2


def test_two_reports_are_compared_in_files(desk: Desk) -> None:
    for name, found in (("before", PASS), ("after", FAIL)):
        judgement = Judgement((verdict("AUTH-1", found),), "model-page", {})
        report = to_json(replace(run(), judgement=judgement), CLAIMS)
        (desk.folder / f"{name}.json").write_text(json.dumps(report))
    outcome = desk.call(
        "compare", "before.json", "after.json", "--json", "c.json", "--html", "c.html"
    )
    assert outcome.code == EXIT_FAILED
    assert "AUTH-1" in outcome.out
    assert json.loads((desk.folder / "c.json").read_text())["claims"][0]["change"] == "worse"
    page = read_page((desk.folder / "c.html").read_text())
    assert [e.text for e in page.all("h2")] == ["Reports", "Worse (1)"]
    back = desk.call("compare", "after.json", "before.json")
    assert back.code == 0
    missing = desk.call("compare", "after.json", "gone.json")
    assert missing.code == EXIT_FILE
