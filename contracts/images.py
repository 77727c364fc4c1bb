"""Decodes pictures completely: what a format and its pixels are is not taken on trust."""

import hashlib
import io
import warnings

from PIL import Image, UnidentifiedImageError

from contracts.exchange import ImageFacts

_THUMBNAIL_PX = 240
_MAX_PIXELS = 64_000_000


def image_facts(body: bytes) -> ImageFacts:
    """Decode a body.

    Args:
        body: the whole body, whatever it was declared as.

    Returns:
        Facts; with ``problem`` set where it is no picture, or a broken one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            image = Image.open(io.BytesIO(body))
            if image.width * image.height > _MAX_PIXELS:
                problem = f"{image.width}x{image.height} is more than the kit decodes"
                return ImageFacts(image.format or "", 0, 0, "", problem)
            image.load()
            pixels = image if image.mode in ("RGB", "RGBA") else image.convert("RGBA")
            digest = hashlib.sha256(pixels.tobytes()).hexdigest()
            return ImageFacts(
                image.format or "", image.width, image.height, digest, None, _thumbnail(pixels)
            )
    except UnidentifiedImageError:
        return ImageFacts("", 0, 0, "", "no picture in a known format")
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        return ImageFacts("", 0, 0, "", f"a broken picture: {error}")


def _thumbnail(pixels: Image.Image) -> bytes:
    factor = max(1, max(pixels.size) // (2 * _THUMBNAIL_PX))
    small = pixels.reduce(factor) if factor > 1 else pixels.copy()
    small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    file = io.BytesIO()
    small.convert("RGB").save(file, "JPEG", quality=80)
    return file.getvalue()
