"""Judges of pictures: number, format, pixels."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from contracts.checks import pixels as judges
from contracts.exchange import Exchange, ImageFacts, Response
from contracts.findings import Judge
from tests.contracts.support import (
    START,
    callback,
    creation,
    download,
    exchange,
    png,
    task_read,
    told,
)

OTHER, EMULATOR = {"target": "other"}, {"target": "emulator"}
SYNC, EDITS = "/v1/images/generations/sync", "/v1/images/edits"
HOOK = "https://hooks.example.com/"


def link(number: int = 1, task_id: str = "task_1") -> str:
    return f"https://a.test/{task_id}/{number}.png"


def result(count: int, task_id: str = "task_1") -> dict[str, Any]:
    data = [{"url": link(number, task_id)} for number in range(1, count + 1)]
    return {"result": {"created": int(START) + 1, "data": data}}


def waited(count: int, path: str = SYNC, **fields: Any) -> Exchange:
    """A call that waited, and answered so many images."""
    body: Any = {"model": "gpt-image-2", "prompt": "A stone", **fields}
    headers = {"Authorization": "Bearer key-1"}
    if path == EDITS:
        parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                 for name, value in body.items()]  # fmt: skip
        body = "".join([*parts, "--b--\r\n"]).encode()
        headers["Content-Type"] = "multipart/form-data; boundary=b"
    return exchange("POST", path, body=body, headers=headers, answer=result(count)["result"])


def pictured(*sizes: tuple[int, int], task_id: str = "task_1", **fields: Any) -> list[Exchange]:
    """A task with pictures of these sizes, from its creation to its downloads."""
    count = len(sizes)
    downloads = [
        download(link(number, task_id), png(*size, f"{task_id} {number}"))
        for number, size in enumerate(sizes, 1)
    ]
    made = creation(task_id, n=count, **fields)
    return [made, task_read(task_id, **result(count, task_id)), *downloads]


def said(judge: Judge, seen: list[Exchange], facts: dict[str, Any]) -> str:
    return told(judge, *seen, **facts)


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        ([creation(), task_read()], OTHER, "holds"),
        ([creation(n=2), task_read(**result(2))], OTHER, "holds"),
        ([creation(n=2), task_read(**result(1))], OTHER, "breaks"),
        ([creation(n=2), task_read(**result(3))], OTHER, "breaks"),
        ([creation(n=2), task_read(**result(1), credits={"refunded": 30})], OTHER, "holds"),
        ([creation(n=2), task_read(**result(0), credits={"refunded": 60})], OTHER, "breaks"),
        ([creation(n=2), task_read(**result(3), credits={"refunded": 30})], OTHER, "breaks"),
        ([creation(n=2), task_read(**result(1), credits=...)], OTHER, ""),
        ([creation(n=2), task_read(**result(1), credits={"cost": 30})], OTHER, ""),
        ([creation(n=2), task_read(**result(1), credits=...)], EMULATOR, "breaks"),
        ([creation(n=2), task_read(result={"created": 1, "data": [{"b64_json": "a"}] * 2})],
         OTHER, "holds"),
        ([task_read(**result(3))], OTHER, ""),
        ([creation(n=2), task_read(status="failed")], OTHER, ""),
        ([creation(n=2), task_read(result=None)], OTHER, ""),
        ([waited(2, n=2)], OTHER, "holds"),
        ([waited(3, n=2)], OTHER, "breaks"),
        ([waited(1, n=2)], OTHER, ""),
        ([waited(1, n=2)], EMULATOR, "breaks"),
        ([waited(1, n=2, prompt="A stone [[fault: partial images=1]]")], EMULATOR, ""),
        ([waited(2, EDITS)], OTHER, "breaks"),
    ],
)  # fmt: skip
def test_number_as_asked(seen: list[Exchange], facts: dict[str, Any], expected: str) -> None:
    assert said(judges.number_as_asked, seen, facts) == (expected and f"GEN-10 {expected}")


SAME = png(1024, 1024, "the same")


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (pictured((1024, 1024), (1024, 1024)), OTHER, "GEN-10 holds"),
        (pictured((1024, 1024)), OTHER, ""),
        ([creation(n=2), task_read(**result(2)), download(link(1), SAME), download(link(2), SAME)],
         OTHER, "GEN-10 breaks"),
        ([waited(2, n=2), download(link(1), SAME), download(link(2), SAME)],
         OTHER, "GEN-10 breaks"),
        # The same link twice, and the same picture under a link that was signed anew.
        ([creation(), task_read(**result(1)), download(link(1), SAME), download(link(1), SAME)],
         OTHER, ""),
        ([creation(), task_read(**result(1)), download(link(1), SAME),
          task_read(result={"data": [{"url": link(1) + "?s=2"}]}),
          download(link(1) + "?s=2", SAME)], EMULATOR, ""),
    ],
)  # fmt: skip
def test_pictures_of_a_task_differ(
    seen: list[Exchange], facts: dict[str, Any], expected: str
) -> None:
    assert said(judges.pictures_differ, seen, facts) == expected


def two_tasks(sender: str = "key-1", **fields: Any) -> list[Exchange]:
    """Two tasks with the same picture; ``fields`` are those of the second."""
    return [
        creation("task_1"),
        replace(creation("task_2", **fields), sender=sender),
        task_read("task_1", **result(1)),
        replace(task_read("task_2", **result(1, "task_2")), sender=sender),
        download(link(1), SAME),
        download(link(1, "task_2"), SAME),
    ]


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (two_tasks(prompt="A fox"), OTHER, "TASK-6 breaks"),
        (two_tasks(quality="high"), OTHER, "TASK-6 breaks"),
        (two_tasks(), OTHER, ""),  # a target may give the same picture for the same request
        (two_tasks(callback_url=HOOK), OTHER, ""),
        (two_tasks(), EMULATOR, "TASK-6 breaks"),
        (two_tasks("key-2", prompt="A fox"), EMULATOR, ""),
        (two_tasks(prompt="A fox")[1:], OTHER, ""),  # what the first asked for is not known
    ],
)
def test_pictures_of_two_tasks_differ(
    seen: list[Exchange], facts: dict[str, Any], expected: str
) -> None:
    assert said(judges.pictures_differ, seen, facts) == expected


def test_a_waiting_call_and_its_callback_show_the_same_picture() -> None:
    told_of = {"task_id": "task_9", "result": {"data": [{"url": link(1)}]}}
    seen = [waited(1), callback(told_of, HOOK), download(link(1), SAME)]
    assert said(judges.pictures_differ, seen, EMULATOR) == ""


def answered(kind: str, body: bytes) -> Exchange:
    """A download that the kit has not decoded."""
    return replace(download(link(1)), response=Response(200, (("Content-Type", kind),), body))


def file_of(form: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", (32, 32)).save(file, form)
    return file.getvalue()


BROKEN = ImageFacts("", 0, 0, "", "a broken picture: it is cut off")
HUGE = ImageFacts("PNG", 0, 0, "", "9000x9000 is more than the kit decodes")
JPEG = ImageFacts("JPEG", 1024, 1024, "x")


@pytest.mark.parametrize(
    ("downloads", "facts", "expected"),
    [
        ([download(link(1)), download(link(1))], EMULATOR, ""),
        ([download(link(1), JPEG, "image/jpeg")], OTHER, ""),
        ([download(link(1), JPEG, "image/png")], OTHER, "breaks"),
        ([download(link(1), BROKEN)], OTHER, "breaks"),
        ([download(link(1), HUGE)], OTHER, ""),
        ([download(link(1), SAME), download(link(1))], OTHER, "breaks"),
        ([download(link(1), replace(JPEG, format="GIF"), "image/gif")], OTHER, "breaks"),
        ([answered("binary/octet-stream", file_of("PNG"))], OTHER, ""),
        ([answered("binary/octet-stream", file_of("PNG"))], EMULATOR, "breaks"),
        ([answered("application/json", b"{}")], OTHER, "breaks"),
        ([answered("image/png", b"")], OTHER, ""),  # the trace has no bodies
        ([exchange("GET", link(1), status=410)], OTHER, ""),
    ],
)
def test_whole_image(downloads: list[Exchange], facts: dict[str, Any], expected: str) -> None:
    found = said(judges.whole_image, [task_read(**result(1)), *downloads], facts)
    assert found == (expected and f"MEDIA-1 {expected}")


@pytest.mark.parametrize(
    ("size", "got", "facts", "expected"),
    [
        ("16:9", (1360, 768), OTHER, "GEN-6 A"),
        ("9:16", (768, 1344), OTHER, "GEN-6 A"),
        ("9:16", (1024, 1536), OTHER, "GEN-6 B"),
        ("4:3", (1536, 1024), OTHER, "GEN-6 B"),
        ("4:3", (2048, 1152), OTHER, "GEN-6 B"),
        ("4:3", (2048, 1152), EMULATOR, "GEN-6 breaks"),
        ("16:9", (2048, 1152), OTHER, "GEN-6 holds"),
        ("1:1", (1024, 1024), OTHER, "GEN-6 holds"),
        ("21:9", (656, 1536), OTHER, "GEN-6 breaks"),
        ("16:9", (1024, 1024), OTHER, "GEN-6 breaks"),
        ("1024x1024", (1024, 1024), OTHER, "GEN-3 holds, GEN-6 holds"),
        ("1280x720", (1280, 720), OTHER, "GEN-3 holds, GEN-6 A"),
        ("1280x720", (1536, 1024), OTHER, "GEN-3 holds, GEN-6 B"),
        ("1280x720", (2048, 1152), OTHER, "GEN-3 breaks, GEN-6 breaks"),
        ("1440x2560", (2160, 3840), EMULATOR, "GEN-3 holds, GEN-6 B"),
        ("1440x2560", (1024, 1536), OTHER, "GEN-3 breaks, GEN-6 breaks"),
        ("1600x1024", (2048, 1152), OTHER, "GEN-3 holds, GEN-6 B"),  # by which measure?
        ("1600x1024", (2048, 1152), EMULATOR, "GEN-3 breaks, GEN-6 breaks"),
        ("1280x720", (1280, 704), OTHER, "GEN-3 breaks, GEN-6 breaks"),
        ("1280x720", (1279, 720), EMULATOR, "GEN-3 breaks, GEN-6 breaks"),
        ("auto", (1000, 1000), OTHER, ""),
        ("0x0", (1024, 1024), OTHER, ""),
    ],
)
def test_ratio_or_size_as_asked(
    size: str, got: tuple[int, int], facts: dict[str, Any], expected: str
) -> None:
    assert said(judges.ratio_or_size_as_asked, pictured(got, size=size), facts) == expected


@pytest.mark.parametrize(
    ("fields", "got", "expected"),
    [
        ({"size": "16:9", "resolution": "4K"}, (3840, 2160), "holds"),
        ({"size": "16:9"}, (1360, 768), "A"),
        ({"size": "4:3"}, (1536, 1024), "B"),
        ({"size": "4:3", "resolution": "2K"}, (2352, 1760), "A"),
        ({"size": "9:21"}, (656, 1536), "A"),
        ({"size": "9:21"}, (640, 1536), "640x1536 for 9:21"),
        ({"size": "1:1", "resolution": "8K"}, (1024, 1024), ""),
        ({"size": "1280x720"}, (1280, 720), ""),
        ({}, (1024, 1024), ""),
    ],
)
def test_frame_of_ratio_and_tier(
    fields: dict[str, Any], got: tuple[int, int], expected: str
) -> None:
    found = said(judges.frame_of_ratio_and_tier, pictured(got, **fields), OTHER)
    assert found == (expected and f"GEN-7 {expected}")


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ((1024, 1024), "holds"),
        ((3840, 2160), "holds"),
        ((1023, 1024), "breaks"),
        ((512, 512), "breaks"),
        ((3856, 2048), "breaks"),
        ((3840, 1216), "breaks"),
        ((2896, 2880), "breaks"),
    ],
)
def test_within_the_models_limits(got: tuple[int, int], expected: str) -> None:
    found = said(judges.within_the_models_limits, pictured(got), OTHER)
    assert found == f"GEN-4 {expected}"


def two_tiers(
    one: tuple[int, int], two: tuple[int, int], size: str = "1:1", tiers: str = "1K 4K"
) -> list[Exchange]:
    first, second = tiers.split()
    return [
        *pictured(one, task_id="task_1", size=size, resolution=first),
        *pictured(two, task_id="task_2", size=size, resolution=second),
    ]


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (two_tiers((1024, 1024), (2880, 2880)), OTHER, "holds"),
        (two_tiers((2880, 2880), (1024, 1024), tiers="4K 1K"), EMULATOR, "holds"),
        (two_tiers((2880, 2880), (1024, 1024)), OTHER, "breaks"),
        (two_tiers((832, 1248), (832, 1248), "2:3"), OTHER, "breaks"),
        (two_tiers((1024, 1536), (1024, 1536), "2:3", "1K 2K"), OTHER, "holds"),
        (two_tiers((1024, 1024), (1024, 1024), tiers="1K 1K"), OTHER, ""),
        (two_tiers((1024, 1024), (2048, 2048), tiers="1K 8K"), OTHER, ""),
        (pictured((1024, 1024), size="1:1", resolution="4K"), OTHER, ""),
        (pictured((1024, 1024), size="1:1", resolution="4K"), EMULATOR, "breaks"),
        (pictured((2160, 3840), size="2:3", resolution="2K"), EMULATOR, "holds"),
        (pictured((1280, 720), size="1280x720", resolution="2K"), OTHER, "holds"),
        (pictured((2560, 1440), size="1280x720", resolution="2K"), OTHER, "breaks"),
        (pictured((1280, 704), size="1280x720"), OTHER, ""),  # GEN-3
        (pictured((2048, 2048), resolution="4K"), OTHER, ""),  # GEN-8
    ],
)
def test_resolution_acts_on_ratios_only(
    seen: list[Exchange], facts: dict[str, Any], expected: str
) -> None:
    found = said(judges.resolution_acts_on_ratios_only, seen, facts)
    assert found == (expected and f"GEN-5 {expected}")


@pytest.mark.parametrize(
    ("seen", "facts", "expected"),
    [
        (pictured((1024, 1024)), OTHER, "A"),
        (pictured((1024, 1024), size="auto", resolution="4K"), OTHER, "A"),
        (pictured((2048, 2048), size="auto"), OTHER, "2048x2048"),
        (pictured((2048, 2048), size="1:1"), OTHER, ""),
        ([waited(1), download(link(1), png(1536, 1024))], OTHER, "1536x1024"),
        ([waited(1, EDITS), download(link(1), png(1536, 1024))], OTHER, ""),
        ([waited(1, EDITS), download(link(1), png(1536, 1024))], EMULATOR, "1536x1024"),
    ],
)
def test_auto_is_1024_square(seen: list[Exchange], facts: dict[str, Any], expected: str) -> None:
    found = said(judges.auto_is_1024_square, seen, facts)
    assert found == (expected and f"GEN-8 {expected}")


def test_a_picture_that_only_a_callback_told_is_judged() -> None:
    task = task_read().response
    assert task is not None
    told_of = {**task.json, **result(1)}
    seen = [creation(size="16:9"), callback(told_of, HOOK), download(link(1), png(64, 64))]
    assert said(judges.ratio_or_size_as_asked, seen, OTHER) == "GEN-6 breaks"
