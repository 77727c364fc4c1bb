"""Media links: signed, for 24 hours of the account's clock, and real pictures behind them."""

import asyncio
from typing import Any

import pytest

from emulator.core.picture import Picture
from emulator.core.profile import REFERENCE
from emulator.service.image_work import ImageWork
from emulator.service.media import PictureCache
from emulator.service.tally import Tally
from tests.support.images import decoded, image_bytes, share_of
from tests.support.world import World, open_world


def url_of(task: dict[str, Any], index: int = 0) -> str:
    url: str = task["result"]["data"][index]["url"]
    return url


@pytest.mark.parametrize(
    ("fields", "pixels"),
    [
        ({}, (1024, 1024)),
        ({"size": "16:9"}, (1360, 768)),
        ({"size": "1:3"}, (576, 1728)),
        ({"size": "21:9", "resolution": "2K"}, (3104, 1328)),
        ({"size": "16:9", "resolution": "4K", "quality": "low"}, (3840, 2160)),
        ({"size": "1280x720", "quality": "high"}, (1280, 720)),
    ],
)
async def test_pictures_have_the_promised_pixels(
    world: World, fields: dict[str, Any], pixels: tuple[int, int]
) -> None:
    task = await world.finished(**fields)
    response = await world.client.get(url_of(task))
    assert response.headers["content-type"] == "image/png"
    assert decoded(response.content).size == pixels


async def test_the_reference_profile_draws_its_own_outputs() -> None:
    async with open_world(profile=REFERENCE) as world:
        task = await world.finished(size="1280x720")
        assert decoded((await world.client.get(url_of(task))).content).size == (1536, 1024)


async def test_text_chunks_say_what_was_asked(world: World) -> None:
    task = await world.finished(prompt="Ein Leuchtturm — 灯台", size="3:2", quality="high")
    image = decoded((await world.client.get(url_of(task))).content)
    text = " ".join(f"{name}={value}" for name, value in image.info.items())
    for expected in (task["task_id"], "Ein Leuchtturm — 灯台", "3:2", "high"):
        assert expected in text


async def test_each_image_of_a_task_is_another_and_the_same_each_time(world: World) -> None:
    task = await world.finished(n=3)
    contents = [(await world.client.get(url_of(task, index))).content for index in range(3)]
    assert len(set(contents)) == 3
    async with open_world() as again:
        repeated = await again.finished(n=3)
        content = (await again.client.get(url_of(repeated, 1))).content
        assert decoded(content).tobytes() == decoded(contents[1]).tobytes()


async def test_no_key_is_needed(world: World) -> None:
    url = url_of(await world.finished())
    assert (await world.client.get(url, headers={"Authorization": ""})).status_code == 200


async def test_head_and_etag(world: World) -> None:
    url = url_of(await world.finished())
    whole = await world.client.get(url)
    head = await world.client.head(url)
    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(whole.content))
    etag = whole.headers["etag"]
    for asked in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        unchanged = await world.client.get(url, headers={"If-None-Match": asked})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == etag
    changed = await world.client.get(url, headers={"If-None-Match": '"other"'})
    assert changed.status_code == 200


@pytest.mark.parametrize("status", [410, 403, 404])
async def test_links_die_after_24_hours(status: int) -> None:
    async with open_world(media_expired_status=status) as world:
        url = url_of(await world.finished())
        await world.clock_command(advance=24 * 3600 - 691)
        assert (await world.client.get(url)).status_code == 200
        await world.clock_command(advance=1)
        for response in (await world.client.get(url), await world.client.head(url)):
            assert response.status_code == status
            assert response.headers["date"] == "Sat, 16 Jan 2027 08:00:10 GMT"
        assert (await world.client.get(url)).json()["error"]["code"] == "link_expired"


async def test_a_changed_link_is_403(world: World) -> None:
    task = await world.finished()
    url = url_of(task)
    expires = url.partition("expires=")[2].partition("&")[0]
    for changed in (
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace("/1.png", "/2.png"),
        url.replace("/1.png", "/0.png"),
        url.replace("/1.png", "/x.png"),
        url.replace(expires, str(int(expires) + 1)),
        url.replace(task["task_id"], "task_0"),
        url.partition("?")[0],
        url.replace(expires, "\u0661"),
        url + "%ff",
    ):
        response = await world.client.get(changed)
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "invalid_signature"


class CountingRenderer:
    def __init__(self) -> None:
        self.drawn: list[str] = []

    def render(self, picture: Picture) -> bytes:
        self.drawn.append(picture.task_id)
        return b"x" * 400


async def test_a_picture_is_drawn_once_while_cached_and_the_cache_is_bounded() -> None:
    renderer = CountingRenderer()
    work = ImageWork(threads=2, most_waiting=64)
    cache = PictureCache(renderer, 1000, Tally(), work)
    pictures = [Picture(str(n), 1, 1, 16, 16, "x", "low", "auto", n) for n in range(3)]
    await asyncio.gather(*(cache.get("0", pictures[0]) for _ in range(20)))
    assert renderer.drawn == ["0"]
    await cache.get("1", pictures[1])
    await cache.get("0", pictures[0])
    await cache.get("2", pictures[2])
    await cache.get("0", pictures[0])
    await cache.get("1", pictures[1])
    assert renderer.drawn == ["0", "1", "2", "1"]
    assert cache.bytes_cached <= 1000
    work.close()


async def test_a_picture_contains_its_references_and_an_edit_its_mask(world: World) -> None:
    await world.clock_command(freeze=True)
    files = [
        ("image", ("a.png", image_bytes(size=(100, 100), color=(10, 200, 30)), "image/png")),
        (
            "mask",
            ("m.png", image_bytes(size=(100, 100), color=(0, 0, 0, 255), mode="RGBA"), "image/png"),
        ),
    ]
    data = {"model": "gpt-image-2", "prompt": "a hat"}
    for sent, share in ((files, 1.0), (files[:1], 0.02)):
        response = await world.client.post("/v1/images/edits", data=data, files=sent)
        assert response.status_code == 202
        await world.clock_command(advance=60)
        task = await world.task(response.json()["task_id"])
        image = decoded((await world.client.get(url_of(task))).content)
        assert share_of(image, (10, 200, 30)) >= share
