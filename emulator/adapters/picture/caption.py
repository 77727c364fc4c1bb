"""The caption: the prompt and what the picture is, on a panel of its own."""

from typing import Final, NamedTuple

from PIL import Image

from emulator.adapters.picture import ramps
from emulator.adapters.picture.layout import Block, draw_text, fit, shorten
from emulator.adapters.picture.shaping import width_em
from emulator.core.picture import Picture

_TRACKING_EM: Final = 0.06
_NARROWEST_PX: Final = 150
_ROW_EM: Final = 34


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Its width."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Its height."""
        return self.bottom - self.top


class _Cell(NamedTuple):
    label: str
    value: str
    width_px: int


class _Sizes(NamedTuple):
    """Measures of a caption in pixels, for the space that it has."""

    margin: int
    padding: int
    value: int
    largest: int
    smallest: int
    bar: int

    @property
    def gap(self) -> int:
        """Between the prompt and the facts."""
        return round(self.value * 1.5)

    @property
    def row(self) -> int:
        """A row of facts."""
        return round(self.value * 2.75)

    @property
    def note(self) -> int:
        """The line that says how much was left out."""
        return round(self.value * 1.9)

    @classmethod
    def of(cls, space: Box) -> "_Sizes":
        short_px = min(space.width, round(space.height * 1.25))
        return cls(
            margin=max(8, round(short_px * 0.04)),
            padding=max(10, round(short_px * 0.034)),
            value=max(13, round(short_px * 0.0165)),
            largest=max(22, round(short_px * 0.038)),
            smallest=max(14, round(short_px * 0.0162)),
            bar=max(2, round(short_px * 0.004)),
        )


def draw_caption(image: Image.Image, picture: Picture, space: Box, share: float) -> Box:
    """Draw the caption into the lower left of a space.

    Args:
        image: the tones.
        picture: what it is about.
        space: where it may go, without margin.
        share: the most of the height that it may take.

    Returns:
        The panel's place; an empty one at the lower left where there is no room for it.
    """
    sizes = _Sizes.of(space)
    inner_px = space.width - 2 * (sizes.margin + sizes.padding)
    room_px = space.height - 2 * (sizes.margin + sizes.padding)
    if inner_px < _NARROWEST_PX or room_px < sizes.smallest * 2:
        return Box(space.left, space.bottom, space.left, space.bottom)
    prompt_px = min(room_px, int(space.height * share) - 2 * sizes.padding)
    block, rows = _fit(picture, inner_px, prompt_px, sizes)
    note_px = sizes.note if block.left_out else 0
    wide = max([block.width_px, *(_row_px(row, sizes.value) for row in rows)])
    tall = block.height_px + note_px + _rows_px(rows, sizes)
    left, bottom = space.left + sizes.margin, space.bottom - sizes.margin
    panel = Box(left, bottom - tall - 2 * sizes.padding, left + wide + 2 * sizes.padding, bottom)
    image.paste(ramps.GROUND, panel)
    image.paste(ramps.ACCENT, (left, panel.top, left + sizes.bar, bottom))
    left += sizes.padding
    y = _draw_block(image, block, (left, panel.top + sizes.padding), wide, sizes.value) + note_px
    if rows:
        y += sizes.gap
        rule = y - sizes.gap // 3
        image.paste(ramps.FAINT, (left, rule, left + wide, rule + max(1, sizes.bar // 3)))
    for row in rows:
        _draw_row(image, row, left, y + round(sizes.value * 0.35), sizes.value)
        y += sizes.row
    return panel


def _fit(
    picture: Picture, inner_px: int, room_px: int, sizes: _Sizes
) -> tuple[Block, list[list[_Cell]]]:
    """Fit the prompt beside the rows of facts; where all is too small, give up rows."""
    cells = _cells(picture, sizes.value, inner_px)
    width_px = min(inner_px, sizes.value * _ROW_EM)
    rows = _rows(cells, width_px, sizes.value)
    while rows and room_px - _rows_px(rows, sizes) < sizes.smallest * 2 + sizes.note:
        rows.pop()
    text_px = room_px - _rows_px(rows, sizes)
    block = fit(picture.prompt, inner_px, text_px, sizes.largest, sizes.smallest)
    if block.left_out:
        block = fit(picture.prompt, inner_px, text_px - sizes.note, sizes.smallest, sizes.smallest)
    wider = _rows(cells, max(width_px, block.width_px), sizes.value)
    return block, wider if len(wider) < len(rows) else rows


def _rows_px(rows: list[list[_Cell]], sizes: _Sizes) -> int:
    return sizes.gap + sizes.row * len(rows) - round(sizes.value * 0.75) if rows else 0


def _draw_block(
    image: Image.Image, block: Block, corner: tuple[int, int], wide_px: int, note_px: int
) -> int:
    left, top = corner
    baseline = top + round(block.size_px * 0.98)
    for line in block.lines:
        x = left + (wide_px - line.width_em * block.size_px if line.right else 0.0)
        draw_text(image, line.text, (x, baseline), block.size_px, ramps.INK)
        baseline += block.line_px
    bottom = top + block.height_px
    if block.left_out:
        note = f"+{block.left_out:,} characters"
        draw_text(image, note, (left, bottom + note_px * 1.35), note_px, ramps.MUTED)
    return bottom


def _cells(picture: Picture, value_px: int, inner_px: int) -> list[_Cell]:
    pairs = (
        ("FRAME", f"{picture.width_px}×{picture.height_px}"),
        ("SIZE", picture.size),
        ("QUALITY", picture.quality),
        ("IMAGE", f"{picture.index}/{picture.count}"),
        ("TASK", picture.task_id),
    )
    cells = []
    for label, text in pairs:
        value = shorten(text, value_px, inner_px)
        label_em = (width_em(label) + _TRACKING_EM * len(label)) * _label_px(value_px) / value_px
        cells.append(_Cell(label, value, int(max(width_em(value), label_em) * value_px) + 1))
    return cells


def _label_px(value_px: int) -> int:
    return max(10, round(value_px * 0.68))


def _rows(cells: list[_Cell], width_px: int, value_px: int) -> list[list[_Cell]]:
    """Flow cells into rows."""
    rows: list[list[_Cell]] = [[]]
    for cell in cells:
        if rows[-1] and _row_px([*rows[-1], cell], value_px) > width_px:
            rows.append([])
        rows[-1].append(cell)
    return rows


def _row_px(row: list[_Cell], value_px: int) -> int:
    return sum(cell.width_px for cell in row) + round(value_px * 1.7) * (len(row) - 1)


def _draw_row(image: Image.Image, row: list[_Cell], left: int, top: int, value_px: int) -> None:
    label_px = _label_px(value_px)
    for cell in row:
        draw_text(image, cell.label, (left, top + label_px), label_px, ramps.MUTED, _TRACKING_EM)
        baseline = top + label_px + round(value_px * 1.25)
        draw_text(image, cell.value, (left, baseline), value_px, ramps.INK)
        left += cell.width_px + round(value_px * 1.7)
