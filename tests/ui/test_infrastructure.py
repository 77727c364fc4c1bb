"""The browser fixtures, without a page of the interface."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Page, expect

from tests.support.api import Api
from tests.ui import axe
from tests.ui.browsing import PageErrors

POLICY = "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'"
UNLABELLED = "<!doctype html><html lang=en><title>A form</title><main><h1>A form</h1><input></main>"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = UNLABELLED.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        pass


@pytest.fixture
def guarded_url(page_errors: PageErrors) -> Iterator[str]:
    """A page of another server that allows no script but files of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        page_errors.allow(f"another server: GET {url}")
        yield url
        server.shutdown()


def take(page: Page, page_errors: PageErrors) -> str:
    """The errors so far, which the test is not to fail for."""
    page_errors.hear_out(page.context)
    text = "\n".join(page_errors.unexpected)
    page_errors.seen.clear()
    return text


def test_a_page_opens_with_the_key_of_the_test(page: Page, key: str) -> None:
    page.goto("/llms.txt")
    expect(page.locator("body")).to_contain_text("/v1/images/generations")
    assert page.evaluate("sessionStorage.getItem('gpt-image-emulator.key')") == key


def test_a_key_that_the_page_changed_stays(page: Page) -> None:
    page.goto("/llms.txt")
    page.evaluate("sessionStorage.setItem('gpt-image-emulator.key', 'sk-other')")
    page.reload()
    assert page.evaluate("sessionStorage.getItem('gpt-image-emulator.key')") == "sk-other"


@pytest.mark.parametrize("key", [""])
def test_a_page_can_start_without_a_key(page: Page) -> None:
    page.goto("/llms.txt")
    assert page.evaluate("sessionStorage.getItem('gpt-image-emulator.key')") is None


def test_page_and_api_are_the_same_account(page: Page, api: Api, key: str) -> None:
    task_id = api.create()["task_id"]
    page.goto("/llms.txt")
    seen = page.evaluate(
        "async ([path, key]) => (await fetch(path, {headers: {'x-api-key': key}})).json()",
        [f"/v1/tasks/{task_id}", key],
    )
    assert seen == api.task(task_id)


def test_the_clipboard_works(page: Page) -> None:
    page.goto("/llms.txt")
    page.evaluate("navigator.clipboard.writeText('copied')")
    assert page.evaluate("navigator.clipboard.readText()") == "copied"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("console.error('broken')", "console error: broken"),
        ("console.warn('old')", "console warning: old"),
        ("queueMicrotask(() => { throw new Error('thrown') })", "thrown"),
        ("fetch('/nowhere')", "404"),
        ("fetch('http://elsewhere.example/').catch(() => 0)", "another server: GET http://elsewhere"),
        ("fetch('http://127.0.0.1:9/', {mode: 'no-cors'}).catch(() => 0)", "request failed: GET"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_seen(
    page: Page, page_errors: PageErrors, script: str, told: str
) -> None:
    page.goto("/llms.txt")
    page.evaluate(f"async () => {{ await {script} }}")
    assert told in take(page, page_errors)


def test_what_is_allowed_fails_no_test(page: Page, page_errors: PageErrors) -> None:
    page_errors.allow("status of 404")
    page.goto("/nowhere")
    assert page_errors.seen
    assert not page_errors.unexpected


def test_the_clock_of_a_page_can_stand_still(page: Page) -> None:
    page.clock.install()
    page.goto("/llms.txt")
    page.clock.pause_at("2100-01-01")


def test_a_breach_of_the_policy_is_seen(
    page: Page, page_errors: PageErrors, guarded_url: str
) -> None:
    page.goto(guarded_url)
    with pytest.raises(Exception, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<p>'")
    assert "Content Security Policy: require-trusted-types-for" in take(page, page_errors)


def test_axe_judges_a_page_that_allows_no_foreign_script(page: Page, guarded_url: str) -> None:
    page.goto(guarded_url)
    (violation,) = axe.violations(page)
    assert violation == "label: Form elements must have labels: input"


@pytest.mark.parametrize(("ci", "told"), [("", "1 skipped"), ("true", "1 error")])
def test_without_a_browser_the_tests_are_skipped_but_not_in_ci(ci: str, told: str) -> None:
    one = f"{__file__}::test_the_clipboard_works"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", one],
        env={**os.environ, "CI": ci, "CHROMIUM": "/nowhere/chromium"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told in done.stdout
    assert "no Chromium: apt-get install chromium" in done.stdout
