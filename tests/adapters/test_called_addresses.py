"""Where a call goes: the known tricks with addresses and names, against each policy."""

import asyncio
import ipaddress
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from emulator.adapters.http import CallbackSender, HttpCaller, ReferenceFetcher
from emulator.core.callback import AttemptResult
from emulator.core.errors import Refusal

PUBLIC = "93.184.216.34"
PUBLIC_6 = "2606:2800:220:1:248:1893:25c8:1946"

# Each is this machine, the private network, or a cloud's metadata, in another spelling.
INSIDE = (
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1",
    "017700000001", "0x7f.0x0.0x0.0x1", "127.255.255.254", "0", "0.0.0.0", "00000000", "localhost",
    "LOCALHOST", "localhost.", "127.0.0.1.", "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "⑩.0.0.1",
    "10.1", "10.0.0.1", "0xa.1", "167772161", "172.16.1.1", "192.168.1", "3232235777",
    "100.64.0.1", "198.18.0.1", "192.0.0.8", "224.0.0.1", "255.255.255.255", "240.0.0.1",
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662",
    "100.100.100.200", "192.0.0.192",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::10.0.0.1]",
    "[2002:7f00:1::]", "[2002:a00:1::1]", "[2002:a9fe:a9fe::]", "[2001:0:7f00:1::]",
    "[2001:0:5db8:d822::80ff:fffe]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%25lo]",
    "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[2001:db8::1]", "[100::1]",
    "[::ffff:169.254.169.254]", "[::169.254.169.254]", "[::ffff:10.0.0.1]", "[5f00::1]",
)  # fmt: skip
METADATA = (
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662",
    "100.100.100.200", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[::169.254.169.254]", "[fe80::1%25lo]",
    "[::ffff:0:169.254.169.254]", "[64:ff9b:1::169.254.169.254]",
)  # fmt: skip
OUTSIDE = (
    PUBLIC, "93.12114978", "1572395042", "0x5db8d822", "0135.0270.0330.042", "９３.184.216.34",
    f"{PUBLIC}.", f"[{PUBLIC_6}]", f"[::ffff:{PUBLIC}]", f"[64:ff9b::{PUBLIC}]", f"[::{PUBLIC}]",
    "[2002:5db8:d822::1]",
)  # fmt: skip
# The host is what stands after the last at sign and before the slash, whatever stands around it.
DRESSED = ("user@{}", "93.184.216.34@{}", "a:b@{}", "93.184.216.34%2f@{}", "{}:443")


class Wire:
    """Names that resolve as told, and connections that go nowhere but are noted."""

    def __init__(self) -> None:
        self.connected: list[str] = []
        self.looked_up: list[str] = []
        self.names: dict[str, list[list[str]]] = {}

    def getaddrinfo(self, host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        """Names of the test as told, one answer after the other; addresses as the system does."""
        self.looked_up.append(host)
        answers = self.names.get(host.rstrip(".").lower())
        if answers is None:
            if _NAME.search(host.partition("%")[0].lower().replace("localhost", "")):
                raise socket.gaierror(socket.EAI_NONAME, "no such name in this test")
            return list(_SYSTEM(host, port, *args, **options))
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM, 6, "", (address, port),
            )
            for address in addresses
        ]  # fmt: skip

    async def connect_tcp(self, remote_host: str, *_: Any, **__: Any) -> Any:
        self.connected.append(remote_host)
        raise OSError("this test connects nowhere")


_SYSTEM = socket.getaddrinfo
_NAME = re.compile("[g-wyz]")  # what no address has, in hex or not


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr(socket, "getaddrinfo", wire.getaddrinfo)
    monkeypatch.setattr(anyio, "connect_tcp", wire.connect_tcp)
    return wire


@asynccontextmanager
async def sender(policy: str) -> AsyncIterator[CallbackSender]:
    sender = CallbackSender(HttpCaller(policy, 5), 5)
    yield sender
    await sender.close()


