"""The guard: what may drive the control API."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from emulator.api.app import CONTROL, PROBES
from emulator.core.address import is_loopback_host
from emulator.serve_command import banner
from emulator.settings import SettingError, Settings
from emulator.settings_sources import from_texts
from tests.support.world import World, open_world

TOKEN = "a-token-of-a-test"
JSON = {"Content-Type": "application/json"}
CLOCK = "/_emulator/clock"


def control_routes() -> Iterator[tuple[str, str]]:
    for method, path, _ in CONTROL:
        if path not in PROBES:
            yield method, path.replace(":path", "").replace("{", "").replace("}", "")


each_control_route = pytest.mark.parametrize(("method", "path"), list(control_routes()))


@asynccontextmanager
async def guarded(**settings: Any) -> AsyncIterator[World]:
    async with open_world(allowed_hosts=(), **settings) as world:
        world.client.base_url = httpx2.URL("http://127.0.0.1:8080")
        yield world


def code_of(response: httpx2.Response) -> str:
    code: str = response.json()["error"]["code"]
    return code


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8080", True),
        ("192.168.1.7", True),
        ("[::1]:8080", True),
        ("localhost:8080", True),
        ("LOCALHOST", True),
        ("localhost.:8080", True),
        ("app.localhost", True),
        ("emulator:8080", True),
        ("my_service-1", True),
        ("host.docker.internal:8080", True),
        ("emulator.example:443", True),
        ("Images.Test:1", True),
        ("other.test", True),
        ("evil.example", False),
        ("evil.example:8080", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("evil-localhost.example", False),
        ("evil.example.", False),
        ("images.test.evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("127.0.0.1:8080:evil.example", False),
        ("", False),
    ],
)
async def test_the_host_must_be_allowed(host: str, allowed: bool) -> None:
    async with open_world(
        public_url="https://emulator.example/images", allowed_hosts=("images.test", "other.test")
    ) as world:
        for method, body in (("GET", b""), ("POST", b'{"freeze": true}')):
            response = await world.client.request(
                method, CLOCK, content=body, headers={"Host": host, **JSON}
            )
            assert response.status_code == (200 if allowed else 403), response.text
            if not allowed:
                assert code_of(response) == "host_not_allowed"
                assert "--allowed-hosts" in response.json()["error"]["message"]


async def test_two_hosts_are_none() -> None:
    async with guarded() as world:
        headers = [("Host", "localhost"), ("Host", "evil.example")]
        assert code_of(await world.client.get(CLOCK, headers=headers)) == "host_not_allowed"


@each_control_route
async def test_no_route_is_left_out(method: str, path: str) -> None:
    async with guarded() as world:
        response = await world.client.request(method, path, headers={"Host": "evil.example"})
        assert (response.status_code, code_of(response)) == (403, "host_not_allowed")


@each_control_route
async def test_no_route_works_without_the_token(method: str, path: str) -> None:
    async with guarded(control_token=TOKEN) as world:
        response = await world.client.request(method, path, headers=JSON)
        assert (response.status_code, code_of(response)) == (401, "invalid_control_token")


@each_control_route
@pytest.mark.parametrize(
    "sent", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
async def test_no_route_takes_another_sites_page(
    method: str, path: str, sent: dict[str, str]
) -> None:
    async with guarded() as world:
        response = await world.client.request(method, path, headers={**JSON, **sent})
        assert (response.status_code, code_of(response)) == (403, "cross_site_request")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "images.test", "box", ""])
async def test_a_server_for_others_is_closed(host: str) -> None:
    async with guarded(host=host) as world:
        response = await world.client.get(CLOCK)
        assert (response.status_code, code_of(response)) == (403, "control_closed")
        message = response.json()["error"]["message"]
        assert "--control-token" in message
        assert "X-Emulator-Token" in message
        for probe in PROBES:
            assert (await world.client.get(probe)).status_code == 200
        assert (await world.client.get("/v1/credits/balance")).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "a.localhost"])
async def test_a_server_for_this_machine_is_open(host: str) -> None:
    assert is_loopback_host(host)
    async with guarded(host=host) as world:
        assert (await world.client.get(CLOCK)).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (TOKEN.encode(), 200),
        (TOKEN[:-1].encode(), 401),
        (TOKEN.encode() + b"x", 401),
        (b"", 401),
        (b"\xe9" * 16, 401),
    ],
)
async def test_the_token_opens_everywhere(host: str, sent: bytes, status: int) -> None:
    async with guarded(host=host, control_token=TOKEN) as world:
        response = await world.client.get(CLOCK, headers=[(b"X-Emulator-Token", sent)])
        assert response.status_code == status
        assert TOKEN not in response.text


@pytest.mark.parametrize(
    ("site", "status"),
    [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)],
)
async def test_pages_of_other_sites_are_refused(site: str, status: int) -> None:
    async with guarded() as world:
        response = await world.client.get(CLOCK, headers={"Sec-Fetch-Site": site})
        assert response.status_code == status
        if status == 403:
            assert code_of(response) == "cross_site_request"


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("text/plain", b'{"freeze": true}', "invalid_content_type"),
        ("application/x-www-form-urlencoded", b"freeze=true", "invalid_content_type"),
        ("multipart/form-data; boundary=x", b'{"freeze": true}', "invalid_content_type"),
        (None, b'{"freeze": true}', "invalid_content_type"),
        ("application/json", b"", "invalid_json"),
        ("application/json", b"[]", "invalid_body"),
        ("application/json", b"{}", "invalid_value"),
    ],
)
async def test_a_post_is_a_json_object(content_type: str | None, body: bytes, code: str) -> None:
    async with guarded() as world:
        headers = {} if content_type is None else {"Content-Type": content_type}
        response = await world.client.post(CLOCK, content=body, headers=headers)
        assert (response.status_code, code_of(response)) == (400, code)
        assert (await world.client.get(CLOCK)).json()["frozen"] is False


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_each_post_and_put_needs_json(method: str) -> None:
    async with guarded() as world:
        for route_method, path in control_routes():
            if route_method == method:
                response = await world.client.request(method, path, content=b"{}")
                assert code_of(response) == "invalid_content_type", path


async def test_no_page_gets_a_preflight_answered() -> None:
    async with guarded() as world:
        response = await world.client.options(CLOCK, headers={"Origin": "http://evil.example"})
        assert response.status_code == 405
        assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "open to this machine only"),
        ({"host": "0.0.0.0"}, "closed: "),
        ({"host": "0.0.0.0", "control_token": TOKEN}, "needs the header X-Emulator-Token"),
    ],
)
def test_the_banner_says_how_it_stands(settings: dict[str, Any], said: str) -> None:
    text = banner(Settings(**settings), "http://127.0.0.1:8080")
    assert f"  control   {said}" in text
    assert TOKEN not in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("control_token", "short77"),
        ("control_token", "has a space in it"),
        ("control_token", "ümlaut-token"),
        ("callback_secret", "hunter2-hunter2"),
    ],
)
def test_a_bad_secret_is_refused_and_never_shown(name: str, text: str) -> None:
    with pytest.raises(SettingError) as caught:
        from_texts({name: text}, {})
    assert text not in str(caught.value)
    assert "(hidden)" in str(caught.value)


def test_allowed_hosts_are_names() -> None:
    read = from_texts({"allowed_hosts": "Images.Test, box."}, {})
    assert read.allowed_hosts == ("images.test", "box")
    for text in ("http://x", "x:80", "*", "a b"):
        with pytest.raises(SettingError, match="--allowed-hosts takes"):
            from_texts({"allowed_hosts": text}, {})


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:8080", True),
        ("https://127.0.0.1:8080", True),  # behind a proxy that ends TLS
        ("https://emulator.example", True),  # of --public-url
        ("http://127.0.0.1:8081", False),
        ("http://127.0.0.1", False),
        ("http://localhost:8080", False),
        ("https://evil.example", False),
        ("http://127.0.0.1:8080.evil.example", False),
        ("null", False),
        ("", False),
    ],
)
async def test_the_origin_must_be_the_host_that_was_asked(origin: str, allowed: bool) -> None:
    async with guarded(public_url="https://emulator.example") as world:
        for method, body in (("GET", b""), ("POST", b'{"freeze": true}')):
            response = await world.client.request(
                method, CLOCK, content=body, headers={"Origin": origin, **JSON}
            )
            assert response.status_code == (200 if allowed else 403), response.text
            if not allowed:
                assert code_of(response) == "cross_site_request"
                assert response.json()["error"]["param"] == "Origin"


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("localhost:80", "http://localhost", True),  # a browser leaves the scheme's own port out
        ("localhost:443", "https://localhost", True),
        ("localhost:80", "https://localhost", False),
        ("localhost:8080", "http://localhost", False),
    ],
)
async def test_a_proxy_may_name_the_port_of_the_scheme(
    host: str, origin: str, allowed: bool
) -> None:
    async with guarded() as world:
        response = await world.client.get(CLOCK, headers={"Host": host, "Origin": origin})
        assert response.status_code == (200 if allowed else 403), response.text
