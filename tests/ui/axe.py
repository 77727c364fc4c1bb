"""Accessibility of a page, as axe-core judges it."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# What passes is not told one by one: on a long page that takes longer than all the rest.
_RUN = """
async (tags) => (await axe.run(document, {
  runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'],
})).violations
"""


def violations(page: Page) -> list[str]:
    """What is wrong with the page as it is now, a line for each rule: its id, help, and where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())  # not by a script element: the page's policy has a say in those
    found: list[dict[str, Any]] = page.evaluate(_RUN, TAGS)
    return [
        f"{rule['id']}: {rule['help']}: "
        + ", ".join(" ".join(map(str, node["target"])) for node in rule["nodes"])
        for rule in found
    ]


@cache
def _source() -> str:
    return SOURCE.read_text("utf-8")
