"""Kills servers at random moments while clients use them, then checks what the clients saw."""

import asyncio
import base64
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

from scripts.torture.checker import violations
from scripts.torture.collect import Collector
from scripts.torture.driver import Driver, client, send
from scripts.torture.history import History, Outcome
from scripts.torture.receiver import receiving
from scripts.torture.result import Result
from scripts.torture.servers import Fleet, fleet

CLIENTS = 8
PATIENCE_SECONDS = 60.0
_RICH, _POOR = 10_000_000, 3_000
_LONGEST_LIFE_SECONDS = 0.8
_KILLED_WHILE_STARTING = 0.2
_DATABASE_STOPS = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes:
        engine: sqlite or postgres.
        replicas: how many processes share the database.
        kills: how often a process is killed.
        seed: what is random follows from it, but for the processes' own timing.
    """

    engine: str
    replicas: int
    kills: int
    seed: int

    @property
    def name(self) -> str:
        """What a line about it begins with."""
        return f"crash, {self.engine}, {self.replicas} process{'es' * (self.replicas > 1)}"


def crash(plan: Plan) -> Result:
    """Run a plan in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        return asyncio.run(_crash(plan, Path(folder)))


async def _crash(plan: Plan, folder: Path) -> Result:
    chance = Random(plan.seed)
    secret = chance.randbytes(32)
    history = History(secret)
    keys = ["sk-rich-1", "sk-rich-2", "sk-poor"]
    with fleet(plan.engine, plan.replicas, folder, *_flags(secret)) as servers:
        await _give_credits(servers.urls[0], keys)
        async with receiving(history.callbacks, chance) as receiver:
            driver = Driver(servers.urls, keys, history, receiver.url, chance)
            stop = asyncio.Event()
            clients = asyncio.create_task(driver.run(CLIENTS, stop))
            try:
                stops = await _kill(servers, plan.kills, chance)
            finally:
                stop.set()
                await clients
            await Collector(servers.urls[0], PATIENCE_SECONDS).collect(history, keys)
        problems = violations(history) + _server_problems(servers, driver.answers, stops)
    return Result(problems, _summary(plan, history, driver.answers, stops))


def _flags(secret: bytes) -> list[str]:
    return [
        "--latency", "0.05-0.3", "--stuck-after-seconds", "1",
        "--callback-secret", f"whsec_{base64.b64encode(secret).decode()}",
        "--callback-timeout-seconds", "1", "--callback-retry-delays-seconds", "0,0.1,0.2,0.5,1,2,4",
        "--initial-credits", str(_RICH),
    ]  # fmt: skip


async def _give_credits(url: str, keys: list[str]) -> None:
    """Make the accounts; one of them will run out of credits, again and again."""
    async with client() as http:
        for key in keys:
            amount = _POOR if key == "sk-poor" else _RICH
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
            await asyncio.to_thread(replica.await_up)
        await asyncio.sleep(chance.uniform(0, _LONGEST_LIFE_SECONDS))
        if servers.cluster is not None and chance.random() < _DATABASE_STOPS:
            stops += 1
            await asyncio.to_thread(servers.cluster.stop, "immediate")
            await asyncio.sleep(chance.uniform(0, _LONGEST_LIFE_SECONDS))
            await asyncio.to_thread(servers.cluster.start)
        await asyncio.to_thread(replica.restart)
    for replica in servers.replicas:
        await asyncio.to_thread(replica.await_up)
    return stops


def _server_problems(servers: Fleet, answers: Counter[str], stops: int) -> list[str]:
    """What must not happen, whatever was killed."""
    found = [f"{r.url} ended by itself" for r in servers.replicas if r.has_ended()]
    if answers["500"] and not stops:
        found.append(f"{answers['500']} requests were answered 500")
    return found


def _summary(plan: Plan, history: History, answers: Counter[str], stops: int) -> str:
    outcomes = Counter(creation.outcome.value for creation in history.creations)
    created = ", ".join(f"{count} {name}" for name, count in outcomes.most_common())
    met = ", ".join(f"{name} {count}" for name, count in answers.most_common())
    tasks = sum(len(account.tasks) for account in history.accounts.values())
    restarts = f", PostgreSQL stopped {stops} times" if stops else ""
    return (
        f"{plan.kills} kills{restarts}; {len(history.creations)} creations ({created}), {tasks} tasks,"
        f" {len(history.polls)} polls, {len(history.callbacks)} callbacks; answers: {met}"
    )