def judged(address: str) -> str:
    """What a connection's address is: never, local, or public; worked out without the emulator."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        number = int(ip)
        shapes = ((32, 0xFFFF, 0), (32, 0x64FF9B << 64, 0), (112, 0x2002, 80))
        for bits, head, place in shapes:
            if number >> bits == head:
                ip = ipaddress.IPv4Address(number >> place & 0xFFFFFFFF)
                break
    if str(ip) in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254") or ip.is_link_local:
        return "never"
    if ip.is_loopback or any(ip in network for network in map(ipaddress.ip_network, PRIVATE)):
        return "local"
    return "public" if ip.is_global and not ip.is_multicast else "never"


PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")


async def call(policy: str, *urls: str) -> list[AttemptResult]:
    async with sender(policy) as calls:
        return [await calls.send(url, b"{}", {}) for url in urls]


def urls(host: str) -> list[str]:
    dressed = [host, *(dress.format(host) for dress in DRESSED)]
    return [f"https://{text}/x?y=http://93.184.216.34/#@93.184.216.34" for text in dressed]


@pytest.mark.parametrize("host", INSIDE)
async def test_upstream_never_calls_inside(wire: Wire, host: str) -> None:
    for result in await call("upstream", *urls(host)):
        assert result.status is None
        assert result.error
    assert wire.connected == []


@pytest.mark.parametrize("host", OUTSIDE)
async def test_local_never_calls_outside(wire: Wire, host: str) -> None:
    for result in await call("local", *urls(host), f"http://{host}/"):
        assert result.error
    assert wire.connected == []


@pytest.mark.parametrize("policy", ["local", "upstream", "any", "off"])
@pytest.mark.parametrize("host", METADATA)
async def test_nobody_calls_metadata(wire: Wire, policy: str, host: str) -> None:
    await call(policy, *urls(host))
    assert wire.connected == []


@pytest.mark.parametrize(("policy", "kind"), [("local", "local"), ("upstream", "public")])
async def test_whatever_is_called_is_of_the_policy(wire: Wire, policy: str, kind: str) -> None:
    hosts = (*INSIDE, *METADATA, *OUTSIDE)
    await call(policy, *(url for host in hosts for url in urls(host)))
    assert len(set(wire.connected)) > 2
    assert {judged(address) for address in wire.connected} == {kind}


@pytest.mark.parametrize(
    ("policy", "addresses", "called"),
    [
        ("upstream", ["127.0.0.1", PUBLIC], [PUBLIC]),
        ("upstream", [PUBLIC, "127.0.0.1"], [PUBLIC]),
        ("upstream", ["::1", "10.0.0.1", "169.254.169.254"], []),
        ("upstream", ["::ffff:127.0.0.1", "fe80::1%2"], []),
        ("local", [PUBLIC, "127.0.0.1"], ["127.0.0.1"]),
        ("local", ["169.254.169.254", PUBLIC, PUBLIC_6], []),
        ("local", ["fe80::1%2", "::1"], ["::1"]),
        ("any", ["169.254.169.254", PUBLIC], [PUBLIC]),
    ],
)
async def test_a_name_with_addresses_of_both_kinds(
    wire: Wire, policy: str, addresses: list[str], called: list[str]
) -> None:
    wire.names["both.example"] = [addresses]
    await call(policy, "https://both.example/hook")
    assert wire.connected == called


@pytest.mark.parametrize(
    ("policy", "first", "then"),
    [("upstream", PUBLIC, "127.0.0.1"), ("local", "10.1.2.3", "169.254.169.254")],
)
async def test_a_name_that_changes_its_mind_is_called_at_the_address_that_was_checked(
    wire: Wire, policy: str, first: str, then: str
) -> None:
    wire.names["rebinding.example"] = [[first], [then]]
    await call(policy, "https://rebinding.example/hook")
    assert wire.looked_up == ["rebinding.example"]
    assert wire.connected == [first]
    await call(policy, "https://rebinding.example/hook")
    assert wire.connected == [first]  # the second answer was looked at too


@pytest.mark.parametrize("url", [
    "https://127.0.0.1\\@93.184.216.34/", "https://93.184.216.34\\.evil@127.0.0.1/",
    "https:///127.0.0.1/", "https:127.0.0.1", "//127.0.0.1/", "gopher://127.0.0.1/",
    "file:///etc/passwd", "https://127.0.0.1:0/", "https://127.0.0.1:99999/",
    "https://[::1/", "https://::1/", "https://127.0.0.1\t@93.184.216.34/", "https://\u2025/",
    "https://127.0.0.1\r\nHost: x/", "http://93.184.216.34/", "https://%31%32%37.0.0.1/",
    "https://" + "a." * 2_000 + "example/", "https://xn--/", "https://a..b/", "https://.127.0.0.1/",
])  # fmt: skip
async def test_upstream_calls_nothing_that_is_no_public_https_url(wire: Wire, url: str) -> None:
    (result,) = await call("upstream", url)
    assert result.error
    assert wire.connected == []


async def test_references_follow_the_same_rules(wire: Wire) -> None:
    fetcher = ReferenceFetcher(HttpCaller("upstream", 5), 5, 1000)
    for host in INSIDE:
        with pytest.raises(Refusal) as caught:
            await fetcher.fetch(f"https://{host}/a.png", "input_images[0]")
        assert caught.value.code == "invalid_image"
    assert wire.connected == []
    await fetcher.close()


async def test_a_redirect_is_an_answer_like_any_other() -> None:
    asked = []

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        there = f"http://127.0.0.1:{port}/there"
        writer.write(f"HTTP/1.1 307 x\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(redirect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        (result,) = await call("local", f"http://127.0.0.1:{port}/here")
    assert (result.status, len(asked)) == (307, 1)
