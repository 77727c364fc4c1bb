"""Traces as HAR: nothing is lost, what others wrote is read, and no key gets through."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.claims import load_claims
from contracts.exchange import (
    SENT,
    Exchange,
    ImageFacts,
    Response,
    Trace,
    header,
)
from contracts.har import TraceError, from_har, read_har, to_har
from contracts.lives_drive import picture
from contracts.redact import UNKNOWN_KEY
from contracts.verdict import Verdict, judge
from tests.contracts.strategies import EXCHANGES, NAMES, WORDS
from tests.contracts.support import BASE_URL, START, callback, creation, exchange, task_read, trace

KEY = "sk-live-4f9a8b7c6d5e4f3a2b1c0d9e"
PNG = picture("teal", "PNG")

FACTS = st.dictionaries(NAMES, st.integers() | WORDS | st.lists(WORDS, max_size=2), max_size=3)


def read_again(written: Trace) -> Trace:
    return from_har(json.loads(json.dumps(to_har(written))))


@given(st.lists(EXCHANGES, max_size=4), st.booleans(), FACTS)
def test_a_trace_is_read_as_it_was_written(
    exchanges: list[Exchange], exclusive: bool, facts: dict[str, Any]
) -> None:
    written = trace(*exchanges, exclusive=exclusive, **facts)
    assert read_again(written) == written


def test_thumbnails_are_kept() -> None:
    facts = ImageFacts("PNG", 1, 1, "ab", None, PNG)
    one = replace(exchange("GET", "/a.png"), response=Response(200, (), b"", facts))
    kept = read_again(trace(one))[1].response
    assert kept is not None
    assert kept.image is not None
    assert kept.image.thumbnail == PNG


def test_verdicts_are_the_same_from_a_file() -> None:
    run = trace(
        exchange("GET", "/v1/credits/balance", answer={"credits": 100, "currency": "credits"}),
        creation(callback_url="http://kit.test/hook"),
        task_read(status="processing", at=1),
        task_read(at=3),
        callback({"task_id": "task_1", "status": "succeeded"}, "http://kit.test/hook", at=3),
        exchange("GET", "/v1/tasks/none", status=404, answer=b"Not found"),
        target="emulator",
    )
    claims = tuple(load_claims())
    assert judge(read_again(run), claims, strict=True) == judge(run, claims, strict=True)


def test_what_the_kit_did_not_decode_stays_as_it_was() -> None:
    """Its clients keep the facts of downloads only; other bodies are looked at as they are."""
    posted = exchange("POST", "/v1/images/edits", answer=PNG, body=b"",
                      answer_headers={"Content-Type": "image/png"})  # fmt: skip
    run = trace(posted)
    assert read_again(run) == run


def foreign(*entries: dict[str, Any]) -> dict[str, Any]:
    """A HAR as a browser writes it."""
    creator = {"name": "WebInspector", "version": "537.36"}
    page = {"id": "page_1", "startedDateTime": "2027-01-15T07:59:00.000Z", "pageTimings": {}}
    return {"log": {"version": "1.2", "creator": creator, "pages": [page],
                    "entries": list(entries)}}  # fmt: skip


def entry(at: str = "2027-01-15T08:00:00.000Z", **changes: Any) -> dict[str, Any]:
    """An entry as a browser writes it, with members that no HAR reader knows."""
    request = {
        "method": "post",
        "url": f"{BASE_URL}/v1/images/generations",
        "httpVersion": "h2",
        "headers": [
            {"name": ":authority", "value": "target.test"},
            {"name": "authorization", "value": f"Bearer {KEY}"},
            {"name": "content-type", "value": "application/json"},
        ],
        "queryString": [],
        "cookies": [{"name": "session", "value": "secret-session", "httpOnly": True}],
        "headersSize": -1,
        "bodySize": 12,
        "postData": {"mimeType": "application/json", "text": '{"model": "gpt-image-2"}'},
    }
    response = {
        "status": 202,
        "statusText": "",
        "headers": [{"name": "content-type", "value": "application/json"}],
        "cookies": [],
        "content": {"size": 2, "mimeType": "application/json", "text": '{"task_id": "task_1"}'},
        "redirectURL": "",
        "_transferSize": 300,
        "_error": None,
    }
    return {
        "_initiator": {"type": "script"},
        "_resourceType": "fetch",
        "cache": {},
        "connection": "443",
        "pageref": "page_1",
        "startedDateTime": at,
        "time": 187.5,
        "timings": {"blocked": 1.5, "dns": -1},
        "request": request | changes.pop("request", {}),
        "response": response | changes.pop("response", {}),
        **changes,
    }


def test_a_browsers_har() -> None:
    read = from_har(foreign(entry()))
    assert (read.base_url, read.exclusive, read.facts) == ("", False, {})
    (one,) = read.exchanges
    assert (one.number, one.sent_at, one.seconds) == (1, START, 0.1875)
    assert (one.sender, one.direction, one.failure) == ("key-1", SENT, None)
    assert (one.request.method, one.request.path) == ("POST", "/v1/images/generations")
    assert one.request.json == {"model": "gpt-image-2"}
    assert header(one.request.headers, "Authorization") == "Bearer key-1"
    assert header(one.request.headers, ":authority") is None
    assert one.response is not None
    assert (one.response.status, one.response.json) == (202, {"task_id": "task_1"})


def test_entries_of_others_are_put_in_the_order_of_time() -> None:
    times = ["2027-01-15T09:00:02+01:00", "2027-01-15T08:00:00Z", "2027-01-15T08:00:01.5Z"]
    read = from_har(foreign(*(entry(at) for at in times)))
    assert [one.sent_at - START for one in read] == [0.0, 1.5, 2.0]
    assert [one.number for one in read] == [1, 2, 3]


@pytest.mark.parametrize(
    ("status", "changes"), [(0, {}), (None, {}), (0, {"_failure": "net::ERR_TIMED_OUT"})]
)
def test_an_entry_without_an_answer(status: Any, changes: dict[str, Any]) -> None:
    (one,) = from_har(foreign(entry(response={"status": status}, **changes))).exchanges
    assert one.response is None
    assert one.failure == changes.get("_failure", "the trace has no answer")


def test_a_picture_in_anothers_har_is_decoded() -> None:
    content = {"mimeType": "image/png", "text": base64.b64encode(PNG).decode(),
               "encoding": "base64"}  # fmt: skip
    headers = [{"name": "Content-Type", "value": "image/png"}]
    answer = {"status": 200, "headers": headers, "content": content}
    (one,) = from_har(foreign(entry(response=answer))).exchanges
    assert one.response is not None
    assert one.response.image is not None
    assert (one.response.image.format, one.response.image.width_px) == ("PNG", 64)
    assert one.response.body == b""


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"request": None}, "its request and its response have to be objects"),
        ({"request": {}}, "it lacks 'method'"),
        ({"startedDateTime": "2027-01-15T08:00:00"}, "has no offset"),
        ({"startedDateTime": "yesterday"}, "Invalid isoformat"),
        ({"response": {"status": "two hundred"}}, "two hundred"),
        ({"response": {"content": {"text": "a", "encoding": "base64"}}}, "no base64"),
    ],
)
def test_what_is_wrong_with_an_entry_is_told(changes: dict[str, Any], problem: str) -> None:
    broken = entry(**changes) if "response" in changes else {**entry(), **changes}
    with pytest.raises(TraceError, match=rf"entry 2 of the\.har is no HAR entry: .*{problem}"):
        from_har(foreign(entry(), broken), "the.har")


ENCODED = base64.b64encode(f"\xff {KEY}".encode("latin-1")).decode()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"request": {"headers": [{"name": "X-Api-Key", "value": KEY}]}},
        {"request": {"url": f"{BASE_URL}/v1/models?key={KEY}"}},
        {"request": {"url": f"{BASE_URL}/{KEY}/"}},
        {"request": {"postData": {"text": json.dumps({"prompt": f"my key is {KEY}."})}}},
        {"request": {"headers": [{"name": "Referer", "value": f"https://a.test/?k={KEY}"}]}},
        {"response": {"content": {"text": f'{{"error": "unknown key {KEY}"}}'}}},
        {"response": {"content": {"text": ENCODED, "encoding": "base64"}}},
        {"response": {"headers": [{"name": "X-Echo", "value": KEY}]}},
        {"response": {"headers": [{"name": "Set-Cookie", "value": f"k={KEY}"}]}},
    ],
)
def test_no_key_gets_through(changes: dict[str, Any]) -> None:
    read = from_har(foreign(entry(**changes), entry()))
    assert KEY not in repr(read)
    assert KEY not in json.dumps(to_har(read))
    assert "secret-session" not in json.dumps(to_har(read))


def test_a_key_of_another_shape_is_not_shown_before_it_is_sent() -> None:
    """Only the second entry's header tells that the text in the first one is a key."""
    token = "eyJhbGciOiJIUzI1NiJ9.e30.abcdef0123456789"
    told = entry(response={"content": {"text": json.dumps({"token": token})}})
    headers = [{"name": "Authorization", "value": f"Bearer {token}"}]
    used = entry("2027-01-15T08:00:01Z", request={"headers": headers})
    read = from_har(foreign(told, used))
    assert token not in repr(read)
    assert read[2].sender == UNKNOWN_KEY


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "can't be read: No such file"),
        (b"", "it is no JSON"),
        (b"\xff\xfe\x00", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", r"a HAR is a JSON object with log\.entries"),
        (b'{"log": {"entries": {}}}', r"a HAR is a JSON object with log\.entries"),
    ],
)
def test_files_that_are_no_har(content: bytes | None, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TraceError, match=f"a.har .*{problem}"):
        read_har(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(TraceError, match="larger than 1 GiB"):
        read_har(path)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    path.write_text("\ufeff" + json.dumps(foreign(entry())), encoding="utf-8")
    assert len(read_har(path).exchanges) == 1


@pytest.mark.parametrize("mask", ["***", "sk-****", "sk-ab...yz", "[REDACTED]", "xxxxxxxxxxxx"])
def test_a_masked_key_is_none_that_was_refused(mask: str) -> None:
    """What was sent is not known, so that no claim about keys can be broken by it."""
    headers = [{"name": "Authorization", "value": f"Bearer {mask}"}]
    read = from_har(foreign(entry(request={"headers": headers})))
    assert header(read[1].request.headers, "authorization") is None
    assert judge(read, tuple(load_claims()), strict=True).of("AUTH-1").verdict is Verdict.NOT_RUN


def other(url: str, **answer: Any) -> dict[str, Any]:
    request = {"method": "POST", "url": url, "headers": [], "postData": {"text": "hunter2"}}
    return entry(request=request, response={"content": {"text": json.dumps(answer)}})


def test_only_what_belongs_to_the_api_is_kept() -> None:
    link = "https://media.test/1.png?signature=0123456789abcdef0123"
    task = entry(
        request={"method": "GET", "url": f"{BASE_URL}/v1/tasks/task_1"},
        response={"content": {"text": json.dumps({"result": {"data": [{"url": link}]}})}},
    )
    picture_of_it = entry(request={"method": "GET", "url": link})
    read = from_har(
        foreign(
            other("https://login.test/session"),
            other(f"{BASE_URL}/console/login"),
            other("https://elsewhere.test/llms.txt"),
            task,
            picture_of_it,
            entry(request={"method": "GET", "url": f"{BASE_URL}/llms.txt"}),
            other("http://[::1"),
        )
    )
    kept = [exchange.request.path for exchange in read]
    assert kept == ["/v1/tasks/task_1", "/1.png", "/llms.txt"]
    assert "hunter2" not in repr(read)
    assert [one.number for one in read] == [1, 2, 3]
