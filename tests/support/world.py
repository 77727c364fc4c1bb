"""A server in this process, with time moved by hand and callbacks that need no socket."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from emulator.compose import Server, compose
from emulator.core.callback import AttemptResult
from emulator.core.latency import Latency
from emulator.core.ports import Sender
from emulator.settings import Settings
from tests.support import contract
from tests.support.plain_transport import PlainTransport
from tests.support.postgres import drop_database, new_database

START = 1_800_000_000_000  # 2027-01-15T08:00:00Z
# With this variable set, every world that would be in memory has a PostgreSQL database.
ON_POSTGRES = "GPT_IMAGE_TEST_ON_POSTGRES"
KEY = "sk-test"
BASE = "http://emulator.test"
CREATION = {"model": "gpt-image-2", "prompt": "A lighthouse at dawn"}


class ManualClock:
    """Real time that only moves when a test says so."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> int:
        return self.instant

    def pass_seconds(self, seconds: float) -> None:
        self.instant += round(seconds * 1000)


@dataclass
class Receiver:
    """A callback receiver: an ASGI application that remembers, and answers as told.

    ``statuses`` are answered in turn; the last one from then on.
    """

    statuses: list[int] = field(default_factory=lambda: [200])
    received: list[tuple[Any, httpx2.Headers]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.raw.append(await request.body())
        self.received.append((json.loads(self.raw[-1]), httpx2.Headers(request.headers.raw)))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        await Response("thank you", status)(scope, receive, send)

    @property
    def bodies(self) -> list[Any]:
        return [body for body, _ in self.received]


class ReceiverSender:
    """Delivers callbacks to a receiver in this process, through a real HTTP client."""

    def __init__(self, receiver: Receiver) -> None:
        self._client = httpx2.AsyncClient(transport=httpx2.ASGITransport(receiver))

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
        response = await self._client.post(url, content=body, headers=headers)
        return AttemptResult(response.status_code, 1, response.text)

    async def close(self) -> None:
        await self._client.aclose()


class ContractClient(httpx2.AsyncClient):
    """An HTTP client that holds every answer against openapi.yaml."""

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        response = await super().send(request, **options)
        contract.check(response)
        return response


@dataclass
class World:
    """What a test holds.

    ``client`` holds every answer against openapi.yaml, ``raw`` takes any; ``pauses`` are the
    seconds that the server would have waited.
    """

    server: Server
    client: ContractClient
    clock: ManualClock
    receiver: Receiver
    raw: httpx2.AsyncClient
    pauses: list[float]

    async def create(self, **fields: Any) -> dict[str, Any]:
        """Create a task; return the creation answer."""
        response = await self.client.post("/v1/images/generations", json={**CREATION, **fields})
        assert response.status_code == 202, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def task(self, task_id: str) -> dict[str, Any]:
        """Poll a task."""
        response = await self.client.get(f"/v1/tasks/{task_id}")
        assert response.status_code == 200, response.text
        detail: dict[str, Any] = response.json()
        return detail

    async def clock_command(self, **command: Any) -> dict[str, Any]:
        """Command the account's clock."""
        response = await self.client.post("/_emulator/clock", json=command)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def sums(self) -> dict[str, int]:
        """The account's credits."""
        answer = (await self.client.get("/_emulator/account")).json()
        sums: dict[str, int] = answer["credits"]
        return sums

    def miscounted(self) -> list[tuple[str, int, int | None]]:
        """Accounts whose notes about their unsettled tasks are wrong: how many, when one ends."""
        database: Any = self.server.database
        found: list[tuple[str, int, int | None]] = database._connection.execute(
            "WITH open AS (SELECT account_id, count(*) AS tasks, min(ends_at) AS first"
            " FROM task_ends WHERE settled = 0 GROUP BY account_id)"
            " SELECT id, tasks_in_flight, wake_at FROM accounts LEFT JOIN open ON account_id = id"
            " WHERE tasks_in_flight <> COALESCE(tasks, 0) OR CASE"
            " WHEN clock_frozen_at IS NULL THEN wake_at IS NOT first - clock_offset_ms"
            " ELSE (wake_at IS NULL) = COALESCE(first <= clock_frozen_at, 0) END"
        ).fetchall()
        return found

    async def balance(self) -> int:
        """The credits that can be spent."""
        credits: int = (await self.client.get("/v1/credits/balance")).json()["credits"]
        return credits

    async def ledger(self) -> list[dict[str, Any]]:
        """The account's ledger."""
        answer = (await self.client.get("/_emulator/ledger")).json()
        entries: list[dict[str, Any]] = answer["data"]
        return entries

    async def finished(self, **fields: Any) -> dict[str, Any]:
        """Create a task, let its time pass, and poll it."""
        answer = await self.create(**fields)
        self.clock.pass_seconds(700)
        return await self.task(answer["task_id"])


@asynccontextmanager
async def open_world(
    sender: Sender | None = None, *, plain: bool = True, **settings: Any
) -> AsyncIterator[World]:
    """Start a world.

    ``sender`` delivers callbacks, ``settings`` are fields of ``Settings``. Without ``plain`` the
    application answers everything.
    """
    chosen: dict[str, Any] = {
        "database": ":memory:",
        "log": "none",
        "latency": Latency(None, 10.0),
        "allowed_hosts": ("emulator.test",),
        **settings,
    }
    on_postgres = chosen["database"] == ":memory:" and bool(os.environ.get(ON_POSTGRES))
    if on_postgres:
        chosen |= {"database": new_database(), "database_connections": 4}
    clock, receiver = ManualClock(), Receiver()
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    server = compose(Settings(**chosen), clock, sender or ReceiverSender(receiver), pause)
    options: dict[str, Any] = {
        "transport": PlainTransport(server) if plain else httpx2.ASGITransport(server.app),
        "base_url": BASE,
        "headers": {"Authorization": f"Bearer {KEY}"},
    }
    try:
        async with ContractClient(**options) as client, httpx2.AsyncClient(**options) as raw:
            yield World(server, client, clock, receiver, raw, pauses)
    finally:
        await server.services.deliveries.stop()
        server.close()
        if on_postgres:
            drop_database(chosen["database"])
