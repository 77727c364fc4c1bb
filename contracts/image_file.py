"""Whether a file is an image that the documents let a client send."""

from collections.abc import Callable
from functools import cache
from io import BytesIO

from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}  # EDIT-2
_USUAL_PIXELS = 40_000_000  # no document says how large a reference image may be
_DECODERS: dict[str, Callable[[BytesIO], Image.Image]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
}


def image_format(content: bytes) -> str | None:
    """Name an image file's format from its first bytes; None where it is none of the three."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    return None


def is_readable(content: bytes) -> bool | None:
    """Decode an image file completely.

    Returns:
        Whether that is possible; None where the image is so large that it was not tried.
    """
    kind = image_format(content)
    if kind is None:
        return False
    try:
        with _DECODERS[kind](BytesIO(content)) as image:
            if image.width * image.height > _USUAL_PIXELS:
                return None
            image.load()
    except Exception:  # decoders raise whatever they like
        return False
    return True


@cache
def blank_png(width_px: int = 64, height_px: int = 64) -> bytes:
    """A valid PNG of one colour."""
    file = BytesIO()
    Image.new("RGB", (width_px, height_px), "gray").save(file, "PNG")
    return file.getvalue()
