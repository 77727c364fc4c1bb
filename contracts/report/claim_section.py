"""The matrix of a page: every claim with its verdict, and what the verdict rests on."""

from collections.abc import Mapping

from markupsafe import Markup

from contracts.findings import Outcome
from contracts.report.exchange_section import exchange_links
from contracts.report.lines import counted
from contracts.report.markup import Child, chip, foreign, join, markdown, tag, verdict_class
from contracts.report.model import ClaimFacts, FindingFacts, Report
from contracts.verdict import Verdict

SOURCES = {
    "MP": "the model's own page",
    "RD": "the reference pages",
    "OA": "the OpenAPI document",
    "PR": "the developer portal",
    "BR": "the business rules",
    "TS": "the terms of service",
    "MC": "the MCP server",
    "GI": "the model's size rules",
}
_COLUMNS = ("Verdict", "Id", "Claim", "Level", "Strength", "Reading")
_MOST_LINKS = 24
_WORDS = {
    Outcome.HOLDS: "holds",
    Outcome.BREAKS: "breaks",
    Outcome.READS: "reads",
    Outcome.UNSUPPORTED: "no such route",
}


def claim_table(report: Report, checks: Mapping[str, str], anchors: frozenset[int]) -> Markup:
    """All claims, by section.

    Args:
        report: what is shown.
        checks: by name, what exactly each check compares.
        anchors: numbers of the exchanges that can be linked to.
    """
    heads = [tag("th", name, scope="col", role="columnheader") for name in _COLUMNS]
    sections = dict.fromkeys(claim.section for claim in report.claims)
    bodies = []
    for section in sections:
        title = tag("th", section, scope="rowgroup", colspan=len(_COLUMNS), role="rowheader")
        rows = [_row(claim, checks, anchors) for claim in report.claims if claim.section == section]
        head = tag("tr", title, class_="section", role="row")
        bodies.append(tag("tbody", head, *rows, role="rowgroup", data_section=section))
    return tag(
        "table",
        tag("caption", "Claims and verdicts by section", class_="visually-hidden"),
        tag("thead", tag("tr", *heads, role="row"), role="rowgroup"),
        *bodies,
        class_="claims",
        role="table",
    )


def _row(claim: ClaimFacts, checks: Mapping[str, str], anchors: frozenset[int]) -> Markup:
    reason = tag("span", foreign(claim.reason), class_="reason") if claim.reason else None
    title = tag("summary", markdown(claim.claim), reason)
    # The anchor is inside, so that following a link opens the row.
    content = tag("div", *_details(claim, checks, anchors), class_="about", id=f"claim-{claim.id}")
    is_open = claim.verdict in (Verdict.FAIL, Verdict.ENGINE_ERROR)
    cells: list[tuple[str, Child]] = [
        ("verdict", chip(claim.verdict)),
        ("id", tag("code", claim.id)),
        ("claim", tag("details", title, content, open=is_open)),
        ("level", _level(claim)),
        ("strength", claim.strength),
        ("reading", _reading(claim)),
    ]
    return tag(
        "tr",
        *(tag("td", content, class_=name, role="cell") for name, content in cells),
        class_=verdict_class(claim.verdict),
        role="row",
        data_verdict=claim.verdict,
    )


def _level(claim: ClaimFacts) -> Markup:
    note = tag("small", markdown(claim.level_note)) if claim.level_note else None
    return join((claim.level, note))


def _reading(claim: ClaimFacts) -> Markup:
    if claim.reading is None:
        return tag("span", "–", class_="muted")
    return tag("strong", foreign(claim.reading))


def _details(claim: ClaimFacts, checks: Mapping[str, str], anchors: frozenset[int]) -> list[Child]:
    needed = f", of {claim.witnesses_needed} needed" if claim.witnesses_needed > 1 else ""
    terms: list[tuple[str, Child]] = [
        ("What would show it", markdown(claim.evidence)),
        ("Said by", ", ".join(SOURCES.get(source, source) for source in claim.sources) or "nobody"),
        ("Seen", f"{counted(claim.witnesses, 'observation')}{needed}"),
        ("Costs", "credits: a task has to be made" if claim.paid else "nothing"),
    ]
    if claim.readings:
        terms.insert(1, ("Readings", _readings(claim)))
    terms.append(("Checks", join(_check(name, checks.get(name)) for name in claim.checks)))
    if claim.findings:
        items = [tag("li", *_finding(finding, anchors)) for finding in claim.findings]
        terms.insert(0, ("Findings", tag("ul", *items, class_="findings")))
    return [tag("dl", *(_term(name, value) for name, value in terms))]


def _term(name: str, value: Child) -> Markup:
    return tag("div", tag("dt", name), tag("dd", value))


def _readings(claim: ClaimFacts) -> Markup:
    items = [
        tag("div", tag("strong", name), " ", markdown(reading.says), _profile(reading.profile))
        for name, reading in claim.readings.items()
    ]
    return join(items)


def _profile(name: str | None) -> Child:
    return tag("span", f" (profile {name})", class_="muted") if name else None


def _check(name: str, says: str | None) -> Markup:
    return tag("div", tag("code", name), join((" ", markdown(says))) if says else None)


def _finding(finding: FindingFacts, anchors: frozenset[int]) -> list[Child]:
    words = _WORDS[finding.outcome]
    reading = join((" ", foreign(finding.reading))) if finding.reading else None
    kind = "bad" if finding.outcome is Outcome.BREAKS else "muted"
    more = len(finding.exchanges) - _MOST_LINKS
    links = exchange_links(finding.exchanges[:_MOST_LINKS], anchors)
    return [
        tag("span", words, reading, class_=kind),
        join((" ", foreign(finding.message))) if finding.message else None,
        join((" ", tag("span", links, class_="links"))) if finding.exchanges else None,
        f" and {more} more" if more > 0 else None,
        join((" ", tag("code", finding.check, class_="muted"))),
    ]
