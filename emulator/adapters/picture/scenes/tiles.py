"""Tiles of quarter circles, rings, stripes and dots."""

from collections.abc import Callable
from typing import Final

from PIL import Image, ImageDraw

from emulator.adapters.picture.canvas import Canvas, tone
from emulator.adapters.picture.dice import Dice

_LIGHTS: Final = (0.02, 0.24, 0.46, 0.66, 0.84, 1.0)
_Pen = ImageDraw.ImageDraw


def draw(canvas: Canvas, dice: Dice, detail: int) -> None:
    """A grid of square tiles in few tones, each with one form; finer forms when detailed."""
    across = (3, 5, 8)[detail - 1]
    side = -(-canvas.short_px // across)
    columns, rows = -(-canvas.width_px // side), -(-canvas.height_px // side)
    left, top = (canvas.width_px - columns * side) // 2, (canvas.height_px - rows * side) // 2
    forms = _FORMS[: (4, 6, 9)[detail - 1]]
    masks: dict[tuple[int, int], Image.Image] = {}
    lights = [light for light in _LIGHTS if dice.whole(6) or light in {0.02, 1.0}]
    for row in range(rows):
        for column in range(columns):
            ground = dice.pick(lights)
            ink = dice.pick([light for light in lights if abs(light - ground) > 0.15])
            form, turn = dice.whole(len(forms)), dice.whole(4)
            if (form, turn) not in masks:
                masks[form, turn] = _mask(forms[form], side, turn)
            box = (left + column * side, top + row * side)
            corner = (box[0] + side, box[1] + side)
            canvas.image.paste(tone(ground), (*box, *corner))
            canvas.image.paste(tone(ink), (*box, *corner), masks[form, turn])


def _mask(form: Callable[[_Pen, int], None], side: int, turn: int) -> Image.Image:
    mask = Image.new("L", (side * 2, side * 2), 0)
    form(ImageDraw.Draw(mask), side * 2)
    small = mask.reduce(2)
    turns = (
        None,
        Image.Transpose.ROTATE_90,
        Image.Transpose.ROTATE_180,
        Image.Transpose.ROTATE_270,
    )
    way = turns[turn]
    return small if way is None else small.transpose(way)


def _quarter(pen: _Pen, side: int) -> None:
    pen.ellipse((-side, -side, side, side), fill=255)


def _disc(pen: _Pen, side: int) -> None:
    pen.ellipse((side * 0.14, side * 0.14, side * 0.86, side * 0.86), fill=255)


def _half(pen: _Pen, side: int) -> None:
    pen.ellipse((0, -side // 2, side, side // 2), fill=255)


def _triangle(pen: _Pen, side: int) -> None:
    pen.polygon(((0, 0), (side, 0), (0, side)), fill=255)


def _leaf(pen: _Pen, side: int) -> None:
    pen.rectangle((0, 0, side, side), fill=255)
    other = Image.new("L", (side, side), 0)
    ImageDraw.Draw(other).ellipse((0, 0, side * 2, side * 2), fill=255)
    both = Image.new("L", (side, side), 0)
    ImageDraw.Draw(both).ellipse((-side, -side, side, side), fill=255)
    pen.rectangle((0, 0, side, side), fill=0)
    pen.bitmap((0, 0), Image.composite(both, Image.new("L", (side, side), 0), other), fill=255)


def _bridge(pen: _Pen, side: int) -> None:
    pen.rectangle((0, 0, side, side), fill=255)
    pen.ellipse((side * 0.2, side * 0.3, side * 0.8, side * 0.9), fill=0)
    pen.rectangle((side * 0.2, side * 0.6, side * 0.8, side), fill=0)


def _quarter_rings(pen: _Pen, side: int) -> None:
    for ring in range(5):
        size = side * (5 - ring) // 5
        pen.ellipse((-size, -size, size, size), fill=0 if ring % 2 else 255)


def _stripes(pen: _Pen, side: int) -> None:
    for stripe in range(5):
        pen.rectangle((0, side * stripe // 5, side, side * stripe // 5 + side // 10 - 1), fill=255)


def _dots(pen: _Pen, side: int) -> None:
    for row in range(4):
        for column in range(4):
            x, y, half = side * (2 * column + 1) / 8, side * (2 * row + 1) / 8, side * 0.065
            pen.ellipse((x - half, y - half, x + half, y + half), fill=255)


_FORMS: Final = (
    _quarter, _disc, _half, _triangle, _leaf, _bridge, _quarter_rings, _stripes, _dots,
)  # fmt: skip
