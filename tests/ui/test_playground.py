"""The playground, as a person uses it."""

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from emulator.core.frame import SIZES, TIERS, resolve_frame
from emulator.core.pricing import PriceTable
from emulator.core.profile import MODEL_PAGE
from tests.support.api import Api
from tests.support.process import Process
from tests.ui import pictures
from tests.ui.browsing import PageErrors, open_context

SLOW = "[[fault: task_slow seconds=100]]"  # pending for 20 s, processing for 80 s
PIXEL_SIZES = ("1024x1024", "1280x1024", "1536x1024", "2048x2048", "2560x1712", "3840x2160")


def open_playground(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#estimate")).to_contain_text("credits")


def generate(page: Page, prompt: str = "A lighthouse at dawn") -> None:
    page.get_by_label("Prompt").fill(prompt)
    page.get_by_role("button", name="Generate", exact=True).click()


def sent(page: Page) -> list[dict[str, object]]:
    """The bodies that the page sent, newest first, with whole links."""
    entries: list[dict[str, Any]] = page.evaluate(
        """Object.entries(localStorage).filter(([name]) => name.includes('.history.'))
          .map(([, entry]) => JSON.parse(entry))"""
    )
    newest_first = sorted(entries, key=lambda entry: int(entry["addedAt"]), reverse=True)
    return [entry["request"] for entry in newest_first]


def creations(api: Api) -> list[dict[str, object]]:
    """The bodies of the creations that arrived."""
    entries = api.get("/_emulator/journal", params={"operation": "createImageTask"}).json()["data"]
    return [entry["request"]["body"] for entry in entries]


def test_four_pictures_with_every_field_of_the_form(page: Page, api: Api) -> None:
    open_playground(page)
    page.get_by_role("radio", name="16:9").check()
    page.get_by_role("radio", name="2K").check()
    page.get_by_role("radio", name="high").check()
    page.get_by_label("Images", exact=True).fill("4")
    generate(page, "Vier Leuchttürme")
    pictures = page.locator(".pictures img")
    expect(pictures).to_have_count(4)
    expect(page.locator("#history-counts")).to_have_text("0 running, 1 completed")
    for picture in pictures.all():
        expect(picture).to_have_js_property("naturalWidth", 2704)
        expect(picture).to_have_js_property("naturalHeight", 1520)
    assert creations(api) == [
        {
            "model": "gpt-image-2", "prompt": "Vier Leuchttürme", "size": "16:9",
            "resolution": "2K", "quality": "high", "n": 4,
        }
    ]  # fmt: skip
    expect(page.locator(".entry")).to_contain_text("480 credits charged")
    assert api.get("/v1/credits/balance").json()["credits"] == 100_000 - 480


def test_a_double_click_makes_one_task(page: Page, api: Api) -> None:
    open_playground(page)
    page.get_by_label("Prompt").fill("Once")
    page.get_by_role("button", name="Generate", exact=True).evaluate(
        "button => { button.click(); button.click(); }"
    )
    expect(page.locator(".pictures img")).to_have_count(1)
    assert len(creations(api)) == 1


def test_each_parameter_has_its_help(page: Page) -> None:
    open_playground(page)
    for name in ("prompt", "references", "size", "resolution", "quality", "n"):
        words = page.locator(f"#{name}-help").inner_text()
        assert words.endswith((".", ")."))
        described = page.locator(f"[aria-describedby~={name}-help]")
        expect(described).to_have_count(1)


def test_sixteen_sizes_are_pictures_of_their_shapes(page: Page) -> None:
    open_playground(page)
    shapes = page.evaluate(
        """[...document.querySelectorAll('.tile:not([hidden])')].map((tile) => {
          const { width, height } = tile.querySelector('rect').getBoundingClientRect();
          return [tile.querySelector('input').value, width / height];
        })"""
    )
    assert [size for size, _ in shapes] == list(SIZES)
    for size, ratio in shapes:
        width, height = map(int, size.split(":")) if size != "auto" else (1, 1)
        assert ratio == pytest.approx(width / height, rel=0.12)


def test_the_estimate_follows_the_form(page: Page) -> None:
    open_playground(page)
    estimate = page.locator("#estimate")
    expect(estimate).to_contain_text("30 credits")
    expect(estimate).to_contain_text("$0.015–$0.03")  # CRED-3
    expect(estimate).to_contain_text("1 image of 1024×1024 px")
    page.get_by_role("radio", name="9:21").check()
    page.get_by_role("radio", name="4K").check()
    page.get_by_role("radio", name="high").check()
    page.get_by_label("Images", exact=True).fill("10")
    expect(estimate).to_contain_text("2,400 credits")
    expect(estimate).to_contain_text("$1.20–$2.40")
    expect(estimate).to_contain_text("10 images of 1648×3840 px")


def test_the_estimate_is_what_the_server_takes(page: Page) -> None:
    open_playground(page)
    cases: list[dict[str, Any]] = [
        {"size": size, "resolution": tier, "quality": quality, "n": 1}
        for size in (*SIZES, *PIXEL_SIZES)
        for tier in TIERS
        for quality in MODEL_PAGE.qualities
    ]
    found = page.evaluate(
        """async (cases) => {
          const { creditsPerImage, pixels } = await import('/ui/pricing.js');
          return cases.map((request) => [creditsPerImage(request), pixels(request)]);
        }""",
        cases,
    )
    prices = PriceTable()
    assert found == [
        [
            prices.credits_per_image(case["size"], case["resolution"], case["quality"]),
            str(resolve_frame(case["size"], case["resolution"], MODEL_PAGE)),
        ]
        for case in cases
    ]


def test_form_and_json_follow_each_other(page: Page) -> None:
    open_playground(page)
    page.get_by_label("Prompt").fill('A "quoted" fox')
    page.get_by_role("radio", name="3:4").check()
    page.get_by_role("tab", name="JSON").click()
    area = page.get_by_label("Request body, as raw JSON")
    assert json.loads(area.input_value())["prompt"] == 'A "quoted" fox'
    body = {"model": "gpt-image-2", "prompt": "An owl", "size": "1536x1024", "n": 3, "seed": 7}
    area.fill(json.dumps(body))
    expect(page.locator("#estimate")).to_contain_text("3 images of 1536×1024 px")
    page.get_by_role("tab", name="Form").click()
    expect(page.get_by_label("Prompt")).to_have_value("An owl")
    expect(page.get_by_label("Images", exact=True)).to_have_value("3")
    expect(page.get_by_role("radio", name="1536x1024")).to_be_checked()
    page.get_by_label("Images", exact=True).fill("2")
    page.get_by_role("tab", name="JSON").click()
    assert json.loads(area.input_value()) == {**body, "n": 2}


@pytest.mark.parametrize("text", ["[]", "null", "5", '"prompt"', '{"prompt": ', ""])
def test_json_that_is_no_request_is_not_sent(page: Page, api: Api, text: str) -> None:
    open_playground(page)
    page.get_by_label("Prompt").fill("The form's")
    page.get_by_role("tab", name="JSON").click()
    page.get_by_label("Request body, as raw JSON").fill(text)
    expect(page.locator("#estimate")).to_have_text("No estimate")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_label("Request body, as raw JSON")).to_be_focused()
    assert creations(api) == []


