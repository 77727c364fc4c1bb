"""Judges take any traffic: nothing in an answer makes them stop."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.checks import (
    catalogue,
    creation,
    errors,
    limits,
    lives,
    media,
    page,
    pixels,
    refusals,
    results,
    schema,
    strangers,
    transport,
    waiting,
)
from contracts.exchange import CALLBACK, Exchange
from contracts.findings import JUDGES
from contracts.view import View
from tests.contracts.support import exchange, trace

MODULES = (
    catalogue, creation, errors, limits, lives, media, page, pixels, refusals, results, schema,
    strangers, transport, waiting,
)  # fmt: skip
NAMES = [name for name in JUDGES if name.split(".")[0] in
         {module.__name__.rpartition(".")[2] for module in MODULES}]  # fmt: skip
WORDS = (
    "id", "object", "list", "data", "error", "message", "type", "code", "param", "task_id",
    "task_1",
    "status", "pending", "succeeded", "failed", "model", "gpt-image-2", "prompt", "n", "size",
    "quality", "auto", "callback_url", "credits", "reserved", "refunded", "pricing", "parameters",
    "credits_per_request", "result", "created", "url", "https://a.test/", "request_id", "poll_url",
    "processing", "completed", "expired", "created_at", "completed_at", "2026-01-01T00:00:00Z",
    "b64_json", "charged", "[[fault: partial]]", "1:1", "1024x1024",
    "content_policy", "insufficient_credits", "api_key_budget_exhausted", "image_safety", "key-1",
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-2, 40) | st.floats() | st.sampled_from(WORDS)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(WORDS), JSON, max_size=6)
ERRORS = OBJECTS.map(lambda members: {"error": members})
BODIES = st.one_of(st.none(), st.just(b"\xff{"), st.just(b"<html>"), JSON, OBJECTS, ERRORS)
CALLS = st.sampled_from(
    [
        ("POST", "/v1/images/generations"), ("POST", "/api/v1/images/generations"),
        ("POST", "/v1/images/generations/sync"), ("POST", "/v1/images/edits"),
        ("POST", "/v1/images/upload"), ("GET", "/v1/tasks/task_1"), ("GET", "/api/v1/tasks/task_1"),
        ("GET", "/v1/credits/balance"), ("GET", "/api/v1/credits/balance"), ("GET", "/v1/models"),
        ("GET", "/v1/models?q=gpt"), ("GET", "/llms.txt"), ("GET", "/"), ("GET", "/v1/nowhere"),
        ("GET", "https://a.test/"), ("HEAD", "https://a.test/"), ("GET", "https://a.test/?a=b"),
    ]
)  # fmt: skip
SENDERS = st.sampled_from(["", "key-1", "key-2", "unknown-key"])
STATUSES = st.sampled_from([0, 200, 202, 302, 400, 401, 402, 403, 404, 405, 422, 429, 500, 502])
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "X-Request-Id", "Content-Type", "Date"]),
    st.sampled_from(
        ["", "7", "req_1", "text/html", "image/png", "Mon, 01 Jan 2026 00:00:00 GMT", "\u00e9"]
    ),
)
LIMITS = st.dictionaries(
    st.sampled_from(["credits", "budget_credits", "requests_per_minute", "models"]), SCALARS
)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    method, path = draw(CALLS)
    made = exchange(
        method, path, body=draw(BODIES), status=draw(STATUSES), answer=draw(BODIES),
        answer_headers=draw(HEADERS), sender=draw(SENDERS),
        at=draw(st.sampled_from([0, 1, 7, 90, 86_000, 90_000])),
    )  # fmt: skip
    return replace(made, direction=CALLBACK) if draw(st.integers(0, 9)) == 0 else made


@given(
    sent=st.lists(exchanges(), max_size=6),
    target=st.sampled_from(["emulator", "other", None]),
    limits_of_key=LIMITS,
    exclusive=st.booleans(),
)
def test_no_judge_stops(
    sent: list[Exchange], target: Any, limits_of_key: Any, exclusive: bool
) -> None:
    facts = {"target": target, "keys": {"key-1": limits_of_key}, "refused_prompts": list(WORDS),
             "stranger": "key-2"}  # fmt: skip
    view = View(trace(*sent, exclusive=exclusive, **facts))
    for name in NAMES:
        claim_ids, judge = JUDGES[name]
        found = list(judge(view))
        assert {one.claim_id for one in found} <= set(claim_ids), name
        assert all("\n" not in one.message for one in found), name
