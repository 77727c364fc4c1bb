"""Reference images: uploads, data: URLs, our own links, edits, and what is refused."""

import base64
import zlib
from typing import Any

import pytest

from emulator.core.latency import Latency
from tests.support.images import decoded, image_bytes, share_of
from tests.support.world import CREATION, World, open_world

CREATE, EDIT, UPLOAD = "/v1/images/generations", "/v1/images/edits", "/v1/images/upload"
GREEN = (10, 200, 30)
EDIT_FIELDS = {"model": "gpt-image-2", "prompt": "a hat"}


def data_url(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def bomb() -> bytes:
    """A PNG whose header promises 30,000 x 30,000 pixels."""
    header = (30_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    chunks = b""
    for kind, content in (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(b"\0" * 1000)),
        (b"IEND", b""),
    ):
        crc = zlib.crc32(kind + content).to_bytes(4, "big")
        chunks += len(content).to_bytes(4, "big") + kind + content + crc
    return b"\x89PNG\r\n\x1a\n" + chunks


BAD_IMAGES = [
    (b"", "empty"),
    (b"hello, this is text", "PNG"),
    (b"<html><body>Not found</body></html>", "PNG"),
    (image_bytes("GIF", mode="P", color=1), "GIF"),
    (image_bytes("BMP"), "PNG"),
    (image_bytes("PNG", size=(300, 300))[:-40], "breaks off"),
    (image_bytes("JPEG", size=(300, 300))[:400], "breaks off"),
    (bomb(), "pixels"),
    (image_bytes("PNG") + b"\0" * 1_000_000, "at most 1,000,000"),
]


async def picture_of(world: World, fields: dict[str, Any]) -> Any:
    task = await world.finished(**fields)
    return decoded((await world.client.get(task["result"]["data"][0]["url"])).content)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
async def test_an_upload_is_a_link_that_a_creation_takes(world: World, form: str) -> None:
    content = image_bytes(form, color=GREEN)
    response = await world.client.post(UPLOAD, files={"file": ("a", content)})
    url = response.json()["url"]
    shown = await world.client.get(url, headers={"Authorization": ""})
    assert shown.content == content
    assert shown.headers["content-type"] == f"image/{form.lower()}"
    image = await picture_of(world, {"input_images": [url]})
    green = decoded(content).convert("RGB").getpixel((5, 5))
    assert isinstance(green, tuple)
    assert share_of(image, (int(green[0]), int(green[1]), int(green[2]))) > 0.02


async def test_an_upload_lapses_with_its_link(world: World) -> None:
    response = await world.client.post(UPLOAD, files={"file": ("a.png", image_bytes())})
    url = response.json()["url"]
    await world.clock_command(advance="24h")
    assert (await world.client.get(url)).status_code == 410
    response = await world.client.post(CREATE, json={**CREATION, "input_images": [url]})
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("invalid_image", "input_images[0]")
    assert "stopped working" in error["message"]


async def test_data_urls_and_our_own_pictures(world: World) -> None:
    first = await world.finished(image_urls=[data_url(image_bytes(color=GREEN))])
    own = first["result"]["data"][0]["url"]
    plain = await picture_of(world, {})
    with_reference = await picture_of(world, {"images": [own]})
    assert share_of(with_reference, GREEN) > 0.001
    assert with_reference.tobytes() != plain.tobytes()
    changed = own[:-1] + ("0" if own[-1] != "0" else "1")
    response = await world.client.post(CREATE, json={**CREATION, "images": [changed]})
    assert response.json()["error"]["code"] == "invalid_image"


async def test_other_urls_become_placeholders(world: World) -> None:
    pictures = [
        await picture_of(world, {"input_images": [f"https://example.com/{name}.png"]})
        for name in ("cat", "dog")
    ]
    assert pictures[0].size == (1024, 1024)
    assert pictures[0].tobytes() != pictures[1].tobytes()


@pytest.mark.parametrize(
    "url",
    ["data:image/png;base64,!!!", "data:image/png,abc", "data:", "file:///etc/passwd", "", "x"],
)
async def test_bad_reference_urls(world: World, url: str) -> None:
    response = await world.client.post(CREATE, json={**CREATION, "input_images": [url]})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "input_images[0]"
    assert await world.balance() == 100_000


@pytest.mark.parametrize(("content", "named"), BAD_IMAGES, ids=[named for _, named in BAD_IMAGES])
@pytest.mark.parametrize("way", ["upload", "edit", "mask", "data"])
async def test_bad_images(content: bytes, named: str, way: str) -> None:
    async with open_world(max_image_mb=1) as world:
        good = ("a.png", image_bytes())
        bad = ("b.png", content)
        match way:
            case "upload":
                response = await world.client.post(UPLOAD, files={"file": bad})
                param = "file"
            case "edit":
                response = await world.client.post(EDIT, data=EDIT_FIELDS, files={"image": bad})
                param = "image"
            case "mask":
                files = {"image": good, "mask": bad}
                response = await world.client.post(EDIT, data=EDIT_FIELDS, files=files)
                param = "mask"
            case _:
                body = {**CREATION, "input_images": [data_url(content)]}
                response = await world.client.post(CREATE, json=body)
                param = "input_images[0]"
        error = response.json()["error"]
        assert response.status_code == 400
        assert (error["code"], error["param"]) == ("invalid_image", param)
        assert named.lower() in error["message"].lower()
        assert (await world.sums())["reserved"] == 0


async def test_an_edit_answers_the_images() -> None:
    async with open_world(latency=Latency("instant")) as world:
        files = [("image[]", ("a.png", image_bytes())), ("image[]", ("b.png", image_bytes()))]
        data = {**EDIT_FIELDS, "n": "2", "size": "3:2", "quality": "low"}
        response = await world.client.post(EDIT, data=data, files=files)
        assert response.status_code == 200
        urls = [entry["url"] for entry in response.json()["data"]]
        assert [decoded((await world.client.get(url)).content).size for url in urls] == [
            (1248, 832)
        ] * 2
        assert (await world.sums())["charged"] == 30


@pytest.mark.parametrize(
    ("fields", "files", "code", "param"),
    [
        ({"prompt": "x"}, ["image"], "missing_field", "model"),
        ({"model": "gpt-image-2"}, ["image"], "missing_field", "prompt"),
        (EDIT_FIELDS, [], "missing_field", "image"),
        ({**EDIT_FIELDS, "image": "https://example.com/a.png"}, [], "invalid_type", "image"),
        (EDIT_FIELDS, ["image"] * 17, "too_many_images", "image"),
        (EDIT_FIELDS, ["image", "mask", "mask"], "too_many_images", "mask"),
        ({**EDIT_FIELDS, "n": "1.5"}, ["image"], "invalid_type", "n"),
        ({**EDIT_FIELDS, "n": "11"}, ["image"], "invalid_value", "n"),
        ({**EDIT_FIELDS, "n": "99999999999999999999"}, ["image"], "invalid_type", "n"),
        ({**EDIT_FIELDS, "size": "7:5"}, ["image"], "invalid_value", "size"),
    ],
)
async def test_bad_edits(
    world: World, fields: dict[str, str], files: list[str], code: str, param: str
) -> None:
    sent = [(name, ("a.png", image_bytes())) for name in files]
    # A form without files is not multipart by itself; an extra field makes it one.
    sent = sent or [("ignored", ("a.png", image_bytes()))]
    response = await world.client.post(EDIT, data=fields, files=sent)
    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["code"], error["param"]) == (code, param)
    assert (await world.sums())["reserved"] == 0


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"not a form"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n"),
        ("multipart/form-data; boundary=x; charset=nonsense", b""),
        ("application/json", b"{}"),
    ],
)
@pytest.mark.parametrize("path", [EDIT, UPLOAD])
async def test_broken_forms(world: World, path: str, content_type: str, body: bytes) -> None:
    response = await world.client.post(path, content=body, headers={"Content-Type": content_type})
    assert response.status_code == 400
    assert response.json()["error"]["param"] in ("body", "Content-Type", "model", "file")


@pytest.mark.parametrize("path", [EDIT, UPLOAD])
async def test_a_form_that_breaks_off_is_refused(world: World, path: str) -> None:
    await world.clock_command(freeze=True)  # an edit is not waited for
    name = "file" if path == UPLOAD else "image"
    parts = [(key, value) for key, value in EDIT_FIELDS.items() if path == EDIT]
    form = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in parts
    ).encode()
    form += f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\n'.encode()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for end in (b"", b"\r\n--x", b"\r\n--x-", b"\r\n--x\r\n"):
        response = await world.client.post(
            path, content=form + image_bytes() + end, headers=headers
        )
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (400, "invalid_body")
        assert "breaks off before its last boundary" in error["message"]
    whole = form + image_bytes() + b"\r\n--x--"
    assert (await world.client.post(path, content=whole, headers=headers)).status_code in (200, 202)
