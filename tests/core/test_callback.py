"""Retries and signatures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.callback import (
    AttemptResult,
    Delivery,
    RetryPolicy,
    after_attempt,
    parse_secret,
    signature_headers,
    verify,
)
from emulator.core.errors import Refusal

POLICY = RetryPolicy()
DELIVERY = Delivery("msg_1", "task_1", "acct_1", "http://x/", "pending", 0, 0)


def answered(status: int | None, refused: bool = False) -> AttemptResult:
    return AttemptResult(status, 1, refused=refused)


@given(st.integers(), st.integers(0, 10**12))
def test_cb_3_six_attempts_and_the_last_after_about_an_hour(seed: int, end: int) -> None:
    delivery, at, waits = DELIVERY, POLICY.due_at(1, end, seed), []
    assert at == end
    while at is not None:
        delivery = after_attempt(delivery, answered(500), at, seed, POLICY)
        waits.append(None if delivery.due_at is None else (delivery.due_at - at) / 1000)
        at = delivery.due_at
    assert (delivery.state, delivery.attempts_made) == ("exhausted", 6)
    for wait, planned in zip(waits[:-1], POLICY.delays_seconds[1:], strict=True):
        assert wait is not None
        assert planned <= wait <= planned * 1.1 + 0.001


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (answered(200), "delivered"),
        (answered(299), "delivered"),
        (answered(302), "pending"),
        (answered(404), "pending"),
        (answered(None), "pending"),
        (answered(None, refused=True), "refused"),
    ],
)
def test_what_an_answer_does(result: AttemptResult, state: str) -> None:
    after = after_attempt(DELIVERY, result, 0, 1, POLICY)
    assert after.state == state
    assert (after.due_at is None) == (state != "pending")


def test_the_signature_is_the_one_of_the_standard() -> None:
    """The worked example that the Standard Webhooks specification gives."""
    secret = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signature_headers(
        secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("text", ["hunter2", "whsec_!!!", "whsec_c2hvcnQ="])
def test_bad_secrets_are_refused_and_never_shown(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_secret(text)
    assert text not in caught.value.message


SECRET = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
SIGNED_AT = 1_614_265_330_000
BODY = b'{"test": 2432232314}'
SIGNED = signature_headers(SECRET, "msg_1", SIGNED_AT, BODY)
VALID = SIGNED["webhook-signature"]


@pytest.mark.parametrize(
    ("changed", "body", "later_seconds", "reason"),
    [
        ({}, BODY, 0, None),
        ({}, BODY, 300, None),
        ({}, BODY, -300, None),
        ({"webhook-signature": f"v1,AAAA v1a,xyz {VALID}"}, BODY, 0, None),
        ({}, BODY, 301, "webhook-timestamp is 301 s old; 300 s are allowed"),
        ({}, BODY, -301, "webhook-timestamp is 301 s ahead; 300 s are allowed"),
        ({"webhook-id": ""}, BODY, 0, "the header webhook-id is missing"),
        ({"webhook-signature": ""}, BODY, 0, "the header webhook-signature is missing"),
        ({"webhook-timestamp": "soon"}, BODY, 0, "webhook-timestamp is no number of Unix seconds"),
        ({"webhook-timestamp": "1614265331"}, BODY, 0, "no signature matches"),
        ({"webhook-id": "msg_2"}, BODY, 0, "no signature matches"),
        ({}, BODY + b" ", 0, "no signature matches"),
        ({"webhook-signature": VALID[:-2]}, BODY, 0, "no signature matches"),
        ({"webhook-signature": VALID[3:]}, BODY, 0, "no signature of version v1"),
        ({"webhook-signature": "v1,é"}, BODY, 0, "no signature matches"),
    ],
)
def test_verifying(
    changed: dict[str, str], body: bytes, later_seconds: int, reason: str | None
) -> None:
    headers = {name.title(): value for name, value in {**SIGNED, **changed}.items()}
    found = verify(SECRET, headers, body, SIGNED_AT + later_seconds * 1000)
    assert (found is None) == (reason is None)
    assert (reason or "") in (found or "")
