"""Forged media links and forged callbacks: one changed bit is enough, and nothing tells more."""

import ast
import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.core.callback import signature_headers, verify
from emulator.core.link import is_authentic, media_path, signature, signed_link, upload_path

ROOT = Path(__file__).parents[2]
SECRET = b"0123456789abcdef0123456789abcdef"
TASK, OTHER = "task_000000000000000000000001", "task_000000000000000000000002"
PATH, EXPIRES = media_path(TASK, 1), "1795466671"
GOOD = signature(SECRET, PATH, EXPIRES)
NOW = 1_795_380_270_000
BODY = b'{"task_id": "task_1", "status": "succeeded"}'
SIGNED = signature_headers(SECRET, "msg_1", NOW, BODY)


def bit_flips(text: str) -> Iterator[str]:
    """A hexadecimal text with each of its bits turned over."""
    number, digits = int(text, 16), len(text)
    for bit in range(digits * 4):
        yield f"{number ^ (1 << bit):0{digits}x}"


def test_a_link_that_was_made_here_is_authentic() -> None:
    assert is_authentic(SECRET, PATH, EXPIRES, GOOD)
    link = signed_link(SECRET, "http://x", PATH, int(EXPIRES) * 1000)
    assert link.endswith(f"?expires={EXPIRES}&signature={GOOD}")


def test_no_bit_of_a_signature_may_differ() -> None:
    forged = list(bit_flips(GOOD))
    assert len(forged) == 128
    assert not any(is_authentic(SECRET, PATH, EXPIRES, one) for one in forged)


@pytest.mark.parametrize(
    "forged",
    [
        "", " ", "0", "0" * 32, GOOD.upper(), GOOD + " ", " " + GOOD, GOOD + "\n", GOOD + "\0",
        GOOD[:-1], GOOD[1:], GOOD * 2, GOOD + "00", "0x" + GOOD, GOOD[::-1], "\ud800", "٠" * 32,
        GOOD.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789abcdef"}),
        hashlib.blake2b(f"{PATH}\n{EXPIRES}".encode(), digest_size=16).hexdigest(),
        hashlib.blake2b(SECRET + f"{PATH}\n{EXPIRES}".encode(), digest_size=16).hexdigest(),
        signature(b"", PATH, EXPIRES), signature(SECRET[:-1], PATH, EXPIRES),
    ],
)  # fmt: skip
def test_what_only_looks_like_the_signature(forged: str) -> None:
    assert not is_authentic(SECRET, PATH, EXPIRES, forged)


@pytest.mark.parametrize(
    ("path", "expires"),
    [
        (media_path(OTHER, 1), EXPIRES), (media_path(TASK, 2), EXPIRES), (PATH, "1795466672"),
        (PATH, "9999999999"), (PATH, "+1795466671"), (PATH, "01795466671"), (PATH, "1795466671 "),
        (PATH, "1795466671.0"), (PATH, "١٧٩٥٤٦٦٦٧١"), (PATH, ""), ("", EXPIRES),
        (PATH + "/", EXPIRES),
        (PATH.upper(), EXPIRES), (upload_path(TASK), EXPIRES), (PATH + "\n", EXPIRES),
        # What is signed is path, line feed, expiry: neither may take over a part of the other.
        (PATH + "\n17", "95466671"), (PATH[:-1], "g\n" + EXPIRES), (PATH + "\n" + EXPIRES, ""),
        ("", PATH + "\n" + EXPIRES), (PATH, EXPIRES + "\0" * 8),
        (PATH, EXPIRES + "\x80" + "\0" * 40),
    ],
)  # fmt: skip
def test_a_signature_is_for_its_own_path_and_expiry_alone(path: str, expires: str) -> None:
    assert not is_authentic(SECRET, path, expires, GOOD)


def verified(body: bytes = BODY, now: int = NOW, **headers: str) -> bool:
    sent = {**SIGNED, **{f"webhook-{name}": value for name, value in headers.items()}}
    return verify(SECRET, sent, body, now) is None


def test_a_callback_that_was_sent_here_verifies() -> None:
    assert verified()
    assert verified(signature=f"v1,AAAA {SIGNED['webhook-signature']}")


def test_no_bit_of_a_callbacks_signature_may_differ() -> None:
    digest = base64.b64decode(SIGNED["webhook-signature"].removeprefix("v1,"))
    for forged in bit_flips(digest.hex()):
        text = base64.b64encode(bytes.fromhex(forged)).decode()
        assert not verified(signature=f"v1,{text}")


def test_no_other_body_id_or_time_has_a_callbacks_signature() -> None:
    for body in (b"", BODY + b" ", BODY[:-1], BODY.upper(), BODY + b"\x80" + b"\0" * 60):
        assert not verified(body)
    for name in ("msg_2", "MSG_1", "msg_1.", "msg_1." + SIGNED["webhook-timestamp"]):
        assert not verified(id=name)
    for seconds in ("1795380271", "+1795380270", "01795380270", "1795380270.0", "", "١٧٩٥٣٨٠٢٧٠"):
        assert not verified(timestamp=seconds)
    assert not verified(now=NOW + 301_000)
    assert not verified(now=NOW - 301_000)
    good = SIGNED["webhook-signature"]
    changed = [good.replace("v1,", head) for head in ("", "v1a,", "v2,")]
    for forged in ("", "v1,", *changed, good.lower(), good[:-1], good + "=", good + "\0"):
        assert not verified(signature=forged)


def test_the_parts_of_a_callback_can_not_be_shifted() -> None:
    """An id with a dot moves the seams: what was one message's id is no other's timestamp."""
    seconds = SIGNED["webhook-timestamp"]
    assert not verified(id="msg_1." + seconds, body=BODY[len(seconds) + 1 :])
    assert not verified(id="msg", body=b"1." + BODY)


SECRET_WORDS = ("token", "signature", "secret", "digest", "key_hash")


@pytest.mark.parametrize("module", ["api/guard.py", "core/link.py", "core/callback.py"])
def test_secrets_are_compared_in_constant_time(module: str) -> None:
    """No ``==`` or ``in`` has a secret on a side: only ``hmac.compare_digest`` compares one."""
    text = (ROOT / "emulator" / module).read_text("utf-8")
    assert "compare_digest(" in text
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and not any(
            isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops
        ):
            sides = [ast.unparse(side).lower() for side in (node.left, *node.comparators)]
            secret = [side for side in sides for word in SECRET_WORDS if word in side]
            # Names and lengths of secrets are public; only their values are not.
            assert not [side for side in secret if not side.startswith(("len(", "'"))], sides
