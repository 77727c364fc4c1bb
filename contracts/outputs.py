"""What a run leaves on disk and on the screen."""

import json
from pathlib import Path
from textwrap import fill

from rich.console import Console

from contracts.claims import load_claims
from contracts.har import to_har
from contracts.options import Options
from contracts.plan import Plan
from contracts.price_book import PriceBook
from contracts.report.lines import counted
from contracts.report_html import to_html
from contracts.report_json import to_json
from contracts.report_junit import to_junit
from contracts.run_report import RunReport
from contracts.state import TRACE_FILE
from contracts.terminal import verdict_table
from contracts.trace_file import unfinished


def write_reports(report: RunReport, folder: Path) -> list[Path]:
    """Write the trace and all reports; the trace first, since the rest can be made of it."""
    claims = tuple(load_claims())
    written = []

    def write(name: str, text: str) -> None:
        path = folder / name
        part = path.with_name(f".{name}.part")
        part.write_text(text, "utf-8", "surrogatepass")
        part.replace(path)
        written.append(path)

    write(TRACE_FILE, json.dumps(to_har(report.trace)))
    if report.run_id.isalnum():  # a foreign trace may name it as it likes
        unfinished(folder, report.run_id).unlink(missing_ok=True)
    write("report.json", json.dumps(to_json(report, claims), indent=1))
    write("junit.xml", to_junit(report, claims))
    write("report.html", to_html(report, claims, load_claims().checks))
    return written


def show(report: RunReport, paths: list[Path], quiet: bool) -> None:
    """Print the verdicts."""
    verdict_table(report, load_claims(), Console(), paths, failures_only=quiet)


def print_plan(base_url: str, options: Options, plan: Plan, prices: PriceBook) -> None:
    """Print what would be sent, what it can cost, and what it would show."""
    console = Console(highlight=False)
    say = console.print
    kind = "as an emulator" if plan.means.faults else "as a target that costs credits"
    say(f"Plan for {base_url}, {kind}. Nothing is sent.")
    say()
    say(f"  free reads       about a dozen, and {len(options.task_ids)} named tasks")
    say(f"  must be refused  {len(plan.rejects)} requests")
    say(f"  tasks            {len(plan.tasks)}")
    for task in plan.tasks:
        asked = ", ".join(f"{name} {value}" for name, value in task.fields.items()) or "defaults"
        extras = [counted(task.references, "reference")] * bool(task.references)
        extras += [f"callback {task.callback}"] * (task.callback != "none")
        extras += [task.outcome] * (task.outcome != "succeeds")
        extra = "; ".join(extras)
        line = f"    {task.number:>3}  {task.endpoint:<11}  {asked}{'; ' if extra else ''}{extra}"
        say(fill(line, console.width, subsequent_indent=" " * 22))
    say()
    say(f"  expected         {plan.expected_credits:,} credits, at the assumed prices")
    price = float(prices.credits_per_image)
    say(f"  at most          {plan.most_credits:,} credits, if one default image costs {price:g}")
    limit = "none" if options.max_credits is None else f"{options.max_credits:,} credits a day"
    say(f"  limit            {limit}")
    if options.max_credits is not None and options.max_credits < plan.most_credits:
        say("                   what could cost more than is left of it is not sent;")
        say("                   --credits-per-image says what you know of the price")
    say()
    say(f"  can show         {len(plan.covered)} claims")
    say(_wrapped(", ".join(plan.covered), console.width))
    if plan.uncovered:
        say(f"  can't show       {len(plan.uncovered)} claims")
        for reason in dict.fromkeys(plan.uncovered.values()):
            ids = ", ".join(i for i, why in plan.uncovered.items() if why == reason)
            say(_wrapped(f"{ids}: {reason}", console.width))


def _wrapped(text: str, width: int) -> str:
    return fill(text, width, initial_indent=" " * 4, subsequent_indent=" " * 4)


def show_comparison(
    paths: list[Path], everything: bool, json_path: Path | None, html_path: Path | None
) -> int:
    """Print reports side by side, and write the comparison where it is wanted.

    Returns:
        1 where something changed for the worse, else 0.
    """
    from contracts.compare import compare, comparison_json, print_comparison
    from contracts.compare_html import comparison_html
    from contracts.report_json import load_report

    comparison = compare([load_report(path) for path in paths])
    print_comparison(comparison, Console(), everything)
    if json_path is not None:
        json_path.write_text(json.dumps(comparison_json(comparison), indent=1), "utf-8")
    if html_path is not None:
        html_path.write_text(comparison_html(comparison), "utf-8")
    return 1 if comparison.is_worse else 0
