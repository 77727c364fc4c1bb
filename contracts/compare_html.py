"""A comparison as one page that needs nothing but itself."""

from collections import Counter

from markupsafe import Markup

from contracts.compare import Cell, Change, Comparison, Row
from contracts.report.markup import Child, chip, foreign, markdown, page, tag

_ABSENT = "not in this report"


def comparison_html(comparison: Comparison) -> str:
    """Write a comparison as a page.

    Args:
        comparison: what is shown.
    """
    title = "Contract reports compared"
    sections = [
        _section(change, rows, comparison)
        for change, rows in comparison.by_change.items()
        if rows and change is not Change.SAME
    ]
    same = comparison.by_change[Change.SAME]
    if same:
        sections.append(_same(same, comparison))
    body = tag(
        "div",
        tag(
            "header",
            tag("p", "Contract reports", class_="eyebrow"),
            tag("h1", "What changed"),
            tag("p", comparison.summary, class_="muted"),
        ),
        tag("main", _columns(comparison), *sections),
    )
    return page(title, body)


def _columns(comparison: Comparison) -> Markup:
    items = []
    for number, column in enumerate(comparison.columns, 1):
        report = column.loaded.report
        chips = [
            chip(verdict, f"{verdict} {count}") for verdict, count in report.totals.items() if count
        ]
        facts = f"{report.run.mode}{', strict' if report.run.strict else ''}, "
        name = tag("strong", f"{number}  ", foreign(column.label))
        about = tag("small", facts, f"kit {report.kit_version}, ", foreign(column.loaded.name))
        items.append(tag("li", name, about, tag("span", *chips, class_="legend")))
    notes = [tag("p", note, class_="muted") for note in comparison.notes]
    return tag(
        "section",
        tag("h2", "Reports", id="reports"),
        tag("ul", *items, class_="notes"),
        *notes,
        aria_labelledby="reports",
    )


def _section(change: Change, rows: tuple[Row, ...], comparison: Comparison) -> Markup:
    return tag(
        "section",
        tag("h2", f"{change.capitalize()} ({len(rows)})", id=change),
        _table(rows, comparison),
        aria_labelledby=change,
    )


def _same(rows: tuple[Row, ...], comparison: Comparison) -> Markup:
    counts = Counter(row.cells[0].verdict for row in rows)
    words = ", ".join(f"{number} {verdict or _ABSENT}" for verdict, number in counts.items())
    heading = tag("h2", f"Same ({len(rows)})", id="same")
    content = tag("details", tag("summary", words), _table(rows, comparison))
    return tag("section", heading, content, aria_labelledby="same")


def _table(rows: tuple[Row, ...], comparison: Comparison) -> Markup:
    heads: list[Child] = [
        tag("th", "Id", scope="col", class_="id"),
        tag("th", "Claim", scope="col"),
    ]
    for number, column in enumerate(comparison.columns, 1):
        heads.append(tag("th", f"{number}", tag("small", foreign(column.label)), scope="col"))
    lines = [
        tag(
            "tr",
            tag("th", tag("code", row.claim_id), scope="row", class_="id"),
            tag("td", markdown(row.claim)),
            *(tag("td", *_cell(cell)) for cell in row.cells),
        )
        for row in rows
    ]
    table = tag(
        "table",
        tag("thead", tag("tr", *heads)),
        tag("tbody", *lines),
        class_="compared",
        style=f"min-width:{14 + 11 * len(comparison.columns)}rem",
    )
    return tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Claims")


def _cell(cell: Cell) -> list[Child]:
    if cell.verdict is None:
        return [tag("span", _ABSENT, class_="muted")]
    reading = tag("strong", " ", foreign(cell.reading)) if cell.reading else None
    reason = tag("small", foreign(cell.reason)) if cell.reason else None
    return [chip(cell.verdict), reading, reason]
