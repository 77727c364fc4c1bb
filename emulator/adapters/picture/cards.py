"""Reference images as cards in the picture; where one was not fetched, a placeholder."""

from hashlib import blake2b
from typing import Final
from urllib.parse import urlsplit

from PIL import Image, ImageOps

from emulator.adapters.picture import ramps
from emulator.adapters.picture.canvas import Canvas, tone
from emulator.adapters.picture.caption import Box
from emulator.adapters.picture.inspect import ImageRejected, load
from emulator.adapters.picture.layout import draw_text, shorten
from emulator.adapters.picture.shaping import width_em
from emulator.core.picture import ReferencePicture

MAX_PIXELS: Final = 200_000_000  # files were inspected when they came in
_PAPER: Final = (250, 248, 243)
_SHADOW: Final = 84
_GRID: Final = 5


def draw_cards(image: Image.Image, references: tuple[ReferencePicture, ...], space: Box) -> None:
    """Lay reference images out as cards with a thin border, as large as the space allows."""
    if not references or space.width < 24 or space.height < 24:
        return
    gap = max(4, min(space.width, space.height) // 28)
    columns, side = _grid(len(references), space, gap)
    rows = -(-len(references) // columns)
    if len(references) == 1:
        only = _loaded(references[0], (space.width, space.height))
        _draw_card(image, only, references[0].source, _single(only, space))
        return
    high = min(round(side * 1.3), (space.height - gap * (rows - 1)) // rows)
    wide = min(round(side * 1.3), (space.width - gap * (columns - 1)) // columns)
    top = space.top + (space.height - rows * high - gap * (rows - 1)) // 2
    for row in range(rows):
        shown = references[row * columns : (row + 1) * columns]
        left = space.left + (space.width - len(shown) * wide - gap * (len(shown) - 1)) // 2
        for place, reference in enumerate(shown):
            x, y = left + place * (wide + gap), top + row * (high + gap)
            card = Box(x, y, x + wide, y + high)
            _draw_card(image, _loaded(reference, (wide, high)), reference.source, card)


def best_space(count: int, spaces: list[Box]) -> Box:
    """The space in which so many cards are largest."""
    return max(spaces, key=lambda space: _grid(count, space, 8)[1])


def picture_of(reference: ReferencePicture, size: tuple[int, int]) -> Image.Image:
    """A reference scaled to cover a size, mode RGB; a placeholder where it cannot be shown."""
    return _covering(_loaded(reference, None), reference.source, size)


def _covering(image: Image.Image | None, source: str, size: tuple[int, int]) -> Image.Image:
    if image is None:
        return _placeholder(source, size)
    return _opaque(ImageOps.fit(image, size, Image.Resampling.BICUBIC))


def _loaded(reference: ReferencePicture, enough_px: tuple[int, int] | None) -> Image.Image | None:
    if reference.content is None:
        return None
    try:
        return load(reference.content, MAX_PIXELS, enough_px)
    except ImageRejected:
        return None


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    paper = Image.new("RGB", image.size, _PAPER)
    paper.paste(image, (0, 0), image.getchannel("A"))
    return paper


def _grid(count: int, space: Box, gap: int) -> tuple[int, int]:
    """How many columns give the largest squares, and their side."""
    best = (1, 0)
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        side = min((space.width - gap * (columns - 1)) // columns,
                   (space.height - gap * (rows - 1)) // rows)  # fmt: skip
        if side > best[1]:
            best = (columns, side)
    return best


def _single(image: Image.Image | None, space: Box) -> Box:
    """A place for one card in the reference's own shape, at most 2:1 either way."""
    shape = 1.0 if image is None else min(2.0, max(0.5, image.width / image.height))
    wide = max(1, int(min(space.width, space.height * shape) * 0.88))
    high = max(1, int(wide / shape))
    left = space.left + (space.width - wide) // 2
    top = space.top + (space.height - high) // 2
    return Box(left, top, left + wide, top + high)


def _draw_card(image: Image.Image, shown: Image.Image | None, source: str, card: Box) -> None:
    short_px = min(card.width, card.height)
    border, drop = max(2, short_px // 60), max(2, short_px // 36)
    shadow = Image.new("L", (card.width, card.height), _SHADOW)
    image.paste((0, 0, 0), (card.left + drop, card.top + drop), shadow)
    image.paste(_PAPER, card)
    size = (max(1, card.width - 2 * border), max(1, card.height - 2 * border))
    image.paste(_covering(shown, source, size), (card.left + border, card.top + border))


def _placeholder(source: str, size: tuple[int, int]) -> Image.Image:
    """A symmetric pattern from a hash of the source, with the name of its host."""
    digest = blake2b(source.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    canvas = Canvas(*size)
    canvas.sky(0.3, 0.12)
    strip_px = max(14, min(size) // 6)
    cell = max(1, (size[1] - strip_px) * 3 // 4 // _GRID)
    cell = min(cell, max(1, size[0] * 3 // 4 // _GRID))
    left = (size[0] - cell * _GRID) // 2
    top = (size[1] - strip_px - cell * _GRID) // 2
    for place in range(_GRID * 3):
        if digest[place] & 1:
            column, row = place % 3, place // 3
            light = tone(0.55 + (digest[place] >> 1) / 127 * 0.35)
            for mirrored in {column, _GRID - 1 - column}:
                x, y = left + mirrored * cell, top + row * cell
                canvas.image.paste(light, (x, y, x + cell, y + cell))
    _name(canvas.image, _host(source), strip_px)
    canvas.image.putpalette(ramps.palette(digest[15]))
    return canvas.image.convert("RGB")


def _name(image: Image.Image, name: str, strip_px: int) -> None:
    image.paste(ramps.GROUND, (0, image.height - strip_px, image.width, image.height))
    room_px = image.width - strip_px // 2
    size_px = max(9, round(strip_px * 0.48))
    while size_px > 10 and width_em(name) * size_px > room_px:
        size_px -= 1
    text = shorten(name, size_px, room_px)
    left = (image.width - width_em(text) * size_px) / 2
    draw_text(
        image, text, (left, image.height - strip_px * 0.5 + size_px * 0.36), size_px, ramps.INK
    )


def _host(source: str) -> str:
    try:
        return urlsplit(source).hostname or source[:200] or "reference"
    except ValueError:
        return source[:200]
