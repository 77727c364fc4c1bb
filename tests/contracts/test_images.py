"""Pictures are decoded, whatever they say they are."""

import io
import zlib
from typing import Any

import pytest
from PIL import Image

from contracts.images import image_facts

RED, BLUE = (200, 30, 30), (30, 30, 200)


def picture(
    kind: str, color: tuple[int, ...] = RED, size: Any = (96, 64), mode: str = "RGB"
) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, color).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_format_and_size_come_from_decoding(kind: str) -> None:
    facts = image_facts(picture(kind))
    assert (facts.format, facts.width_px, facts.height_px) == (kind, 96, 64)
    assert facts.problem is None
    assert Image.open(io.BytesIO(facts.thumbnail)).format == "JPEG"


def test_a_digest_tells_pixels_apart_not_files() -> None:
    digests = {
        image_facts(content).pixels_digest
        for content in (picture("PNG"), picture("PNG") + b"trailing", picture("BMP"))
    }
    assert len(digests) == 1
    assert image_facts(picture("PNG", BLUE)).pixels_digest not in digests


def test_large_pictures_have_small_thumbnails() -> None:
    facts = image_facts(picture("PNG", size=(3840, 1280)))
    assert Image.open(io.BytesIO(facts.thumbnail)).size == (240, 80)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "LA", "1"])
def test_all_kinds_of_pixels_are_read(mode: str) -> None:
    color = {"RGB": RED, "RGBA": (*RED, 9), "LA": (7, 9)}.get(mode, (1,))
    assert image_facts(picture("PNG", color, mode=mode)).problem is None


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "no picture in a known format"),
        (b"<html>", "no picture in a known format"),
        (picture("PNG")[:60], "a broken picture: "),
        (picture("JPEG", size=(500, 500))[:-400], "a broken picture: "),
        (picture("PNG").replace(b"IDAT", b"IDAX"), "no picture in a known format"),
    ],
)
def test_what_can_not_be_decoded_has_a_problem(body: bytes, problem: str) -> None:
    facts = image_facts(body)
    assert (facts.problem or "").startswith(problem)
    assert (facts.width_px, facts.height_px, facts.pixels_digest) == (0, 0, "")


def test_a_bomb_is_not_decoded() -> None:
    """A header that claims 60,000 x 60,000 pixels must not cost 10 GB."""
    small = picture("PNG")
    head = small[12:16] + (60_000).to_bytes(4, "big") * 2 + small[24:29]
    bomb = small[:12] + head + zlib.crc32(head).to_bytes(4, "big") + small[33:]
    facts = image_facts(bomb)
    assert facts.problem is not None
    assert facts.width_px == 0


def test_a_picture_that_is_too_large_for_the_kit_says_so() -> None:
    facts = image_facts(picture("PNG", (1,), (8001, 8000), "1"))
    assert facts.problem == "8001x8000 is more than the kit decodes"
