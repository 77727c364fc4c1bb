"""The API's reference, and the examples that follow the playground's form."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contracts.claims import load_claims
from emulator.core.frame import SIZES
from tests.support import contract
from tests.support.api import Api
from tests.ui import pictures
from tests.ui.test_playground import open_playground

OPERATIONS = {
    item[method]["operationId"]: (method.upper(), path)
    for path, item in contract.document()["paths"].items()
    for method in item
    if method in ("get", "post")
}
PROMPT = 'It\'s a "quoted" $fox\n\\ <b>'


def test_every_operation_is_there_with_its_parameters_and_errors(page: Page) -> None:
    page.goto("/reference")
    for operation_id, (method, path) in OPERATIONS.items():
        endpoint = page.locator(f"article#{operation_id}")
        expect(endpoint.locator(".path")).to_contain_text(method)
        expect(endpoint.locator(".path")).to_contain_text(path)
        responses = contract.document()["paths"][path][method.lower()]["responses"]
        shown = endpoint.locator(".status").all_inner_texts()
        assert set(responses) <= set(shown)
    creation = contract.document()["components"]["schemas"]["CreationRequest"]["properties"]
    names = page.locator("#createImageTask .rows").first.locator("tbody th code")
    assert names.all_inner_texts() == list(creation)
    size = page.locator("#createImageTask tr", has=page.locator("th code", has_text="size")).first
    expect(size).to_contain_text(f"Options: {', '.join(SIZES)}. Default: auto.")
    expect(page.locator("#createImageTask .rows").first).to_contain_text("Range: 1 to 10.")


def examples(response: dict[str, Any]) -> list[Any]:
    """The example bodies of a response of the description."""
    found = contract.resolve(response)
    contents: list[dict[str, Any]] = list(found.get("content", {}).values())
    named = contents[0].get("examples", {}) if contents else {}
    return [contract.resolve(example)["value"] for example in named.values()]


def test_every_example_and_every_error_message_is_there(page: Page) -> None:
    page.goto("/reference")
    errors = page.locator("#errors").inner_text()
    first: dict[tuple[str, str], str] = {}
    for operation_id, (method, path) in OPERATIONS.items():
        shown = page.locator(f"article#{operation_id} .answer pre").all_text_contents()
        responses = contract.document()["paths"][path][method.lower()]["responses"]
        for status, response in responses.items():
            for value in examples(response):
                if status < "400":
                    assert json.dumps(value, indent=2, ensure_ascii=False) in shown
                else:
                    error = value["error"]
                    first.setdefault((status, error["code"]), error["message"])
    for message in first.values():
        assert " ".join(message.split()) in errors


def test_each_row_names_its_claims_with_level_and_source(page: Page) -> None:
    page.goto("/reference")
    for rows in (".endpoint .rows tbody tr", "#errors tbody tr", ".errors li", ".answer"):
        assert page.locator(rows).count() > 10
        assert page.locator(f"{rows}:not(:has(.claim))").count() == 0
    row = page.locator("#createImageTask tr", has=page.locator("th code", has_text="quality"))
    claim = load_claims()["GEN-9"]
    words = f"GEN-9 {claim.level}, {' '.join(claim.sources)}"
    expect(row.get_by_role("link", name=words)).to_be_visible()
    row.get_by_role("link", name=words).click()
    target = page.locator("tr:target")
    expect(target).to_contain_text("GEN-9")
    expect(target).to_be_in_viewport()
    assert page.locator("#claims tbody tr").count() == len(list(load_claims()))


def choose(page: Page, language: str) -> str:
    """The request example of the creation in a language."""
    page.locator(".example").first.get_by_role("button", name=language).click()
    return page.get_by_label(f"Request example in {language}").first.inner_text()


def fill(page: Page) -> None:
    """Fill the whole of the playground's form."""
    open_playground(page)
    page.get_by_label("Prompt").fill(PROMPT)
    page.get_by_role("radio", name="21:9").check()
    page.get_by_label("Images", exact=True).fill("3")
    page.get_by_text("Callback", exact=True).click()
    page.get_by_role("button", name="Use the inbox").click()
    pictures.paste(page)
    expect(page.locator(".thumbnails img")).to_have_count(1)
    expect(page.locator(".thumbnails .waiting")).to_have_count(0)


def assert_made(api: Api) -> None:
    """The example made the task that the form describes."""
    (task,) = api.get("/_emulator/tasks").json()["data"]
    assert task["request"] == {
        "model": "gpt-image-2", "prompt": PROMPT, "size": "21:9", "resolution": "1K",
        "quality": "medium", "n": 3, "pixels": "1536x656", "references": 1, "mask": False,
    }  # fmt: skip
    assert task["callback_url"].endswith("/_emulator/inbox/playground")


@pytest.mark.parametrize("path", ["/", "/reference"])
def test_the_curl_example_is_the_forms_request_and_runs(
    page: Page, api: Api, key: str, path: str
) -> None:
    fill(page)
    if path != "/":
        page.goto(path)
    text = choose(page, "curl").replace("YOUR_API_KEY", key)
    done = subprocess.run(["bash", "-c", f"{text} -s"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["credits"] == {"reserved": 90}
    assert_made(api)


def test_the_python_example_runs(page: Page, api: Api, key: str, tmp_path: Path) -> None:
    fill(page)
    script = tmp_path / "example.py"
    text = choose(page, "Python").replace("YOUR_API_KEY", key)
    script.write_text(text.replace("import httpx\n", "import httpx2 as httpx\n"), "utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("202 ")
    assert_made(api)


def test_the_javascript_example_runs(page: Page, api: Api, key: str) -> None:
    fill(page)
    text = choose(page, "JavaScript").replace("YOUR_API_KEY", key)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", text], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("202 ")
    assert_made(api)


def test_every_curl_example_is_one_command_for_its_route(page: Page) -> None:
    page.goto("/reference")
    expect(page.get_by_label("Request example in curl")).to_have_count(len(OPERATIONS))
    for operation_id, (method, path) in OPERATIONS.items():
        example = page.locator(f"#{operation_id} .example .code")
        arguments = shlex.split(example.inner_text().replace("\\\n", " "))
        assert arguments[0] == "curl"
        assert arguments[1].startswith(page.url.partition("/reference")[0] + path.partition("{")[0])
        assert (method == "POST") == bool({"-d", "-F"} & set(arguments))


def test_the_chosen_language_holds_for_all_and_the_copy_button_copies(page: Page) -> None:
    page.goto("/reference")
    choose(page, "Python")
    page.reload()
    expect(page.get_by_label("Request example in Python")).to_have_count(len(OPERATIONS))
    page.locator(".example").first.get_by_role("button", name="Copy").click()
    expect(page.locator(".example").first.get_by_role("button", name="Copied")).to_be_visible()
    assert "import httpx" in page.evaluate("navigator.clipboard.readText()")
