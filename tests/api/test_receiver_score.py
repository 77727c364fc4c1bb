"""The receiver score: a good receiver passes all, each bad one fails exactly its checks."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from emulator.core.callback import AttemptResult, verify
from emulator.core.receiver_check import IN_TIME, LATE, SCENARIOS
from tests.support.world import START, World, open_world

SECRET = b"0123456789abcdef0123456789abcdef"
SCORE = "/_emulator/receiver-score"
URL = "http://127.0.0.1:9/hook"
ALL = {scenario.name for scenario in SCENARIOS} | {IN_TIME}
SIGNED = {scenario.name for scenario in SCENARIOS if scenario.needs_secret}
FORGED = {name for name in SIGNED if name.startswith("refuses")}


class GoodReceiver:
    """Verifies, parses, and takes whatever task it is told of, once or twice."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.ids: list[str] = []

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
        assert url == URL
        if not self.is_trusted(headers, body):
            return AttemptResult(401, 1)
        try:
            task = json.loads(body)
        except ValueError:
            return self.broken()
        self.bodies.append(task)
        self.ids.append(headers.get("webhook-id", ""))
        return self.take(task)

    async def close(self) -> None:
        pass

    def is_trusted(self, headers: dict[str, str], body: bytes) -> bool:
        return verify(SECRET, headers, body, START) is None

    def broken(self) -> AttemptResult:
        return AttemptResult(500, 1)

    def take(self, task: dict[str, Any]) -> AttemptResult:
        return AttemptResult(204, 1)


class NoDuplicates(GoodReceiver):
    def take(self, task: dict[str, Any]) -> AttemptResult:
        seen = [body["task_id"] for body in self.bodies].count(task["task_id"])
        return AttemptResult(409 if seen > 1 else 200, 1)


class NoFailures(GoodReceiver):
    def take(self, task: dict[str, Any]) -> AttemptResult:
        return AttemptResult(200 if task["result"] else 500, 1)


class SlowWithFailures(GoodReceiver):
    def take(self, task: dict[str, Any]) -> AttemptResult:
        if task["error"]:
            return AttemptResult(None, 10_001, error="no complete answer within 10 s")
        return AttemptResult(200, 1)


class Slow(GoodReceiver):
    def take(self, task: dict[str, Any]) -> AttemptResult:
        return AttemptResult(None, 10_001, error="no complete answer within 10 s")


class AlmostSlow(GoodReceiver):
    def take(self, task: dict[str, Any]) -> AttemptResult:
        return AttemptResult(200, 5001)


class OnlyNewer(GoodReceiver):
    def take(self, task: dict[str, Any]) -> AttemptResult:
        newest = max(body["created_at"] for body in self.bodies)
        return AttemptResult(200 if task["created_at"] == newest else 422, 1)


class TrustsAnybody(GoodReceiver):
    def is_trusted(self, headers: dict[str, str], body: bytes) -> bool:
        return True


class TrustsForEver(GoodReceiver):
    def is_trusted(self, headers: dict[str, str], body: bytes) -> bool:
        return verify(SECRET, headers, body, START, 10**9) is None


class TrustsNobody(GoodReceiver):
    def is_trusted(self, headers: dict[str, str], body: bytes) -> bool:
        return False


class DropsBrokenJson(GoodReceiver):
    def broken(self) -> AttemptResult:
        return AttemptResult(None, 1, error="ReadError: the connection was dropped")


class DiesOfBrokenJson(DropsBrokenJson):
    dead = False

    def broken(self) -> AttemptResult:
        self.dead = True
        return super().broken()

    def take(self, task: dict[str, Any]) -> AttemptResult:
        return super().broken() if self.dead else super().take(task)


class TakesBrokenJson(GoodReceiver):
    def broken(self) -> AttemptResult:
        return AttemptResult(200, 1)


class Redirects(GoodReceiver):
    def take(self, task: dict[str, Any]) -> AttemptResult:
        return AttemptResult(302, 1)


class Nobody(GoodReceiver):
    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
        self.bodies.append(body)
        return AttemptResult(None, 0, error="no connection to 127.0.0.1:9")


async def score(world: World) -> dict[str, Any]:
    response = await world.client.post(SCORE, json={"url": URL})
    assert response.status_code == 200, response.text
    report: dict[str, Any] = response.json()
    return report


def named(report: dict[str, Any], verdict: str) -> set[str]:
    return {check["name"] for check in report["checks"] if check["verdict"] == verdict}


