import base64
import hashlib
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.exchange import ImageFacts, Request, Response, Trace
from contracts.findings import Outcome
from contracts.images import image_facts
from contracts.report_html import to_html
from contracts.verdict import Verdict
from tests.contracts.page_reader import Element, Page, read_page
from tests.contracts.report_samples import (
    BASE_URL,
    CLAIMS,
    JSON,
    LINK,
    answer,
    exchange,
    finding,
    png,
    run,
    trace,
    verdict,
)

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'--></style></details>"
    "\x00\x1b[2J\u202eevil\u202c\ud800 שלום `<b>` [here](https://evil.example) {}"
)


def page(**changes: Any) -> Page:
    return read_page(to_html(run(**changes), CLAIMS, {"lives.something": "Compares `a` with b."}))


def row(page: Page, claim_id: str) -> Element:
    anchor = page.all("div", id=f"claim-{claim_id}")[0]
    return next(e for e in anchor.above if e.name == "tr")


def test_the_header_tells_target_profile_mode_and_what_came_of_it() -> None:
    found = page(strict=True)
    header = found.all("header")[0].text
    for words in (BASE_URL, "model-page", "paid, strict", "2026-11-23 02:13 UTC", "95.5 s"):
        assert words in header
    assert found.all("h2", id="verdicts")[0].text == "1 of 7 claims fails"
    bar = found.all("div", class_="bar")[0]
    assert bar.attributes["aria-label"] == (
        "1 pass, 1 fail, 1 non-strict, 1 observed, 1 unsupported, 1 not run, 1 engine error"
    )
    assert "240 of 600 credits" in found.all("section", aria_labelledby="cost")[0].text


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        ([], "No claim fails; 0 of 0 were decided"),
        ([verdict("AUTH-1", Verdict.PASS)], "No claim fails; 1 of 1 were decided"),
        (
            [verdict("AUTH-1", Verdict.PASS), verdict("UPL-1", Verdict.NOT_RUN)],
            "No claim fails; 1 of 2 were decided",
        ),
        ([verdict("AUTH-1", Verdict.ENGINE_ERROR)], "1 of 1 claim could not be judged"),
        (
            [verdict("AUTH-1", Verdict.FAIL), verdict("UPL-1", Verdict.FAIL)],
            "2 of 2 claims fail",
        ),
    ],
)
def test_one_sentence_says_what_came_of_it(verdicts: Any, sentence: str) -> None:
    assert page(verdicts=verdicts).all("h2", id="verdicts")[0].text == sentence


def test_every_claim_has_a_row_below_its_section() -> None:
    found = page()
    heads = [e.text for e in found.all("th", role="columnheader")]
    assert heads == ["Verdict", "Id", "Claim", "Level", "Strength", "Reading"]
    sections = [e.text for e in found.all("th", role="rowheader")]
    assert sections == ["Transport, authentication, errors", "The task's life", "Credits"]
    verdicts = [
        e.attributes["data-verdict"] for e in found.all("tr") if "data-verdict" in e.attributes
    ]
    assert verdicts == [v.verdict for v in run().judgement.verdicts]
    success = row(found, "TASK-2").text
    for words in (
        "◦ observed",
        "conflicting",
        "MUST",
        "reading A: succeeded",
        "(profile reference)",
    ):
        assert words in success


def test_a_row_opens_to_evidence_checks_and_findings() -> None:
    found = page()
    text = row(found, "TASK-5").text
    for words in (
        "model is missing",
        "A task that was read after its end.",
        "the model's own page, the reference pages",
        "lives.something Compares a with b.",
        "1 observation",
        "breaks model is missing",
    ):
        assert words in text
    is_open = {
        e.text.split(" ")[0]: "open" in next(a for a in e.above if a.name == "details").attributes
        for e in found.all("summary")
        if any(a.name == "table" and "claims" in (a.attributes.get("class") or "") for a in e.above)
    }
    assert sum(is_open.values()) == 2, "a failure and an engine error"


def test_findings_link_to_the_exchanges_and_every_link_leads_somewhere() -> None:
    found = page()
    ids = found.ids()
    assert len(ids) == len(set(ids))
    links = [str(e.attributes["href"]) for e in found.all("a")]
    assert all(link.startswith("#") and link[1:] in ids for link in links)
    inside = [
        e.attributes["href"]
        for e in found.all("a")
        if any(a.attributes.get("id") == "claim-TASK-5" for a in e.above)
    ]
    assert inside == ["#exchange-1", "#exchange-2"]


