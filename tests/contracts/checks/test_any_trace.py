"""Judges take any traffic: nothing in an answer makes them stop."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts import checks
from contracts.exchange import CALLBACK, Exchange
from contracts.findings import JUDGES
from contracts.view import View
from tests.contracts.support import START, exchange, trace

checks.load()
WORDS = (
    "id", "object", "list", "data", "error", "message", "type", "code", "param", "task_id",
    "task_1",
    "https://example.com/hook", "charged", "completed_at", "created_at", "2027-01-15T08:00:01Z",
    "status", "pending", "succeeded", "failed", "processing", "completed", "expired", "timeout",
    "b64_json", "1:1", "1024x1024", "model", "gpt-image-2", "prompt", "n", "size", "quality",
    "auto", "callback_url", "credits", "reserved", "refunded", "pricing", "parameters",
    "credits_per_request", "result", "created", "url", "https://a.test/", "request_id", "poll_url",
    "content_policy", "insufficient_credits", "api_key_budget_exhausted", "image_safety", "key-1",
)  # fmt: skip
NUMBERS = st.integers(-2, 40) | st.floats() | st.just(10**400)
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(WORDS)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(WORDS), JSON, max_size=6)
TASKS = OBJECTS.map(lambda members: {"task_id": "task_1", "status": "failed", **members})
ERRORS = OBJECTS.map(lambda members: {"error": members})
BODIES = st.one_of(st.none(), st.just(b"\xff{"), st.just(b"<html>"), JSON, OBJECTS, TASKS, ERRORS)
HOOK = "https://example.com/hook"
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
STATUSES = st.sampled_from([0, 200, 202, 302, 400, 401, 402, 403, 404, 405, 422, 429, 500, 502])
DATE = "Fri, 15 Jan 2027 08:02:00 GMT"
SENDERS = st.sampled_from(["", "key-1", "key-2", "unknown-key"])
MOMENTS = st.integers(0, 90) | st.sampled_from([7200, 86_000, 90_000])
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "X-Request-Id", "Content-Type", "Location", "Date"]),
    st.sampled_from(["", "7", "req_1", "text/html", "image/png", DATE, "\u00e9"]),
)
LIMITS = st.dictionaries(
    st.sampled_from(["credits", "budget_credits", "requests_per_minute", "models"]), SCALARS
)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    method, path = draw(CALLS)
    made = exchange(
        method, path, body=draw(BODIES), status=draw(STATUSES), answer=draw(BODIES),
        answer_headers=draw(HEADERS), sender=draw(SENDERS), at=draw(MOMENTS),
    )  # fmt: skip
    if draw(st.integers(0, 4)) == 0:
        called = exchange("POST", HOOK, body=draw(TASKS), status=made.response.status
                          if made.response else 0, at=draw(st.integers(0, 90)))  # fmt: skip
        return replace(called, direction=CALLBACK)
    return made


@given(
    sent=st.lists(exchanges(), max_size=6),
    target=st.sampled_from(["emulator", "other", None]),
    limits_of_key=LIMITS,
    exclusive=st.booleans(),
    more=st.dictionaries(
        st.sampled_from(["ended_at", "callback_hooks", "stranger"]), SCALARS | SENDERS
    ),
)
def test_no_judge_stops(
    sent: list[Exchange], target: Any, limits_of_key: Any, exclusive: bool, more: dict[str, Any]
) -> None:
    facts = {"target": target, "keys": {"key-1": limits_of_key}, "refused_prompts": list(WORDS),
             "callback_hooks": {HOOK: [204]}, "ended_at": START + 9000, **more}  # fmt: skip
    view = View(trace(*sent, exclusive=exclusive, **facts))
    for name, (claim_ids, judge) in JUDGES.items():
        found = list(judge(view))
        assert {one.claim_id for one in found} <= set(claim_ids), name
        assert all("\n" not in one.message for one in found), name
