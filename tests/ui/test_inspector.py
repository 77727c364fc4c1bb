"""The inspector: tasks, a task, callbacks, faults, the clock, the journal, all live."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.support.api import Api
from tests.support.process import Process
from tests.ui.browsing import PageErrors, open_context

NEED_A_SECRET = ("callback_stale_timestamp", "callback_wrong_signature")
SLOW = "[[fault: task_slow seconds=100]]"  # pending for 20 s, processing for 80 s


def open_page(page: Page, path: str) -> None:
    """Open a page of the inspector, and wait until it hears of changes."""
    page.goto(path)
    expect(page.locator("#clock .now time")).to_be_visible()


def now(page: Page) -> str:
    return page.locator("#clock .now time").get_attribute("datetime") or ""


def test_tasks_appear_and_move_by_themselves(page: Page, api: Api) -> None:
    api.command_clock(freeze=True)
    open_page(page, "/inspector")
    expect(page.locator("#section")).to_contain_text("No tasks yet")
    task_id = api.create(prompt=f"A fox {SLOW}")["task_id"]
    row = page.locator("#section tbody tr")
    expect(row).to_contain_text(task_id)
    expect(row).to_contain_text("pending")
    expect(row).to_contain_text("0 ms of 100 s")
    api.advance("30s")
    expect(row).to_contain_text("processing")
    expect(row.locator(".bar svg")).to_have_attribute("aria-label", "30 s of 100 s")
    api.advance("2m")
    expect(row).to_contain_text("succeeded")
    expect(row).to_contain_text("took 100 s")
    api.create(prompt="[[fault: task_fails]]")
    expect(page.locator("#section tbody tr").first).to_contain_text("30 refunded")


def test_a_tasks_page_has_everything_about_it(page: Page, api: Api, server: Process) -> None:
    api.command_clock(freeze=True)
    inbox = f"{server.url}/_emulator/inbox/mine"
    api.put("/_emulator/inbox/mine", json={"answers": [{"status": 500}, {"status": 200}]})
    task_id = api.create(prompt=f"A whole story {SLOW}", n=2, callback_url=inbox)["task_id"]
    open_page(page, f"/inspector/tasks/{task_id}")
    points = page.locator(".timeline li")
    expect(points).to_have_count(4)
    expect(page.locator(".timeline .done")).to_have_count(1)
    expect(page.locator(".timeline .planned").first).to_contain_text("20 s after creation")
    expect(page.get_by_label("The body that was sent")).to_contain_text('"n": 2')
    expect(page.locator(".facts")).to_contain_text("1024x1024")
    expect(page.locator("#section")).to_contain_text("The callback goes out when the task ends.")
    api.advance("2m")
    expect(page.locator(".timeline .done")).to_have_count(3)
    pictures = page.locator(".pictures img")
    expect(pictures).to_have_count(2)
    for picture in pictures.all():
        expect(picture).to_have_js_property("naturalWidth", 1024)
    answer = page.get_by_label("The task as polling shows it")
    expect(answer).to_contain_text('"status": "succeeded"')
    kinds = page.locator("section", has_text="Ledger").locator("tbody tr td:nth-child(3)")
    expect(kinds).to_have_text(["reservation", "consumption"])
    attempts = page.locator(".delivery tbody tr")
    expect(attempts).to_have_count(2)
    expect(attempts.first).to_contain_text("500")
    page.get_by_role("button", name="Redeliver").click()
    expect(attempts).to_have_count(3)
    expect(page.locator("#journal-title + .journal li")).to_have_count(1)


def test_looking_on_leaves_no_trace(page: Page, api: Api) -> None:
    task_id = api.create()["task_id"]
    api.add_fault("link_dead", times=1)
    open_page(page, f"/inspector/tasks/{task_id}")
    expect(page.locator(".pictures img")).to_have_js_property("naturalWidth", 1024)
    entries = api.get("/_emulator/journal").json()["data"]
    assert [entry["operation"] for entry in entries] == ["createImageTask"]
    (fault,) = api.get("/_emulator/faults").json()["data"]
    assert fault["hits"] == 0


def test_a_running_task_is_ended_by_hand(page: Page, api: Api) -> None:
    api.command_clock(freeze=True)
    task_id = api.create(prompt=SLOW)["task_id"]
    open_page(page, f"/inspector/tasks/{task_id}")
    page.get_by_label("End it now").select_option("content_filter")
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.locator("#section .problem")).to_contain_text("content_filter")
    assert api.task(task_id)["credits"] == {"reserved": 30, "charged": 0, "refunded": 30}


def test_a_task_of_nobody_says_so(page: Page, page_errors: PageErrors) -> None:
    page_errors.allow("status of 404")
    page.goto("/inspector/tasks/task_of_nobody")
    expect(page.locator("#problem")).to_contain_text("task_of_nobody")


def test_freezing_moving_and_resuming_the_clock(page: Page, api: Api, server: Process) -> None:
    open_page(page, "/inspector")
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("#clock")).to_contain_text("Stands still")
    stands_at = now(page)
    dead_end = "http://127.0.0.1:9/hook"
    task_id = api.create(prompt=SLOW, callback_url=dead_end)["task_id"]
    steps = page.locator(".steps-done > li")
    page.get_by_role("button", name="+1 min").click()
    expect(steps).to_have_count(1)
    expect(steps.first).to_contain_text(re.compile(rf"{task_id}\s+started"))
    page.get_by_role("button", name="+1 h").click()
    expect(steps).to_have_count(2)
    expect(steps.first).to_contain_text(re.compile(rf"{task_id}\s+succeeded"))
    expect(steps.first).to_contain_text("attempt 1: no connection to 127.0.0.1:9")
    page.get_by_role("button", name="+25 h").click()
    expect(steps.first).to_contain_text("links expired")
    page.get_by_label("Advance by").fill("90s")
    page.get_by_role("button", name="Advance", exact=True).click()
    expect(steps.first).to_contain_text("Nothing fell due.")
    assert api.get("/_emulator/clock").json()["frozen"] is True
    moved = datetime.fromisoformat(now(page)) - datetime.fromisoformat(stands_at)
    assert moved == timedelta(minutes=1, hours=26, seconds=90)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#clock")).to_contain_text("ahead of real time")


def test_a_step_that_is_none_is_told(page: Page, page_errors: PageErrors) -> None:
    page_errors.allow("status of 400")
    open_page(page, "/inspector")
    page.get_by_label("Advance by").fill("soon")
    page.get_by_role("button", name="Advance", exact=True).click()
    expect(page.locator("#refused")).to_contain_text('"soon" was sent')


def test_callbacks_with_their_attempts_and_the_inbox(page: Page, api: Api, server: Process) -> None:
    open_page(page, "/inspector/callbacks")
    expect(page.locator("#section")).to_contain_text("No deliveries yet")
    api.create(callback_url=f"{server.url}/_emulator/inbox/mine")
    delivery = page.locator(".delivery")
    expect(delivery).to_contain_text("delivered")
    message = page.locator(".inbox .journal li")
    expect(message).to_have_count(1)
    message.locator("summary").click()
    expect(message.get_by_label("Body")).to_contain_text('"status": "succeeded"')
    delivery.get_by_role("button", name="Redeliver").click()
    expect(message).to_have_count(2)
    expect(delivery.locator("tbody tr")).to_have_count(2)


def test_faults_are_added_counted_and_removed(page: Page, api: Api) -> None:
    open_page(page, "/inspector/faults")
    expect(page.locator("#section")).to_contain_text("Nothing goes wrong")
    page.get_by_label("Fault", exact=True).select_option("http_error")
    page.get_by_label("status", exact=True).select_option("429")
    page.get_by_label("retry_after_seconds").fill("7")
    page.get_by_text("Which requests, and how often").click()
    page.get_by_label("Operation").select_option("createImageTask")
    page.get_by_label("The prompt contains").fill("42")
    page.get_by_label("times", exact=True).fill("1")
    page.get_by_role("button", name="Add the fault").click()
    fault = page.locator(".fault")
    expect(fault).to_contain_text("0 hits")
    body = {"model": "gpt-image-2", "prompt": "The answer is 42"}
    response = api.post("/v1/images/generations", json=body)
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    expect(fault).to_contain_text("1 hit of 1 match, used up")
    assert api.post("/v1/images/generations", json=body).status_code == 202
    page.get_by_role("button", name="Remove fault 1").click()
    expect(fault).to_have_count(0)


def test_every_fault_of_the_catalogue_can_be_added_as_it_stands(
    page: Page, api: Api, page_errors: PageErrors
) -> None:
    page_errors.allow("status of 400")
    open_page(page, "/inspector/faults")
    catalogue = [each["fault"] for each in api.get("/_emulator/fault-catalogue").json()["data"]]
    names = [name for name in catalogue if name not in NEED_A_SECRET]
    assert len(names) == len(catalogue) - len(NEED_A_SECRET)
    for count, name in enumerate(names, 1):
        page.get_by_label("Fault", exact=True).select_option(name)
        page.get_by_role("button", name="Add the fault").click()
        expect(page.locator(".fault")).to_have_count(count)
    page.get_by_role("button", name="Add the preset strict").click()
    expect(page.locator(".fault").nth(len(names))).to_be_visible()
    page.get_by_role("button", name="Remove all").click()
    expect(page.locator(".fault")).to_have_count(0)
    page.get_by_label("Fault", exact=True).select_option(NEED_A_SECRET[0])
    page.get_by_role("button", name="Add the fault").click()
    expect(page.locator("#refused")).to_contain_text("--callback-secret")


def test_the_journal_with_filters_and_the_reason_of_each_refusal(page: Page, api: Api) -> None:
    open_page(page, "/inspector/journal")
    expect(page.locator("#section")).to_contain_text("No requests")
    api.create(prompt="A cat")
    api.post("/v1/images/generations", json={"model": "gpt-image-2", "prompt": "A dog", "n": "2"})
    entries = page.locator(".journal > li")
    expect(entries).to_have_count(2)
    page.get_by_label("Status").select_option("4xx")
    expect(entries).to_have_count(1)
    expect(entries.locator(".reason")).to_have_text(
        re.compile("invalid_type n must be a whole number")
    )
    entries.locator("summary").click()
    reason = entries.locator("dl.facts")
    for words in ("Refused because", "n must be a whole number from 1 to 10", "GEN-10"):
        expect(reason).to_contain_text(words)
    for words in ("n: 2", '"prompt": "A dog"'):
        expect(entries).to_contain_text(words)
    assert "status=4xx" in page.url
    page.get_by_label("Status").select_option("")
    page.get_by_label("Body contains").fill("cat")
    page.get_by_label("Body contains").press("Enter")
    expect(entries).to_have_count(1)
    expect(entries).to_contain_text("202")
    page.get_by_label("Body contains").fill("")
    page.get_by_label("Body contains").press("Enter")
    expect(entries).to_have_count(2)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear").click()
    expect(entries).to_have_count(0)


def test_each_filter_of_the_journal_filters(page: Page, api: Api) -> None:
    task_id = api.create()["task_id"]
    api.task(task_id)
    api.get("/v1/models")
    open_page(page, "/inspector/journal")
    entries = page.locator(".journal > li")
    expect(entries).to_have_count(3)
    for label, value, paths in (
        ("Operation", "getTask", [f"/v1/tasks/{task_id}"]),
        ("Method", "POST", ["/v1/images/generations"]),
        ("Path contains", "models", ["/v1/models"]),
        ("Task", task_id, [f"/v1/tasks/{task_id}", "/v1/images/generations"]),
    ):
        field = page.get_by_label(label, exact=True)
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
            field.press("Enter")
        expect(entries.locator("summary code")).to_have_text(paths)
        page.goto("/inspector/journal")
        expect(entries).to_have_count(3)


def test_what_is_older_is_there_on_demand(page: Page, api: Api, server: Process) -> None:
    hook = f"{server.url}/_emulator/inbox/many"
    for _ in range(101):
        api.create(callback_url=hook)
    for path, rows, more, first in (
        ("/inspector", "#section tbody tr", "Older tasks", 50),
        ("/inspector/journal", ".journal > li", "Older requests", 50),
        ("/inspector/callbacks", ".delivery", "Older deliveries", 100),
    ):
        open_page(page, path)
        expect(page.locator(rows)).to_have_count(first)
        page.get_by_role("button", name=more).click()
        expect(page.locator(rows)).to_have_count(min(2 * first, 101))


def test_a_tasks_page_knows_its_request_after_many_polls(page: Page, api: Api) -> None:
    task_id = api.create(prompt="Asked for often", seed=7)["task_id"]
    for _ in range(60):
        api.task(task_id)
    open_page(page, f"/inspector/tasks/{task_id}")
    expect(page.get_by_label("The body that was sent")).to_contain_text('"seed": 7')
    page.get_by_role("link", name="journal of this task").click()
    expect(page.locator(".card-head").last).to_contain_text("61 requests")


def test_what_is_typed_while_an_answer_is_on_its_way_stays(page: Page, api: Api) -> None:
    api.create(prompt="A cat")
    api.create(prompt="A dog")
    open_page(page, "/inspector/journal")
    entries = page.locator(".journal > li")
    expect(entries).to_have_count(2)
    page.route("**/_emulator/journal?*body=cat*", lambda _: None)  # held
    field = page.get_by_label("Body contains")
    field.fill("cat")
    with page.expect_request("**/_emulator/journal?*body=cat*"):
        field.press("Enter")
    field.fill("catt")
    page.unroute_all()  # let go
    expect(entries).to_have_count(1)
    expect(field).to_have_value("catt")


def test_an_entry_that_is_open_stays_open_while_others_come(page: Page, api: Api) -> None:
    api.create()
    open_page(page, "/inspector/journal")
    entries = page.locator(".journal > li")
    entries.first.locator("summary").click()
    api.create()
    expect(entries).to_have_count(2)
    expect(entries.last.locator("details")).to_have_attribute("open", "")
    expect(entries.first.locator("details")).not_to_have_attribute("open", "")


def test_a_restart_of_the_server_is_told_and_got_over(
    browser: Browser, page_errors: PageErrors, tmp_path: Path
) -> None:
    flags = ("--database", str(tmp_path / "state.db"), "--log", "none")
    with Process(*flags) as first:
        url = first.url
        with open_context(browser, url, "sk-restart") as context:
            page = context.new_page()
            open_page(page, "/inspector")
            expect(page.locator("#section")).to_contain_text("No tasks yet")
            first.stop()
            expect(page.locator("#problem")).to_contain_text("No answer from the emulator")
            with (
                Process(*flags, "--port", url.rpartition(":")[2]),
                Api(url, "sk-restart") as api,
            ):
                task_id = api.create()["task_id"]
                expect(page.locator("#section")).to_contain_text(task_id)
                expect(page.locator("#problem")).to_be_empty()


def test_updates_come_by_server_sent_events(page: Page) -> None:
    with page.expect_response("**/_emulator/events") as response:
        open_page(page, "/inspector")
    assert response.value.headers["content-type"].startswith("text/event-stream")
