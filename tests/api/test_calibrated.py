"""What settings can say of the upstream against a profile's rules."""

from typing import Any

import pytest

from emulator.core.frame import Frame
from emulator.core.latency import Latency
from emulator.core.profile import MODEL_PAGE, REFERENCE, Profile
from tests.support.images import decoded
from tests.support.world import CREATION, open_world


@pytest.mark.parametrize(
    ("profile", "first", "success", "life"),
    [
        (MODEL_PAGE, None, None, ["pending", "pending", "processing", "succeeded"]),
        (MODEL_PAGE, "processing", "completed", ["processing"] * 3 + ["completed"]),
        (REFERENCE, "pending", None, ["pending", "pending", "processing", "completed"]),
        (REFERENCE, None, "succeeded", ["processing"] * 3 + ["succeeded"]),
    ],
)
async def test_words_against_the_profile(
    profile: Profile, first: str | None, success: str | None, life: list[str]
) -> None:
    async with open_world(profile=profile, first_status=first, success_status=success) as world:
        created = await world.create()
        seen = [created["status"]]
        for seconds in (1, 5, 5):
            world.clock.pass_seconds(seconds)
            seen.append((await world.task(created["task_id"]))["status"])
        assert seen == life
        assert ("model" in created) == profile.names_model
        listed = await world.raw.get("/_emulator/tasks", params={"status": life[-1]})
        assert [task["task_id"] for task in listed.json()["data"]] == [created["task_id"]]


FRAMES = {
    ("16:9", "1K"): Frame(1536, 1024),
    ("auto", ""): Frame(1254, 1254),
    ("1280x720", ""): Frame(64, 4096),
    ("100x100", ""): Frame(1024, 1024),
}


@pytest.mark.parametrize(
    ("fields", "pixels"),
    [
        ({"size": "16:9"}, (1536, 1024)),
        ({"size": "16:9", "resolution": "2K"}, (2704, 1520)),
        ({"resolution": "4K"}, (1254, 1254)),
        ({"aspect_ratio": "1280x720"}, (64, 4096)),
        ({"size": "100x100"}, (1024, 1024)),
    ],
)
async def test_frames_against_the_profile(fields: dict[str, Any], pixels: tuple[int, int]) -> None:
    async with open_world(frames=FRAMES) as world:
        task = await world.finished(**fields)
        answer = await world.client.get(task["result"]["data"][0]["url"])
        assert decoded(answer.content).size == pixels


async def test_a_size_that_no_frame_names_is_refused_as_ever() -> None:
    async with open_world(frames=FRAMES) as world:
        for size in ("16:9@1K", "101x100"):
            answer = await world.client.post(
                "/v1/images/generations", json={**CREATION, "size": size}
            )
            assert answer.status_code == 400


async def test_a_snapshot_says_what_decides_outcomes_and_keeps_odd_frames() -> None:
    options: dict[str, Any] = {
        "frames": FRAMES,
        "latency": Latency(None, 3.0, 9.0),
        "first_status": "processing",
    }
    async with open_world(**options) as world, open_world() as other:
        await world.finished()
        snapshot = (await world.client.get("/_emulator/snapshot")).json()
        assert snapshot["settings"]["latency"] == "3-9"
        assert "16:9@1K=1536x1024,auto=1254x1254" in snapshot["settings"]["frames"]
        answer = await other.raw.post("/_emulator/snapshot", json=snapshot)
        assert answer.status_code == 200, answer.text
        differing = {entry["setting"] for entry in answer.json()["differences"]}
        assert {"latency", "frames", "first_status"} <= differing
