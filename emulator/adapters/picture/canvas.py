"""Drawing in tones with soft edges.

A shape is drawn at twice the size into a mask that is no larger than where its edges are, the
mask is reduced, and tones are pasted through it: what is flat costs a copy and no more.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageChops, ImageDraw

from emulator.adapters.picture.ramps import DARK, LIGHT

_FINE: Final = 2  # masks are drawn at this many times the size
_PIECE_PX: Final = 8_000  # a ridge is drawn in pieces, of low masks; a piece costs like so many

Point = tuple[float, float]
Edge = tuple[float, float, float]  # how far above a ridge in pixels, lightness, strength to 1
_Box = tuple[int, int, int, int]
_Span = tuple[int, int, int]


def tone(light: float) -> int:
    """The tone of a lightness from 0 (dark) to 1 (light)."""
    return DARK + round((LIGHT - DARK) * min(1.0, max(0.0, light)))


class Canvas:
    """A composition being drawn.

    Attributes:
        image: the tones.
        width_px, height_px: its size.
        short_px: the shorter side, the measure for forms.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self.image = Image.new("L", (width_px, height_px), DARK)
        self.width_px = width_px
        self.height_px = height_px
        self.short_px = min(width_px, height_px)

    def sky(self, top: float, bottom: float, until: float = 1.0) -> None:
        """Fill with a vertical gradient, from the top to a part of the height and on."""
        rows = max(1, round(self.height_px * until))
        for start, end, value in _spans(top, bottom, rows):
            self.image.paste(value, (0, start, self.width_px, end))
        self.image.paste(tone(bottom), (0, rows, self.width_px, self.height_px))

    def below(
        self, ridge: Sequence[Point], light: float, fade: float = 0.0, edges: Sequence[Edge] = ()
    ) -> None:
        """Fill all that is below a line from the left to the right edge.

        Args:
            ridge: its points in pixels, left to right.
            light: the lightness at its highest point.
            fade: how much lighter it is at the bottom of the frame.
            edges: lines and shadows along it, the farthest first.
        """
        across, down = [x for x, _ in ridge], [y for _, y in ridge]
        top = max(0, int(min(down)) - 1)
        last = self.height_px + round(max((above for above, _, _ in edges), default=0))
        foot = min(last, int(max(down)) + 2)
        if top >= last:
            return
        band = max(1, foot - top)
        spans = _spans(light, light + fade, max(1, self.height_px - top))
        filling = _Filling(self.width_px, band, spans)
        pieces = 1 + math.isqrt(self.width_px * band // _PIECE_PX)
        step = -(-self.width_px // pieces)
        for left in range(0, self.width_px, step):
            right = min(self.width_px, left + step)
            first = max(0, bisect_right(across, left) - 1)
            piece = slice(first, bisect_left(across, right) + 1)
            high = max(top, int(min(down[piece])) - 1)
            low = max(high, min(foot, int(max(down[piece])) + 2))
            if low > high:
                inside = filling.part((left, high - top, right, low - top))
                self._edge(ridge[piece], (left, high, right, low), inside, edges)
            if foot > low:
                rest = filling.part((left, low - top, right, foot - top))
                self.image.paste(rest, (left, low, right, foot))
        for start, end, value in spans:
            if end > band:
                self.image.paste(value, (0, top + max(band, start), self.width_px, top + end))

    def _edge(
        self, piece: Sequence[Point], box: _Box, inside: Image.Image | int, edges: Sequence[Edge]
    ) -> None:
        """Draw the part of a filling where its edge is, and what goes along the edge."""
        left, high, right, low = box
        start = [(left - 1.0, piece[0][1])] if piece[0][0] > left - 1 else []
        end = [(right + 1.0, piece[-1][1]), (right + 1.0, low + 2.0), (left - 1.0, low + 2.0)]
        mask = _mask([*start, *piece, *end], box)
        if edges:
            reach = round(max(above for above, _, _ in edges))
            long = Image.new("L", (right - left, low - high + reach), 255)
            long.paste(mask, (0, 0))
            through, faint = long, 1.0
            for above, light, strength in edges:
                if strength != faint:
                    veil = Image.new("L", long.size, round(255 * strength))
                    through, faint = ImageChops.multiply(long, veil), strength
                self.image.paste(tone(light), (left, high - max(1, round(above))), through)
        self.image.paste(inside, box, mask)

    def disc(self, x: float, y: float, radius_px: float, light: float) -> None:
        """Fill a disc."""
        half = max(1, round(radius_px))
        quarter = Image.new("L", (half * _FINE, half * _FINE), 0)
        reach = half * _FINE
        ImageDraw.Draw(quarter).ellipse((-reach, -reach, reach - 1, reach - 1), fill=255)
        corner = quarter.reduce(_FINE)
        mask = Image.new("L", (half * 2, half * 2))
        flip, turn = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM
        mask.paste(corner, (half, half))
        mask.paste(corner.transpose(flip), (0, half))
        mask.paste(mask.crop((0, half, half * 2, half * 2)).transpose(turn), (0, 0))
        self.image.paste(tone(light), (round(x) - half, round(y) - half), mask)

    def glow(self, x: float, y: float, radii_px: Sequence[float], light: float) -> None:
        """Lighten discs of one centre, the largest first: a halo."""
        reach = radii_px[0]
        mask = Image.new("L", (int(reach * 2) + 2, int(reach * 2) + 2), 0)
        pen = ImageDraw.Draw(mask)
        for number, radius in enumerate(radii_px):
            corners = (reach - radius, reach - radius, reach + radius, reach + radius)
            pen.ellipse(corners, fill=26 + 80 * (number + 1) // (len(radii_px) + 1))
        self.image.paste(tone(light), (round(x - reach), round(y - reach)), mask)

    def ball(self, x: float, y: float, shades: Sequence[tuple[float, float, float, float]]) -> None:
        """Draw a ball of discs within one another.

        Args:
            x, y: its centre.
            shades: of each disc: how far right and down, radius, lightness; the ball first.
        """
        reach = max(1, round(shades[0][2]))
        side = reach * 2 * _FINE
        shaded = Image.new("L", (side, side), tone(shades[0][3]))
        pen = ImageDraw.Draw(shaded)
        for right, down, radius, light in shades[1:]:
            middle_x, middle_y = (reach + right) * _FINE, (reach + down) * _FINE
            half = radius * _FINE
            corners = (middle_x - half, middle_y - half, middle_x + half, middle_y + half)
            pen.ellipse(corners, fill=tone(light))
        mask = Image.new("L", (side, side), 0)
        ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), fill=255)
        place = (round(x) - reach, round(y) - reach)
        self.image.paste(shaded.reduce(_FINE), place, mask.reduce(_FINE))

    def capsule(self, left: float, y: float, right: float, thick_px: float, light: float) -> None:
        """Draw a level stroke with round ends."""
        high, tall = round(y - thick_px / 2), max(1, round(thick_px))
        wide = round(right - left)
        if wide <= tall or tall < 3:
            self.image.paste(
                tone(light), (round(left), high, round(left) + max(1, wide), high + tall)
            )
            return
        mask = Image.new("L", (wide * _FINE, tall * _FINE), 0)
        corners = (0, 0, wide * _FINE - 1, tall * _FINE - 1)
        ImageDraw.Draw(mask).rounded_rectangle(corners, radius=tall * _FINE // 2, fill=255)
        self.image.paste(tone(light), (round(left), high), mask.reduce(_FINE))

    def line(self, points: Sequence[Point], light: float, width_px: float) -> None:
        """Draw a line through points, in pieces."""
        pad = width_px + 1
        for start in range(0, len(points) - 1, 24):
            piece = points[start : start + 25]
            ys = [y for _, y in piece]
            box = self._clip((piece[0][0] - pad, min(ys) - pad, piece[-1][0] + pad, max(ys) + pad))
            if box is not None:
                mask, pen = _fine(box)
                pen.line(_scaled(piece, box), fill=255, width=max(1, round(width_px * _FINE)))
                self.image.paste(tone(light), box, mask.reduce(_FINE))

    def dots(self, points: Sequence[Point], light: float, size_px: int) -> None:
        """Draw small squares, which need no soft edge."""
        offsets = range(size_px)
        pixels = [
            (int(x) + right, int(y) + down)
            for x, y in points
            for down in offsets
            for right in offsets
        ]
        ImageDraw.Draw(self.image).point(pixels, fill=tone(light))

    def _clip(self, box: tuple[float, float, float, float]) -> _Box | None:
        left, top = max(0, int(box[0])), max(0, int(box[1]))
        right, bottom = min(self.width_px, int(box[2]) + 1), min(self.height_px, int(box[3]) + 1)
        return (left, top, right, bottom) if right > left and bottom > top else None


class _Filling:
    """A vertical gradient of tones to cut parts from; one tone where it has but one."""

    def __init__(self, width_px: int, height_px: int, spans: Sequence[_Span]) -> None:
        self._image: Image.Image | None = None
        self._tone = spans[0][2]
        if spans[0][1] < height_px:
            self._image = Image.new("L", (width_px, height_px))
            for start, end, value in spans:
                if start < height_px:
                    self._image.paste(value, (0, start, width_px, end))

    def part(self, box: _Box) -> Image.Image | int:
        """What to paste into a part."""
        return self._tone if self._image is None else self._image.crop(box)


def _fine(box: _Box) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    mask = Image.new("L", ((box[2] - box[0]) * _FINE, (box[3] - box[1]) * _FINE), 0)
    return mask, ImageDraw.Draw(mask)


def _mask(points: Sequence[Point], box: _Box) -> Image.Image:
    mask, pen = _fine(box)
    pen.polygon(_scaled(points, box), fill=255)
    return mask.reduce(_FINE)


def _scaled(points: Sequence[Point], box: _Box) -> list[Point]:
    left, top = box[0], box[1]
    return [((x - left) * _FINE, (y - top) * _FINE) for x, y in points]


def _spans(light: float, to_light: float, rows: int) -> list[_Span]:
    """First row, row after the last one, and tone, of each step of a gradient."""
    first, last = tone(light), tone(to_light)
    count = min(rows, abs(last - first) + 1)
    way = (last - first) / max(1, count - 1)
    return [
        (rows * step // count, rows * (step + 1) // count, round(first + way * step))
        for step in range(count)
    ]
