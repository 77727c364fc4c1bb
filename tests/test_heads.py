"""A head is taken for one that came before only where every byte of it is the same."""

import pytest

from emulator.api.plain_calls import Head
from emulator.heads import Heads

LINES = [(b"host", b"a"), (b"x", b"y")]
RAW = b"GET /v1/tasks/t HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"


def a_head(name: str = "t") -> Head:
    return Head(
        method="GET", url=b"/v1/tasks/t", headers=LINES, path="/v1/tasks/t", task_id=name,
        key_hash="", base_url="http://a", noted=("GET", "/v1/tasks/t", b"", b"", b""),
        traceparent=None,
    )  # fmt: skip


def test_the_same_bytes_are_found_with_their_body() -> None:
    heads, head = Heads(), a_head()
    assert heads.find(RAW) is None
    heads.remember(head, RAW + b"body", b"body")
    assert heads.find(RAW + b"BODY") == (head, b"BODY")
    assert heads.find(RAW.replace(b"Host", b"host") + b"BODY") is None


@pytest.mark.parametrize(
    "data", [RAW, RAW + b"bod", RAW + b"body2", RAW[:-2] + b"body", b"", b"\r\n\r\n", b"body"]
)
def test_another_length_is_another_request(data: bytes) -> None:
    heads = Heads()
    heads.remember(a_head(), RAW + b"body", b"body")
    assert heads.find(data) is None


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (RAW + RAW, b""),  # another one behind it
        (RAW + b"4\r\nbody\r\n0\r\n\r\n", b"body"),  # in chunks
        (b"GET /v1/tasks/t HTTP/1.1\nHost: a\nX: y\n\n" + RAW, b""),
        (b"", b""),  # it came in pieces
        (RAW.replace(b"X: y", b"X: " + b"y" * 2048), b""),
    ],
)
def test_what_is_not_just_one_request_in_one_piece_is_not_remembered(
    data: bytes, body: bytes
) -> None:
    heads = Heads()
    heads.remember(a_head(), data, body)
    assert heads.find(data) is None
    assert not heads._found


def test_no_more_are_kept_than_may_be() -> None:
    heads = Heads()
    for number in range(5_000):
        heads.remember(a_head(), RAW.replace(b"X: y", b"X: %d" % number), b"")
    assert len(heads._found) == 4_096
    assert heads.find(RAW.replace(b"X: y", b"X: 4999")) is not None  # the oldest went
