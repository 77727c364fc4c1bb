"""A comparison for people: in a terminal, and as one page."""

from collections import Counter

from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from contracts.compare import Cell, Change, Comparison, Row
from contracts.report.lines import counted
from contracts.report.markup import Child, chip, foreign, markdown, page, tag
from contracts.terminal import STYLES, print_indented, totals_text

_ABSENT = "not in this report"
_WIDEST_CELL = 18
_TITLES = {
    Change.WORSE: "Worse",
    Change.BETTER: "Better",
    Change.CHANGED: "Changed",
    Change.SAME: "Same",
}
_CHANGE_STYLES = {
    Change.WORSE: "bold red",
    Change.BETTER: "bold green",
    Change.CHANGED: "bold yellow",
    Change.SAME: "bold",
}


def comparison_table(comparison: Comparison, console: Console, show_all: bool = False) -> None:
    """Print a comparison: what differs, worse before better, and how much is the same.

    Args:
        comparison: what is shown.
        console: where to, usually standard output.
        show_all: list what is the same as well.
    """
    for number, column in enumerate(comparison.columns, 1):
        console.print(Text.assemble((f"{number}", "bold"), f"  {column.label}"))
        details = Text.assemble(totals_text(column.loaded.report), f"  ({column.loaded.name})")
        print_indented(console, details, 3)
    for note in comparison.notes:
        console.print(Text(f"Note: {note}"))
    console.print()
    for change, rows in comparison.by_change.items():
        if rows and (change is not Change.SAME or show_all):
            _print_rows(change, rows, console)
    console.print(_summary(comparison))


def _print_rows(change: Change, rows: tuple[Row, ...], console: Console) -> None:
    id_width = max(len(row.claim_id) for row in rows)
    cells = len(rows[0].cells)
    width = min(_WIDEST_CELL, (console.width - id_width - 4) // cells - 1)
    head = Text.assemble((_TITLES[change].ljust(id_width + 4), _CHANGE_STYLES[change]))
    for number in range(1, cells + 1):
        head.append(str(number).ljust(width + 1))
    head.rstrip()
    console.print(head, no_wrap=True)
    for row in rows:
        line = Text(f"  {row.claim_id.ljust(id_width)}  ")
        for cell in row.cells:
            line.append_text(_cell_text(cell, width)).append(" ")
        line.rstrip()
        line.truncate(console.width, overflow="ellipsis")
        console.print(line, no_wrap=True)
        if change is not Change.SAME:
            for reason in _reasons(row):
                print_indented(console, Text(reason, style="dim"), id_width + 4)
    console.print()


def _cell_text(cell: Cell, width: int) -> Text:
    if cell.verdict is None:
        text = Text("absent", style="dim")
    else:
        reading = Text(f" {cell.reading}" if cell.reading else "")
        reading.truncate(max(2, width // 2), overflow="ellipsis")
        text = Text(cell.verdict, style=STYLES[cell.verdict])
        text.truncate(max(1, width - reading.cell_len), overflow="ellipsis")
        text.append_text(reading)
    text.pad_right(max(0, width - text.cell_len))
    return text


def _reasons(row: Row) -> list[str]:
    """Each reason once, after the numbers of the reports that give it."""
    numbers: dict[str, list[str]] = {}
    for number, cell in enumerate(row.cells, 1):
        if cell.reason:
            numbers.setdefault(cell.reason, []).append(str(number))
    return [f"{', '.join(found)}: {reason}" for reason, found in numbers.items()]


def _summary(comparison: Comparison) -> Text:
    words = [f"{len(rows)} {change}" for change, rows in comparison.by_change.items()]
    return Text(f"{counted(len(comparison.rows), 'claim')}: {', '.join(words)}")


def comparison_html(comparison: Comparison) -> str:
    """Write a comparison as one page that needs nothing but itself."""
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
            tag("p", _summary(comparison).plain, class_="muted"),
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
        tag("h2", f"{_TITLES[change]} ({len(rows)})", id=change),
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
