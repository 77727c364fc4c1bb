"""The PNG encoder: what it writes, Pillow reads."""

from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from emulator.adapters.picture.png import encode
from emulator.adapters.picture.ramps import palette


def decoded(content: bytes) -> PngImagePlugin.PngImageFile:
    image = PngImagePlugin.PngImageFile(BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (255, 257), (1024, 700)])
def test_pixels_come_back(size: tuple[int, int]) -> None:
    tones = Image.radial_gradient("L").resize(size)
    colours = Image.merge("RGB", (tones, tones.transpose(Image.Transpose.ROTATE_180), tones))
    shown = decoded(encode(tones, palette(3), {}))
    assert shown.mode == "P"
    assert shown.tobytes() == tones.tobytes()
    assert bytes(shown.getpalette() or []) == palette(3)
    assert decoded(encode(colours, None, {})).tobytes() == colours.tobytes()


@pytest.mark.parametrize(("text", "kept"), [
    ("", ""),
    ("plain\ntext", "plain\ntext"),
    ("café", "café"),
    ("日本 😀", "日本 😀"),
    ("n\0u\0l", "nul"),
    ("\ud800", "?"),
    ("long " * 6_400, "long " * 6_400),
    ("長" * 32_000, "長" * 32_000),
])  # fmt: skip
def test_text_comes_back(text: str, kept: str) -> None:
    content = encode(Image.new("L", (1, 1)), palette(0), {"Prompt": text, "Task": "task_1"})
    assert decoded(content).text == {"Prompt": kept, "Task": "task_1"}