def test_json_that_is_being_written_is_not_taken_away(page: Page) -> None:
    open_playground(page)
    page.get_by_role("tab", name="JSON").click()
    area = page.get_by_label("Request body, as raw JSON")
    area.fill('{"prompt": "Not yet')
    pictures.paste(page)
    expect(page.locator(".json-problems")).to_contain_text("The form has changed meanwhile.")
    expect(area).to_have_value('{"prompt": "Not yet')
    page.get_by_role("button", name="Take its request").click()
    assert len(json.loads(area.input_value())["input_images"]) == 1
    expect(page.locator(".json-problems")).not_to_contain_text("The form has changed")


def test_other_spellings_are_shown_as_what_they_mean(page: Page, api: Api) -> None:
    open_playground(page)
    pictures.paste(page)
    expect(page.locator(".thumbnails img")).to_have_count(1)
    page.get_by_role("tab", name="JSON").click()
    area = page.get_by_label("Request body, as raw JSON")
    (url,) = json.loads(area.input_value())["input_images"]
    body = {"model": "gpt-image-2", "prompt": "A", "aspect_ratio": "16:9", "imageSize": "2K"}
    area.fill(json.dumps({**body, "image_urls": [url]}))
    page.get_by_role("tab", name="Form").click()
    expect(page.get_by_role("radio", name="16:9")).to_be_checked()
    expect(page.get_by_role("radio", name="2K")).to_be_checked()
    expect(page.locator(".thumbnails img")).to_have_count(1)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator(".entry")).to_contain_text("16:9 · 2K · medium · 1 image · 1 reference")
    expect(page.locator(".pictures img")).to_have_js_property("naturalWidth", 2704)
    page.get_by_role("radio", name="1:1").check()
    page.get_by_role("tab", name="JSON").click()
    del body["aspect_ratio"]
    assert json.loads(area.input_value()) == {**body, "image_urls": [url], "size": "1:1"}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('{\n  "prompt": "A"\n  "n": 1\n}', "Line 3, column 3", "Expected a comma or }"),
        ('{"prompt": }', "Line 1, column 12", "Expected a value"),
        ('{"prompt": "A\nB"}', "Line 1, column 12", "This text has no end"),
        ('{"n": 1,\n "n": 2}', "Line 2, column 2", "n is there twice"),
        ("", "Line 1, column 1", "the text ends"),
        ('["a"]', "Line 1, column 1", "must be a JSON object"),
        ('{"model": "m", "prompt": "A",\n "n": 11}', "Line 2, column 7", "from 1 to 10"),
        ('{"model": "m", "prompt": "A",\n "size": "7:5"}', "Line 2, column 10", "one of auto, 1:1"),
        ('{"model": "m"}', "Line 1, column 1", "prompt is missing"),
    ],
)
def test_an_error_in_the_json_is_shown_at_its_place(
    page: Page, text: str, place: str, message: str
) -> None:
    open_playground(page)
    page.get_by_role("tab", name="JSON").click()
    area = page.get_by_label("Request body, as raw JSON")
    area.fill(text)
    problem = page.locator(".json-problems li").first
    expect(problem).to_contain_text(place)
    expect(problem).to_contain_text(message)
    expect(area).to_have_attribute("aria-invalid", "true")
    line, column = map(int, re.findall(r"\d+", place))
    expect(page.locator(".gutter .wrong").first).to_have_text(str(line))
    problem.get_by_role("button").click()
    before = "\n".join(text.split("\n")[: line - 1]) + ("\n" if line > 1 else "")
    assert area.evaluate("area => area.selectionStart") == len(before) + column - 1


