"""A running emulator and a browser, both kept while tests of this folder follow one another.

The tests are plain functions: beside Playwright's own event loop no other can run.
"""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page

from scripts import browser as chromium
from tests.support.api import Api
from tests.support.process import Process
from tests.ui.browsing import PageErrors, open_browser, open_context


# Not for the session: the tests of other folders run event loops in the same thread.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser; its tests are skipped where there is none, but not in CI."""
    path = chromium.find()
    if path is None:
        end = pytest.fail if os.environ.get("CI") else pytest.skip
        end(f"no Chromium: {chromium.HOW}")
    with open_browser(path) as browser:
        yield browser


@pytest.fixture(scope="package")
def server() -> Iterator[Process]:
    """A running emulator; its tasks end at once."""
    with Process("--database", ":memory:", "--latency", "instant", "--log", "none") as server:
        yield server


@pytest.fixture
def key() -> str:
    """A key of the test's own; parametrize it with "" for pages that start without one."""
    return f"sk-ui-{uuid4().hex}"


@pytest.fixture
def api(server: Process, key: str) -> Iterator[Api]:
    """The API as the test's key sees it."""
    with Api(server.url, key) as api:
        yield api


@pytest.fixture
def page_errors(server: Process) -> PageErrors:
    """What goes wrong in the test's pages, to allow some of it."""
    return PageErrors(server.url)


@pytest.fixture
def page(browser: Browser, server: Process, key: str, page_errors: PageErrors) -> Iterator[Page]:
    """An empty tab that has the key; the test fails where something went wrong in it."""
    with open_context(browser, server.url, key) as context:
        page_errors.watch(context)
        yield context.new_page()
        page_errors.hear_out(context)
    assert not page_errors.unexpected, "\n".join(page_errors.unexpected)
