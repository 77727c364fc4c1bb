"""A first hour with the emulator, as a new user spends it."""

from playwright.sync_api import Page, expect

from tests.ui import pictures
from tests.ui.browsing import PageErrors


def test_a_first_hour(page: Page, page_errors: PageErrors) -> None:
    page_errors.allow("status of 410")
    page.goto("/")
    page.get_by_label("Prompt").fill("The same cat, as an astronaut")
    pictures.paste(page)
    expect(page.locator(".thumbnails img")).to_have_count(1)
    expect(page.locator(".thumbnails .waiting")).to_have_count(0)
    page.get_by_label("Images", exact=True).fill("4")
    expect(page.locator("#estimate")).to_contain_text("120 credits")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator(".pictures img")).to_have_count(4)
    expect(page.locator(".entry")).to_contain_text("1 reference")

    page.get_by_role("link", name="Console", exact=True).click()
    ledger = page.locator("#ledger tbody tr td:nth-child(3)")
    expect(ledger).to_have_text(["consumption", "reservation", "grant"])
    expect(page.locator("#account")).to_contain_text("99,880 credits")

    page.get_by_role("link", name="Inspector").click()
    page.get_by_role("button", name="Freeze").click()
    page.get_by_role("button", name="+25 h").click()
    expect(page.locator(".steps-done")).to_contain_text("links expired")
    page.locator("#section").get_by_role("link").first.click()
    expect(page.locator("#section .expired")).to_contain_text("The links are dead")
    page.get_by_role("link", name="Playground").click()
    expect(page.locator(".entry .expired")).to_contain_text("stopped working at")

    page.get_by_role("link", name="Inspector").click()
    page.get_by_role("link", name="Faults").click()
    page.get_by_label("Fault", exact=True).select_option("task_fails")
    page.get_by_role("button", name="Add the fault").click()
    expect(page.locator(".fault")).to_contain_text("0 hits")
    page.get_by_role("link", name="Playground").click()
    page.get_by_label("Prompt").fill("This will fail")
    page.get_by_role("button", name="Generate", exact=True).click()
    page.get_by_role("link", name="Inspector").click()
    page.get_by_role("button", name="+1 min").click()
    expect(page.locator("#section tbody tr").first).to_contain_text("120 refunded")
    page.get_by_role("link", name="Playground").click()
    expect(page.locator(".entry").first).to_contain_text("120 refunded")
    page.get_by_role("link", name="Console", exact=True).click()
    expect(ledger.first).to_have_text("refund")
    expect(page.locator("#account")).to_contain_text("99,880 credits")