def test_what_the_server_refuses_is_shown_at_its_field(page: Page, page_errors: PageErrors) -> None:
    page_errors.allow("status of 400")
    open_playground(page)
    page.get_by_role("tab", name="JSON").click()
    body = {"model": "gpt-image-2", "prompt": "A", "size": "1000x1000"}
    page.get_by_label("Request body, as raw JSON").fill(json.dumps(body, indent=1))
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator(".json-problems")).to_contain_text("outside the model's limits")
    expect(page.locator(".json-problems")).to_contain_text("Line 4, column 10")
    expect(page.locator("#refused")).to_contain_text("multiples of 16")
    page.get_by_role("tab", name="Form").click()
    expect(page.locator("#size-problem")).to_contain_text("multiples of 16")


def test_the_keyboard_sends_too(page: Page, api: Api) -> None:
    open_playground(page)
    page.get_by_label("Prompt").fill("By Ctrl+Enter")
    page.get_by_label("Prompt").press("Control+Enter")
    expect(page.locator(".pictures img")).to_have_count(1)


def test_without_a_prompt_nothing_is_sent(page: Page, api: Api) -> None:
    open_playground(page)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator("#prompt-problem")).to_contain_text("1 to 32,000 characters")
    expect(page.get_by_label("Prompt")).to_be_focused()
    assert creations(api) == []


