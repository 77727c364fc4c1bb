"""The report as one page that needs nothing but itself."""

from collections.abc import Iterable, Mapping

from markupsafe import Markup

from contracts.claims import Claim
from contracts.report.build import build
from contracts.report.claim_section import claim_table
from contracts.report.exchange_section import ExchangeSection, exchange_section
from contracts.report.head_section import cost, failures, header, remarks, verdicts
from contracts.report.lines import counted
from contracts.report.markup import chip, join, page, tag
from contracts.report.model import Report
from contracts.report.picture_section import PictureSection, picture_section
from contracts.run_report import RunReport


def to_html(
    report: RunReport, claims: Iterable[Claim], checks: Mapping[str, str] | None = None
) -> str:
    """Write a report as a page.

    Args:
        report: the judged run.
        claims: the catalogue it was judged by.
        checks: by name, what exactly each check compares.
    """
    built = build(report, claims)
    exchanges = exchange_section(built)
    pictures = picture_section(report.trace, built.run.profile, exchanges.numbers)
    main = tag(
        "main",
        verdicts(built),
        failures(built),
        cost(built),
        remarks(built),
        tag(
            "section",
            tag("h2", "Claims", id="claims"),
            _filters(built),
            claim_table(built, checks or {}, exchanges.numbers),
            tag("p", "No claim fits these filters.", id="nothing", hidden=True),
            aria_labelledby="claims",
        ),
        _pictures(pictures),
        _exchanges(exchanges),
        id="main",
    )
    skip = tag("a", "To the verdicts", href="#main", class_="skip")
    body = join((skip, header(built), _contents(), main, _footer(built)))
    return page(f"Contract report: {built.run.target}", body, has_script=True)


def _contents() -> Markup:
    names = (("claims", "Claims"), ("pictures", "Pictures"), ("exchanges", "Exchanges"))
    links = [tag("li", tag("a", name, href=f"#{anchor}")) for anchor, name in names]
    return tag("nav", tag("ul", *links), aria_label="On this page")


def _filters(report: Report) -> Markup:
    """Hidden until the script that they need runs."""
    boxes = [
        tag(
            "label",
            tag("input", type="checkbox", checked=True, value=verdict, class_="visually-hidden"),
            chip(verdict, f"{verdict} {number}"),
        )
        for verdict, number in report.totals.items()
        if number
    ]
    sections = dict.fromkeys(claim.section for claim in report.claims)
    options = [tag("option", "All sections", value="")]
    options += [tag("option", section) for section in sections]
    legend = tag("legend", "Verdicts to show", class_="visually-hidden")
    return tag(
        "div",
        tag("input", type="search", id="search", placeholder="Search", aria_label="Search claims"),
        tag("select", *options, id="section", aria_label="Section"),
        tag("fieldset", legend, *boxes),
        tag("output", id="count", aria_live="polite", class_="muted"),
        id="filters",
        hidden=True,
    )


def _pictures(section: PictureSection) -> Markup:
    content = tag("p", "The run downloaded no pictures.", class_="muted")
    if section.shown:
        content = tag("ul", *section.content, class_="pictures")
    more = f"{counted(section.omitted, 'more picture')} not shown." if section.omitted else None
    return tag(
        "section",
        tag("h2", "Pictures", id="pictures"),
        content,
        tag("p", more, class_="muted") if more else None,
        aria_labelledby="pictures",
    )


def _exchanges(section: ExchangeSection) -> Markup:
    content = section.content or tag("p", "No finding refers to an exchange.", class_="muted")
    more = f"{counted(section.omitted, 'more exchange')} in the JSON report and in the trace."
    return tag(
        "section",
        tag("h2", "Exchanges that matter", id="exchanges"),
        tag("p", "Without secrets; long bodies are shortened.", class_="muted"),
        content,
        tag("p", more, class_="muted") if section.omitted else None,
        aria_labelledby="exchanges",
    )


def _footer(report: Report) -> Markup:
    text = f"Made by gpt-image-contracts {report.kit_version}; this page loads nothing."
    return tag("footer", tag("p", text, class_="muted"))
