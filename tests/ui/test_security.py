"""The usual attacks: everything that a client sent is text, and a key stays a secret."""

from collections.abc import Iterator
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.support.api import Api
from tests.support.process import Process
from tests.ui import pictures
from tests.ui.browsing import PageErrors, open_all, open_context
from tests.ui.test_playground import generate, open_playground

ATTACKS = (
    "<script>window.attacked = 1</script>",
    "<img src=x onerror='window.attacked = 1'>",
    '"><svg onload=window.attacked=1>',
    "'-alert(1)-'${window.attacked = 1}{{7*7}}",
    "</textarea><iframe srcdoc='<script>parent.attacked = 1</script>'>",
    "javascript:window.attacked=1",
    "&lt;b&gt;\u202eevil\u2066\x07",
)
PAGES = ("/", "/reference", "/console", "/inspector", "/inspector/callbacks",
         "/inspector/faults", "/inspector/journal")  # fmt: skip


def assert_harmless(page: Page) -> None:
    assert page.evaluate("window.attacked") is None
    assert page.locator("main iframe, main script, main [onerror], main [onload]").count() == 0


def send_everywhere(api: Api, inbox: str, attack: str) -> str:
    """Send a text in each place that the pages show; return the task that it is in."""
    api.put("/_emulator/inbox/mine", json={"answers": [{"status": 500, "body": attack}]})
    api.add_fault("task_hangs", prompt=attack[:90] + "never")
    api.post("/_emulator/keys", json={"name": attack})
    task_id: str = api.create(prompt=attack, callback_url=inbox)["task_id"]
    api.advance("1s")  # called once, so answered with this text
    body = {"model": attack, "prompt": attack, attack: attack}
    api.post("/v1/images/generations", json=body, headers={"User-Agent": quote(attack)})
    api.get(f"/v1/{quote(attack)}")
    return task_id


def shown(text: str) -> str:
    """As much of a text as every place shows, without what no page can show."""
    return text.replace("\x07", "")[:20]


def test_what_clients_send_is_shown_as_text(page: Page, api: Api, server: Process) -> None:
    api.command_clock(freeze=True)
    inbox = f"{server.url}/_emulator/inbox/mine"
    task_ids = [send_everywhere(api, inbox, attack) for attack in ATTACKS]
    places = [
        ("/inspector", "#section tbody tr"),
        ("/inspector/callbacks", ".delivery"),
        ("/inspector/faults", ".fault"),
        ("/console", "#keys tbody tr"),
    ]
    for path, rows in places:
        page.goto(path)
        for attack in ATTACKS:
            expect(page.locator(rows, has_text=shown(attack)).first).to_be_visible()
        open_all(page)
        assert_harmless(page)
    page.goto("/inspector/journal")
    expect(page.locator(".journal > li")).to_have_count(3 * len(ATTACKS))
    open_all(page)
    assert_harmless(page)
    for task_id, attack in zip(task_ids, ATTACKS, strict=True):
        page.goto(f"/inspector/tasks/{task_id}")
        expect(page.locator(".prompt.whole")).to_contain_text(shown(attack))
        expect(page.locator(".delivery")).to_contain_text(shown(attack))
        open_all(page)
        assert_harmless(page)


def test_prompts_and_file_names_are_text_in_the_playground(page: Page) -> None:
    open_playground(page)
    page.get_by_role("switch", name="Use reference images").check()
    files = [pictures.file(f"{attack[:40]}.png") for attack in ATTACKS]
    page.locator("#reference-files").set_input_files(files)
    expect(page.locator(".thumbnails img")).to_have_count(len(ATTACKS))
    expect(page.locator(".thumbnails .waiting")).to_have_count(0)
    for count, attack in enumerate(ATTACKS, 1):
        generate(page, attack)
        expect(page.locator(".pictures img")).to_have_count(count)
        for language in ("curl", "Python", "JavaScript"):
            page.locator(".example").get_by_role("button", name=language).click()
            assert_harmless(page)
    page.get_by_role("button", name="Open picture 1").first.click()
    assert_harmless(page)
    page.reload()
    expect(page.locator(".entry")).to_have_count(len(ATTACKS))
    assert_harmless(page)


def test_a_callback_that_looks_like_a_template_is_shown_as_it_is(
    page: Page, api: Api, server: Process
) -> None:
    for status in ({"_$litType$": 1, "strings": ["<b>"], "values": []}, {"_$litDirective$": 1}, 7):
        api.post("/_emulator/inbox/odd", json={"status": status})
    page.goto("/inspector/callbacks")
    expect(page.locator(".inbox .journal > li")).to_have_count(3)
    open_all(page)
    assert_harmless(page)


