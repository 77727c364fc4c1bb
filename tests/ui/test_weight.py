"""What the pages weigh, and how they are made."""

import gzip
import re

import httpx2
import pytest
from playwright.sync_api import Page

from tests.support.process import Process

MOST_BYTES = 150_000
PAGES = ("/", "/reference", "/console", "/inspector", "/inspector/callbacks",
         "/inspector/faults", "/inspector/journal")  # fmt: skip


def test_everything_together_is_light(page: Page) -> None:
    """All pages with all their files, as they are sent."""
    weights: dict[str, int] = {}

    def weigh(url: str) -> None:
        response = httpx2.get(url, headers={"Accept-Encoding": "gzip"}, trust_env=False)
        weights[url] = int(response.headers["content-length"])

    for path in PAGES:
        page.goto(path)
        page.wait_for_function("document.getElementById('account').textContent.includes('sk-')")
        names: list[str] = page.evaluate(
            "performance.getEntriesByType('resource').map(({ name }) => name)"
        )
        for url in {page.url, *(name for name in names if "/ui/" in name)} - weights.keys():
            weigh(url)
    assert len(weights) > 25
    assert sum(weights.values()) < MOST_BYTES


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light_before_it_is_zipped_too(page: Page, path: str) -> None:
    page.goto(path)
    page.wait_for_function("document.getElementById('account').textContent.includes('sk-')")
    sizes: list[int] = page.evaluate(
        """['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))
          .filter(({ name }) => !name.includes('/_emulator/'))
          .map(({ decodedBodySize }) => decodedBodySize)"""
    )
    assert sum(sizes) < MOST_BYTES * (1.5 if path == "/reference" else 1)


def test_what_was_sent_is_not_sent_again(server: Process) -> None:
    for path in ("/", "/ui/app.css"):
        first = httpx2.get(server.url + path, trust_env=False)
        again = {"If-None-Match": first.headers["etag"]}
        answer = httpx2.get(server.url + path, headers=again, trust_env=False)
        assert (answer.status_code, answer.content) == (304, b"")


def test_the_next_page_asks_for_what_is_new_alone(page: Page) -> None:
    for path in ("/", "/console"):
        page.goto(path)
        page.wait_for_function("document.getElementById('account').textContent.includes('sk-')")
    sent: list[str] = page.evaluate(
        """performance.getEntriesByType('resource')
          .filter(({ name, transferSize }) => name.includes('/ui/') && transferSize > 0)
          .map(({ name }) => name.split('/').at(-1))"""
    )
    assert sent == ["console.js", "ledger.js"]


def test_another_version_of_a_file_has_another_address(server: Process) -> None:
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        (address,) = re.findall(r'href="(/ui/[0-9a-f]{12}/app.css)"', client.get("/").text)
        assert client.get(address).headers["cache-control"].endswith("immutable")
        assert client.get("/ui/app.css").headers["cache-control"] == "no-cache"
        assert client.get("/ui/0123456789ab/app.css").status_code == 404


def test_zipped_or_not_it_is_the_same(server: Process) -> None:
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        plain = client.get("/ui/app.css", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        with client.stream("GET", "/ui/app.css", headers={"Accept-Encoding": "gzip"}) as zipped:
            assert gzip.decompress(b"".join(zipped.iter_raw())) == plain.content
