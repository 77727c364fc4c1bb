"""Answers within limits of time and size, and what fails without having been sent."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.requests import Request

from contracts import wire
from contracts.wire import LostError, Wire
from tests.contracts.stand_in import Reply, answering, says, served, tcp_server

TIMEOUT_SECONDS = 0.15


@contextmanager
def wire_to(url: str, **options: Any) -> Iterator[Wire]:
    connections = Wire(url, TIMEOUT_SECONDS, **options)
    try:
        yield connections
    finally:
        connections.close()


def trickle(*first: bytes) -> Callable[[socket.socket], None]:
    """Answer a byte at a time, each well within any timeout, without an end."""

    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        for piece in first:
            connection.sendall(piece)
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    return talk


def hang(connection: socket.socket) -> None:
    connection.recv(10_000)
    connection.recv(10_000)


def close_at_once(connection: socket.socket) -> None:
    connection.close()


def close_in_between(connection: socket.socket) -> None:
    connection.recv(10_000)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")


def speak_another_protocol(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example.com ESMTP\r\n")
    connection.recv(10_000)


BAD_TALKS: dict[str, tuple[Callable[[socket.socket], None], str]] = {
    "says nothing": (hang, "ReadTimeout|within 0.15 seconds"),
    "trickles its headers": (trickle(b"HTTP/1.1 200 OK\r\nserver: "), "within 0.15 seconds"),
    "trickles its body": (
        trickle(b"HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n"),
        "within 0.15 seconds",
    ),
    "closes at once": (close_at_once, "RemoteProtocolError|ReadError"),
    "closes in between": (close_in_between, "RemoteProtocolError"),
    "speaks another protocol": (speak_another_protocol, "RemoteProtocolError"),
}


@pytest.mark.parametrize("name", BAD_TALKS)
def test_no_answer_may_have_been_asked_for(name: str) -> None:
    talk, reason = BAD_TALKS[name]
    with tcp_server(talk) as url, wire_to(url) as connections:
        request = connections.request("GET", url, {})
        with pytest.raises(LostError, match=reason) as lost:
            connections.exchange(request)
    assert lost.value.was_sent


def test_a_trusted_target_is_bounded_too() -> None:
    with (
        tcp_server(BAD_TALKS["trickles its body"][0]) as url,
        wire_to(url, is_trusted=True) as connections,
        pytest.raises(LostError, match=r"within 0\.15 seconds"),
    ):
        connections.exchange(connections.request("GET", url, {}))


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://[nonsense]/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:port/",
        "http://a..b/",
        "http://" + "a" * 70 + ".example/",
        "http://☃☃.␡/",
        "http://127.0.0.1/a\nb",
        "http://127.0.0.1/\ud800",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
        "",
        "http://",
    ],
)
def test_a_url_that_leads_nowhere_costs_nothing(url: str) -> None:
    with wire_to("http://127.0.0.1:9") as connections, pytest.raises(LostError) as lost:
        connections.exchange(connections.request("GET", url, {}))
    assert not lost.value.was_sent


@pytest.mark.parametrize("value", ["schlüssel", "a\nb", "a\0b", "a\r\nx-more: b"])
def test_a_header_that_can_not_be_sent_costs_nothing(value: str) -> None:
    with (
        served(answering(lambda request: says())) as server,
        wire_to(server.url) as connections,
    ):
        with pytest.raises(LostError) as lost:
            connections.exchange(connections.request("GET", server.url, {"x-key": value}))
        assert not lost.value.was_sent
        assert server.asked == []


def test_a_refused_connection_costs_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with wire_to(url) as connections, pytest.raises(LostError, match="ConnectError") as lost:
        connections.exchange(connections.request("POST", url, {}))
    assert not lost.value.was_sent


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_LARGEST_BODY_BYTES", 1000)
    reply = Reply(200, b"x" * 1001)
    with (
        served(answering(lambda request: reply)) as server,
        wire_to(server.url) as connections,
        pytest.raises(LostError, match="more than 1,000 bytes") as lost,
    ):
        connections.exchange(connections.request("GET", server.url, {}))
    assert lost.value.was_sent


def test_redirects_are_not_followed_and_cookies_not_kept() -> None:
    def reply(request: Request) -> Reply:
        return says(status=302, location="/elsewhere", set_cookie="session=secret; Path=/")

    with served(answering(reply)) as server, wire_to(server.url) as connections:
        for _ in range(2):
            received = connections.exchange(connections.request("GET", server.url + "/a", {}))
            assert received.status == 302
        assert [asked.path for asked in server.asked] == ["/a", "/a"]
        assert not any("cookie" in asked.headers for asked in server.asked)


def test_a_proxy_of_the_environment_is_not_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    with (
        served(answering(lambda request: says({"a": 1}))) as server,
        wire_to(server.url) as connections,
    ):
        received = connections.exchange(connections.request("GET", server.url, {}))
    assert (received.status, received.body) == (200, b'{"a": 1}')
