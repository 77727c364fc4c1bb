"""Secrets leave no exchange, and what was equal stays equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange import header
from contracts.redact import UNKNOWN_KEY, Redactor, is_masked

KEY = "sk-live-4f9a8b7c6d5e4f3a2b1c0d9e"
OTHER = "sk-live-00112233445566778899aabb"
SIGNATURE = "q1w2e3r4t5y6u7i8o9p0"
KEYS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=16, max_size=40).map(
    lambda text: f"sk-{text}"
)


def test_a_key_has_one_label_everywhere() -> None:
    redactor = Redactor(("sk-made-up",))
    assert redactor.key_label(KEY) == "key-1"
    assert redactor.key_label(OTHER) == "key-2"
    assert redactor.key_label("sk-made-up") == UNKNOWN_KEY
    assert redactor.headers((("X-Api-Key", OTHER), ("authorization", f"Bearer {KEY}"))) == (
        ("X-Api-Key", "key-2"),
        ("authorization", "Bearer key-1"),
    )
    assert redactor.text(f"{OTHER} is not {KEY}") == "key-2 is not key-1"


@pytest.mark.parametrize("label", ["", "key-1", UNKNOWN_KEY])
def test_a_label_stays_what_it_is(label: str) -> None:
    assert Redactor().key_label(label) == label


@pytest.mark.parametrize("text", ["password1", "Bearer", "a.b.c"])
def test_what_does_not_look_like_a_key_is_an_unknown_one(text: str) -> None:
    assert Redactor().key_label(text) == UNKNOWN_KEY


@given(KEYS, st.text(max_size=20), st.text(max_size=20))
def test_no_key_is_left_in_a_text(key: str, before: str, after: str) -> None:
    redactor = Redactor()
    redactor.key_label(key)
    text = f"{before} {key} {after}"
    assert key not in redactor.text(text)
    assert key.encode() not in redactor.body(text.encode("utf-8", "replace"))
    assert key.encode() not in redactor.body(b"\xff" + key.encode())


@given(st.text())
def test_redacting_twice_changes_nothing(text: str) -> None:
    redactor = Redactor()
    once = redactor.url(text)
    assert redactor.url(once) == once
    assert redactor.text(redactor.text(text)) == redactor.text(text)


def test_a_link_in_an_answer_still_matches_its_visit() -> None:
    link = f"https://media.test/a/1.png?expires=1800000000&signature={SIGNATURE}"
    redactor = Redactor()
    visited = redactor.url(link)
    assert SIGNATURE not in visited
    assert visited.startswith("https://media.test/a/1.png?expires=1800000000&signature=~")
    assert redactor.body(f'{{"url": "{link}"}}'.encode()) == f'{{"url": "{visited}"}}'.encode()
    assert redactor.headers((("Location", link),)) == (("Location", visited),)


def test_links_with_other_signatures_stay_apart() -> None:
    redactor = Redactor()
    one, two = (redactor.url(f"https://media.test/a?sig={c}{SIGNATURE}") for c in "ab")
    assert one != two


def test_cookies_and_tokens_are_hidden() -> None:
    names = ["Cookie", "Set-Cookie", "Proxy-Authorization", "X-Emulator-Token", "api-key"]
    hidden = Redactor().headers(tuple((name, "s3cret") for name in names))
    assert [header(hidden, name) for name in names] == ["(hidden)"] * 5


@pytest.mark.parametrize(
    "key", ["", "***", "sk-", "sk-****", "sk-ab...yz", "sk-ab…yz", "[REDACTED]", "xxxx", "<key>"]
)
def test_masks_are_no_keys(key: str) -> None:
    assert is_masked(key)


@given(KEYS.filter(lambda key: len(set(key[3:])) > 1))
def test_keys_are_no_masks(key: str) -> None:
    words = ("redact", "mask", "hidden", "removed", "filtered")
    assert is_masked(key) is any(word in key for word in words)
