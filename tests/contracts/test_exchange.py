"""Reading requests and answers as they went over the wire."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange import (
    Part,
    Request,
    Response,
    fields_of,
    header,
    media_type,
    multipart_parts,
    parsed_json,
    split_url,
)

CONTENTS = st.binary(max_size=40)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_-[]. ", min_size=1, max_size=12).map(str.strip)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.test/v1/models", "/v1/models"),
        ("https://a.test/api/v1/models?q=gpt", "/v1/models"),
        ("https://a.test/gateway/eu/v1/tasks/task_1", "/v1/tasks/task_1"),
        ("https://a.test/api/llms.txt", "/llms.txt"),
        ("https://a.test/v1/modelsandmore", "/v1/modelsandmore"),
        ("https://a.test", ""),
        ("http://[::1", ""),
    ],
)
def test_a_path_begins_at_v1(url: str, path: str) -> None:
    assert Request("GET", url).path == path


def test_headers_are_found_in_any_case() -> None:
    headers = (("X-Request-ID", "1"), ("x-request-id", "2"))
    assert header(headers, "x-REQUEST-id") == "1"
    assert header(headers, "Date") is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Application/JSON; charset=utf-8", "application/json"),
        ("", ""),
        (" text/html ", "text/html"),
    ],
)
def test_a_media_type_has_no_parameters(value: str, kind: str) -> None:
    assert media_type((("Content-Type", value),)) == kind


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'"\\ud800'])
def test_what_is_no_json_is_none(body: bytes) -> None:
    assert parsed_json(body) is None
    assert Response(200, (), body).json is None
    assert fields_of(parsed_json(body)) == {}


@given(st.text())
def test_any_text_is_taken_for_a_url(text: str) -> None:
    split_url(text)


@given(st.lists(st.tuples(NAMES.filter(bool), CONTENTS), min_size=1, max_size=4))
def test_a_multipart_body_is_taken_apart_as_a_client_put_it_together(
    fields: list[tuple[str, bytes]],
) -> None:
    files = [(name, ("a.png", content, "image/png")) for name, content in fields]
    sent = httpx2.Request("POST", "https://a.test", files=files)
    found = multipart_parts(sent.headers["content-type"], sent.read())
    assert found == tuple(Part(name, "a.png", "image/png", content) for name, content in fields)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b"--a\r\n\r\nb"),
        ("multipart/form-data", b"--a\r\n\r\nb"),
        ("multipart/mixed; boundary=a", b"--a\r\n\r\nb\r\n--a--"),
        ("multipart/form-data; boundary=a", b""),
        ("multipart/form-data; boundary=a", b"--a\r\nContent-Disposition: form-data"),
        ("multipart/form-data; boundary=a", b"\xff\r\n--a--\r\n"),
    ],
)
def test_broken_multipart_bodies_have_no_parts(content_type: str, body: bytes) -> None:
    assert multipart_parts(content_type, body) == ()