def test_a_refusal_without_credits_says_so(page: Page, api: Api, page_errors: PageErrors) -> None:
    page_errors.allow("status of 402")
    api.post("/_emulator/account/credits", json={"set": 10})
    open_playground(page)
    generate(page)
    expect(page.get_by_role("alert").first).to_contain_text("credits")
    expect(page.locator("#history-counts")).to_have_text("0 running, 0 completed")


def test_progress_through_pending_and_processing_and_a_reload_between(page: Page, api: Api) -> None:
    api.command_clock(freeze=True)
    open_playground(page)
    generate(page, f"Slowly {SLOW}")
    step = page.locator(".steps [aria-current=step]")
    expect(step).to_have_text("pending")
    expect(page.locator("#history-counts")).to_have_text("1 running, 0 completed")
    api.advance("30s")
    expect(step).to_have_text("processing")
    page.reload()
    expect(step).to_have_text("processing")
    expect(page.locator("#history-counts")).to_have_text("1 running, 0 completed")
    api.advance("2m")
    expect(page.locator(".pictures img")).to_have_count(1)
    expect(page.locator("#history-counts")).to_have_text("0 running, 1 completed")


def test_a_failure_is_told_with_its_reason_and_refund(page: Page) -> None:
    open_playground(page)
    generate(page, "A fox [[fault: task_fails code=image_safety]]")
    entry = page.locator(".entry")
    expect(entry).to_contain_text("image_safety")
    expect(entry).to_contain_text("30 refunded")
    expect(page.locator("#history-counts")).to_have_text("0 running, 0 completed, 1 failed")


def test_a_picture_opens_full_size_with_its_parameters(page: Page, tmp_path: Path) -> None:
    open_playground(page)
    page.get_by_role("radio", name="3:2").check()
    page.get_by_label("Images", exact=True).fill("2")
    generate(page, "Two foxes")
    page.get_by_role("button", name="Open picture 2").click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("heading")).to_have_text("Picture 2 of 2")
    expect(viewer.locator("img")).to_have_js_property("naturalWidth", 1248)
    for words in ("Two foxes", "3:2 · 1K · medium · 2 images", "60 credits charged"):
        expect(viewer).to_contain_text(words)
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_role("heading")).to_have_text("Picture 1 of 2")
    viewer.get_by_role("button", name="Copy link").click()
    expect(viewer.get_by_role("button", name="Copied")).to_be_visible()
    assert "/1.png?expires=" in page.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith("-1.png")
    with Image.open(BytesIO(Path(download.value.path()).read_bytes())) as picture:
        assert picture.size == (1248, 832)
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()


def test_a_picture_becomes_a_reference_of_the_next(page: Page, api: Api) -> None:
    open_playground(page)
    generate(page, "First")
    page.get_by_role("button", name="Open picture 1").click()
    page.get_by_role("button", name="Use as reference").click()
    expect(page.locator(".thumbnails li")).to_have_count(1)
    generate(page, "Second")
    expect(page.locator(".entry")).to_have_count(2)
    expect(page.locator(".entry").first).to_contain_text("1 reference")
    task = api.get("/_emulator/tasks").json()["data"][1]["task_id"]
    assert sent(page)[0]["input_images"] == [api.task(task)["result"]["data"][0]["url"]]


