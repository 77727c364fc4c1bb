"""What several scenes have in common: profiles of land and water, suns, stars."""

import math
from itertools import pairwise
from typing import Final

from emulator.adapters.picture.canvas import Canvas, Point
from emulator.adapters.picture.dice import Dice

_EASE_STEPS: Final = 24
_EASE: Final = [
    part * part * (3 - 2 * part) for part in (s / _EASE_STEPS for s in range(_EASE_STEPS))
]


def ridge(canvas: Canvas, dice: Dice, base_px: float, height_px: float, folds: int) -> list[Point]:
    """A mountain line: peaks and valleys, halved and displaced ``folds`` times."""
    wave_px = canvas.short_px * 0.24
    knots = int(canvas.width_px / wave_px) + 3
    flip = dice.whole(2)
    heights = [
        (part if (knot + flip) % 2 else -part * 0.7)
        for knot, part in enumerate(0.25 + 0.75 * roll for roll in dice.fractions(knots))
    ]
    rough = 0.42
    for _ in range(folds):
        rolls = dice.fractions(len(heights))
        folded: list[float] = []
        for (height, after), roll in zip(pairwise(heights), rolls, strict=False):
            folded += (height, (height + after) / 2 + rough * (roll - 0.5))
        heights = [*folded, heights[-1]]
        rough *= 0.52
    step_px = wave_px / (1 << folds)
    start = -wave_px * dice.fraction()
    return [
        (start + place * step_px, base_px - height * height_px)
        for place, height in enumerate(heights)
    ]


def swell(
    canvas: Canvas, dice: Dice, base_px: float, height_px: float, waves: float
) -> list[Point]:
    """A smooth line of two sines; ``waves`` is how many fit the shorter side."""
    step_px = max(2.0, canvas.short_px / (60 + 24 * waves))
    turn = 2 * math.pi * waves / canvas.short_px
    phase, other = dice.between(0, 7), dice.between(0, 7)
    bend = dice.between(0.35, 0.65)
    return [
        (
            x,
            base_px
            - height_px * (math.sin(x * turn + phase) + bend * math.sin(x * turn * bend + other)),
        )
        for x in (step * step_px for step in range(int(canvas.width_px / step_px) + 2))
    ]


def smooth(points: list[Point]) -> list[Point]:
    """Round a line through points by easing between them."""
    line: list[Point] = []
    for (x, y), (to_x, to_y) in pairwise(points):
        wide, tall = (to_x - x) / _EASE_STEPS, to_y - y
        line += [(x + wide * step, y + tall * ease) for step, ease in enumerate(_EASE)]
    return [*line, points[-1]]


def sun(canvas: Canvas, x: float, y: float, radius_px: float, light: float, rings: int) -> None:
    """A disc with a halo of rings."""
    canvas.glow(x, y, [radius_px * (1 + 0.3 * ring) for ring in range(rings, 0, -1)], light)
    canvas.disc(x, y, radius_px, light)


def stars(canvas: Canvas, dice: Dice, count: int, until: float, light: float) -> None:
    """Scatter stars over the upper part of the sky, in three brightnesses."""
    size_px = max(1, canvas.short_px // 700)
    width, height = canvas.width_px, canvas.height_px * until
    for part, size in ((0.5, size_px), (0.75, size_px), (1.0, size_px + 1)):
        across, down = dice.fractions(count // 3), dice.fractions(count // 3)
        places = [
            (x * width, y * y * 0.4 * height + y * 0.6 * height)
            for x, y in zip(across, down, strict=True)
        ]
        canvas.dots(places, light * part, size)
