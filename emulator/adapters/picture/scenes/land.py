"""Mountains in mist, and dunes."""

from emulator.adapters.picture.canvas import Canvas, Point
from emulator.adapters.picture.dice import Dice
from emulator.adapters.picture.scenes.shapes import ridge, smooth, stars, sun


def ridges(canvas: Canvas, dice: Dice, detail: int) -> None:
    """Layers of mountains before a low sun, the near ones dark; firs when detailed."""
    width, height, short = canvas.width_px, canvas.height_px, canvas.short_px
    night = dice.whole(3) == 0
    canvas.sky(*((0.04, 0.62) if night else (0.5, 0.95)), until=0.72)
    if detail == 3 and night:
        stars(canvas, dice, 160 + width * height // 24_000, 0.42, 0.95)
    radius = short * dice.between(0.07, 0.12)
    sun(canvas, width * dice.between(0.22, 0.78), height * dice.between(0.18, 0.32), radius, 1.0,
        2 * detail - 1)  # fmt: skip
    layers = (3, 5, 6)[detail - 1]
    far = 0.5 if night else 0.68
    for layer in range(layers):
        depth = layer / (layers - 1)
        line = ridge(canvas, dice, height * (0.47 + 0.42 * depth), short * (0.15 - 0.07 * depth),
                     min(5, detail + 3))  # fmt: skip
        light = far - (far - 0.03) * depth**0.8
        canvas.below(line, light, 0.2 * (1 - 0.7 * depth))
        if detail == 3 and layer == layers - 1:
            _firs(canvas, dice, line, light - 0.02, short * 0.06)


def _firs(canvas: Canvas, dice: Dice, line: list[Point], light: float, tall_px: float) -> None:
    """Stand firs along a ridge, close together, as one line of spikes."""
    spikes: list[Point] = []
    (start, _), (second, _) = line[:2]
    x, step = float(start), second - start
    while x < canvas.width_px:
        ground = line[min(len(line) - 1, max(0, int((x - start) / step)))][1]
        high = tall_px * dice.between(0.35, 1.0)
        half = high * 0.19
        spikes += [(x, ground + half), (x + half, ground - high), (x + half * 2, ground + half)]
        x += half * dice.between(2.0, 3.4)
    canvas.below(spikes, light)


def dunes(canvas: Canvas, dice: Dice, detail: int) -> None:
    """Large dunes, each with a lit and a shaded side; wind ripples when detailed."""
    width, height, short = canvas.width_px, canvas.height_px, canvas.short_px
    canvas.sky(0.6, 0.98, 0.6)
    sun(canvas, width * dice.between(0.2, 0.8), height * dice.between(0.14, 0.27),
        short * dice.between(0.06, 0.1), 1.0, 2 * detail - 1)  # fmt: skip
    layers = (3, 4, 4)[detail - 1]
    for layer in range(layers):
        depth = (layer + 1) / layers
        crest = _crest(canvas, dice, height * (0.38 + 0.46 * depth), short * (0.07 + 0.08 * depth))
        light = 0.86 - 0.44 * depth
        _lit(canvas, crest, light, (0, 1, 4)[detail - 1])
        canvas.below(_shade(crest, short * 0.24), light - 0.22)


def _crest(canvas: Canvas, dice: Dice, base_px: float, height_px: float) -> list[Point]:
    points: list[Point] = []
    x = -canvas.short_px * dice.between(0.3, 0.7)
    high = dice.whole(2) == 0
    while not points or points[-1][0] < canvas.width_px:
        points.append((x, base_px + height_px * (-1 if high else 0.7) * dice.between(0.5, 1.0)))
        x += canvas.short_px * dice.between(0.35, 0.6)
        high = not high
    return smooth(points)


def _shade(crest: list[Point], deep_px: float) -> list[Point]:
    """The shaded side starts at the crests and falls away to one side of them."""
    top = min(y for _, y in crest)
    span = max(1.0, max(y for _, y in crest) - top)
    return [(x + deep_px * 0.15, y + 1 + deep_px * ((y - top) / span) ** 1.5) for x, y in
            [(crest[0][0] - deep_px, crest[0][1]), *crest]]  # fmt: skip


def _lit(canvas: Canvas, crest: list[Point], light: float, ripples: int) -> None:
    """The lit side, with ripples of the wind along the crest: strips of two tones."""
    gap = max(3.0, canvas.short_px * 0.008)
    strips = [
        (gap * (ripples - ripple), light + 0.035 * (ripple % 2), 1.0) for ripple in range(ripples)
    ]
    canvas.below([(x, y + gap * ripples) for x, y in crest], light, 0.14, strips)
