"""Clients that meet in one account, whose answers some order of their operations must explain."""

import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import httpx2

from scripts.torture.account_model import (
    DONE,
    ENDED_BEFORE,
    NO_CREDITS,
    UNKNOWN,
    Balance,
    Command,
    Create,
    Finish,
    Grant,
    Poll,
    SetCredits,
    State,
)
from scripts.torture.driver import client, send
from scripts.torture.history import Outcome
from scripts.torture.linear import Operation, TooHard, explanation
from scripts.torture.result import Result
from scripts.torture.servers import Fleet, fleet

CLIENTS = 6
OPERATIONS_PER_CLIENT = 30
CREDITS = 300
IMAGE_PRICE = 30
_PAUSE_WHEN_DOWN_SECONDS = 0.05
# Tasks end when somebody ends them, and at no other time: the clock stands still.
FLAGS = ("--latency", "3600", "--stuck-after-seconds", "100000")


@dataclass(slots=True)
class Meeting:
    """Clients of one account.

    Attributes:
        urls: the replicas; each request goes to one by chance.
        key: the account.
        chance: decides what is sent.
        history: what is seen is written here.
        task_ids: of tasks that were acknowledged.
    """

    urls: list[str]
    key: str
    chance: Random
    history: list[Operation] = field(default_factory=list)
    task_ids: list[str] = field(default_factory=list)

    async def prepare(self) -> None:
        """Freeze the clock and give credits."""
        async with client() as http:
            await self._expect(http, "clock", {"freeze": True})
            await self._expect(http, "account/credits", {"set": CREDITS})

    async def run(self) -> None:
        """Let the clients meet."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(self._be_client())

    async def _expect(self, http: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> None:
        url = f"{self.urls[0]}/_emulator/{path}"
        outcome, _, word = await send(http, self.key, "POST", url, body)
        if outcome is not Outcome.ACKNOWLEDGED:
            raise RuntimeError(f"{path} answered {word}")

    async def _be_client(self) -> None:
        async with client() as http:
            for _ in range(OPERATIONS_PER_CLIENT):
                while not await self._do(http, self._choose()):
                    await asyncio.sleep(_PAUSE_WHEN_DOWN_SECONDS)

    async def _do(self, http: httpx2.AsyncClient, command: Command) -> bool:
        """Do a command and write it down; False: nobody took it."""
        method, path, body = _request(command)
        url = self.chance.choice(self.urls) + path
        started = time.monotonic()
        outcome, answer, _ = await send(http, self.key, method, url, body)
        ended = time.monotonic()
        if outcome is Outcome.NOT_SENT:
            return False
        if outcome is Outcome.UNKNOWN:
            self.history.append(Operation(started, inf, command, UNKNOWN))
            return True
        read = _answer(command, answer)
        self.history.append(Operation(started, ended, command, read))
        if isinstance(command, Create) and answer is not None:
            self.task_ids.append(str(read))
        return True

    def _choose(self) -> Command:
        kind = self.chance.choices(
            (Create, Balance, Poll, Finish, Grant, SetCredits), (6, 6, 4, 5, 1, 1)
        )[0]
        if kind is Create or (kind in (Poll, Finish) and not self.task_ids):
            return Create(IMAGE_PRICE * self.chance.randint(1, 3))
        if kind is Poll:
            return Poll(self.chance.choice(self.task_ids[-6:]))
        if kind is Finish:
            status = self.chance.choice(("succeeded", "failed"))
            return Finish(self.chance.choice(self.task_ids[-6:]), status)
        if kind is Grant:
            return Grant(self.chance.randint(0, 100))
        return SetCredits(self.chance.randint(0, CREDITS)) if kind is SetCredits else Balance()


def _request(command: Command) -> tuple[str, str, dict[str, Any] | None]:
    match command:
        case Create(price):
            body = {"model": "gpt-image-2", "prompt": "x", "n": price // IMAGE_PRICE}
            return "POST", "/v1/images/generations", body
        case Poll(task_id):
            return "GET", f"/v1/tasks/{task_id}", None
        case Finish(task_id, status):
            end = {"status": status} | ({"code": "image_safety"} if status == "failed" else {})
            return "POST", f"/_emulator/tasks/{task_id}/finish", end
        case Grant(credits):
            return "POST", "/_emulator/account/credits", {"grant": credits}
        case SetCredits(credits):
            return "POST", "/_emulator/account/credits", {"set": credits}
        case Balance():
            return "GET", "/v1/credits/balance", None


def _answer(command: Command, answer: dict[str, Any] | None) -> object:
    """An answer in the model's words; None: it was refused."""
    match command:
        case Create():
            return NO_CREDITS if answer is None else str(answer["task_id"])
        case Finish():
            return ENDED_BEFORE if answer is None else DONE
        case Poll():
            return None if answer is None else answer["status"]
        case Balance():
            return None if answer is None else answer["credits"]
        case _:
            return "refused" if answer is None else DONE


def concurrency(engine: str, replicas: int, rounds: int, seed: int) -> Result:
    """Let clients meet in one account after the other; in every second one a replica is killed."""
    chance = Random(seed)
    problems, operations, lost = [], 0, 0
    with (
        tempfile.TemporaryDirectory(prefix="torture-") as folder,
        fleet(engine, replicas, Path(folder), *FLAGS) as servers,
    ):
        for number in range(rounds):
            meeting = Meeting(servers.urls, f"sk-{number}", chance)
            asyncio.run(_meet(meeting, servers, chance, kill=number % 2 == 1))
            operations += len(meeting.history)
            lost += sum(not operation.is_known for operation in meeting.history)
            problems += judge(meeting)
    summary = (
        f"{rounds} accounts, {operations} operations of {CLIENTS} clients, {lost} without answer"
    )
    return Result(problems, summary)


async def _meet(meeting: Meeting, servers: Fleet, chance: Random, *, kill: bool) -> None:
    await meeting.prepare()
    clients = asyncio.create_task(meeting.run())
    if kill:
        await asyncio.sleep(chance.uniform(0.05, 0.4))
        replica = chance.choice(servers.replicas)
        await asyncio.to_thread(replica.restart)
        await asyncio.to_thread(replica.await_up)
    await clients


def judge(meeting: Meeting) -> list[str]:
    """Say in one line where no order explains what the clients of an account saw."""
    try:
        if explanation(State(CREDITS), meeting.history) is not None:
            return []
    except TooHard as error:
        return [f"{meeting.key}: nothing can be said: {error}"]
    return [f"{meeting.key}: no order of its operations explains their answers"]
