"""The renderer: from a picture's description to a PNG."""

from typing import Final

from PIL import Image

from emulator.adapters.picture import ramps
from emulator.adapters.picture.canvas import Canvas, tone
from emulator.adapters.picture.caption import Box, draw_caption
from emulator.adapters.picture.cards import best_space, draw_cards, picture_of
from emulator.adapters.picture.dice import Dice
from emulator.adapters.picture.mask import editable, widest_space
from emulator.adapters.picture.png import encode
from emulator.adapters.picture.scenes import SCENES
from emulator.core.picture import Picture, ReferencePicture, compose, png_text
from emulator.core.seed import derive

_SHARE: Final = 0.58  # of the height, at most, for the caption
_SHARE_OF_WIDE: Final = 0.8
_SHARE_WITH_CARDS: Final = 0.4
_SMALLEST_SCENE_PX: Final = 64


class PillowRenderer:
    """Draws pictures; one instance serves any number of threads."""

    def render(self, picture: Picture) -> bytes:
        """Draw a picture and encode it as PNG; equal pictures give equal pixels."""
        image, palette = draw(picture)
        return encode(image, palette, png_text(picture))


def draw(picture: Picture) -> tuple[Image.Image, bytes | None]:
    """Draw a picture.

    Returns:
        Tones and their palette; or colours and no palette, where the picture has references.
    """
    size = (picture.width_px, picture.height_px)
    if picture.mask is not None and picture.references:
        return _edited(picture, editable(picture.mask, size)), None
    frame = Box(0, 0, *size)
    if picture.references:
        return _with_cards(picture, size, frame, picture.references), None
    tones, palette = _scene(picture, size)
    draw_caption(tones, picture, frame, _share(frame))
    return tones, palette


def _scene(picture: Picture, size: tuple[int, int]) -> tuple[Image.Image, bytes]:
    composition = compose(picture)
    canvas = Canvas(*size)
    if canvas.short_px >= _SMALLEST_SCENE_PX:
        SCENES[composition.scene](canvas, Dice(composition.seed), composition.detail)
    else:
        canvas.image.paste(tone(0.5), (0, 0, *size))
    return canvas.image, ramps.palette(derive(composition.seed, "ramp"))


def _with_cards(
    picture: Picture, size: tuple[int, int], space: Box, cards: tuple[ReferencePicture, ...]
) -> Image.Image:
    """Draw a scene of a size with caption and cards in a space of it, in colours."""
    tones, palette = _scene(picture, size)
    panel = draw_caption(tones, picture, space, _SHARE_WITH_CARDS if cards else _share(space))
    tones.putpalette(palette)
    image = tones.convert("RGB")
    if cards:
        margin = max(6, round(min(space.width, space.height) * 0.05))
        inside = Box(
            space.left + margin, space.top + margin, space.right - margin, space.bottom - margin
        )
        above = inside._replace(bottom=panel.top - margin)
        beside = inside._replace(left=panel.right + margin)
        draw_cards(image, cards, best_space(len(cards), [above, beside]))
    return image


def _share(space: Box) -> float:
    """A panel is narrow in a wide space, and may be taller."""
    return _SHARE_OF_WIDE if space.width > space.height * 1.5 else _SHARE


def _edited(picture: Picture, area: Image.Image) -> Image.Image:
    """Draw inside the mask's area and nowhere else; the rest is the first reference."""
    base = picture_of(picture.references[0], area.size)
    bounds = area.getbbox()
    if bounds is None:
        return base
    changing = area.crop(bounds)
    new = _with_cards(picture, changing.size, widest_space(changing), picture.references[1:])
    base.paste(new, bounds[:2], changing)
    return base
