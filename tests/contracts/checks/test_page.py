"""The judge of the model's page."""

import pytest

from contracts.checks import page
from contracts.exchange import Exchange
from tests.contracts.support import exchange, findings, summary

IDS = [f"PAGE-{number}" for number in range(1, 7)]
WHOLE = """<html><h1>Playground</h1> Prompt, Size, Resolution, Quality. Form or raw JSON.
Use reference images: up to 16. Estimate: USD 0.015 to 0.03. History: 1 running, 2 complete.
Billing. Authentication. Endpoint. Parameters. Request and response.
API keys are made in the <a href="/console">console</a>.</html>"""


def root(body: str, kind: str = "text/html; charset=utf-8", status: int = 200) -> Exchange:
    headers = {"Content-Type": kind}
    return exchange("GET", "/", status=status, answer=body.encode(), answer_headers=headers)


def test_a_whole_page() -> None:
    found = findings(page.has_its_parts, root(WHOLE))
    assert summary(found) == [(claim, "holds") for claim in IDS]


@pytest.mark.parametrize(
    ("removed", "claim", "missing"),
    [
        ("Resolution", "PAGE-1", "no resolution"),
        ("JSON", "PAGE-1", "no json"),
        ("16", "PAGE-2", "no 16"),
        ("USD", "PAGE-3", "no usd"),
        ("running", "PAGE-4", "no running"),
        ("Billing", "PAGE-5", "no billing"),
        ("API keys", "PAGE-6", "no api key"),
    ],
)
def test_a_part_is_missing(removed: str, claim: str, missing: str) -> None:
    found = findings(page.has_its_parts, root(WHOLE.replace(removed, "")))
    assert summary(found) == [(one, "breaks" if one == claim else "holds") for one in IDS]
    assert [one.message for one in found if one.message] == [f"the page at / has {missing}"]


@pytest.mark.parametrize(("target", "outcomes"), [("other", []), ("emulator", ["breaks"] * 6)])
def test_what_scripts_draw_is_not_in_the_html(target: str, outcomes: list[str]) -> None:
    found = findings(page.has_its_parts, root("<script src=app.js></script>"), target=target)
    assert [one.outcome.value for one in found] == outcomes


@pytest.mark.parametrize(
    ("seen", "outcomes"),
    [
        (root("{}", "application/json", 404), ["unsupported"] * 6),
        (root("{}", "application/json"), ["unsupported"] * 6),
        (root("", status=503), []),
        (exchange("GET", "/docs", answer=b"x"), []),
        (exchange("GET", "http://elsewhere.test/", answer=b"x"), []),
        (exchange("POST", "/", answer=b"x"), []),
    ],
)
def test_no_page(seen: Exchange, outcomes: list[str]) -> None:
    found = findings(page.has_its_parts, seen)
    assert [one.outcome.value for one in found] == outcomes