def test_what_is_kept_in_the_browser_is_text_too(page: Page) -> None:
    open_playground(page)
    page.evaluate(
        """(attack) => localStorage.setItem('gpt-image-emulator.history.1', JSON.stringify({
          taskId: attack, status: attack, reserved: 1, keyHint: attack, problem: attack,
          createdAt: attack, request: { prompt: attack, size: attack },
          links: ['javascript:window.attacked=1', 'https://evil.example/x.png', attack],
        }))""",
        ATTACKS[1],
    )
    page.reload()
    expect(page.locator(".entry")).to_have_count(1)
    assert_harmless(page)
    assert page.locator("img[src^='https:'], a[href^='javascript:']").count() == 0


def test_a_key_is_in_no_address_and_goes_to_this_server_alone(
    page: Page, api: Api, key: str, server: Process
) -> None:
    api.create()
    seen: list[Request] = []
    page.context.on("request", lambda request: seen.append(request))
    open_playground(page)
    generate(page)
    expect(page.locator(".pictures img")).to_have_js_property("naturalWidth", 1024)
    for path in PAGES:
        page.goto(path)
        expect(page.locator("#account")).to_contain_text("sk-")
    urls = [request.url for request in seen]
    for part in ("/v1/images/generations", "/v1/tasks/", "/media/", "/_emulator/events"):
        assert any(part in url for url in urls)
    assert not [url for url in urls if key in url or quote(key) in url]
    assert {url.split("/")[2] for url in urls} == {server.url.split("/")[2]}
    assert key not in (page.evaluate("JSON.stringify(localStorage)"))
    assert key not in page.content()


def test_a_key_is_kept_for_the_tab_unless_it_is_to_be_remembered(
    browser: Browser, server: Process
) -> None:
    with open_context(browser, server.url, "") as context:
        page = context.new_page()
        page.goto("/console")
        for remember in (False, True):
            page.get_by_role("button", name="API key").click()
            page.get_by_label("Key", exact=True).fill("sk-kept-in-a-browser")
            page.get_by_label("Keep it in this browser").set_checked(remember)
            page.get_by_role("button", name="Use this key").click()
            expect(page.locator("#account")).to_contain_text("sk-ke…er")
            other = context.new_page()
            other.goto("/console")
            shown = "sk-ke…er" if remember else "sk-test"
            expect(other.locator("#account")).to_contain_text(shown)
            other.close()


def test_a_control_token_is_asked_for_and_kept_like_a_key(
    browser: Browser, page_errors: PageErrors
) -> None:
    token = "a-token-for-the-console"
    with (
        Process("--database", ":memory:", "--log", "none", "--control-token", token) as locked,
        open_context(browser, locked.url, "sk-test") as context,
    ):
        page = context.new_page()
        page.goto("/console")
        expect(page.locator("#problem")).to_contain_text("X-Emulator-Token must be the token")
        page.get_by_role("button", name="API key").click()
        page.get_by_label("Control token").fill(token)
        page.get_by_role("button", name="Use this key").click()
        expect(page.locator("#account")).to_contain_text("100,000 credits")
        page.goto("/inspector")
        expect(page.locator("#section")).to_contain_text("No tasks yet")
        assert page.evaluate("localStorage.length") == 0


@pytest.fixture
def raw(server: Process) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", [*PAGES, "/ui/app.css", "/ui/page.js", "/ui/icon.svg"])
def test_the_policy_lets_nothing_in_from_elsewhere(raw: httpx2.Client, path: str) -> None:
    headers = raw.get(path).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_an_inline_script_or_style(raw: httpx2.Client, path: str) -> None:
    text = raw.get(path).text
    assert text.count("<script") == text.count('<script type="module" src="/ui/')
    for attribute in (" style=", " onclick=", " onload=", " onerror=", "<style", "javascript:"):
        assert attribute not in text
    assert "https://" not in text.replace("https://client.example", "")


@pytest.mark.parametrize("path", [*PAGES, "/ui/app.css"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example"])
def test_a_name_that_points_here_gets_no_page(raw: httpx2.Client, path: str, host: str) -> None:
    response = raw.get(path, headers={"Host": host})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "host_not_allowed"


@pytest.mark.parametrize(
    "name",
    [
        "../pages.py", "..%2fpages.py", "%2e%2e/pages.py", "vendor/lit-html/LICENSE", "app.css/",
        "/etc/passwd", "vendor/../app.css", "app.css%00.js", "", "templates/base.html",
    ],
)  # fmt: skip
def test_only_the_pages_own_files_are_served(raw: httpx2.Client, name: str) -> None:
    assert raw.get(f"/ui/{name}").status_code in (404, 200 if name == "vendor/../app.css" else 404)


def test_a_page_of_another_site_can_not_move_the_clock(api: Api) -> None:
    """As a browser sends it where it says nothing of the site: over plain HTTP."""
    response = api.post(
        "/_emulator/clock", json={"freeze": True}, headers={"Origin": "http://evil.example"}
    )
    assert response.status_code == 403
    assert api.get("/_emulator/clock").json()["frozen"] is False