def test_exchanges_show_request_and_answer_indented() -> None:
    found = page()
    creation = found.all("div", id="exchange-1")[0]
    assert '{\n  "model": "gpt-image-2",\n  "prompt": "A lighthouse",' in creation.text
    assert "2026-11-23 02:13:21 UTC by key-1: a picture" in creation.text
    assert "Bearer key-1" in creation.text
    summary = next(e for e in found.all("summary") if e.above[-1] == creation.above[-1])
    assert summary.text == "#1POST/v1/images/generations202 in 34 ms"
    lost = found.all("div", id="exchange-6")[0]
    assert "None came: the connection was closed" in lost.text


def test_a_callback_is_told_as_one() -> None:
    found = page(
        verdicts=[verdict("TASK-5", Verdict.FAIL, "", finding("TASK-5", Outcome.BREAKS, "", 5))]
    )
    callback = found.all("div", id="exchange-5")[0].text
    assert "as a callback of the target" in callback
    assert "Callback1 header" in callback


def test_pictures_show_what_was_asked_and_what_was_decoded() -> None:
    found = page()
    picture = found.all("li", class_="picture")[0]
    assert picture.text == (
        "asked4:3 at 1K, quality highframe1152 × 864 pxdecoded64 × 48 px, PNGseen in#3"
    )
    source = str(found.all("img")[0].attributes["src"])
    assert source.startswith("data:image/jpeg;base64,")
    assert base64.b64decode(source.partition(",")[2]).startswith(b"\xff\xd8")
    assert found.all("img")[0].attributes["alt"] == "A PNG of 64 × 48 pixels"


def test_what_was_no_picture_is_shown_as_such() -> None:
    broken = trace()
    response = Response(200, (("content-type", "image/png"),), b"", image_facts(b"none"))
    broken.exchanges[2] = exchange(3, Request("GET", LINK), response)
    found = page(trace=broken)
    assert found.all("img") == []
    assert "decodedno picture in a known format" in found.all("li", class_="broken")[0].text


def test_a_link_that_is_followed_twice_is_shown_once_unless_it_changed() -> None:
    longer = trace()
    for number, colour in ((7, "#3a7ca5"), (8, "#ff0000")):
        response = Response(200, (), b"", image_facts(png(colour=colour)))
        longer.exchanges.append(exchange(number, Request("GET", LINK), response))
    assert len(page(trace=longer).all("img")) == 2


def test_urls_that_are_none_do_not_cost_the_report() -> None:
    strange = trace()
    task = {"task_id": "task_1", "status": "succeeded", "result": {"data": [{"url": "http://["}]}}
    strange.exchanges[1] = exchange(2, strange[2].request, answer(200, task))
    assert page(trace=strange).all("li", class_="picture")


def test_an_empty_run_has_its_empty_states() -> None:
    found = page(verdicts=[], trace=Trace(BASE_URL), notes=(), pending=())
    assert (
        "The run downloaded no pictures."
        in found.all("section", aria_labelledby="pictures")[0].text
    )
    assert "No finding refers" in found.all("section", aria_labelledby="exchanges")[0].text
    assert found.all("section", aria_labelledby="notes") == []
    assert found.all("section", aria_labelledby="failures") == []


def test_notes_say_why_a_run_stopped_and_what_is_to_come() -> None:
    found = page(stopped="the limit was reached")
    notes = found.all("section", aria_labelledby="notes")[0].text
    assert "Stopped early: the limit was reached" in notes
    assert "Waiting for a recheck: MEDIA-1" in notes


def hostile_html() -> str:
    key = (HOSTILE, HOSTILE)
    request = Request(
        "POST",
        f"{BASE_URL}/{HOSTILE}",
        (JSON, key),
        f'{{"a": "{HOSTILE}"'.encode("utf-8", "surrogatepass"),
    )
    form = (
        f'--x\r\nContent-Disposition: form-data; name="{HOSTILE[:25]}"; filename="<script>.png"\r\n'
        "\r\n<script>\r\n--x--\r\n"
    ).encode("utf-8", "surrogatepass")
    sent = Request("POST", BASE_URL, (("content-type", "multipart/form-data; boundary=x"),), form)
    image = ImageFacts(HOSTILE, 1, 1, "", None, b"<script>")
    only = Trace(
        BASE_URL,
        [
            exchange(1, request, answer(200, HOSTILE), sender=HOSTILE, purpose=HOSTILE),
            exchange(2, sent, None, failure=HOSTILE),
            exchange(3, Request("GET", LINK), Response(200, (), b"", image)),
        ],
    )
    found = [
        verdict(
            "TASK-5",
            Verdict.FAIL,
            HOSTILE,
            finding("TASK-5", Outcome.BREAKS, HOSTILE, 1, 2, 3),
            reading=HOSTILE,
        )
    ]
    return to_html(
        run(found, trace=only, notes=(HOSTILE,), stopped=HOSTILE, target=HOSTILE, run_id=HOSTILE),
        CLAIMS,
    )


