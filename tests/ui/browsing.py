"""A browser whose pages are watched: what a reader of the console would see is a problem."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    WebError,
    sync_playwright,
)

TIMEOUT_MILLISECONDS = 10_000
ARGUMENTS = (
    "--no-sandbox",  # root has none
    "--disable-dev-shm-usage",  # small in containers
    # Nothing leaves this machine, not even what the browser asks for itself.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_CANCELLED = "net::ERR_ABORTED"  # by the page itself, or because it was left
_ICON = "/favicon.ico"  # asked for once a browser, so it would be the first test's error
_REPORT_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', event => console.error(
  `Content Security Policy: ${event.effectiveDirective} blocked ${event.blockedURI}`));
"""
# Not by a timer: a test may have stopped the page's clock.
_LATER = """
new Promise(done => {
  const {port1, port2} = new MessageChannel();
  port1.onmessage = () => done();
  port2.postMessage(0);
})
"""
# Once a tab: a test may change the key and go on to another page.
_GIVE_KEY = """
if (location.origin === %s && !sessionStorage.getItem('keyWasGiven')) {
  sessionStorage.setItem('keyWasGiven', 'yes');
  sessionStorage.setItem('gpt-image-emulator.key', %s);
}
"""


class PageErrors:
    """What went wrong in the pages of a context.

    Errors and warnings on the console (an answer of 400 or above is one), exceptions, violations
    of the content security policy, requests that failed, requests to another server.
    """

    def __init__(self, url: str) -> None:
        self.seen: list[str] = []
        self._host = urlsplit(url).netloc
        self._allowed: list[re.Pattern[str]] = []

    def allow(self, pattern: str) -> None:
        """Expect errors that the regular expression finds something in, before or after."""
        self._allowed.append(re.compile(pattern))

    @property
    def unexpected(self) -> list[str]:
        """Those that nothing allows."""
        return [text for text in self.seen if not any(p.search(text) for p in self._allowed)]

    def watch(self, context: BrowserContext) -> None:
        """Listen to every page of a context."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_exception)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failure)

    def hear_out(self, context: BrowserContext) -> None:
        """Take in what the pages have still to say."""
        for page in context.pages:
            try:
                page.evaluate(_LATER)
            except Error:
                pass  # it is being left

    def _on_console(self, message: ConsoleMessage) -> None:
        where = message.location
        if message.type in ("error", "warning") and not where["url"].endswith(_ICON):
            self.seen.append(
                f"console {message.type}: {message.text} ({where['url']}:{where['lineNumber']})"
            )

    def _on_exception(self, error: WebError) -> None:
        self.seen.append(f"exception: {error.error.stack or error.error.message}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != self._host:
            self.seen.append(f"request to another server: {request.method} {request.url}")

    def _on_failure(self, request: Request) -> None:
        if request.failure != _CANCELLED:
            self.seen.append(f"request failed: {request.method} {request.url}: {request.failure}")


@contextmanager
def open_browser(path: str) -> Iterator[Browser]:
    """Start the Chromium at a path.

    The thread counts as running an event loop until the block ends, so no coroutine can be run.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def open_context(browser: Browser, url: str, key: str, **options: Any) -> Iterator[BrowserContext]:
    """Open a context whose pages of a server start with a key.

    Args:
        browser: the browser.
        url: the server's, which paths given to ``page.goto`` are added to.
        key: what the pages find in ``sessionStorage`` as their key; none where it is empty.
        options: of ``browser.new_context``.
    """
    defaults = {
        "base_url": url,
        "locale": "en-US",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
        "permissions": ["clipboard-read", "clipboard-write"],
    }
    context = browser.new_context(**{**defaults, **options})
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    context.add_init_script(_REPORT_VIOLATIONS)
    if key:
        context.add_init_script(_GIVE_KEY % (json.dumps(url), json.dumps(key)))
    try:
        yield context
    finally:
        context.close()


def open_all(page: Page) -> None:
    """Open everything that can be unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
