"""A PNG encoder for pictures of flat forms: one filter for all rows, ISA-L for the rest.

Most of the time that a general encoder takes goes into the choice of a filter for each row.
"""

import zlib
from collections.abc import Iterator, Mapping
from struct import pack
from typing import Final

from isal import isal_zlib
from PIL import Image, ImageChops

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_UP: Final = 2
_STRIP_BYTES: Final = 1 << 18  # filtered at once: what a processor's cache holds
_LONG_TEXT_BYTES: Final = 1024


def encode(image: Image.Image, palette: bytes | None, text: Mapping[str, str]) -> bytes:
    """Encode a picture as PNG.

    Args:
        image: mode L with a palette, or mode RGB.
        palette: 256 RGB entries that the values of a mode L image stand for.
        text: keyword -> text, kept in the file.
    """
    color_type = 2 if palette is None else 3
    header = pack(">IIBBBBB", image.width, image.height, 8, color_type, 0, 0, 0)
    parts = [_SIGNATURE, _chunk(b"IHDR", header)]
    if palette is not None:
        parts.append(_chunk(b"PLTE", palette))
    parts += [_text_chunk(keyword, value) for keyword, value in text.items()]
    deflate = isal_zlib.compressobj(1)
    pixels = b"".join([deflate.compress(rows) for rows in _filtered(image)]) + deflate.flush()
    return b"".join([*parts, _chunk(b"IDAT", pixels), _chunk(b"IEND", b"")])


def _filtered(image: Image.Image) -> Iterator[bytes]:
    """Yield strips of rows, each row led by its filter and less the row above it."""
    width = image.width * len(image.getbands())
    strip_px = max(1, _STRIP_BYTES // width)
    for top in range(0, image.height, strip_px):
        bottom = min(image.height, top + strip_px)
        # One row more on top: cropping beyond an edge gives zeros, as the filter wants.
        rows = _gray(image.crop((0, top - 1, image.width, bottom)))
        height = bottom - top
        above = rows.crop((0, 0, width, height))
        less = ImageChops.subtract_modulo(rows.crop((0, 1, width, height + 1)), above)
        led = Image.new("L", (width + 1, height), _UP)
        led.paste(less, (1, 0))
        yield led.tobytes()


def _gray(rows: Image.Image) -> Image.Image:
    """See the samples of an RGB image as a gray image three times as wide."""
    if rows.mode == "L":
        return rows
    size = (rows.width * 3, rows.height)
    return Image.frombuffer("L", size, rows.tobytes(), "raw", "L", 0, 1)


def _chunk(name: bytes, data: bytes) -> bytes:
    return b"".join(
        [pack(">I", len(data)), name, data, pack(">I", zlib.crc32(data, zlib.crc32(name)))]
    )


def _text_chunk(keyword: str, text: str) -> bytes:
    """Make a tEXt chunk, or iTXt for what Latin-1 does not have; NUL cannot be kept."""
    text = text.replace("\0", "")
    name = keyword.encode("latin-1")
    try:
        plain = text.encode("latin-1")
    except UnicodeEncodeError:
        content = text.encode("utf-8", "replace")
        packed = len(content) > _LONG_TEXT_BYTES
        content = zlib.compress(content) if packed else content
        return _chunk(b"iTXt", name + bytes([0, packed, 0, 0, 0]) + content)
    if len(plain) > _LONG_TEXT_BYTES:
        return _chunk(b"zTXt", name + b"\0\0" + zlib.compress(plain))
    return _chunk(b"tEXt", name + b"\0" + plain)
