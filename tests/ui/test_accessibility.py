"""No violation that axe-core finds; everything by keyboard; no page wider than its screen."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from scripts.full_account import fill
from tests.support.api import Api
from tests.support.process import Process
from tests.ui import axe
from tests.ui.browsing import open_all, open_context
from tests.ui.test_playground import generate

PAGES = ("/", "/reference", "/console", "/inspector", "/inspector/tasks/{succeeded}",
         "/inspector/tasks/{wordy}", "/inspector/callbacks", "/inspector/faults",
         "/inspector/journal")  # fmt: skip
SCREENS: tuple[ViewportSize, ...] = (
    {"width": 360, "height": 740}, {"width": 1280, "height": 800}, {"width": 3840, "height": 2160},
)  # fmt: skip
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FULL_KEY = "sk-a-full-account"


@pytest.fixture(scope="package")
def full() -> Iterator[tuple[str, dict[str, str]]]:
    """A server with a full account: its address, and the account's tasks by name."""
    with (
        Process("--database", ":memory:", "--log", "none", "--latency", "30") as server,
        Api(server.url, FULL_KEY) as api,
    ):
        yield server.url, asdict(fill(api))


def background(page: Page) -> int:
    """How light the page is, of 255."""
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return max(map(int, re.findall(r"\d+", color)[:3]))


def opened(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator("#account")).to_contain_text("sk-")
    if path.startswith(("/console", "/inspector")):
        expect(page.locator("#account")).to_contain_text("credits")
    page.wait_for_function("!document.querySelector('[aria-busy=true]')")


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_in_light_and_in_dark(
    browser: Browser, full: tuple[str, dict[str, str]], path: str
) -> None:
    url, tasks = full
    with open_context(browser, url, FULL_KEY, color_scheme="light") as context:
        page = context.new_page()
        opened(page, path.format(**tasks))
        open_all(page)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert (background(page) > 128) == (scheme == "light")
            assert axe.violations(page) == []


@pytest.mark.parametrize("key", [""])
@pytest.mark.parametrize("path", ["/", "/console", "/inspector"])
def test_axe_finds_nothing_on_an_empty_account(page: Page, path: str, key: str) -> None:
    opened(page, path)
    assert axe.violations(page) == []


def test_axe_finds_nothing_in_the_viewer_of_a_wordy_picture(page: Page) -> None:
    opened(page, "/")
    generate(page, "Every rope of the ship. " * 200)
    page.get_by_role("button", name="Open picture 1").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert axe.violations(page) == []


def test_axe_finds_nothing_in_a_dialog_nor_beside_an_error(page: Page) -> None:
    opened(page, "/")
    page.get_by_role("tab", name="JSON").click()
    page.get_by_label("Request body, as raw JSON").fill('{"n": 99')
    expect(page.locator(".json-problems li")).to_have_count(1)
    assert axe.violations(page) == []
    page.get_by_role("button", name="API key").click()
    assert axe.violations(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_its_screen(
    browser: Browser, full: tuple[str, dict[str, str]], path: str
) -> None:
    url, tasks = full
    with open_context(browser, url, FULL_KEY) as context:
        page = context.new_page()
        opened(page, path.format(**tasks))
        open_all(page)
        for screen in SCREENS:
            page.set_viewport_size(screen)
            assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]


def focused(page: Page) -> str:
    """The name of what has the focus."""
    name: str = page.evaluate(
        """() => {
          const { id, name, value, textContent } = document.activeElement;
          return id || (name ? `${name}=${value}` : textContent.trim());
        }"""
    )
    return name


def press_until(page: Page, key: str, name: str) -> None:
    """Press a key until something has the focus."""
    for _ in range(60):
        if focused(page) == name:
            return
        page.keyboard.press(key)
    pytest.fail(f"{name} was never focused; {focused(page)} is")


def test_a_picture_by_keyboard_alone(page: Page) -> None:
    opened(page, "/")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    press_until(page, "Tab", "prompt")
    page.keyboard.type("By keyboard")
    press_until(page, "Tab", "size=auto")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "size=1:1"
    press_until(page, "Tab", "quality=medium")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "quality=high"
    press_until(page, "Tab", "generate")
    page.keyboard.press("Enter")
    expect(page.locator(".pictures img")).to_have_count(1)
    expect(page.locator(".entry")).to_contain_text("1:1 · 1K · high")
    page.locator(".pictures button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_tabs_move_by_arrows(page: Page) -> None:
    opened(page, "/")
    page.get_by_role("tab", name="Form").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="JSON")).to_be_focused()
    expect(page.get_by_label("Request body, as raw JSON")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Prompt")).to_be_visible()


def test_what_has_the_focus_is_seen(page: Page) -> None:
    opened(page, "/")
    for _ in range(40):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            """() => {
              const active = document.activeElement;
              const inside = active.closest('.segments label')?.querySelector('span');
              const rings = [active, inside, active.closest('.tile'), active.closest('.editor')];
              return rings.some((each) => each && getComputedStyle(each).outlineStyle !== 'none');
            }"""
        )
        assert outline, f"no ring around {focused(page)}"


def heard(page: Page, words: str) -> None:
    """Wait until a screen reader was told something."""
    expect(page.locator("#announcer")).to_have_text(words)


def test_what_is_removed_is_told_and_leaves_the_focus_near(page: Page, api: Api) -> None:
    for fault in ("task_hangs", "task_fails"):
        api.add_fault(fault)
    opened(page, "/inspector/faults")
    page.get_by_role("button", name="Remove fault 1").click()
    expect(page.locator("#faults-title")).to_be_focused()
    heard(page, "Fault 1 is removed.")
    page.get_by_role("button", name="Remove all").click()
    heard(page, "All faults are removed.")
    opened(page, "/")
    generate(page, "Shortly")
    page.get_by_role("button", name="Remove from the history: Shortly").click()
    expect(page.locator("#history-title")).to_be_focused()
    heard(page, "Removed from the history.")
    opened(page, "/console")
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#keys").get_by_role("button", name="Revoke").last.click()
    expect(page.locator("#keys-title")).to_be_focused()


def test_the_clocks_button_keeps_the_focus(page: Page) -> None:
    opened(page, "/inspector")
    page.get_by_role("button", name="Freeze").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    heard(page, "The clock stands still.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Freeze")).to_be_focused()


def test_a_screen_reader_hears_of_the_task(page: Page) -> None:
    opened(page, "/")
    generate(page, "Aloud")
    expect(
        page.get_by_role("status").filter(has_text="The task succeeded with 1 picture.")
    ).to_be_attached()
