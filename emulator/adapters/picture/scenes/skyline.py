"""A city at dusk."""

from typing import Final, NamedTuple

from PIL import Image, ImageChops

from emulator.adapters.picture.canvas import Canvas, Point, tone
from emulator.adapters.picture.dice import Dice
from emulator.adapters.picture.scenes.shapes import stars, sun

_LIT: Final = bytes(154) + bytes([110] * 51 + [255] * 51)  # how bright windows are
_MOST_FLOORS: Final = 34


class _Tower(NamedTuple):
    left: int
    right: int
    roof: int


def draw(canvas: Canvas, dice: Dice, detail: int) -> None:
    """Rows of towers before a large moon; lit windows when detailed."""
    width, height, short = canvas.width_px, canvas.height_px, canvas.short_px
    canvas.sky(dice.between(0.08, 0.3), 0.92, 0.85)
    if detail == 3:
        stars(canvas, dice, 120 + width * height // 30_000, 0.35, 0.95)
    sun(canvas, width * dice.between(0.2, 0.8), height * dice.between(0.22, 0.36),
        short * dice.between(0.11, 0.16), 0.99, 2 * detail - 1)  # fmt: skip
    rows = (2, 3, 4)[detail - 1]
    for row in range(rows):
        depth = row / (rows - 1)
        towers = _towers(canvas, dice, height * (0.58 + 0.2 * depth), short * (0.15 + 0.08 * depth))
        light = 0.64 - 0.57 * depth
        canvas.below(_outline(towers, dice, detail, short), light, 0.22 * (1 - depth))
        if detail >= 2 and row >= rows - detail + 1:
            _windows(canvas, dice, towers, 0.62 + 0.33 * depth, detail)


def _towers(canvas: Canvas, dice: Dice, base_px: float, height_px: float) -> list[_Tower]:
    towers = []
    left = -int(canvas.short_px * dice.between(0, 0.08))
    while left < canvas.width_px:
        right = left + int(canvas.short_px * dice.between(0.05, 0.125))
        tall = 1.7 * dice.between(0.1, 1.0) ** 1.3
        towers.append(_Tower(left, right, int(base_px - height_px * tall)))
        left = right
    return towers


def _outline(towers: list[_Tower], dice: Dice, detail: int, short_px: int) -> list[Point]:
    line: list[Point] = []
    for left, right, roof in towers:
        line += [(left, roof), *_roof(left, right, roof, dice.whole(2 + 2 * detail), short_px)]
        line.append((right, roof))
    return line


def _roof(left: int, right: int, roof: int, style: int, short_px: int) -> list[Point]:
    wide, middle = right - left, (left + right) / 2
    if style == 2:  # slanted
        return [(left, roof - wide * 0.4)]
    if style == 3:  # two steps
        inset, up = wide * 0.22, roof - wide * 0.28
        steps = [
            (left + inset, roof),
            (left + inset, up),
            (right - inset, up),
            (right - inset, roof),
        ]
        return [(float(x), float(y)) for x, y in steps]
    if style == 4:  # a mast
        thin = max(1.0, short_px / 600)
        return [(middle - thin, roof), (middle, roof - wide * 0.9), (middle + thin, roof)]
    if style == 5:  # a gable
        return [(middle, roof - wide * 0.3)]
    return []


def _windows(canvas: Canvas, dice: Dice, towers: list[_Tower], light: float, detail: int) -> None:
    """Light a part of the windows: small random pictures, enlarged, behind a lattice."""
    pane = max(2, canvas.short_px // (140 if detail == 2 else 190))
    pitch = pane * 2 + (pane if detail == 2 else 1)
    lattice = _lattice(canvas.short_px // 8, pitch * _MOST_FLOORS, pane, pitch)
    for left, right, roof in towers:
        columns = (right - left - pane) // pitch
        floors = min(_MOST_FLOORS, (canvas.height_px - roof) // pitch - 1)
        if columns < 1 or floors < 1:
            continue
        lit = dice.bytes(columns * floors).translate(_LIT)
        size = (columns * pitch, floors * pitch)
        glow = Image.frombytes("L", (columns, floors), lit).resize(size, Image.Resampling.NEAREST)
        wall = ImageChops.darker(glow, lattice.crop((0, 0, *size)))
        inset = (right - left - size[0] + pitch - pane) // 2
        canvas.image.paste(tone(light), (left + inset, roof + pitch), wall)


def _lattice(width_px: int, height_px: int, pane: int, pitch: int) -> Image.Image:
    """Panes in rows and columns."""
    columns = Image.new("L", (width_px + pitch, pane + pane // 3), 0)
    for left in range(0, width_px, pitch):
        columns.paste(255, (left, 0, left + pane, columns.height))
    lattice = Image.new("L", (width_px + pitch, height_px), 0)
    for top in range(0, height_px, pitch):
        lattice.paste(columns, (0, top))
    return lattice
