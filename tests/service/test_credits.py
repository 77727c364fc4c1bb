"""Credits over random interleavings: nothing lost, nothing doubled, nothing below zero."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from emulator.core.credits import Movement, grant, reserve, settle
from tests.support.world import CREATION, World, open_world

PROMPTS = st.sampled_from(
    ["x", "[[fault: task_fails]]", "[[fault: task_hangs]]", "[[fault: partial images=2]]"]
)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), PROMPTS, st.integers(1, 5)),
        st.tuples(st.just("read"), st.integers(0, 50), st.just(0)),
        st.tuples(st.just("finish"), st.integers(0, 50), st.just(0)),
        st.tuples(st.just("run"), st.just(0), st.just(0)),
    ),
    min_size=1,
    max_size=12,
)


class Credits(RuleBasedStateMachine):
    """Clients, the runner and the clock meet in one account."""

    @initialize(credits=st.integers(0, 1500), most=st.sampled_from([2, 100]))
    def start(self, credits: int, most: int) -> None:
        self.loop = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.world: World = self.loop.run(
            self.stack.enter_async_context(
                open_world(initial_credits=credits, max_tasks_in_flight=most)
            )
        )
        self.credits = credits
        self.task_ids: list[str] = []

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.loop.run(self.stack.aclose())
            self.loop.close()

    @rule(operations=OPERATIONS)
    def burst(self, operations: list[tuple[str, Any, int]]) -> None:
        """Many things at the same time."""

        async def all_of_them() -> None:
            await asyncio.gather(*(self._do(*operation) for operation in operations))

        self.loop.run(all_of_them())

    @rule(seconds=st.sampled_from([0, 1, 9, 10, 599, 700]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.pass_seconds(seconds)

    @rule(command=st.sampled_from([{"freeze": True}, {"resume": True}, {"advance": 11}]))
    def command(self, command: dict[str, Any]) -> None:
        self.loop.run(self.world.clock_command(**command))

    @invariant()
    def sums_add_up(self) -> None:
        if not hasattr(self, "world"):
            return
        sums = self.loop.run(self.world.sums())
        assert sums["granted"] == self.credits
        assert sums["granted"] == sums["available"] + sums["reserved"] + sums["charged"]
        assert min(sums.values()) >= 0
        entries = self.loop.run(self.world.ledger())
        for name, value in sums.items():
            assert value == sum(entry[name] for entry in entries)
        reservations = Counter(e["task_id"] for e in entries if e["kind"] == "reservation")
        assert all(count == 1 for count in reservations.values())
        for task_id in reservations:
            moved = [e for e in entries if e["task_id"] == task_id]
            left = sum(entry["reserved"] for entry in moved)
            settled = [e for e in moved if e["kind"] != "reservation"]
            assert left == (0 if settled else -moved[0]["available"])
            assert len({entry["kind"] for entry in settled}) == len(settled)

    @invariant()
    def the_counter_is_the_number_of_unsettled_tasks(self) -> None:
        if hasattr(self, "world"):
            assert self.world.miscounted() == []

    async def _do(self, name: str, argument: Any, images: int) -> None:
        if name == "run":
            await self.world.server.runner.do_due()
        elif name == "read" and self.task_ids:
            await self.world.task(self.task_ids[argument % len(self.task_ids)])
        elif name == "finish" and self.task_ids:
            path = f"/_emulator/tasks/{self.task_ids[argument % len(self.task_ids)]}/finish"
            await self.world.client.post(path, json={"status": "succeeded"})
        elif name == "create":
            body = {**CREATION, "prompt": argument, "n": images}
            response = await self.world.client.post("/v1/images/generations", json=body)
            assert response.status_code in (202, 402, 429)
            if response.status_code == 202:
                self.task_ids.append(response.json()["task_id"])


Credits.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
)
TestCredits = Credits.TestCase


def test_each_movement_keeps_the_invariant() -> None:
    movements: list[Movement] = [grant(100), reserve(60), *settle(60, 45)]
    for movement in movements:
        assert movement.granted == movement.available + movement.reserved + movement.charged
