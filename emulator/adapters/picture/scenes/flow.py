"""Sheets of cut paper, one over the other."""

from emulator.adapters.picture.canvas import Canvas
from emulator.adapters.picture.dice import Dice
from emulator.adapters.picture.scenes.shapes import swell


def draw(canvas: Canvas, dice: Dice, detail: int) -> None:
    """Large smooth waves, each sheet with a soft shadow on the one behind it."""
    height, short = canvas.height_px, canvas.short_px
    sheets = (4, 5, 7)[detail - 1]
    canvas.sky(0.98, 0.82, 0.5)
    waves = dice.between(0.5, 1.0)
    turn = dice.between(0.25, 0.6)
    for sheet in range(sheets):
        depth = sheet / (sheets - 1)
        base = height * (0.14 + 0.78 * depth)
        tall = short * (0.11 - 0.04 * depth) * (1.15 if detail == 1 else 0.9)
        line = swell(canvas, dice, base, tall, waves * dice.between(0.8, 1.3))
        light = _light(depth, turn, sheet, detail)
        shadow = [(short * 0.012 * lift, 0.0, 0.13) for lift in range(min(2, detail), 0, -1)]
        rim = [(max(1.0, short / 600), light + 0.16, 1.0)] if detail == 3 else []
        canvas.below(line, light, 0.07, [*shadow, *rim])


def _light(depth: float, turn: float, sheet: int, detail: int) -> float:
    """Lightness falls towards the viewer; neighbours differ, one sheet in the middle glows."""
    wave = (-0.09 if sheet % 2 else 0.09) / detail
    glow = 0.22 * max(0.0, 1 - abs(depth - turn) * 5)
    return 0.84 - 0.74 * depth + wave + glow
