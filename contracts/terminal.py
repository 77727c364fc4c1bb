"""What a run shows in a terminal: how far it is, and at its end what it found."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Progress as LiveProgress
from rich.table import Column
from rich.text import Text

from contracts.claims import Claim
from contracts.report.build import build
from contracts.report.lines import counted, duration, finding_lines, spend_line
from contracts.report.model import ClaimFacts, Report
from contracts.report.text import one_line
from contracts.run_report import RunReport
from contracts.verdict import Verdict

STYLES: dict[Verdict, str] = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.NON_STRICT: "yellow",
    Verdict.OBSERVED: "cyan",
    Verdict.UNSUPPORTED: "magenta",
    Verdict.NOT_RUN: "dim",
    Verdict.ENGINE_ERROR: "bold magenta",
}
_FIRST_MARK = 10


class Progress:
    """Says how far a run is: a live line on a terminal, now and then a line elsewhere.

    Args:
        console: where to, usually standard error.
        quiet: say nothing at all.
    """

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        is_live = console.is_terminal and not console.is_dumb_terminal and not quiet
        self._live = _live_progress(console) if is_live else None
        self._lock = threading.Lock()
        self._task: TaskID | None = None
        self._name = ""
        self._total: int | None = None
        self._done = 0
        self._next_mark = _FIRST_MARK
        self._spent = ""

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def phase(self, name: str, total: int | None = None) -> None:
        """A phase begins.

        Args:
            name: what is done in it.
            total: how many steps are expected; None where nobody knows.
        """
        with self._lock:
            self._name, self._total, self._done = name, total, 0
            self._next_mark = _FIRST_MARK if total is None else _quarter_after(0, total)
            if self._live:
                if self._task is not None:
                    self._live.remove_task(self._task)
                self._task = self._live.add_task(name, total=total, step="", spent=self._spent)
            else:
                self._say(name if total is None else f"{name}: {counted(total, 'step')}")

    def step(self, text: str = "") -> None:
        """A step was done.

        Args:
            text: what it was; a target's words are made safe.
        """
        with self._lock:
            self._done += 1
            if self._live and self._task is not None:
                self._live.update(self._task, advance=1, step=one_line(text, 200))
            elif not self._live and self._done == self._next_mark:
                self._mark()

    def spent(self, credits: int, limit: int | None) -> None:
        """So much is spent.

        Args:
            credits: by now.
            limit: the hard stop; None where there is none.
        """
        with self._lock:
            of = "" if limit is None else f" of {limit:,}"
            self._spent = f"{credits:,}{of} credits"
            if self._live and self._task is not None:
                self._live.update(self._task, spent=self._spent)

    def log(self, line: str) -> None:
        """Say something that stays."""
        self._say(one_line(line))

    def _mark(self) -> None:
        spent = f", {self._spent} spent" if self._spent else ""
        of = "" if self._total is None else f" of {self._total:,}"
        self._say(f"{self._name}: {self._done:,}{of}{spent}")
        if self._total is None:
            self._next_mark *= 2
        else:
            self._next_mark = _quarter_after(self._done, self._total)

    def _say(self, line: str) -> None:
        if not self._quiet:
            self._console.print(Text(line), soft_wrap=True)


def verdict_table(
    report: RunReport,
    claims: Iterable[Claim],
    console: Console,
    files: Sequence[Path] = (),
    failures_only: bool = False,
) -> None:
    """Print what a run found: all verdicts, then failures in full, totals and cost.

    Args:
        report: the judged run.
        claims: the catalogue it was judged by.
        console: where to, usually standard output.
        files: what was written, to be named at the end.
        failures_only: print nothing but what failed.
    """
    built = build(report, claims)
    if failures_only:
        _print_failures(built, console)
        _print_stop(built, console)
        return
    width = max([len(claim.id) for claim in built.claims], default=0)
    for section in dict.fromkeys(claim.section for claim in built.claims):
        console.print(Text(section, style="bold"))
        for claim in built.claims:
            if claim.section == section:
                _print_row(claim, width, console)
        console.print()
    _print_failures(built, console)
    _print_end(built, console, files)


def verdict_text(verdict: Verdict) -> Text:
    """A verdict's word in its colour."""
    return Text(verdict, style=STYLES[verdict])


