"""A sun over the sea."""

from emulator.adapters.picture.canvas import Canvas
from emulator.adapters.picture.dice import Dice
from emulator.adapters.picture.scenes.shapes import stars, sun, swell


def draw(canvas: Canvas, dice: Dice, detail: int) -> None:
    """A large sun on the horizon, its reflection, and rows of waves towards the viewer."""
    width, height, short = canvas.width_px, canvas.height_px, canvas.short_px
    horizon = round(height * dice.between(0.4, 0.5))
    canvas.sky(dice.between(0.1, 0.4), 0.88, horizon / height)
    if detail == 3:
        stars(canvas, dice, 90 + width * height // 40_000, 0.24, 0.9)
    x = width * dice.between(0.28, 0.72)
    radius = short * dice.between(0.14, 0.2)
    sun(canvas, x, horizon - radius * dice.between(0.1, 0.7), radius, 1.0, 2 * detail - 1)
    canvas.below([(0, horizon), (width, horizon)], 0.58, -0.5)
    _reflection(canvas, dice, x, radius, horizon, (7, 14, 26)[detail - 1])
    rows = (3, 5, 7)[detail - 1]
    for row in range(rows):
        depth = (row + 1) / rows
        base = horizon + (height - horizon) * (0.16 + 0.74 * depth**1.25)
        tall = short * (0.005 + 0.022 * depth)
        line = swell(canvas, dice, base, tall, 5.2 - 3.4 * depth)
        light = 0.44 - 0.36 * depth
        foam = [(max(1.0, short / 700), light + 0.2, 1.0)] if detail >= 2 else []
        shadow = [(tall * 0.7, light - 0.1, 0.4) for _ in range(detail - 2)]
        canvas.below(line, light, 0.0, [*shadow, *foam])


def _reflection(
    canvas: Canvas, dice: Dice, x: float, radius: float, horizon: float, strokes: int
) -> None:
    deep = (canvas.height_px - horizon) * 0.8
    for stroke in range(strokes):
        depth = (stroke + 0.5) / strokes
        half = radius * (0.95 - 0.6 * depth) * dice.between(0.5, 1.1)
        y = horizon + deep * depth**1.3
        thick = max(1.0, deep / strokes * 0.3 * (0.5 + depth))
        middle = x + radius * dice.between(-0.2, 0.2)
        canvas.capsule(middle - half, y, middle + half, thick, 0.97 - 0.35 * depth)
