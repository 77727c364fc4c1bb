"""How soon the pages are painted, in a browser that has seen none of them."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from benchmarks import servers
from benchmarks.measures import Measure
from scripts import browser as chromium
from tests.ui.browsing import open_browser, open_context

PAGES = ("/", "/console", "/inspector", "/reference")
PLAIN_TEXT = "/llms.txt"  # the base: what the browser needs for any answer at all
VISITS = 9
TARGET_MS = 300
_FIRST_PAINT = """
new Promise((painted) => new PerformanceObserver((list) => painted(list.getEntries()[0].startTime))
  .observe({type: 'paint', buffered: true}))
"""


def measure_pages(folder: Path) -> list[Measure]:
    """From asking for a page to its first paint, and the same for plain text; none: no Chromium."""
    path = chromium.find()
    if path is None:
        print(f"pages: not measured, there is no Chromium: {chromium.HOW}", file=sys.stderr)
        return []
    samples: dict[str, list[float]] = {name: [] for name in (PLAIN_TEXT, *PAGES)}
    with servers.emulator(folder / "pages.sqlite") as server, open_browser(path) as browser:
        for _ in range(VISITS + 1):
            for name, series in samples.items():
                series.append(first_paint_ms(browser, server.url, name))
    base = median(samples.pop(PLAIN_TEXT)[1:])
    measures = []
    for name, series in samples.items():
        warm = series[1:]  # by then the server has made the page
        painted = median(warm)
        label = f"first paint of {name} (base: text)"
        measures.append(
            Measure(label, "ms", painted, base, painted, TARGET_MS, False, {name: warm})
        )
    return measures


def first_paint_ms(browser: Browser, url: str, path: str) -> float:
    """The time until something of a page is seen, with nothing of the site in the cache."""
    with open_context(browser, url, "sk-bench") as context:
        page = context.new_page()
        page.goto(path)
        milliseconds: float = page.evaluate(_FIRST_PAINT)
        return milliseconds
