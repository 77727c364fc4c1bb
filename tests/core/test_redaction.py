"""No secret outlives redaction; everything else does."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.redaction import REDACTED, plain, redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("/media/a/1.png?expires=1&signature=abc", "/media/a/1.png?expires=1&signature=…"),
        ("?signature=abc&expires=1", "?signature=…&expires=1"),
        ("https://s3/x?X-Amz-Signature=abc", "https://s3/x?X-Amz-Signature=…"),
        ("next=%3Fsignature%3Dabc", "next=%3Fsignature%3D…"),
        ('{"key": "sk-test"}', '{"key": "sk-…"}'),
        ("sk-a sk-b", "sk-… sk-…"),
        (r'{"key": "sk-a\"b"}', '{"key": "sk-…"}'),
        ("whsec_abc+/=", "whsec_…"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ("bearer\\tabc", "bearer\\t…"),
        ("Bearer%20abc", "Bearer%20…"),
        (r'{"prompt": "key:\nsk-abc"}', r'{"prompt": "key:\nsk-…"}'),
        (r"\tsk-abc \u000ask-abc", r"\tsk-… \u000ask-…"),
        ("u=a%3Dsk-abc", "u=a%3Dsk-…"),
        ("SK-abc sk%2Dabc WHSEC_abc", "SK-… sk%2D… WHSEC_…"),
        ("BEARER abc Bearer%09abc SIGNATURE=abc", "BEARER … Bearer%09… SIGNATURE=…"),
        ('{"signature": "a b", "n": 1}', '{"signature": "…", "n": 1}'),
        ('{"webhook-signature":"v1,abc="}', '{"webhook-signature":"v1,…"}'),
        ("a desk-lamp and a task-list", "a desk-lamp and a task-list"),
        ("my signature is short", "my signature is short"),
        ("task_e4967aa77648000000000001", "task_e4967aa77648000000000001"),
    ],
)
def test_a_table_of_texts(text: str, redacted: str) -> None:
    assert redact(text) == redacted


SECRETS = st.text(string.ascii_letters + string.digits + "-_+/=.~", min_size=8, max_size=60).map(
    "Q{}".format
)
OPENINGS = st.sampled_from(["sk-", "whsec_", "signature=", "Bearer ", "bearer "])
AROUND = st.text(string.ascii_lowercase + ' "{}[]:,?&', max_size=10)


@given(before=AROUND, opening=OPENINGS, secret=SECRETS, after=AROUND, is_ascii=st.booleans())
def test_no_secret_stays_in_json(
    before: str, opening: str, secret: str, after: str, is_ascii: bool
) -> None:
    value = f"{before} {opening}{secret} {after}"
    sent = json.dumps({"prompt": value, "other": [value]}, ensure_ascii=is_ascii)
    hidden = redact(plain(sent))
    assert secret not in hidden
    assert json.loads(hidden)["prompt"] == f"{before} {opening}{REDACTED} {after}"


@given(secret=SECRETS)
def test_an_escaped_secret_is_found(secret: str) -> None:
    value = "".join(f"\\u{ord(character):04X}" for character in f"sk-{secret}")
    assert redact(plain(f'{{"prompt": "{value}"}}')) == '{"prompt": "sk-…"}'


@given(st.text())
def test_plain_changes_no_value(text: str) -> None:
    sent = json.dumps(text)
    assert json.loads(plain(sent)) == text


@given(st.text(alphabet='\\"u0dDc89aA', max_size=30))
def test_plain_takes_any_text(text: str) -> None:
    plain(text)
