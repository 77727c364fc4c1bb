"""Reference images in the playground: uploaded, dropped, pasted."""

from io import BytesIO

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.support.api import Api
from tests.ui import pictures
from tests.ui.browsing import PageErrors
from tests.ui.test_playground import creations, generate, open_playground, sent


def switch_on(page: Page) -> None:
    open_playground(page)
    expect(page.locator("#references")).to_be_hidden()
    page.get_by_role("switch", name="Use reference images").check()
    expect(page.locator("#references")).to_be_visible()


def test_upload_drop_and_paste_and_what_is_sent(page: Page, api: Api) -> None:
    switch_on(page)
    page.locator("#reference-files").set_input_files([pictures.file("one.png")])
    pictures.drop(page, "two.png")
    pictures.paste(page)
    thumbnails = page.locator(".thumbnails li")
    expect(thumbnails).to_have_count(3)
    expect(page.locator(".thumbnails .waiting")).to_have_count(0)
    for thumbnail in page.locator(".thumbnails img").all():
        expect(thumbnail).to_have_js_property("naturalWidth", 64)
    page.get_by_role("button", name="Remove one.png").click()
    expect(thumbnails).to_have_count(2)
    generate(page)
    expect(page.locator(".pictures img")).to_have_count(1)
    urls = sent(page)[0]["input_images"]
    assert isinstance(urls, list)
    assert len(urls) == 2
    assert len(creations(api)[0]["input_images"]) == 2  # type: ignore[arg-type]
    for url in urls:  # what is pasted, the browser has encoded anew
        with Image.open(BytesIO(api.get(url).content)) as picture:
            assert picture.size == (64, 48)


def test_a_picture_that_is_pasted_switches_references_on(page: Page) -> None:
    open_playground(page)
    page.get_by_label("Prompt").focus()
    pictures.paste(page)
    expect(page.get_by_role("switch", name="Use reference images")).to_be_checked()
    expect(page.locator(".thumbnails li")).to_have_count(1)


def test_text_that_is_pasted_stays_text(page: Page) -> None:
    open_playground(page)
    page.evaluate("navigator.clipboard.writeText('A pasted fox')")
    page.get_by_label("Prompt").focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Prompt")).to_have_value("A pasted fox")


def test_switched_off_nothing_is_sent_and_nothing_is_lost(page: Page, api: Api) -> None:
    switch_on(page)
    page.locator("#reference-files").set_input_files([pictures.file()])
    expect(page.locator(".thumbnails .waiting")).to_have_count(0)
    switch = page.get_by_role("switch", name="Use reference images")
    switch.uncheck()
    generate(page)
    expect(page.locator(".pictures img")).to_have_count(1)
    assert "input_images" not in creations(api)[0]
    switch.check()
    expect(page.locator(".thumbnails li")).to_have_count(1)


def test_a_picture_on_its_way_stays_while_something_is_typed(page: Page, api: Api) -> None:
    switch_on(page)
    page.route("**/v1/images/upload", lambda _: None)  # held
    with page.expect_request("**/v1/images/upload"):
        page.locator("#reference-files").set_input_files([pictures.file()])
    page.get_by_label("Prompt").fill("Typed meanwhile")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator("#refused")).to_contain_text("still on its way")
    page.unroute_all()  # let go
    expect(page.locator(".thumbnails img")).to_have_count(1)
    expect(page.locator(".thumbnails .waiting")).to_have_count(0)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator(".entry")).to_contain_text("1 reference")


def test_there_can_be_sixteen(page: Page) -> None:
    switch_on(page)
    files = [pictures.file(f"{number}.png") for number in range(1, 19)]
    page.locator("#reference-files").set_input_files(files)
    expect(page.locator(".thumbnails li")).to_have_count(16)
    expect(page.locator("#thumbnails")).to_contain_text("16 of 16")
    expect(page.locator("#thumbnails")).to_contain_text("17.png, 18.png")


def test_what_is_no_picture_is_refused_in_words(page: Page, page_errors: PageErrors) -> None:
    page_errors.allow("status of 400")
    switch_on(page)
    files: list[FilePayload] = [
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"},
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"no picture either"},
    ]
    page.locator("#reference-files").set_input_files(files)
    expect(page.locator(".thumbnails .broken")).to_have_count(2)
    expect(page.locator("#thumbnails")).to_contain_text("text/plain is not JPEG, PNG or WebP.")
    page.get_by_role("button", name="Remove broken.png").click()
    expect(page.locator(".thumbnails li")).to_have_count(1)


def test_references_survive_a_reload(page: Page) -> None:
    switch_on(page)
    page.locator("#reference-files").set_input_files([pictures.file()])
    expect(page.locator(".thumbnails .waiting")).to_have_count(0)
    page.reload()
    thumbnail = page.locator(".thumbnails img")
    expect(thumbnail).to_have_js_property("naturalWidth", 64)
    expect(page.get_by_role("switch", name="Use reference images")).to_be_checked()


def test_a_reference_that_expired_is_told_and_not_sent(
    page: Page, api: Api, page_errors: PageErrors
) -> None:
    page_errors.allow("status of 410")
    switch_on(page)
    page.locator("#reference-files").set_input_files([pictures.file()])
    expect(page.locator(".thumbnails .waiting")).to_have_count(0)
    api.advance("25h")
    page.reload()
    expect(page.locator(".thumbnails .broken")).to_contain_text("stopped working")
    generate(page)
    expect(page.locator(".pictures img")).to_have_count(1)
    assert "input_images" not in sent(page)[0]
