"""The console: keys, balance, recharge, ledger."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from emulator.core.pricing import PriceTable
from emulator.core.profile import MODEL_PAGE
from tests.support.api import Api
from tests.support.process import Process
from tests.ui.browsing import PageErrors, open_context


def open_console(page: Page) -> None:
    page.goto("/console")
    expect(page.locator("#balance")).to_contain_text("Available")


def stat(page: Page, name: str) -> Locator:
    return page.locator("#balance div", has_text=name).last.locator("dd")


def test_the_balance_and_the_ledger_follow_what_happens(page: Page, api: Api) -> None:
    open_console(page)
    rows = page.locator("#ledger tbody tr")
    expect(rows).to_have_count(1)
    task_id = api.create(n=2)["task_id"]
    expect(rows).to_have_count(3)
    for name, credits in (
        ("Available", "99,940"), ("Reserved", "0"), ("Charged", "60"), ("Granted", "100,000"),
    ):  # fmt: skip
        expect(stat(page, name)).to_have_text(credits)
    newest = rows.first
    expect(newest).to_contain_text("consumption")
    expect(newest.locator("b")).to_have_text("99,940")
    expect(rows.nth(1)).to_contain_text("−60")
    newest.get_by_role("link", name=task_id).click()
    page.wait_for_url(f"**/inspector/tasks/{task_id}")
    expect(page.locator("#task-title")).to_have_text(task_id)


def test_older_entries_are_there_on_demand(page: Page, api: Api) -> None:
    for _ in range(30):
        api.create()
    open_console(page)
    rows = page.locator("#ledger tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Older entries").click()
    expect(rows).to_have_count(61)
    expect(rows.last).to_contain_text("grant")
    expect(page.get_by_role("button", name="Older entries")).to_be_hidden()


@pytest.mark.parametrize(
    ("package", "credits"), [("Entry package", "25,000"), ("Largest package", "50,000")]
)
def test_recharging_by_package(page: Page, api: Api, package: str, credits: str) -> None:
    open_console(page)
    page.get_by_role("radio", name=package).check()
    page.get_by_label("Dollars").fill("25")
    page.get_by_role("button", name=f"Add {credits} credits").click()
    newest = page.locator("#ledger tbody tr").first
    expect(newest).to_contain_text("purchase")
    expect(newest).to_contain_text(f"+{credits}")
    balance = api.get("/v1/credits/balance").json()["credits"]
    assert balance == 100_000 + int(credits.replace(",", ""))


def test_the_amount_is_typed_as_anywhere(page: Page) -> None:
    open_console(page)
    page.get_by_label("Dollars").press("Control+A")
    page.keyboard.press("Delete")
    expect(page.get_by_role("button", name="Add 0 credits")).to_be_disabled()
    page.keyboard.type("25")
    expect(page.get_by_label("Dollars")).to_have_value("25")
    expect(page.get_by_role("button", name="Add 25,000 credits")).to_be_enabled()


def test_a_key_is_created_with_limits_shown_once_used_and_revoked(
    page: Page, api: Api, server: Process
) -> None:
    open_console(page)
    page.get_by_text("Create a key").click()
    page.get_by_label("Name", exact=True).fill("nightly <b>ci</b>")
    page.get_by_label("Credits", exact=True).fill("5000")
    page.get_by_label("Budget").fill("40")
    page.get_by_label("Requests a minute").fill("600")
    page.get_by_label("Models").fill("gpt-image-2, another")
    page.get_by_role("button", name="Create", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("shown this once")
    key = dialog.locator(".new-key").inner_text().strip()
    assert key.startswith("sk-")
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    dialog.get_by_role("button", name="Done").click()
    assert key not in page.content()
    row = page.locator("#keys tr", has_text="nightly <b>ci</b>")
    for words in ("0 of 40 used", "600", "gpt-image-2, another"):
        expect(row).to_contain_text(words)
    with Api(server.url, key) as limited:
        assert limited.get("/v1/credits/balance").json()["credits"] == 5000
        limited.create()
        body = {"model": "gpt-image-2", "prompt": "One too many"}
        assert limited.post("/v1/images/generations", json=body).status_code == 402
        api.create()  # the page hears of its own account
        expect(row).to_contain_text("30 of 40 used")
        page.once("dialog", lambda dialog: dialog.accept())
        row.get_by_role("button", name="Revoke").click()
        expect(row).to_contain_text("revoked")
        assert limited.get("/v1/credits/balance").status_code == 401


def create_and_use_key(page: Page, name: str, credits: int) -> None:
    page.get_by_text("Create a key").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Credits", exact=True).fill(str(credits))
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Use it here").click()


def test_the_first_key_of_a_strict_server_is_made_in_the_console(
    browser: Browser, page_errors: PageErrors
) -> None:
    flags = ("--database", ":memory:", "--log", "none", "--keys", "strict")
    with (
        Process(*flags, "--control-token", "a-token-for-the-console") as strict,
        open_context(browser, strict.url, "") as context,
    ):
        page = context.new_page()
        page.goto("/console")
        page.get_by_role("button", name="Enter the token").click()
        page.get_by_label("Control token").fill("a-token-for-the-console")
        page.get_by_role("button", name="Use this key").click()
        create_and_use_key(page, "first", 500)
        expect(page.locator("#account")).to_contain_text("500 credits")
        expect(page.locator("#problem")).to_be_empty()


def test_a_new_key_can_be_used_here(page: Page) -> None:
    open_console(page)
    create_and_use_key(page, "mine", 77)
    expect(page.locator("#account")).to_contain_text("77 credits")


def test_what_a_key_can_not_have_is_told(page: Page, api: Api, page_errors: PageErrors) -> None:
    page_errors.allow("status of 400")
    open_console(page)
    page.get_by_text("Create a key").click()
    page.get_by_label("Name", exact=True).fill("odd")
    page.get_by_label("Budget").fill("5")
    page.locator("#budget_credits").evaluate(
        "field => { field.type = 'text'; field.value = '1.5' }"
    )
    page.get_by_role("button", name="Create", exact=True).click()
    refused = page.locator("#refused")
    expect(refused).to_contain_text("budget_credits must be a whole number")
    expect(refused).to_be_in_viewport()
    api.create()  # what happens meanwhile does not take the words away
    expect(page.locator("#ledger tbody tr")).to_have_count(3)
    expect(refused).to_contain_text("budget_credits must be a whole number")
    refused.get_by_role("button", name="Dismiss").click()
    expect(refused).to_be_empty()


def test_the_price_table_is_the_servers(page: Page) -> None:
    open_console(page)
    prices = PriceTable()
    rows = page.locator(".prices tbody tr")
    found = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert found == [
        [str(prices.credits_per_image("1:1", tier, quality)) for tier in ("1K", "2K", "4K")]
        for quality in MODEL_PAGE.qualities
    ]


@pytest.mark.parametrize("key", ["nonsense"])
@pytest.mark.parametrize("path", ["/console", "/inspector", "/inspector/journal"])
def test_a_wrong_key_is_told_and_can_be_changed(
    page: Page, page_errors: PageErrors, path: str, key: str
) -> None:
    page_errors.allow("status of 401")
    page.goto(path)
    expect(page.locator("#problem")).to_contain_text("API keys begin with sk-")
    page.get_by_role("button", name="Choose a key").click()
    page.get_by_label("Key", exact=True).fill("sk-a-better-one")
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator("#account")).to_contain_text("100,000 credits")
    expect(page.locator("#problem")).to_be_empty()