async def test_a_good_receiver_passes_all() -> None:
    receiver = GoodReceiver()
    async with open_world(receiver, callback_secret=SECRET) as world:
        report = await score(world)
        assert named(report, "pass") == ALL, report
        assert report["url"] == URL
        assert report["score"] == {"passed": len(ALL), "failed": 0, "not_checked": 0}
        for check in report["checks"]:
            assert check["question"].endswith("?")
            assert check["attempts"][0].keys() == {"status", "duration_ms", "error"}
        for body in receiver.bodies:  # CB-5: what the callback says is what polling answers
            assert await world.task(body["task_id"]) == body
        assert (await world.sums())["charged"] == 7 * 15
        assert (await world.sums())["reserved"] == 0
        assert (await world.client.get("/_emulator/deliveries")).json() == {"data": []}


async def test_what_it_sends() -> None:
    receiver = GoodReceiver()
    async with open_world(receiver, callback_secret=SECRET) as world:
        await score(world)
    success, failure, twice, again, newer, older, late, broken, signed = receiver.bodies
    assert (success["status"], failure["status"]) == ("succeeded", "failed")
    assert twice == again
    assert receiver.ids[2] == receiver.ids[3] != receiver.ids[0]
    assert older["completed_at"] < newer["completed_at"]
    assert late["completed_at"] == "2027-01-15T07:00:00.000Z"
    assert len({body["task_id"] for body in receiver.bodies}) == 8
    assert broken["result"]
    assert signed["result"]


@pytest.mark.parametrize(
    ("receiver", "failed"),
    [
        (NoDuplicates, {"takes_a_duplicate"}),
        (NoFailures, {"takes_a_failure"}),
        (SlowWithFailures, {"takes_a_failure", IN_TIME}),
        (Slow, ALL),
        (OnlyNewer, {"takes_reverse_order", LATE}),
        (TrustsAnybody, FORGED),
        (TrustsForEver, {"refuses_a_stale_timestamp"}),
        (TrustsNobody, ALL - FORGED - {IN_TIME}),
        (DropsBrokenJson, {"survives_a_broken_body"}),
        (DiesOfBrokenJson, {"survives_a_broken_body", "takes_a_right_signature"}),
        (TakesBrokenJson, {"survives_a_broken_body"}),
        (Redirects, ALL - FORGED - {IN_TIME}),
        (Nobody, ALL),
    ],
)
async def test_a_bad_receiver_fails_exactly_its_checks(
    receiver: Callable[[], GoodReceiver], failed: set[str]
) -> None:
    async with open_world(receiver(), callback_secret=SECRET) as world:
        report = await score(world)
        assert named(report, "fail") == failed, report
        assert named(report, "pass") == ALL - failed
        for check in report["checks"]:
            assert check["detail"]


async def test_an_unreachable_receiver_is_tried_once() -> None:
    receiver = Nobody()
    async with open_world(receiver, callback_secret=SECRET) as world:
        report = await score(world)
        assert len(receiver.bodies) == 1
        for check in report["checks"]:
            assert "no connection to 127.0.0.1:9" in check["detail"]


async def test_over_half_of_the_time_is_a_warning() -> None:
    async with open_world(GoodReceiver(), callback_secret=SECRET) as world:
        in_time = (await score(world))["checks"][-1]
        assert "1 ms of 10,000 ms" in in_time["detail"]
    async with open_world(AlmostSlow(), callback_secret=SECRET) as world:
        in_time = (await score(world))["checks"][-1]
        assert (in_time["verdict"], in_time["detail"][:8]) == ("pass", "warning:")


async def test_without_a_secret_signatures_are_not_checked() -> None:
    async with open_world(TrustsAnybody()) as world:
        report = await score(world)
        assert named(report, "not_checked") == SIGNED
        assert named(report, "pass") == ALL - SIGNED
        (check,) = [c for c in report["checks"] if c["name"] == "takes_a_right_signature"]
        assert "--callback-secret" in check["detail"]


async def test_a_frozen_clock_has_no_hour_ago() -> None:
    async with open_world(GoodReceiver(), callback_secret=SECRET) as world:
        await world.clock_command(freeze=True)
        report = await score(world)
        assert named(report, "not_checked") == {LATE}
        assert named(report, "pass") == ALL - {LATE}


async def test_a_moved_clock_does_not_make_signatures_stale() -> None:
    async with open_world(GoodReceiver(), callback_secret=SECRET) as world:
        await world.clock_command(advance="40d")
        assert named(await score(world), "pass") == ALL


async def test_too_few_credits_send_nothing() -> None:
    receiver = GoodReceiver()
    async with open_world(receiver, initial_credits=50) as world:
        response = await world.client.post(SCORE, json={"url": URL})
        assert response.status_code == 402
        assert receiver.bodies == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": URL, "more": 1},
        {"url": 7},
        {"url": "hook"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "http://emulator.test/_emulator/inbox/hooks"},
    ],
)
async def test_what_is_no_receiver_is_refused(world: World, body: dict[str, Any]) -> None:
    response = await world.client.post(SCORE, json=body)
    assert response.status_code == 400
    assert (await world.sums())["charged"] == 0
