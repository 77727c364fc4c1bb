"""Which addresses may be called."""

from ipaddress import ip_address

import pytest

from emulator.core.address import allowed_addresses, split_http_url, why_forbidden

LOCAL = ["127.0.0.1", "127.8.8.8", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "fd12::1"]
PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]
NEVER = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fd00:ec2::254", "100.100.100.200",
    "192.0.0.192", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
]  # fmt: skip

# What versions of Python do not agree on.
SPECIAL = ["192.0.0.8", "192.0.0.9", "192.88.99.1", "198.18.0.1", "2001::1", "3fff::1", "5f00::1"]


@pytest.mark.parametrize(
    ("policy", "allowed", "forbidden"),
    [
        ("local", [*LOCAL, "::ffff:127.0.0.1", "64:ff9b::7f00:1"], [*PUBLIC, *NEVER]),
        ("upstream", PUBLIC, [*LOCAL, *NEVER, *SPECIAL, "::ffff:10.0.0.1", "2002:7f00:1::"]),
        ("any", [*LOCAL, *PUBLIC], NEVER),
        ("off", [], [*LOCAL, *PUBLIC, *NEVER]),
    ],
)
def test_policies(policy: str, allowed: list[str], forbidden: list[str]) -> None:
    for text in allowed:
        assert why_forbidden(ip_address(text), policy) is None, text
    for text in forbidden:
        assert why_forbidden(ip_address(text), policy), text


def test_a_name_with_both_kinds_of_address_is_called_at_the_allowed_one() -> None:
    allowed, reason = allowed_addresses(["169.254.169.254", "127.0.0.1"], "local")
    assert allowed == ["127.0.0.1"]
    assert "never called" in reason


@pytest.mark.parametrize(
    "url",
    ["", "x", "/x", "//host/", "ftp://h/", "http://", "http:///x", "http://h:0/", "http://h:x/",
     "http://h:99999/", "http://a b/", "http://h\\@evil/", "http://h/\n", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_absolute_http_url(url: str) -> None:
    assert split_http_url(url) is None
