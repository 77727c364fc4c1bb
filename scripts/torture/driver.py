"""Clients that create, poll and read balances, and write down what they saw."""

import asyncio
import itertools
import time
from collections import Counter
from random import Random
from typing import Any

import httpx2

from scripts.torture.history import Creation, History, Outcome, Poll

REQUEST_LIMIT_SECONDS = 5.0
_POLLS_PER_CREATION = 4
_PAUSE_SECONDS = 0.02
_PAUSE_WHEN_DOWN_SECONDS = 0.1
# What a creation asks for besides an ordinary end.
_TWISTS = ("", "", "", "[[fault: task_fails]]", "[[fault: partial images=1]]", "[[fault: task_hangs]]")  # fmt: skip  # noqa: E501


class Driver:
    """Several concurrent clients of a fleet.

    Args:
        urls: the replicas; each request goes to one by chance.
        keys: the accounts.
        history: what is seen is written here.
        hook: where callbacks shall go.
        chance: decides what is sent.
    """

    def __init__(
        self, urls: list[str], keys: list[str], history: History, hook: str, chance: Random
    ) -> None:
        self._urls = urls
        self._keys = keys
        self._history = history
        self._hook = hook
        self._chance = chance
        self._marks = itertools.count(1)
        self._known: dict[str, list[str]] = {key: [] for key in keys}
        self.answers: Counter[str] = Counter()

    async def run(self, clients: int, stop: asyncio.Event) -> None:
        """Send until ``stop`` is set."""
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._be_client(stop))

    async def _be_client(self, stop: asyncio.Event) -> None:
        async with client() as http:
            while not stop.is_set():
                key = self._chance.choice(self._keys)
                await self._create(http, key)
                for _ in range(_POLLS_PER_CREATION):
                    await asyncio.sleep(self._chance.uniform(0, 2 * _PAUSE_SECONDS))
                    await self._poll(http, key)
                await self._send(http, key, "GET", "/v1/credits/balance")

    async def _create(self, http: httpx2.AsyncClient, key: str) -> None:
        mark = f"m{next(self._marks)}"
        prompt = f"{mark} at dawn {self._chance.choice(_TWISTS)}"
        body = {"model": "gpt-image-2", "prompt": prompt, "n": self._chance.randint(1, 3)}
        has_callback = self._chance.random() < 0.5
        if has_callback:
            body["callback_url"] = self._hook
        started = time.monotonic()
        outcome, answer = await self._send(http, key, "POST", "/v1/images/generations", body)
        task_id = None if answer is None else str(answer["task_id"])
        ended = time.monotonic()
        creation = Creation(mark, key, started, ended, outcome, has_callback, task_id)
        self._history.creations.append(creation)
        if task_id is not None:
            self._known[key].append(task_id)

    async def _poll(self, http: httpx2.AsyncClient, key: str) -> None:
        known = self._known[key]
        if not known:
            return
        # Mostly young ones, which change; but also what ended long ago.
        youngest = max(0, len(known) - 20) if self._chance.random() < 0.8 else 0
        task_id = known[self._chance.randrange(youngest, len(known))]
        started = time.monotonic()
        outcome, answer = await self._send(http, key, "GET", f"/v1/tasks/{task_id}")
        if outcome in (Outcome.ACKNOWLEDGED, Outcome.REFUSED):
            self._history.polls.append(Poll(task_id, started, time.monotonic(), answer))

    async def _send(
        self, http: httpx2.AsyncClient, key: str, method: str, path: str, body: Any = None
    ) -> tuple[Outcome, dict[str, Any] | None]:
        url = self._chance.choice(self._urls) + path
        outcome, answer, word = await send(http, key, method, url, body)
        self.answers[word] += 1
        if outcome is Outcome.NOT_SENT:
            await asyncio.sleep(_PAUSE_WHEN_DOWN_SECONDS)
        return outcome, answer


def client() -> httpx2.AsyncClient:
    """An HTTP client that fails soon."""
    return httpx2.AsyncClient(timeout=REQUEST_LIMIT_SECONDS, trust_env=False)


async def send(
    http: httpx2.AsyncClient, key: str, method: str, url: str, body: Any = None
) -> tuple[Outcome, dict[str, Any] | None, str]:
    """Send one request, once.

    Returns:
        How it ended; the answer's JSON where it was acknowledged; the status, or what broke.
    """
    try:
        response = await http.request(
            method, url, json=body, headers={"Authorization": f"Bearer {key}"}
        )
        answer = response.json() if response.is_success else None
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        return Outcome.NOT_SENT, None, type(error).__name__
    except (httpx2.TransportError, ValueError) as error:
        return Outcome.UNKNOWN, None, type(error).__name__
    if response.is_success:
        return Outcome.ACKNOWLEDGED, answer, str(response.status_code)
    outcome = Outcome.REFUSED if response.is_client_error else Outcome.UNKNOWN
    return outcome, None, str(response.status_code)
