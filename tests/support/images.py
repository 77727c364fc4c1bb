"""Real images for tests."""

import io

from PIL import Image


def image_bytes(
    form: str = "PNG", size: tuple[int, int] = (64, 48), color: str | int | tuple[int, ...] = "red",
    mode: str = "RGB",
) -> bytes:  # fmt: skip
    """An image of one colour."""
    file = io.BytesIO()
    Image.new(mode, size, color).save(file, form, lossless=True)
    return file.getvalue()


def decoded(content: bytes) -> Image.Image:
    """Decode an image completely."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def share_of(image: Image.Image, color: tuple[int, int, int]) -> float:
    """The part of an image's pixels that have a colour."""
    colors = image.convert("RGB").getcolors(image.width * image.height)
    assert colors is not None
    return sum(count for count, found in colors if found == color) / (image.width * image.height)
