"""Calls to other servers."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from emulator.adapters.http import CallbackSender, HttpCaller


async def test_a_slow_resolver_holds_up_neither_other_work_nor_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_answer = threading.Event()
    in_time: list[bool] = []

    def slow(*_arguments: Any, **_options: Any) -> list[Any]:
        in_time.append(may_answer.wait(20))
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    sender = CallbackSender(HttpCaller("local", 60), 60)
    urls = [f"https://hooks-{number}.example.com/" for number in range(100)]
    attempts = [asyncio.ensure_future(sender.send(url, b"{}", {})) for url in urls]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(lambda: "done") == "done"
    for attempt in attempts:
        attempt.cancel()
    await asyncio.gather(*attempts, return_exceptions=True)
    await sender.close()
    may_answer.set()
    assert all(in_time)
