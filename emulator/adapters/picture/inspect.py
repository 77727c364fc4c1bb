"""Inspecting an image that a client sent: is it one, of which type, how large."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from emulator.adapters.picture.containers import Container, Damaged, name_type, read

ACCEPTED: Final = "JPEG, PNG and WebP images are accepted"
# The plugins by themselves: Image.open() warns of large images, and tries decoders by turns.
_DECODERS: Final[dict[str, Callable[[BytesIO], Image.Image]]] = {
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/png": PngImagePlugin.PngImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
}
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What an image is.

    Attributes:
        media_type: image/jpeg, image/png or image/webp, from its content.
        width_px, height_px: its size, before a turn that its metadata may ask for.
    """

    media_type: str
    width_px: int
    height_px: int


class ImageRejected(Exception):
    """The image is not accepted; the message says in one line why, and what is."""


def inspect(content: bytes, max_bytes: int, max_pixels: int) -> ImageFacts:
    """Check an image file in full, its size before its pixels.

    Args:
        content: the file.
        max_bytes: the most bytes that are accepted.
        max_pixels: the most pixels that are accepted.

    Raises:
        ImageRejected: it is empty, too large, of another type, or damaged.
    """
    if len(content) > max_bytes:
        raise ImageRejected(
            f"The file has {len(content):,} bytes; at most {max_bytes:,} are accepted."
        )
    container = _header(content, max_pixels)
    _decode(container, None)
    return ImageFacts(container.media_type, container.width_px, container.height_px)


def load(content: bytes, max_pixels: int, enough_px: tuple[int, int] | None = None) -> Image.Image:
    """Decode an image file, upright.

    Args:
        content: the file.
        max_pixels: the most pixels that are accepted.
        enough_px: a size that is enough; a decoder that is quicker for less may use that.

    Returns:
        The first frame; mode RGBA where it has transparency, else RGB, or L for gray.

    Raises:
        ImageRejected: as for ``inspect``.
    """
    container = _header(content, max_pixels)
    image = _decode(container, enough_px)
    turn = _TURNS.get(container.orientation)
    return image if turn is None else image.transpose(turn)


def _header(content: bytes, max_pixels: int) -> Container:
    if not content:
        raise ImageRejected(f"The file is empty; {ACCEPTED}.")
    try:
        container = read(content)
    except Damaged as problem:
        raise ImageRejected(f"The image is damaged: {problem}.") from None
    if container is None:
        found = name_type(content)
        what = f"The file is {found}" if found else "The file is of an unknown type"
        raise ImageRejected(f"{what}; {ACCEPTED}.")
    width, height = container.width_px, container.height_px
    if width < 1 or height < 1:
        raise ImageRejected(f"The image is damaged: its header says {width}×{height} pixels.")
    if width * height > max_pixels:
        raise ImageRejected(
            f"The image has {width * height:,} pixels ({width}×{height}); "
            f"at most {max_pixels:,} are accepted."
        )
    return container


def _decode(container: Container, enough_px: tuple[int, int] | None) -> Image.Image:
    try:
        with _DECODERS[container.media_type](BytesIO(container.content)) as image:
            if image.size == (container.width_px, container.height_px):
                if enough_px is not None:
                    image.draft(None, (max(enough_px), max(enough_px)))
                image.load()
                return _plain(image)
    except Exception:  # decoders raise whatever they like
        kind = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP"}
        raise ImageRejected(
            f"The {kind[container.media_type]} image is damaged: its pixels cannot be decoded."
        ) from None
    raise ImageRejected("The image is damaged: its header contradicts itself.")


def _plain(image: Image.Image) -> Image.Image:
    """Convert to RGBA, RGB or L."""
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")
