"""Pixels that come out."""

import base64
from typing import Any

import pytest

from tests.calibration.traces import (
    HOST,
    Json,
    creation,
    download,
    entry,
    finding,
    lessons,
    picture_bytes,
    poll,
    values,
)
from tests.support.world import CREATION

KINDS = ("PNG", "JPEG", "WEBP")


def made(task: int, frame: tuple[int, int], kind: str = "PNG", **fields: Any) -> list[Json]:
    """A creation, its task, and the download of its picture."""
    url = f"{HOST}/{task}.png"
    picture = picture_bytes(*frame, kind)
    return [creation(task, **fields), poll(task, urls=(url,)), download(url, picture=picture)]


def flat(parts: list[list[Json]]) -> list[Json]:
    return [entry for part in parts for entry in part]


@pytest.mark.parametrize(
    ("tasks", "frames"),
    [
        ([made(1, (1360, 768), size="16:9")], None),
        ([made(1, (1536, 1024), size="16:9")], "16:9@1K=1536x1024"),
        ([made(1, (1536, 1024), aspectRatio="16:9", imageSize="2K")], "16:9@2K=1536x1024"),
        ([made(1, (1024, 768), size="1280x720", resolution="4K")], "1280x720=1024x768"),
        ([made(1, (1254, 1254))], "auto=1254x1254"),
        (
            [made(1, (1254, 1254)), made(2, (1254, 1254), resolution="4K")],
            "auto=1254x1254",
        ),
        (
            [made(1, (1254, 1254)), made(2, (2048, 2048), resolution="4K")],
            "auto@1K=1254x1254,auto@4K=2048x2048",
        ),
        ([made(i, (1000 + i, 1000), KINDS[i], size="1:1") for i in range(3)], "1:1@1K=1000x1000"),
        # What the model-page profile refuses otherwise.
        ([made(1, (1000, 1000), size="100x100")], "100x100=1000x1000"),
        # The reference profile's own rule: nothing to set.
        ([made(1, (1024, 1024), size="100x100")], None),
        (
            [
                made(1, (1536, 1024), size="16:9", more={"model": "x"}),
                made(2, (1024, 1536), size="9:16", more={"model": "x"}),
            ],
            None,
        ),
    ],
)
def test_overrides(tasks: list[list[Json]], frames: str | None) -> None:
    assert values(*flat(tasks)).get("frames") == frames


def test_the_kits_facts_stand_for_a_picture() -> None:
    facts = {"format": "PNG", "width_px": 640, "height_px": 480}
    url = f"{HOST}/1.png"
    for place in ("content", "response"):
        got = download(url)
        where = got["response"]["content"] if place == "content" else got["response"]
        where["_image"] = facts
        found = values(creation(1), poll(1, urls=(url,)), got)
        assert found["frames"] == "auto=640x480"


def test_pictures_in_the_answer_itself() -> None:
    text = base64.b64encode(picture_bytes(640, 480)).decode()
    answer = {"created": 1_800_000_000, "data": [{"b64_json": text}, {"b64_json": "~"}, 7]}
    sent = {**CREATION, "size": "1:1"}
    found = lessons(entry("POST", "/api/v1/images/generations/sync", 200, sent, answer))
    assert found["frames"].value == "1:1@1K=640x480"
    assert finding(found, "frames").count == 1


@pytest.mark.parametrize("query", ["", "?signature=other", "#here"])
def test_a_link_that_was_signed_anew_is_the_same_picture(query: str) -> None:
    got = download(f"{HOST}/1.png{query}", picture=picture_bytes(640, 480))
    link = f"{HOST}/1.png?signature=one"
    assert values(creation(1), poll(1, urls=(link,)), got)["frames"] == "auto=640x480"


def test_a_path_that_several_creations_share_is_none() -> None:
    links = [f"{HOST}/image?id={i}" for i in (1, 2)]
    picture = picture_bytes(640, 480)
    entries = [
        creation(1),
        creation(2, size="1:1"),
        *(poll(i, urls=(links[i - 1],)) for i in (1, 2)),
        download(f"{HOST}/image?id=3", picture=picture),
    ]
    assert "frames" not in values(*entries)
    found = values(*entries, download(links[1], picture=picture))
    assert found["frames"] == "1:1@1K=640x480"


def test_a_relative_link_leads_to_the_target() -> None:
    got = download(f"{HOST}/media/1.png", picture=picture_bytes(640, 480))
    assert "frames" in values(creation(1), poll(1, urls=("/media/1.png",)), got)


@pytest.mark.parametrize("frame", [(63, 1000), (4097, 100)])
def test_a_picture_that_the_emulator_can_not_draw_is_told(frame: tuple[int, int]) -> None:
    found = lessons(*made(1, frame))
    one = finding(found, "frames")
    assert (one.verdict, found["frames"].value) == ("not settable", None)
    assert "64 to 4096 pixels" in one.note


def test_the_most_frequent_picture_counts() -> None:
    tasks = [made(i, (640, 480 + (i == 3))) for i in range(1, 5)]
    found = lessons(*flat(tasks))
    assert found["frames"].value == "auto=640x480"
    assert finding(found, "frames").note == "also seen: 640x481 (1)"


def test_what_is_no_picture_shows_nothing() -> None:
    url = f"{HOST}/1.png"
    whole = picture_bytes(640, 480)
    for content in (b"", b"<html>", whole[:40], b"\xff\xd8", b"RIFF0000WEBP"):
        found = values(creation(1), poll(1, urls=(url,)), download(url, picture=content))
        assert "frames" not in found
    found = values(creation(1), poll(1, urls=(url,)), download(url, 404, picture=whole))
    assert "frames" not in found