def test_the_history_can_be_used_again_removed_and_cleared(page: Page) -> None:
    open_playground(page)
    page.get_by_role("radio", name="1:2").check()
    generate(page, "Again, please")
    expect(page.locator(".pictures img")).to_have_count(1)
    page.get_by_role("radio", name="auto").check()
    generate(page, "Another")
    expect(page.locator(".entry")).to_have_count(2)
    page.locator(".entry").last.get_by_role("button", name="Use again").click()
    expect(page.get_by_label("Prompt")).to_have_value("Again, please")
    expect(page.get_by_role("radio", name="1:2")).to_be_checked()
    page.locator(".entry").last.get_by_role("button", name="Remove").click()
    expect(page.locator(".entry")).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#history")).to_contain_text("Nothing yet")
    page.reload()
    expect(page.locator("#history-counts")).to_have_text("0 running, 0 completed")


def test_a_picture_in_the_request_is_shown_and_too_much_for_the_browser_to_keep(
    page: Page, api: Api
) -> None:
    open_playground(page)
    page.get_by_role("radio", name="2:3").check()
    generate(page, "Before")
    expect(page.locator(".pictures img")).to_have_count(1)
    page.get_by_role("tab", name="JSON").click()
    page.evaluate("localStorage.setItem('another', 'x'.repeat(5_000_000))")  # of 5.2 million
    body = {"model": "gpt-image-2", "prompt": "After", "input_images": [pictures.data_url()]}
    page.get_by_label("Request body, as raw JSON").fill(json.dumps(body))
    page.get_by_role("tab", name="Form").click()
    expect(page.locator(".thumbnails img")).to_have_js_property("naturalWidth", 300)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator(".pictures img")).to_have_count(2)
    assert [entry["input_images"] for entry in sent(page) if "input_images" in entry] == [[]]
    page.reload()
    expect(page.locator(".entry .prompt")).to_have_text(["After", "Before"])


def test_two_tabs_share_a_history(page: Page) -> None:
    open_playground(page)
    other = page.context.new_page()
    open_playground(other)
    for each in (page, other):
        each.get_by_label("Prompt").fill("At once")
    press = "() => document.getElementById('generate').click()"
    for count in range(2, 9, 2):
        for each in (page, other):
            each.evaluate(press)
        for each in (page, other):
            expect(each.locator(".pictures img")).to_have_count(count)
            expect(each.locator("#history-counts")).to_have_text(f"0 running, {count} completed")


def test_the_clock_of_another_key_ends_no_links(page: Page, server: Process, key: str) -> None:
    open_playground(page)
    generate(page)
    expect(page.locator(".pictures img")).to_have_count(1)
    with Api(server.url, f"{key}-another") as other:
        other.advance("25h")
    page.get_by_role("button", name="API key").click()
    page.get_by_label("Key", exact=True).fill(f"{key}-another")
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator("#account")).to_contain_text("Clock at")
    expect(page.locator(".entry")).to_contain_text("choose that key to see its pictures")
    page.get_by_role("button", name="API key").click()
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator(".pictures img")).to_have_js_property("naturalWidth", 1024)


def test_a_link_that_expired_is_told(page: Page, api: Api) -> None:
    open_playground(page)
    generate(page)
    expect(page.locator(".pictures img")).to_have_count(1)
    api.advance("25h")
    expect(page.locator(".expired")).to_contain_text("stopped working at")
    page.reload()
    expect(page.locator(".expired")).to_contain_text("Expired.")
    entries = api.get("/_emulator/journal").json()["data"]
    assert [each["operation"] for each in entries if "mage" in each["operation"]] == [
        "createImageTask", "getImage",
    ]  # fmt: skip


