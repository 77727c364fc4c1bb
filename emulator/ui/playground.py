"""What the playground shows of the API's rules: sizes, pixels, prices."""

from typing import Any, NamedTuple

from emulator.core.frame import SIZES, TIERS, frame_override, resolve_frame
from emulator.core.pricing import CREDITS_PER_DOLLAR
from emulator.core.request import MAX_IMAGES, MAX_REFERENCE_IMAGES, MIN_IMAGES, MODEL
from emulator.settings import MEGABYTE, Settings

_TILE_PX = 30  # the longer edge of the picture of a size


class SizeTile(NamedTuple):
    """A size as a picture to choose.

    Attributes:
        size: the value of the field.
        width, height: of the picture, in SVG units; the longer edge is 30.
    """

    size: str
    width: float
    height: float


def size_tiles() -> list[SizeTile]:
    """The sizes as pictures of their shapes, ``auto`` first (GEN-2)."""
    return [_tile(size) for size in SIZES]


def _tile(size: str) -> SizeTile:
    width, height = (1, 1) if size == "auto" else map(int, size.split(":"))
    unit = _TILE_PX / max(width, height)
    return SizeTile(size, round(width * unit, 1), round(height * unit, 1))


def page_data(settings: Settings) -> dict[str, Any]:
    """What the scripts know of the server's rules, so that they can estimate and check."""
    return {
        "model": MODEL,
        "profile": settings.profile.name,
        "keysAreOpen": settings.keys == "open",
        "needsControlToken": settings.control_token is not None,
        "sizes": list(SIZES),
        "tiers": list(TIERS),
        "qualities": list(settings.profile.qualities),
        "defaultQuality": settings.profile.default_quality,
        "leastImages": MIN_IMAGES,
        "mostImages": MAX_IMAGES,
        "mostReferences": MAX_REFERENCE_IMAGES,
        "mostReferenceBytes": settings.max_image_mb * MEGABYTE,
        "mostPromptCharacters": settings.max_prompt_characters,
        "frames": {size: [str(_frame(size, tier, settings)) for tier in TIERS] for size in SIZES},
        "prices": {
            "creditsByTier": dict(settings.prices),
            "millionthsByQuality": dict(settings.quality_factors),
            "pixelsByTier": dict(settings.price_pixels),
        },
        "creditsPerDollar": CREDITS_PER_DOLLAR,
    }


def _frame(size: str, tier: str, settings: Settings) -> object:
    profile = settings.profile
    return frame_override(size, tier, settings.frames) or resolve_frame(size, tier, profile)
