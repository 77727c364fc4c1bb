"""The bundled fonts: which one has a character, how wide it is, its pixels at a size.

Glyphs are rendered one by one, unhinted and at quarter pixels, and cached: the same pixels on
every machine, whatever layout engine its Pillow has.
"""

import json
from bisect import bisect_right
from functools import lru_cache
from importlib.resources import files
from threading import Lock
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

QUARTERS: Final = 4
MISSING_CHARACTER: Final = "\U0010fffd"  # no font has it
_SCALES: Final = {"noto-emoji": 0.86, "noto-sans-arabic": 1.08, "dejavu-sans": 0.94}
_MEASURE_PX: Final = 512
_CACHED_GLYPHS: Final = 8192
_LARGEST_CACHED_PX: Final = 64

_face_lock = Lock()  # a FreeType face must not be used by two threads at once


class Glyph(NamedTuple):
    """A rendered glyph: its coverage mask and where it goes from the pen position."""

    mask: Image.Image | None
    left_px: int
    top_px: int


class _Coverage:
    """Which font of the chain has a character."""

    def __init__(self) -> None:
        data = json.loads((files(__package__) / "fonts" / "coverage.json").read_text("ascii"))
        found = sorted(
            (first, last, font["name"]) for font in data["fonts"] for first, last in font["ranges"]
        )
        self.sequences: dict[str, str] = data["sequences"]
        self._firsts = [first for first, _, _ in found]
        self._lasts = [last for _, last, _ in found]
        self._names = [name for _, _, name in found]

    def font(self, char: str) -> str | None:
        """Name the font that has a character."""
        code = ord(char)
        place = bisect_right(self._firsts, code) - 1
        return self._names[place] if place >= 0 and code <= self._lasts[place] else None


@lru_cache(maxsize=1)
def _coverage() -> _Coverage:
    return _Coverage()


def sequences() -> dict[str, str]:
    """Emoji sequences that have a glyph of their own -> the character that stands for it."""
    return _coverage().sequences


@lru_cache(maxsize=4096)
def font_of(char: str) -> str | None:
    """Name the bundled font that has a character, if one does."""
    return _coverage().font(char)


@lru_cache(maxsize=8)
def _content(name: str) -> bytes:
    return (files(__package__) / "fonts" / f"{name}.ttf").read_bytes()


@lru_cache(maxsize=96)
def _face(name: str, size_px: float) -> ImageFont.FreeTypeFont:
    from io import BytesIO

    size = size_px * _SCALES.get(name, 1.0)
    return ImageFont.truetype(BytesIO(_content(name)), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=_CACHED_GLYPHS)
def advance_em(char: str) -> float:
    """How far a character moves the pen, as a part of the font size."""
    name = font_of(char)
    if name is None:
        return 0.7
    with _face_lock:
        return _face(name, _MEASURE_PX).getlength(char) / _MEASURE_PX


def glyph(char: str, size_px: int, quarter: int) -> Glyph:
    """Render a character.

    Args:
        char: one character; one that no font has gives a hollow box.
        size_px: the font size.
        quarter: how many quarter pixels the pen is right of a whole one.
    """
    if size_px > _LARGEST_CACHED_PX:
        return _render(char, size_px, quarter)
    return _cached(char, size_px, quarter)


def _render(char: str, size_px: int, quarter: int) -> Glyph:
    name = font_of(char)
    if name is None:
        return _hollow_box(size_px)
    with _face_lock:
        face = _face(name, size_px)
        left, top, right, bottom = face.getbbox(char, anchor="ls")
        box = (int(left) - 1, int(top) - 1, int(right) + 2, int(bottom) + 1)
        if right <= left or bottom <= top:
            return Glyph(None, 0, 0)
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]), 0)
        pen = (quarter / QUARTERS - box[0], -box[1])
        ImageDraw.Draw(mask).text(pen, char, fill=255, font=face, anchor="ls")
    return Glyph(mask, box[0], box[1])


_cached = lru_cache(maxsize=_CACHED_GLYPHS)(_render)


def _hollow_box(size_px: int) -> Glyph:
    width, height = max(5, round(size_px * 0.5)), max(7, round(size_px * 0.7))
    mask = Image.new("L", (width, height), 0)
    line = max(1, size_px // 22)
    ImageDraw.Draw(mask).rectangle((0, 0, width - 1, height - 1), outline=150, width=line)
    return Glyph(mask, round(size_px * 0.1), -height)