def test_a_picture_that_did_not_arrive_is_told_and_tried_again(
    page: Page, api: Api, page_errors: PageErrors
) -> None:
    page_errors.allow("status of|net::ERR")
    api.add_fault("media_truncated", times=1)
    open_playground(page)
    generate(page)
    entry = page.locator(".entry")
    expect(entry.locator(".problem")).to_contain_text("A picture did not arrive.")
    entry.get_by_role("button", name="Try again").click()
    expect(page.locator(".pictures img")).to_have_js_property("naturalWidth", 1024)


def test_what_no_version_of_the_page_wrote_is_left_out(page: Page) -> None:
    open_playground(page)
    for number, foreign in enumerate([{}, None, 7, {"taskId": "task_1", "links": []}]):
        page.evaluate(
            "([name, text]) => localStorage.setItem(name, text)",
            [f"gpt-image-emulator.history.{number}", json.dumps(foreign)],
        )
    page.reload()
    generate(page)
    expect(page.locator(".pictures img")).to_have_count(1)
    expect(page.locator("#history-counts")).to_have_text("0 running, 1 completed")


def test_a_page_keeps_its_key_while_another_tab_chooses(page: Page, api: Api) -> None:
    open_playground(page)
    page.evaluate("localStorage.setItem('gpt-image-emulator.key', 'sk-of-another-tab')")
    page.evaluate("sessionStorage.removeItem('gpt-image-emulator.key')")
    generate(page)
    expect(page.locator(".pictures img")).to_have_count(1)
    assert len(creations(api)) == 1


def test_a_stopped_server_is_told(browser: Browser, page_errors: PageErrors) -> None:
    with (
        Process("--database", ":memory:", "--log", "none") as stopping,
        open_context(browser, stopping.url, "sk-test") as context,
    ):
        page = context.new_page()
        open_playground(page)
        expect(page.locator("#account")).to_contain_text("credits")
        stopping.stop()
        expect(page.locator("#problem")).to_contain_text("No answer from the emulator")


def test_a_running_task_of_another_key_waits_for_that_key(page: Page, api: Api) -> None:
    api.command_clock(freeze=True)
    open_playground(page)
    generate(page, SLOW)
    expect(page.locator(".steps")).to_be_visible()
    page.get_by_role("button", name="API key").click()
    page.get_by_label("Key", exact=True).fill("sk-somebody-else-entirely")
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator(".entry")).to_contain_text("choose that key to follow it")


def test_a_task_that_can_not_be_read_is_tried_again(
    page: Page, api: Api, page_errors: PageErrors
) -> None:
    page_errors.allow("status of 404")
    api.add_fault("http_error", status=404, operation="getTask", times=1)
    open_playground(page)
    generate(page)
    entry = page.locator(".entry")
    expect(entry.locator(".problem")).to_be_visible()
    expect(page.locator("#history-counts")).to_have_text("0 running, 0 completed")
    entry.get_by_role("button", name="Try again").click()
    expect(page.locator(".pictures img")).to_have_count(1)
    expect(entry.locator(".problem")).to_have_count(0)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"fault": "reset_before_work"}, "No answer from the emulator"),
        ({"fault": "reset_after_work"}, "No answer from the emulator"),
        ({"fault": "invalid_json"}, "but not with JSON"),
        ({"fault": "proxy_error_page", "status": 502}, "but not with JSON"),
        ({"fault": "http_error", "status": 503}, "No provider could serve the request."),
        ({"fault": "content_policy"}, "content policy"),
    ],
)
def test_what_goes_wrong_on_the_way_is_told_and_the_next_works(
    page: Page, api: Api, page_errors: PageErrors, fault: dict[str, Any], told: str
) -> None:
    page_errors.allow("status of|net::ERR")
    api.post("/_emulator/faults", json={**fault, "operation": "createImageTask"})
    open_playground(page)
    generate(page)
    expect(page.locator("#refused")).to_contain_text(told)
    api.delete("/_emulator/faults")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator(".pictures img")).to_have_count(1)
    expect(page.locator("#refused")).to_be_hidden()
