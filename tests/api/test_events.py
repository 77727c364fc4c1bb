"""/_emulator/events as a client reads it."""

import json
from typing import Any

from starlette.types import Message

from emulator.service.watch import TOPICS
from tests.support.world import KEY, World


async def test_head_opens_no_stream(world: World) -> None:
    response = await world.client.head("/_emulator/events")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")


async def first_messages(world: World, key: str) -> list[Message]:
    """What the stream sends until its first event is there; then the client goes."""
    sent: list[Message] = []

    class Gone(Exception):
        """The client went."""

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 2:
            raise Gone

    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http",
        "method": "GET",
        "path": "/_emulator/events",
        "raw_path": b"/_emulator/events",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {key}".encode())],
    }
    try:
        await world.server.app(scope, receive, send)
    except Gone:
        pass
    return sent


async def test_an_event_says_what_to_look_at_and_what_the_clock_shows(world: World) -> None:
    await world.clock_command(freeze=True)
    start, first = await first_messages(world, KEY)
    headers = dict(start["headers"])
    assert start["status"] == 200
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"cache-control"] == b"no-store"
    number, name, data, *rest = first["body"].decode().split("\n")
    assert (number, name, rest) == ("id: 1", "event: changed", ["", ""])
    assert json.loads(data.removeprefix("data: ")) == {
        "topics": list(TOPICS),
        "clock": {"now": "2027-01-15T08:00:00.000Z", "frozen": True, "offset_seconds": None},
    }


async def test_looking_on_is_not_in_the_journal(world: World) -> None:
    await first_messages(world, KEY)
    assert (await world.client.get("/_emulator/journal/count")).json()["count"] == 0


async def test_a_key_that_is_none_is_refused(world: World) -> None:
    start, body = await first_messages(world, "nonsense")
    assert start["status"] == 401
    assert json.loads(body["body"])["error"]["code"] == "invalid_api_key"
