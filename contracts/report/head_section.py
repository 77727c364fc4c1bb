"""The top of a page: what was tested, what came of it, what it cost."""

from markupsafe import Markup

from contracts.report.lines import counted, duration
from contracts.report.markup import Child, chip, foreign, join, tag, verdict_class
from contracts.report.model import Report
from contracts.verdict import Verdict


def header(report: Report) -> Markup:
    """The page's header.

    Args:
        report: what is shown.
    """
    run = report.run
    kind = {"emulator": "emulator", "trace": "recorded trace"}.get(run.target_kind)
    facts: list[tuple[str, Child]] = [
        ("Profile", _profile(report)),
        ("Mode", f"{run.mode}{', strict' if run.strict else ''}"),
        ("Target", kind) if kind else ("Target", "a server"),
        ("Started", tag("time", f"{run.started_at:%Y-%m-%d %H:%M} UTC")),
        ("Took", duration((run.finished_at - run.started_at).total_seconds())),
        ("Exchanges", f"{run.exchanges:,}"),
        ("Seed", str(run.seed)),
        ("Run", run.id),
        ("Kit", report.kit_version),
    ]
    return tag(
        "header",
        tag("p", "Contract report", class_="eyebrow"),
        tag("h1", foreign(run.target)),
        tag("dl", *(_fact(name, value) for name, value in facts), class_="facts"),
    )


def verdicts(report: Report) -> Markup:
    """How many claims have which verdict: a sentence, a bar, a legend."""
    total = len(report.claims)
    segments = [
        tag("span", class_=verdict_class(verdict), style=f"flex-grow:{number}")
        for verdict, number in report.totals.items()
        if number
    ]
    legend = [
        tag("li", chip(verdict), " ", tag("strong", str(number)))
        for verdict, number in report.totals.items()
        if number
    ]
    words = ", ".join(f"{number} {verdict}" for verdict, number in report.totals.items() if number)
    return tag(
        "section",
        tag("h2", _sentence(report), id="verdicts"),
        tag("div", *segments, class_="bar", role="img", aria_label=words or "no claims"),
        tag("ul", *legend, class_="legend") if total else None,
        aria_labelledby="verdicts",
    )


def cost(report: Report) -> Markup:
    """What the run cost."""
    spend = report.spend
    limit = "" if spend.limit_credits is None else f" of {spend.limit_credits:,}"
    facts: list[tuple[str, Child]] = [
        ("Spent", f"{spend.spent_credits:,}{limit} credits"),
        ("Of that for lost answers", f"{spend.unsettled_credits:,}"),
        ("Today, all runs", f"{spend.today_credits:,}"),
        ("Creations", f"{spend.creations:,}"),
        ("Refused, at no cost", f"{spend.refused_creations:,}"),
        ("Accepted, though to be refused", f"{spend.accepted_rejects:,}"),
    ]
    return tag(
        "section",
        tag("h2", "Cost", id="cost"),
        tag("dl", *(_fact(name, value) for name, value in facts), class_="facts"),
        aria_labelledby="cost",
    )


def remarks(report: Report) -> Markup | None:
    """Why the run stopped, what is still to come, and its notes; None where there are none."""
    run = report.run
    items: list[Child] = []
    if run.stopped:
        items.append(tag("li", tag("strong", "Stopped early: "), foreign(run.stopped)))
    if run.pending:
        ids = Markup(" ").join(claim_link(claim_id) for claim_id in run.pending)
        items.append(tag("li", tag("strong", "Waiting for a recheck: "), ids))
    items += [tag("li", foreign(note)) for note in run.notes]
    if not items:
        return None
    title = tag("h2", "Notes", id="notes")
    return tag("section", title, tag("ul", *items), class_="notes", aria_labelledby="notes")


def failures(report: Report) -> Markup | None:
    """What failed, each with its reason; None where nothing did."""
    failed = (*report.having(Verdict.FAIL), *report.having(Verdict.ENGINE_ERROR))
    if not failed:
        return None
    items = [
        tag("li", chip(claim.verdict), " ", claim_link(claim.id), " ", foreign(claim.reason))
        for claim in failed
    ]
    title = tag("h2", "What fails", id="failures")
    return tag("section", title, tag("ul", *items, class_="failures"), aria_labelledby="failures")


def claim_link(claim_id: str) -> Markup:
    """A link to a claim's row."""
    return tag("a", claim_id, href=f"#claim-{claim_id}")


def _sentence(report: Report) -> str:
    total = len(report.claims)
    failed = report.totals.get(Verdict.FAIL, 0)
    errors = report.totals.get(Verdict.ENGINE_ERROR, 0)
    silent = report.totals.get(Verdict.NOT_RUN, 0) + report.totals.get(Verdict.UNSUPPORTED, 0)
    if failed:
        verb = "fails" if failed == 1 else "fail"
        return f"{failed} of {counted(total, 'claim')} {verb}"
    if errors:
        return f"{errors} of {counted(total, 'claim')} could not be judged"
    decided = total - silent
    return f"No claim fails; {decided} of {total} were decided"


def _profile(report: Report) -> Child:
    run = report.run
    votes = ", ".join(f"{name} {number}" for name, number in run.profile_votes.items())
    if run.profile is None:
        return "unknown"
    return join((run.profile, tag("small", f"votes: {votes}") if votes else None))


def _fact(name: str, value: Child) -> Markup:
    return tag("div", tag("dt", name), tag("dd", value))
