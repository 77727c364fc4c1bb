"""Asks the API, when all is over, what it holds."""

import asyncio
import time
from typing import Any

import httpx2

from scripts.torture.driver import client, send
from scripts.torture.history import FinalAccount, FinalTask, History, Outcome

_AT_ONCE = 8
_LEDGER_PAGE = 1000
_LOOK_SECONDS = 0.2


class Collector:
    """Reads the accounts of a server that is left in peace.

    Args:
        url: the server.
        patience_seconds: how long what is under way may take: ends, settlements, callbacks.
    """

    def __init__(self, url: str, patience_seconds: float) -> None:
        self._url = url
        self._deadline = time.monotonic() + patience_seconds
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def collect(self, history: History, keys: list[str]) -> None:
        """Fill a history's accounts."""
        async with client() as http:
            for key in keys:
                history.accounts[key] = await self._account(http, key, history)

    async def _account(self, http: httpx2.AsyncClient, key: str, history: History) -> FinalAccount:
        # Not by polling: nobody shall have to ask for a task so that it is settled.
        while (await self._get(http, key, "/_emulator/account"))["credits"]["reserved"]:
            if not await self._wait():
                break
        ledger: list[dict[str, Any]] = []
        page = await self._ledger_after(http, key, 0)
        while page:
            ledger += page
            page = await self._ledger_after(http, key, page[-1]["number"])
        ids = [entry["task_id"] for entry in ledger if entry["kind"] == "reservation"]
        ids += [c.task_id for c in history.creations if c.key == key and c.task_id is not None]
        tasks = await asyncio.gather(*(self._task(http, key, name) for name in dict.fromkeys(ids)))
        overview = await self._get(http, key, "/_emulator/account")
        balance = await self._get(http, key, "/v1/credits/balance")
        found = dict(zip(dict.fromkeys(ids), tasks, strict=True))
        return FinalAccount(overview["credits"], balance["credits"], ledger, found)

    async def _ledger_after(
        self, http: httpx2.AsyncClient, key: str, number: int
    ) -> list[dict[str, Any]]:
        path = f"/_emulator/ledger?after={number}&limit={_LEDGER_PAGE}"
        rows: list[dict[str, Any]] = (await self._get(http, key, path))["data"]
        return rows

    async def _task(self, http: httpx2.AsyncClient, key: str, task_id: str) -> FinalTask:
        async with self._room:
            rows = (await self._get(http, key, f"/_emulator/tasks?task_id={task_id}"))["data"]
            if not rows:
                return FinalTask(None, "", [])
            path = f"/_emulator/deliveries?task_id={task_id}"
            deliveries = (await self._get(http, key, path))["data"]
            while any(row["state"] == "pending" for row in deliveries) and await self._wait():
                deliveries = (await self._get(http, key, path))["data"]
            _, detail, _ = await send(http, key, "GET", f"{self._url}/v1/tasks/{task_id}")
            return FinalTask(detail, rows[0]["request"]["prompt"], deliveries)

    async def _get(self, http: httpx2.AsyncClient, key: str, path: str) -> dict[str, Any]:
        outcome, answer, word = await send(http, key, "GET", self._url + path)
        if outcome is not Outcome.ACKNOWLEDGED or answer is None:
            raise RuntimeError(f"{path} answered {word} when all was over")
        return answer

    async def _wait(self) -> bool:
        """Wait a little; False: the patience is at its end."""
        await asyncio.sleep(_LOOK_SECONDS)
        return time.monotonic() < self._deadline
