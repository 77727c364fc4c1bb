"""Judges of the list of models, and of the index of the documentation."""

from typing import Any

import pytest

from contracts.checks import catalogue
from contracts.exchange import Exchange
from tests.contracts.support import creation, exchange, findings, summary

MODEL: dict[str, Any] = {
    "id": "gpt-image-2",
    "object": "model",
    "type": "image",
    "display_name": "GPT-Image 2",
    "status": "active",
    "owned_by": "openai",
    "pricing": {"credits_per_request": 30},
    "parameters": {},
}
VIDEO = {**MODEL, "id": "sora-3", "display_name": "Sora 3", "type": "video"}


def models(*entries: Any, path: str = "/v1/models", sender: str = "", **body: Any) -> Exchange:
    answer = {"object": "list", "data": list(entries), **body}
    return exchange("GET", path, answer=answer, sender=sender)


def absent(path: str, status: int = 404, sender: str = "") -> Exchange:
    return exchange("GET", path, status=status, answer=b"Not Found", sender=sender)


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([models(MODEL, VIDEO)], ["holds"]),
        ([models({**MODEL, "capability": "image"}, page=1)], ["holds"]),
        ([models(object="page")], ["breaks"]),
        ([models(data={})], ["breaks"]),
        ([models({**MODEL, "pricing": 30, "parameters": []})], ["holds"]),
        ([models({name: MODEL[name] for name in MODEL if name != "pricing"})], ["breaks"]),
        ([models(MODEL, {"id": "sora-3"})], ["holds"]),
        ([models({**MODEL, "id": None})], ["breaks"]),
        ([models("gpt-image-2")], ["breaks"]),
        ([models(VIDEO), creation()], ["breaks"]),
        ([models(VIDEO, path="/v1/models?q=sora"), creation()], ["holds"]),
        ([absent("/v1/models")], ["unsupported"]),
        ([absent("/v1/models", 503)], []),
    ],
)
def test_models_have_their_members(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(catalogue.models_have_their_members, *exchanges)
    assert summary(found) == [("MOD-1", outcome) for outcome in expected]


@pytest.mark.parametrize(
    "entry", [{**MODEL, "pricing": 30}, {**VIDEO, "parameters": None}, {"id": "sora-3"}]
)
def test_an_emulator_gives_each_model_all_members_of_their_types(entry: Any) -> None:
    seen = models(MODEL, entry)
    assert summary(findings(catalogue.models_have_their_members, seen, target="emulator")) == [
        ("MOD-1", "breaks")
    ]


@pytest.mark.parametrize(
    ("price", "fields", "target", "expected"),
    [
        (30, {}, "emulator", ["holds"]),
        (20, {}, "emulator", ["breaks"]),
        (15, {"quality": "high"}, "emulator", ["holds"]),
        (20, {}, "other", []),
        (None, {}, "emulator", []),
        (20, {"n": 0}, "emulator", []),
    ],
)
def test_listed_price_is_charged(
    price: Any, fields: dict[str, Any], target: str, expected: list[str]
) -> None:
    listed = models({**MODEL, "pricing": {"credits_per_request": price}})
    found = findings(catalogue.listed_price_is_charged, listed, creation(**fields), target=target)
    assert summary(found) == [("MOD-1", outcome) for outcome in expected]


WITH_KEY = models(MODEL, sender="key-1")


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([WITH_KEY, models(MODEL)], ["holds"]),
        ([WITH_KEY, absent("/v1/models", 401)], ["breaks"]),
        ([WITH_KEY, absent("/api/v1/models", 403)], ["breaks"]),
        ([WITH_KEY, absent("/v1/models", 503)], []),
        ([WITH_KEY, absent("/v1/models", 401, "unknown-key")], []),
        ([models(MODEL)], []),  # a recorder that leaves all keys out
    ],
)
def test_models_need_no_key(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(catalogue.models_need_no_key, *exchanges)
    assert summary(found) == [("MOD-1", outcome) for outcome in expected]


WHOLE = models(MODEL, VIDEO)


def found_for(q: str, *entries: Any) -> Exchange:
    return models(*entries, path=f"/v1/models?q={q}")


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([WHOLE, found_for("GPT", MODEL)], ["holds"]),
        ([WHOLE, found_for("openai", MODEL)], ["holds"]),
        ([WHOLE, found_for("none-such")], ["holds"]),
        ([WHOLE, found_for("none-such", MODEL)], ["breaks"]),
        ([WHOLE, found_for("gpt")], ["breaks"]),
        ([WHOLE, found_for("gpt", MODEL, {**MODEL, "id": "gpt-image-9"})], ["breaks"]),
        ([WHOLE, models(MODEL, path="/v1/models?q=")], []),
        ([WHOLE, models(MODEL, path="/v1/models?limit=1")], []),
        ([WHOLE, models(7, path="/v1/models?q=gpt")], []),
        ([found_for("gpt", MODEL)], []),
    ],
)
def test_search_narrows(exchanges: list[Exchange], expected: list[str]) -> None:
    found = findings(catalogue.search_narrows, *exchanges)
    assert summary(found) == [("MOD-1", outcome) for outcome in expected]


def index(body: bytes, kind: str = "text/plain; charset=utf-8", status: int = 200) -> Exchange:
    headers = {"Content-Type": kind}
    return exchange("GET", "/llms.txt", status=status, answer=body, answer_headers=headers)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (index(b"# API\n- https://apiany.ai/docs"), ["holds"]),
        (index(b"- [OpenAPI](/openapi.yaml)", "text/markdown"), ["holds"]),
        (index(b"<a href='/docs'>Documentation</a>", "text/html"), ["breaks"]),
        (index(b"Nothing here, and/or nowhere."), ["breaks"]),
        (index(b"", "text/plain"), ["breaks"]),
        (index(b"Not Found", status=404), ["unsupported"]),
        (index(b"", status=503), []),
        (exchange("GET", "http://elsewhere.test/llms.txt", answer=b"x"), []),
        (exchange("GET", "/v1/llms.txt", answer=b"x"), []),
    ],
)
def test_llms_txt_is_an_index(seen: Exchange, expected: list[str]) -> None:
    found = findings(catalogue.llms_txt_is_an_index, seen)
    assert summary(found) == [("DOC-1", outcome) for outcome in expected]
