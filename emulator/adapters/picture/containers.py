"""Reading JPEG, PNG and WebP files far enough to know them, before any decoder sees them.

What a decoder does not need for the pixels is taken out: metadata is where decoders warn, stumble
and unpack bombs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import error as struct_error
from struct import unpack_from
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_NEEDED: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_JPEG_NEEDED: Final = frozenset({0xE0, 0xEE})  # of the APP segments: JFIF, and Adobe's colours
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_PIXELS: Final = (0xDA, 0xD9)  # a scan starts, or the file ends
_APP1: Final = 0xE1
_EXIF: Final = b"Exif\0\0"
_ORIENTATION: Final = 0x0112
_OTHERS: Final = (
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\0\0\1\0", "an ICO image"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "a PDF document"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"<svg", "an SVG image"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
    (b"{", "JSON"),
    (b"data:", "the text of a data: URL"),
    (b"http", "the text of a URL"),
)
_BRANDS: Final = ((b"avif", "an AVIF image"), (b"hei", "a HEIC image"), (b"mif1", "a HEIC image"))


class Damaged(Exception):
    """The file is of an accepted type, but broken; the message says how."""


@dataclass(frozen=True, slots=True)
class Container:
    """An image file, read up to its pixels.

    Attributes:
        media_type: image/jpeg, image/png or image/webp.
        width_px, height_px: as its header says.
        content: the file without its metadata.
        orientation: 1 to 8, as EXIF counts the ways to turn it.
    """

    media_type: str
    width_px: int
    height_px: int
    content: bytes
    orientation: int = 1


def read(content: bytes) -> Container | None:
    """Read a file's header; None where it is of another type.

    Raises:
        Damaged: the file breaks off or contradicts itself.
    """
    try:
        if content.startswith(_PNG):
            return _png(content)
        if content.startswith(b"\xff\xd8"):
            return _jpeg(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _webp(content)
    except (struct_error, IndexError):
        raise Damaged("it breaks off in its header") from None
    return None


def name_type(content: bytes) -> str | None:
    """Say what a file of another type is, if that can be told."""
    head = content[:256].removeprefix(b"\xef\xbb\xbf").lstrip()
    for start, name in _OTHERS:
        if content.startswith(start) or head.lower().startswith(start):
            return (
                "an SVG image" if name == "an XML document" and b"<svg" in content[:1024] else name
            )
    if content[4:8] == b"ftyp":
        return next((name for brand, name in _BRANDS if content[8:12].startswith(brand)), "a video")
    return "plain text" if head and all(byte >= 32 or byte in b"\t\n\r" for byte in head) else None


def _png(content: bytes) -> Container:
    """Keep the chunks that the pixels of the first frame need."""
    parts = [_PNG]
    place, width, height = len(_PNG), 0, 0
    if content[12:16] != b"IHDR":
        raise Damaged("it does not start with a header")
    while True:
        if place + 12 > len(content):
            raise Damaged("it breaks off before its end")
        length, name = unpack_from(">I4s", content, place)
        after = place + 12 + length
        if after > len(content):
            raise Damaged("it breaks off before its end")
        if name == b"IHDR":
            width, height = unpack_from(">II", content, place + 8)
        if name in _PNG_NEEDED:
            parts.append(content[place:after])
        place = after
        if name == b"IEND":
            return Container("image/png", width, height, b"".join(parts))


def _jpeg(content: bytes) -> Container:
    parts = [b"\xff\xd8"]
    width, height, orientation, place = 0, 0, 1, 2
    for marker, segment, end in _segments(content):
        place = end
        if marker in _JPEG_FRAMES:
            height, width = unpack_from(">HH", segment, 5)
        if marker == _APP1 and segment[4:10] == _EXIF:
            orientation = _exif_orientation(segment[10:])
        if not 0xE0 <= marker <= 0xEF or marker in _JPEG_NEEDED:
            parts.append(segment)
    if content.rfind(b"\xff\xd9", place) < 0:
        raise Damaged("it breaks off before its end")
    return Container("image/jpeg", width, height, b"".join([*parts, content[place:]]), orientation)


def _segments(content: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker, bytes and end of each segment before the pixels."""
    place = 2
    while True:
        while content[place] == 0xFF and content[place + 1] == 0xFF:
            place += 1
        if content[place] != 0xFF:
            raise Damaged("it has something else where a segment should start")
        marker = content[place + 1]
        if marker in _JPEG_PIXELS:
            return
        (length,) = unpack_from(">H", content, place + 2)
        segment = content[place : place + 2 + length]
        if len(segment) < 2 + length:
            raise Damaged("it breaks off before its end")
        place += 2 + length
        yield marker, segment, place


def _exif_orientation(exif: bytes) -> int:
    """Find how to turn a photograph; 1 (not at all) where EXIF does not say it well."""
    try:
        order = "<" if exif[:2] == b"II" else ">"
        (place,) = unpack_from(order + "I", exif, 4)
        (entries,) = unpack_from(order + "H", exif, place)
        for entry in range(min(entries, 256)):
            tag, _, _, value = unpack_from(order + "HHIH", exif, place + 2 + entry * 12)
            if tag == _ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct_error:
        pass
    return 1


def _webp(content: bytes) -> Container:
    (length,) = unpack_from("<I", content, 4)
    if length + 8 > len(content):
        raise Damaged("it breaks off before its end")
    kind = content[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(content[24:27], "little")
        height = 1 + int.from_bytes(content[27:30], "little")
    elif kind == b"VP8L":
        (bits,) = unpack_from("<I", content, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in unpack_from("<HH", content, 26))
    else:
        raise Damaged("it has no picture")
    return Container("image/webp", width, height, content[: length + 8])
