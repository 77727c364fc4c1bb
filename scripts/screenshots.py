"""Pictures of every page in every look: python -m scripts.screenshots [PART OF A NAME ...].

They go to ``screenshots/``, named such as ``playground-wide-light.png``.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from scripts import browser as chromium
from scripts.full_account import LATENCY_SECONDS, Tasks, fill
from tests.support.api import Api
from tests.support.process import Process
from tests.ui.browsing import open_browser, open_context

FOLDER = Path("screenshots")
FULL_KEY = "sk-screenshots"
FRESH_KEY = "sk-screenshots-fresh"
WRONG_KEY = "not-a-key"
LARGEST = {"width": 3840, "height": 2160}


def no_preparation(page: Page) -> None:
    """Take the page as it opens."""


_ADVANCE = """
fetch('/_emulator/clock', {
  method: 'POST',
  headers: {
    'Authorization': `Bearer ${sessionStorage['gpt-image-emulator.key']}`,
    'Content-Type': 'application/json',
  },
  body: '{"advance": "1m"}',
})
"""


def generate(page: Page) -> None:
    """Let four pictures be made."""
    page.get_by_label("Prompt").fill("A lighthouse on a cliff at dawn, linocut in two colours")
    page.get_by_role("radio", name="16:9").check()
    page.get_by_label("Images", exact=True).fill("4")
    page.get_by_role("button", name="Generate", exact=True).click()
    page.locator(".steps").wait_for()
    page.evaluate(_ADVANCE)
    page.locator(".pictures img").nth(3).wait_for()


def break_json(page: Page) -> None:
    """Write JSON with what is wrong in it."""
    page.get_by_role("tab", name="JSON").click()
    body = '{\n  "model": "gpt-image-2",\n  "prompt": "A fox",\n  "n": 99,\n  "size": "7:5"\n}'
    page.get_by_label("Request body, as raw JSON").fill(body)


@dataclass(frozen=True)
class View:
    """A page in one of its states.

    Attributes:
        name: what its files begin with.
        path: may hold ``{succeeded}``, ``{failed}`` and ``{wordy}``, ids of tasks of ``FULL_KEY``.
        key: whose account it shows.
        locked: whether the server wants a control token, which the page does not have.
        prepare: brings the opened page into the state, such as by filling in a form.
    """

    name: str
    path: str
    key: str = FULL_KEY
    locked: bool = False
    prepare: Callable[[Page], None] = field(default=no_preparation)


VIEWS = (
    View("playground", "/"),
    View("reference", "/reference"),
    View("console", "/console"),
    View("inspector", "/inspector"),
    View("task-succeeded", "/inspector/tasks/{succeeded}"),
    View("task-failed", "/inspector/tasks/{failed}"),
    View("task-wordy", "/inspector/tasks/{wordy}"),
    View("callbacks", "/inspector/callbacks"),
    View("faults", "/inspector/faults"),
    View("journal", "/inspector/journal"),
    View("playground-used", "/", key="sk-screenshots-used", prepare=generate),
    View("playground-json", "/", key=FRESH_KEY, prepare=break_json),
    View("playground-empty", "/", key=FRESH_KEY),
    View("console-empty", "/console", key=FRESH_KEY),
    View("inspector-empty", "/inspector", key=FRESH_KEY),
    View("callbacks-empty", "/inspector/callbacks", key=FRESH_KEY),
    View("faults-empty", "/inspector/faults", key=FRESH_KEY),
    View("journal-empty", "/inspector/journal", key=FRESH_KEY),
    View("task-unknown", "/inspector/tasks/task_of_nobody"),
    View("playground-wrong-key", "/", key=WRONG_KEY),
    View("console-wrong-key", "/console", key=WRONG_KEY),
    View("inspector-wrong-key", "/inspector", key=WRONG_KEY),
    View("console-locked", "/console", locked=True),
    View("inspector-locked", "/inspector", locked=True),
)
# look -> what a browser context is opened with
LOOKS: dict[str, dict[str, Any]] = {
    f"{width}-{scheme}": {"viewport": size, "color_scheme": scheme}
    for width, size, schemes in (
        ("wide", {"width": 1440, "height": 900}, ("light", "dark")),
        ("narrow", {"width": 360, "height": 780}, ("light", "dark")),
        ("4k", LARGEST, ("light",)),
    )
    for scheme in schemes
}
QUIET_MILLISECONDS = 150
LONGEST_WAIT_MILLISECONDS = 5_000
# A page that follows events never has an idle network, so its content tells when it is drawn.
_SETTLED = """
async ([quiet, longest]) => {
  const end = performance.now() + longest;
  let changed = performance.now();
  new MutationObserver(() => { changed = performance.now(); }).observe(
    document, {subtree: true, childList: true, attributes: true, characterData: true});
  const busy = () => document.querySelector('[aria-busy=true]')
    || [...document.images].some(image => image.loading !== 'lazy' && !image.complete)
    || performance.now() - changed < quiet;
  while (busy() && performance.now() < end) await new Promise(requestAnimationFrame);
  await document.fonts.ready;
}
"""


@dataclass(frozen=True)
class Stage:
    """What is pictured: an open server with a full account, and one that wants a token."""

    url: str
    locked_url: str
    tasks: Tasks


@contextmanager
def set_up() -> Iterator[Stage]:
    """Start and fill the servers."""
    flags = ("--database", ":memory:", "--log", "none", "--latency", str(LATENCY_SECONDS))
    with (
        Process(*flags) as server,
        Process(*flags, "--control-token", "a-token-of-pictures") as locked,
        Api(server.url, FULL_KEY) as api,
    ):
        yield Stage(server.url, locked.url, fill(api))


def take_all(browser: Browser, stage: Stage, views: Sequence[View]) -> None:
    """Picture the views in every look."""
    for look, options in LOOKS.items():
        for view in views:
            url = stage.locked_url if view.locked else stage.url
            with open_context(browser, url, view.key, **options) as context:
                take(context.new_page(), view, stage.tasks, FOLDER / f"{view.name}-{look}.png")


def take(page: Page, view: View, tasks: Tasks, file: Path) -> None:
    """Open, prepare and picture a page."""
    page.goto(view.path.format(**asdict(tasks)))
    settle(page)
    view.prepare(page)
    settle(page)
    page.screenshot(path=file, full_page=page.viewport_size != LARGEST)  # it has its limits


def settle(page: Page) -> None:
    """Wait until the page has stopped changing and its pictures are there."""
    page.evaluate(_SETTLED, [QUIET_MILLISECONDS, LONGEST_WAIT_MILLISECONDS])


def main(parts: Sequence[str]) -> int:
    """Picture the views whose name has one of the parts in it, or all."""
    views = [view for view in VIEWS if not parts or any(part in view.name for part in parts)]
    path = chromium.find()
    if path is None or not views:
        missing = f"There is no Chromium: {chromium.HOW}." if path is None else "No such page."
        print(missing, file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with set_up() as stage, open_browser(path) as browser:
        take_all(browser, stage, views)
    print(f"{len(views) * len(LOOKS)} pictures in {FOLDER}/")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
