"""A server with odd settings is recorded; one with what was learned of it does the same."""

import json
from pathlib import Path

import pytest

from emulator.cli import main
from emulator.core.clock import parse_instant
from emulator.settings import Settings
from emulator.settings_sources import from_texts, read_file
from tests.calibration.traces import Json, Recorder
from tests.support.images import decoded, image_bytes
from tests.support.world import CREATION, World, open_world

ODD = """
profile = "reference"
latency = "3-9"
prices = "1K=40,2K=90,4K=200"
quality_factors = "low=0.3,medium=1,high=2.5,auto=1.2"
price_pixels = "1K=1000000,2K=3000000"
media_ttl_hours = 6
media_expired_status = 404
frames = "16:9@2K=2048x1024,auto=1254x1254,1280x720=1152x768"
"""
OPPOSITE = """
profile = "model-page"
first_status = "processing"
success_status = "completed"
latency = 700
stuck_after_seconds = 800
media_ttl_hours = 0.5
media_expired_status = 403
frames = "100x100=1024x1024"
"""
REQUESTS: list[Json] = [
    {},
    {"quality": "medium"},
    {"size": "16:9", "quality": "low", "n": 3},
    {"size": "16:9", "resolution": "2K", "quality": "high"},
    {"aspect_ratio": "2:3", "imageSize": "4K", "quality": "medium"},
    {"size": "1280x720", "quality": "medium", "n": 2},
    {"size": "2048x2048", "quality": "high"},
    {"size": "1024x1024", "resolution": "4K", "quality": "low"},
    {"size": "100x100", "quality": "medium"},
    {"size": "100x3000", "quality": "medium"},
    {"quality": "auto"},
]  # fmt: skip


def settings_of(path: Path) -> Json:
    read: Settings = from_texts({"settings": str(path)}, {})
    return {name: getattr(read, name) for name in read_file(str(path))}


async def drive(world: World) -> tuple[list[Json], list[float]]:
    """Send the requests; what came of each, without ids and times, and each task's seconds."""
    recorder = Recorder(world)
    outcomes: list[Json] = []
    latencies: list[float] = []
    for fields in REQUESTS:
        sent = {**CREATION, "prompt": "a secret prompt", **fields}
        created = await recorder.send("POST", "/v1/images/generations", json=sent)
        if created.status_code != 202:
            outcomes.append({"refused": created.json()["error"]["code"]})
            continue
        answer = created.json()
        path = f"/v1/tasks/{answer['task_id']}"
        world.clock.pass_seconds(900)
        task = (await recorder.send("GET", path)).json()
        times = [parse_instant(task[name]) for name in ("created_at", "completed_at")]
        latencies.append((times[1] - times[0]) / 1000)
        urls = [image["url"] for image in task["result"]["data"]]
        pictures = [(await recorder.send("GET", url)).content for url in urls]
        outcome = {
            "reserved": answer["credits"]["reserved"],
            "charged": task["credits"]["charged"],
            "names_model": "model" in answer,
            "statuses": [answer["status"], task["status"]],
            "frames": [decoded(picture).size for picture in pictures],
            "dead": [],
        }
        for minutes in (14, 300, 44, 2):
            world.clock.pass_seconds(60 * minutes)
            outcome["dead"].append((await recorder.send("GET", urls[0])).status_code)
            outcome["statuses"].append((await recorder.send("GET", path)).json()["status"])
        outcomes.append(outcome)
    outcomes += await drive_waiting_calls(world, recorder)
    world_har = {"log": {"entries": recorder.entries}}
    Path("trace.har").write_text(json.dumps(world_har), "utf-8")
    return outcomes, latencies


async def drive_waiting_calls(world: World, recorder: Recorder) -> list[Json]:
    """An edit, as a form, on a clock that stands: it answers its task."""
    await world.clock_command(freeze=True)
    edited = await recorder.send(
        "POST",
        "/v1/images/edits",
        data={**CREATION, "size": "16:9", "quality": "low", "n": "2"},
        files={"image": ("a.png", image_bytes(), "image/png")},
    )
    await world.clock_command(advance=1000)
    path = f"/v1/tasks/{edited.json()['task_id']}"
    url = (await recorder.send("GET", path)).json()["result"]["data"][0]["url"]
    size = decoded((await recorder.send("GET", url)).content).size
    return [{"reserved": edited.json()["credits"]["reserved"], "frame": size}]


@pytest.mark.parametrize("odd", [ODD, OPPOSITE, ""], ids=["odd", "opposite", "default"])
async def test_what_is_learned_does_the_same(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("odd.toml").write_text(odd, "utf-8")
    async with open_world(**settings_of(Path("odd.toml"))) as world:
        recorded, seconds = await drive(world)
    assert main(["calibrate", "trace.har"]) == 0
    printed = capsys.readouterr().out
    learned = Path("calibrated.toml").read_text("utf-8")
    async with open_world(**settings_of(Path("calibrated.toml"))) as world:
        world.clock.pass_seconds(12345)
        again, seconds_again = await drive(world)
    assert again == recorded
    assert min(seconds) <= min(seconds_again) <= max(seconds_again) <= max(seconds)
    for text in ("sk-", "secret", "://", "signature", "task_", "lighthouse"):
        assert text not in learned
        assert text not in printed


async def test_what_is_as_assumed_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_world() as world:
        await drive(world)
    main(["calibrate", "trace.har"])
    printed = capsys.readouterr().out
    replaced = printed.partition("replaced")[2].partition("confirmed")[0]
    assert replaced.split("\n", 1)[0] == " (1)"
    assert "fast -> 10" in replaced  # the world's, so that tests know it
    for word in ("CRED-5", "GEN-14", "TASK-2", "GEN-8", "MEDIA-1", "GEN-4"):
        assert word in printed.partition("confirmed")[2].partition("not seen")[0]
