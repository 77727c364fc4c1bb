import io
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from contracts.findings import Outcome
from contracts.run_report import Spend
from contracts.terminal import Progress, verdict_table
from contracts.verdict import Verdict
from tests.contracts.report_samples import CLAIMS, finding, run, verdict


def table(width: int = 80, files: tuple[Path, ...] = (), tty: bool = False, **changes: Any) -> str:
    file = io.StringIO()
    environment = {"TERM": "xterm-256color"}
    console = Console(file=file, width=width, force_terminal=tty, _environ=environment)
    verdict_table(run(**changes), CLAIMS, console, files)
    return file.getvalue()


def test_every_claim_has_one_line_below_its_section() -> None:
    lines = table().splitlines()
    section = lines.index("The task's life")
    assert lines[0] == "Transport, authentication, errors"
    assert lines[1] == "  AUTH-1   pass          What `AUTH-1` says"
    assert lines[section + 1 : section + 5] == [
        "  TASK-2   observed      reading A: `succeeded`",
        "  TASK-5   fail          `model` is missing",
        "  MEDIA-1  not run       no link was old enough",
        "  UPL-1    unsupported   404 to POST /v1/images/upload",
    ]


def test_failures_are_told_in_full_with_their_exchanges() -> None:
    text = table()
    failures = text[text.index("Failures") :]
    assert "  TASK-5  The body: `task_id`, `status`\n" in failures
    assert "    MUST, documented, said by MP, RD\n" in failures
    assert "    lives.something breaks: `model` is missing\n" in failures
    line = "      #1 POST https://images.example.com/v1/images/generations -> 202 in 34 ms\n"
    assert line in failures
    assert "    credits.sums stopped: ZeroDivisionError\n" in failures
    assert "REQ-1" not in failures


def test_a_failure_with_many_findings_shows_some_and_counts_the_rest() -> None:
    many = [finding("TASK-5", Outcome.BREAKS, f"seen {number}") for number in range(12)]
    text = table(verdicts=[verdict("TASK-5", Verdict.FAIL, "seen 0", *many)])
    assert "lives.something breaks: seen 4\n    and 7 more findings\n" in text


def test_totals_cost_notes_and_files_come_last() -> None:
    text = table(width=200, files=(Path("out/report.html"),), stopped="the limit was reached")
    assert text.endswith(
        "https://images.example.com, profile model-page, paid, seed 7, 95.5 s\n"
        "1 pass, 1 fail, 1 non-strict, 1 observed, 1 unsupported, 1 not run, 1 engine error\n"
        "240 of 600 credits spent; 30 of them for answers that were lost; 270 today; 9 creations,"
        " 1 refused\n"
        "Stopped early: the limit was reached\n"
        "Waiting for a recheck: MEDIA-1\n"
        "Note: Links were not followed to their end.\n"
        "Written: out/report.html\n"
    )


def test_a_run_without_failures_says_nothing_of_them() -> None:
    text = table(
        verdicts=[verdict("AUTH-1", Verdict.PASS)],
        spend=Spend(accepted_rejects=2),
        pending=(),
        notes=(),
    )
    assert "Failures" not in text
    assert "recheck" not in text
    assert "\n1 pass\n0 credits spent; 0 creations, 0 refused; 2 accepted that had" in text


def test_a_run_without_claims_is_no_error() -> None:
    assert "no claims\n" in table(verdicts=[])


HOSTILE = (
    "[bold]no markup[/bold] :smile: \x1b[2J\x07 \u202eright to left\u202c"
    " שלום عالم 漢字漢字漢字漢字漢字漢字漢字漢字漢字 https://x.example/" + "y" * 3000
)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_markup_stays_text(width: int) -> None:
    found = [
        verdict("TASK-5", Verdict.FAIL, HOSTILE, finding("TASK-5", Outcome.BREAKS, HOSTILE, 1)),
        verdict("REQ-1", Verdict.NOT_RUN, HOSTILE),
    ]
    text = table(width, verdicts=found, notes=(HOSTILE,))
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "[bold]" in text
    assert ":smile:" in text
    assert not set(text) & set("\x1b\x07\u202e\u202c")


def test_colour_is_for_terminals_and_never_the_only_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "\x1b[" not in table()
    assert "\x1b[1;31mfail" in table(tty=True)
    monkeypatch.setenv("NO_COLOR", "1")
    file = io.StringIO()
    verdict_table(run(), CLAIMS, Console(file=file, width=80, force_terminal=True))
    assert "\x1b[31m" not in file.getvalue()
    assert ";31m" not in file.getvalue()


def progress_text(tty: bool, quiet: bool = False, width: int = 100) -> str:
    file = io.StringIO()
    environment = {"TERM": "xterm-256color"}
    console = Console(file=file, width=width, force_terminal=tty, _environ=environment)
    with Progress(console, quiet) as progress:
        progress.spent(0, 600)
        progress.phase("must-reject requests", 40)
        for number in range(40):
            progress.spent(number, 600)
            progress.step(f"POST [bold] {number}\x1b[2J")
        progress.log("a link waits \x1b[2J")
        progress.phase("lives")
        for _ in range(45):
            progress.step()
    return file.getvalue()


def test_where_there_is_no_terminal_progress_is_a_few_lines() -> None:
    assert progress_text(tty=False).splitlines() == [
        "must-reject requests: 40 steps",
        "must-reject requests: 10 of 40, 9 of 600 credits spent",
        "must-reject requests: 20 of 40, 19 of 600 credits spent",
        "must-reject requests: 30 of 40, 29 of 600 credits spent",
        "must-reject requests: 40 of 40, 39 of 600 credits spent",
        "a link waits \\x1b[2J",
        "lives",
        "lives: 10, 39 of 600 credits spent",
        "lives: 20, 39 of 600 credits spent",
        "lives: 40, 39 of 600 credits spent",
    ]


def test_on_a_terminal_progress_is_one_live_line() -> None:
    text = progress_text(tty=True)
    assert "lives" in text
    assert "39 of 600 credits" in text
    assert "a link waits \\x1b[2J\n" in text
    assert "\x1b[2J" not in text
    assert "steps" not in text


@pytest.mark.parametrize("tty", [True, False])
def test_a_quiet_run_says_nothing(tty: bool) -> None:
    assert progress_text(tty, quiet=True) == ""


@pytest.mark.parametrize(("total", "lines"), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (1000, 5)])
def test_small_phases_say_little(total: int, lines: int) -> None:
    file = io.StringIO()
    progress = Progress(Console(file=file, width=80))
    progress.phase("reads", total)
    for _ in range(total + 5):
        progress.step()
    assert len(file.getvalue().splitlines()) == lines


def test_a_dumb_terminal_gets_lines() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, _environ={"TERM": "dumb"})
    with Progress(console) as progress:
        progress.phase("reads", 4)
    assert file.getvalue() == "reads: 4 steps\n"
