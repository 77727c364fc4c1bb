"""A planet and what goes round it."""

import math

from emulator.adapters.picture.canvas import Canvas
from emulator.adapters.picture.dice import Dice
from emulator.adapters.picture.scenes.shapes import stars


def draw(canvas: Canvas, dice: Dice, detail: int) -> None:
    """A large shaded planet, dotted orbits with moons on them, stars."""
    width, height, short = canvas.width_px, canvas.height_px, canvas.short_px
    canvas.sky(0.0, 0.32)
    if detail >= 2:
        stars(canvas, dice, (detail - 1) * (90 + width * height // 30_000), 1.0, 0.85)
    x, y = width * dice.between(0.3, 0.7), height * dice.between(0.3, 0.44)
    radius = short * dice.between(0.16, 0.22)
    toward = dice.between(0, 2 * math.pi)
    canvas.glow(x, y, [radius * (1 + 0.16 * ring) for ring in range(detail, 0, -1)], 0.5)
    _planet(canvas, x, y, radius, toward, 2 + 3 * detail, (0.32, 0.98))
    for orbit in range((3, 5, 8)[detail - 1]):
        away = radius * (1.5 + 0.42 * orbit)
        _orbit(canvas, x, y, away, 0.72 - 0.04 * orbit, detail)
        angle = dice.between(0, 2 * math.pi)
        size = radius * dice.between(0.06, 0.2)
        _planet(canvas, x + away * math.cos(angle), y + away * math.sin(angle), size, toward,
                1 + 2 * detail, (0.3 + 0.03 * orbit, dice.between(0.7, 1.0)))  # fmt: skip


def _orbit(canvas: Canvas, x: float, y: float, away: float, light: float, detail: int) -> None:
    gap = canvas.short_px * (0.04, 0.022, 0.012)[detail - 1]
    dots = max(12, int(2 * math.pi * away / gap))
    turn = 2 * math.pi / dots
    places = [
        (x + away * math.cos(dot * turn), y + away * math.sin(dot * turn)) for dot in range(dots)
    ]
    inside = [
        (left, top)
        for left, top in places
        if 0 <= left < canvas.width_px and 0 <= top < canvas.height_px
    ]
    canvas.dots(inside, light, max(2, canvas.short_px // 420))


def _planet(
    canvas: Canvas,
    x: float,
    y: float,
    radius: float,
    toward: float,
    shades: int,
    lights: tuple[float, float],
) -> None:
    """A ball: discs that shrink towards the light."""
    dark, light = lights
    discs = []
    for shade in range(shades):
        part = shade / shades
        away = radius * part * 0.72
        discs.append((away * math.cos(toward), away * math.sin(toward), radius * (1 - part * 0.82),
                      dark + (light - dark) * (shade + 1) / shades))  # fmt: skip
    canvas.ball(x, y, discs)