def test_hostile_words_stay_words() -> None:
    html = hostile_html()
    found = read_page(html)
    assert len(found.all("script")) == 1
    assert [e.attributes.get("alt") for e in found.all("img")] != []
    assert all(e.attributes.keys() <= {"src", "alt"} for e in found.all("img"))
    assert not any(name.startswith("on") for e in found.elements for name in e.attributes)
    assert not set(html) & set("\x00\x1b\u202e\u202c\ud800")
    assert html.encode("utf-8")
    assert "<script>alert(1)</script>" in found.all("h1")[0].text


def test_a_page_asks_no_host_for_anything() -> None:
    html = hostile_html()
    found = read_page(html)
    for element in found.elements:
        for name in ("src", "href", "action", "srcset", "data", "poster"):
            value = element.attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), value
    assert not re.search(r"@import|url\(", found.all("style")[0].text)
    policy = str(found.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"])
    script = hashlib.sha256(found.all("script")[0].text.encode()).digest()
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none';"
        f" form-action 'none'; script-src 'sha256-{base64.b64encode(script).decode()}'"
    )


@settings(max_examples=30)
@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_whatever_a_target_says_the_page_stays_whole(said: str) -> None:
    body = said.encode("utf-8", "surrogatepass")
    only = Trace(
        BASE_URL, [exchange(1, Request("POST", BASE_URL, (), body), Response(200, (), body))]
    )
    found = [verdict("TASK-5", Verdict.FAIL, said, finding("TASK-5", Outcome.BREAKS, said, 1))]
    read = page(verdicts=found, trace=only)
    assert len(read.all("script")) == 1
    assert len(read.all("main")) == 1


def test_a_run_of_500_exchanges_with_large_bodies_stays_below_2_mb() -> None:
    body = b'{"prompt": "' + b"a <b> & \\" * 150_000 + b'"}'
    image = image_facts(png(2048, 1024))
    many = [
        exchange(n, Request("POST", f"{BASE_URL}/{n}", (JSON,), body), Response(200, (), body))
        for n in range(1, 401)
    ]
    many += [
        exchange(n, Request("GET", f"{BASE_URL}/{n}.png"), Response(200, (), b"", image))
        for n in range(401, 501)
    ]
    numbers = range(1, 501)
    found = [
        verdict(
            "TASK-5", Verdict.FAIL, "x" * 1_000_000, finding("TASK-5", Outcome.BREAKS, "", *numbers)
        )
    ]
    html = to_html(run(found, trace=Trace(BASE_URL, many)), CLAIMS)
    assert len(html.encode()) < 2_000_000
    assert re.search(r"\d+ more exchanges in the JSON report", html)
    assert "more pictures not shown." in html
    assert "and 476 more" in html


def test_deeply_nested_bodies_stay_small() -> None:
    body = b"[" * 100_000
    only = Trace(BASE_URL, [exchange(1, Request("POST", BASE_URL, (JSON,), body), Response(200))])
    found = [verdict("TASK-5", Verdict.FAIL, "", finding("TASK-5", Outcome.BREAKS, "", 1))]
    assert len(to_html(run(found, trace=only), CLAIMS)) < 60_000


def test_exchanges_of_failures_come_before_all_others() -> None:
    body = b"words " * 3_000
    many = [
        exchange(n, Request("POST", BASE_URL, (), body), Response(200, (), body))
        for n in range(1, 601)
    ]
    quiet = [finding("AUTH-1", Outcome.HOLDS, "", n) for n in range(1, 300)]
    loud = [finding("TASK-5", Outcome.BREAKS, "", n) for n in range(580, 601)]
    found = [
        verdict("AUTH-1", Verdict.PASS, "", *quiet),
        verdict("TASK-5", Verdict.FAIL, "", *loud),
    ]
    ids = page(verdicts=found, trace=Trace(BASE_URL, many)).ids()
    shown = [int(i.removeprefix("exchange-")) for i in ids if i.startswith("exchange-")]
    assert shown == [1, 2, *range(580, 601)], "all of the failure's, a few of the rest's"


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_of_text_has_enough_contrast_in_light_and_dark() -> None:
    style = page().all("style")[0].text
    schemes = re.findall(r":root \{([^}]*--ink[^}]*)\}", style)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", scheme))
        tinted = [
            (n, f"{n}-bg") for n in ("green", "red", "amber", "blue", "violet", "grey", "pink")
        ]
        plain = [(n, b) for n in ("ink", "muted", "link") for b in ("card", "page", "code")]
        plain += [(n, "card") for n in ("red", "green", "pink")] + [("blue", "code")]
        for text, ground in tinted + plain:
            one, other = _luminance(colours[text]), _luminance(colours[ground])
            ratio = (max(one, other) + 0.05) / (min(one, other) + 0.05)
            assert ratio >= 4.5, f"{text} on {ground}: {ratio:.2f}"