def _print_row(claim: ClaimFacts, width: int, console: Console) -> None:
    verdict = verdict_text(claim.verdict)
    verdict.pad_right(len(Verdict.ENGINE_ERROR) - len(claim.verdict))
    seen = Text(claim.reason) if claim.reason else Text(claim.claim, style="dim")
    row = Text.assemble(f"  {claim.id.ljust(width)}  ", verdict, "  ", seen)
    row.truncate(console.width, overflow="ellipsis")
    console.print(row, no_wrap=True)


def _print_failures(report: Report, console: Console) -> None:
    failed = report.having(Verdict.FAIL, Verdict.ENGINE_ERROR)
    if not failed:
        return
    console.print(Text("Failures", style="bold red"))
    for claim in failed:
        _print_failure(claim, report, console)
        console.print()


def _print_failure(claim: ClaimFacts, report: Report, console: Console) -> None:
    title = Text.assemble((claim.id, "bold"), f"  {claim.claim}")
    print_indented(console, title, 2)
    note = f", {claim.level_note}" if claim.level_note else ""
    sources = f", said by {', '.join(claim.sources)}" if claim.sources else ""
    level = f"{claim.strength}, {claim.level}{note}{sources}"
    print_indented(console, Text(level, style="dim"), 4)
    lines = finding_lines(claim, report)
    if claim.reason not in (finding.message for finding in claim.findings):
        lines.insert(0, claim.reason)
    for line in lines:
        text = line.lstrip()
        print_indented(console, Text(text), 4 + len(line) - len(text))


def _print_end(report: Report, console: Console, files: Sequence[Path]) -> None:
    run = report.run
    took = duration((run.finished_at - run.started_at).total_seconds())
    strict = ", strict" if run.strict else ""
    profile = f", profile {run.profile}" if run.profile else ""
    console.print(Text(f"{run.target}{profile}, {run.mode}{strict}, seed {run.seed}, {took}"))
    console.print(totals_text(report))
    console.print(Text(spend_line(report.spend)))
    _print_stop(report, console)
    if run.pending:
        console.print(Text(f"Waiting for a recheck: {', '.join(run.pending)}", style="yellow"))
    for note in run.notes:
        console.print(Text(f"Note: {note}"))
    for file in files:
        console.print(Text(f"Written: {file}"), soft_wrap=True)


def _print_stop(report: Report, console: Console) -> None:
    if report.run.stopped:
        console.print(Text(f"Stopped early: {report.run.stopped}", style="bold red"))


def print_indented(console: Console, text: Text, indent: int) -> None:
    """Print a text on as many lines as it needs, each one indented."""
    for line in text.wrap(console, max(1, console.width - indent)):
        line.rstrip()
        console.print(Text(" " * indent).append_text(line), no_wrap=True)


def totals_text(report: Report) -> Text:
    """How many claims have which verdict, without those that none has."""
    counts = [
        Text(f"{number} {verdict}", style=STYLES[verdict])
        for verdict, number in report.totals.items()
        if number
    ]
    return Text(", ").join(counts) if counts else Text("no claims")


def _live_progress(console: Console) -> LiveProgress:
    ellipsis = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    return LiveProgress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[spent]}", markup=False, style="cyan"),
        TextColumn("{task.fields[step]}", markup=False, style="dim", table_column=ellipsis),
        console=console,
        transient=True,
        expand=True,
    )


def _quarter_after(done: int, total: int) -> int:
    """The number of steps at which the next quarter is full; 0 where there is none."""
    marks = [-(-total * quarter // 4) for quarter in (1, 2, 3, 4)]
    return next((mark for mark in marks if mark > done), 0)
