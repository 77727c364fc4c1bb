"""Masks: where an edit may change the picture."""

from typing import Final

from PIL import Image, ImageOps

from emulator.adapters.picture.caption import Box
from emulator.adapters.picture.cards import MAX_PIXELS
from emulator.adapters.picture.inspect import ImageRejected, load

_CELLS: Final = 48


def editable(content: bytes, size: tuple[int, int]) -> Image.Image:
    """Where a picture may change: 255, elsewhere 0.

    Args:
        content: the mask's file: transparent pixels may change, or white ones where it has no
            alpha channel. One that cannot be read lets everything change.
        size: of the picture; the mask is scaled to cover it, as the picture's base is.
    """
    try:
        mask = load(content, MAX_PIXELS)
    except ImageRejected:
        return Image.new("L", size, 255)
    if mask.mode == "RGBA":
        area = mask.getchannel("A").point([255] * 128 + [0] * 128)
    else:
        area = mask.convert("L").point([0] * 128 + [255] * 128)
    fitted = ImageOps.fit(area, size, Image.Resampling.BILINEAR)
    return fitted.point([0] * 128 + [255] * 128)


def widest_space(area: Image.Image) -> Box:
    """About the largest rectangle that is wholly inside a mask's area."""
    width, height = area.size
    columns, rows = min(_CELLS, width), min(_CELLS, height)
    small = area.point([0] * 255 + [255]).resize((columns, rows), Image.Resampling.BOX)
    full = small.tobytes()
    heights = [0] * columns
    best, most = (0, 0, 0, 0), 0
    for row in range(rows):
        for column in range(columns):
            inside = full[row * columns + column] == 255
            heights[column] = heights[column] + 1 if inside else 0
        for left, right, high in _spans(heights):
            if (right - left) * high > most:
                most = (right - left) * high
                best = (left, row + 1 - high, right, row + 1)
    return Box(-(-best[0] * width // columns), -(-best[1] * height // rows),
               best[2] * width // columns, best[3] * height // rows)  # fmt: skip


def _spans(heights: list[int]) -> list[tuple[int, int, int]]:
    """The widest rectangle under a histogram for each of its bars: left, right, height."""
    found = []
    open_bars: list[tuple[int, int]] = []
    for place, height in enumerate([*heights, 0]):
        start = place
        while open_bars and open_bars[-1][1] >= height:
            start, high = open_bars.pop()
            found.append((start, place, high))
        open_bars.append((start, height))
    return found
