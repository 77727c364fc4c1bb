"""Targets and traces that say anything at all: no crash, and nothing beyond the limit."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.har import TraceError, from_har, to_har
from contracts.kit import run_with_state
from contracts.options import EXIT_LIMIT, EXIT_UNREACHABLE, Options
from contracts.run_report import RunReport
from contracts.state import read_state, write_state
from contracts.target import Clock
from contracts.verdict import Verdict
from tests.contracts.stand_in import Api, Reply, answering, served

KEY = "sk-client-0123456789abcdef"
ODD_TEXTS = [
    "", "succeeded", "failed", "pending", "http://[::1", "//", "http://☃☃.␡/", "file:///etc/passwd",
    "http://127.0.0.1:9/\ud800", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "2026-01-01T00:00:00Z", "\x00", "\x1b[2J", "task_../..", "a" * 5000,
]  # fmt: skip
NAMES = [
    "task_id", "status", "credits", "reserved", "charged", "result", "data", "url", "id", "error",
    "message", "code", "completed_at", "created_at", "pricing", "credits_per_request", "poll_url",
]  # fmt: skip
ODD_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.sampled_from([0.5, 1e308])
    | st.sampled_from(ODD_TEXTS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=12,
)
ODD_REPLIES = st.builds(
    lambda status, value: Reply(status, json.dumps(value).encode()),
    st.sampled_from([200, 200, 202, 202, 201, 204, 301, 400, 404, 429, 500, 503, 599]),
    ODD_VALUES,
) | st.builds(
    lambda body, kind: Reply(200, body, {"content-type": kind}),
    st.binary(max_size=20),
    st.sampled_from(["image/png", "application/json", "", "multipart/form-data; boundary="]),
)


class Odd:
    """An API that answers as it should until it has been looked at, and then anything."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self._api = Api()
        self._asked = 0

    def begin(self, replies: list[Reply]) -> None:
        """Begin anew."""
        self.replies, self._asked = replies, 0

    def __call__(self, request: Any) -> Reply:
        """Answer."""
        self._asked += 1
        if self._asked <= 3:  # is it an emulator, the API, and is the key good?
            return self._api(request)
        reply = self.replies[self._asked % len(self.replies)]
        return reply if self._asked % 4 else self._api(request)


@pytest.fixture(scope="module")
def odd() -> Any:
    api = Odd()
    with served(answering(api)) as server:
        yield api, server.url


@settings(max_examples=8)
@given(replies=st.lists(ODD_REPLIES, min_size=1, max_size=7), seed=st.integers(0, 50))
def test_no_answer_makes_the_kit_fail(
    odd: tuple[Odd, str], replies: list[Reply], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    api, url = odd
    api.begin(replies)
    options = Options(
        key=KEY, max_credits=2000, tasks=3, seed=seed, timeout_seconds=5,
        task_timeout_seconds=0.05, task_ids=("task_1",),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Clock, "wait", lambda self, seconds: None)
        patch.setattr("contracts.plan.CATALOGUE", ())
        report, state = run_with_state(url, options)
    assert report.exit_code in (0, EXIT_LIMIT, EXIT_UNREACHABLE), report.stopped
    assert isinstance(report, RunReport)
    trace = from_har(json.loads(json.dumps(to_har(report.trace))))
    assert len(trace.exchanges) == len(report.trace.exchanges)
    assert report.judgement.having(Verdict.ENGINE_ERROR) == ()
    if state is not None:
        folder = tmp_path_factory.mktemp("state")
        (folder / "trace.har").write_text(json.dumps(to_har(report.trace)))
        assert read_state(write_state(state, folder))[0] == replace(state, links=state.links)


HAR_NAMES = [
    "log", "entries", "request", "response", "headers", "name", "value", "url", "method", "status",
    "content", "text", "encoding", "startedDateTime", "time", "postData", "mimeType", "_contracts",
    "facts", "base_url", "_image", "thumbnail", "format", "width_px",
]  # fmt: skip
HAR_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 600)
    | st.sampled_from([float("inf"), float("nan"), 1e308, 10**400])
    | st.sampled_from([*ODD_TEXTS, "base64", "GET", "POST", "Authorization", "image/png"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(HAR_NAMES), inner, max_size=6)
    ),
    max_leaves=10,
)
HEADERS = st.lists(
    st.fixed_dictionaries({"name": HAR_VALUES, "value": HAR_VALUES}) | HAR_VALUES, max_size=2
)
ENTRIES = st.fixed_dictionaries(
    {
        "startedDateTime": st.sampled_from(ODD_TEXTS) | HAR_VALUES,
        "request": st.fixed_dictionaries(
            {"method": HAR_VALUES, "url": st.sampled_from(ODD_TEXTS) | HAR_VALUES},
            optional={"headers": HEADERS, "postData": HAR_VALUES},
        )
        | HAR_VALUES,
        "response": st.fixed_dictionaries(
            {"status": HAR_VALUES}, optional={"headers": HEADERS, "content": HAR_VALUES}
        )
        | HAR_VALUES,
    },
    optional={"time": HAR_VALUES, "_direction": HAR_VALUES, "_failure": HAR_VALUES},
)


@settings(max_examples=60)
@given(
    HAR_VALUES
    | st.fixed_dictionaries(
        {"log": st.fixed_dictionaries({"entries": st.lists(ENTRIES | HAR_VALUES, max_size=2)})}
    )
)
def test_any_json_is_a_trace_or_is_refused(content: Any) -> None:
    try:
        trace = from_har(content)
    except TraceError as error:
        assert str(error)
    else:
        assert to_har(trace)


def test_a_valid_entry_is_read() -> None:
    entry = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "request": {"method": "get", "url": "http://a.test/api/v1/models"},
        "response": {"status": 200, "content": {"text": "{}"}},
    }
    (exchange,) = from_har({"log": {"entries": [entry]}}).exchanges
    assert (exchange.request.method, exchange.request.path) == ("GET", "/v1/models")
