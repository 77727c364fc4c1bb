"""Kills servers at random moments while clients use them, then checks what the clients saw."""

import asyncio
import base64
import os
import signal
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

from scripts.torture.checker import violations
from scripts.torture.collect import Collector
from scripts.torture.driver import Driver, client, send
from scripts.torture.history import History, Outcome
from scripts.torture.receiver import receiving
from scripts.torture.result import Result
from scripts.torture.servers import Fleet, NotUp, Replica, fleet, workers_of

CLIENTS = 8
KEYS = ["sk-rich-1", "sk-rich-2", "sk-poor"]
PATIENCE_SECONDS = 60.0
_RICH, _POOR = 10_000_000, 3_000
_LONGEST_LIFE_SECONDS = 0.8
_KILLED_WHILE_STARTING = 0.2
_MOST_STARTS = 5
_DATABASE_STOPS = 0.05
_ONLY_A_WORKER = 0.7


def crash(engine: str, replicas: int, workers: int, kills: int, seed: int) -> Result:
    """Kill servers while they are used, and judge what their clients saw.

    Args:
        engine: sqlite or postgres.
        replicas: how many servers share the database.
        workers: how many processes each of them is.
        kills: how often a server is killed, or one of its workers.
        seed: what is random follows from it, but for the processes' own timing.
    """
    secret = Random(seed).randbytes(32)
    flags = [*_flags(secret), "--workers", str(workers)]
    with (
        tempfile.TemporaryDirectory(prefix="torture-") as folder,
        fleet(engine, replicas, Path(folder), *flags) as servers,
    ):
        return asyncio.run(_crash(servers, History(secret), kills, Random(seed)))


async def _crash(servers: Fleet, history: History, kills: int, chance: Random) -> Result:
    await _give_credits(servers.urls[0])
    async with receiving(history.callbacks, chance) as receiver:
        driver = Driver(servers.urls, KEYS, history, receiver.url, chance)
        stop = asyncio.Event()
        clients = asyncio.create_task(driver.run(CLIENTS, stop))
        try:
            stops = await _kill(servers, kills, chance)
        finally:
            stop.set()
            await clients
        await Collector(servers.urls[0], PATIENCE_SECONDS).collect(history, KEYS)
    problems = violations(history) + _server_problems(servers, driver.answers, stops)
    done = f"{kills} kills" + (f", PostgreSQL stopped {stops} times" if stops else "")
    return Result(problems, f"{done}; {_seen(history, driver.answers)}")


def _flags(secret: bytes) -> list[str]:
    return [
        "--latency", "0.05-0.3", "--stuck-after-seconds", "1",
        "--callback-secret", f"whsec_{base64.b64encode(secret).decode()}",
        "--callback-timeout-seconds", "1", "--callback-retry-delays-seconds", "0,0.1,0.2,0.5,1,2,4",
        "--initial-credits", str(_RICH),
    ]  # fmt: skip


async def _give_credits(url: str) -> None:
    """Make the accounts; one of them will run out of credits, again and again."""
    async with client() as http:
        for key in KEYS:
            amount = _POOR if key == KEYS[-1] else _RICH
            path = "/_emulator/account/credits"
            outcome, _, word = await send(http, key, "POST", url + path, {"set": amount})
            if outcome is not Outcome.ACKNOWLEDGED:
                raise RuntimeError(f"{path} answered {word}")


async def _kill(servers: Fleet, kills: int, chance: Random) -> int:
    """Kill and start replicas; in the end all are up.

    Returns:
        How often the database, too, was stopped.
    """
    stops = 0
    for _ in range(kills):
        replica = chance.choice(servers.replicas)
        if chance.random() >= _KILLED_WHILE_STARTING:
            await asyncio.to_thread(_await_up, replica, servers)
        await asyncio.sleep(chance.uniform(0, _LONGEST_LIFE_SECONDS))
        if servers.cluster is not None and chance.random() < _DATABASE_STOPS:
            stops += 1
            await asyncio.to_thread(servers.cluster.stop, "immediate")
            await asyncio.sleep(chance.uniform(0, _LONGEST_LIFE_SECONDS))
            await asyncio.to_thread(servers.cluster.start)
        await asyncio.to_thread(_kill_one, replica, chance)
    for replica in servers.replicas:
        await asyncio.to_thread(_await_up, replica, servers)
    return stops


def _kill_one(replica: Replica, chance: Random) -> None:
    """Kill a server, which is started again, or one of its workers, which it replaces."""
    workers = [] if replica.has_ended() else workers_of(replica.pid)
    if workers and chance.random() < _ONLY_A_WORKER:
        with suppress(ProcessLookupError):  # it was about to end
            os.kill(chance.choice(workers), signal.SIGKILL)
    else:
        replica.restart()


def _await_up(replica: Replica, servers: Fleet) -> None:
    """Wait for a replica; one whose database went while it started is started again."""
    for _ in range(_MOST_STARTS):
        try:
            return replica.await_up()
        except NotUp:
            if servers.cluster is None or not replica.has_ended():
                raise
            replica.start()
    return replica.await_up()


def _server_problems(servers: Fleet, answers: Counter[str], stops: int) -> list[str]:
    """What must not happen, whatever was killed."""
    found = [f"{r.url} ended by itself" for r in servers.replicas if r.has_ended()]
    if answers["500"] and not stops:
        found.append(f"{answers['500']} requests were answered 500")
    return found


def _seen(history: History, answers: Counter[str]) -> str:
    outcomes = Counter(creation.outcome.value for creation in history.creations)
    created = ", ".join(f"{count} {name}" for name, count in outcomes.most_common())
    met = ", ".join(f"{name} {count}" for name, count in answers.most_common())
    tasks = sum(len(account.tasks) for account in history.accounts.values())
    return (
        f"{len(history.creations)} creations ({created}), {tasks} tasks,"
        f" {len(history.polls)} polls, {len(history.callbacks)} callbacks; answers: {met}"
    )
