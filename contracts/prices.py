"""What a request costs: as assumed (CRED-5), and at the very most."""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from contracts.exchange import Request
from contracts.field_rules import SIZE_FIELDS, TIER_FIELDS, whole_number
from contracts.frames import MAX_PIXELS, RATIOS, TIERS, parse_pixel_size
from contracts.model import Wish
from contracts.sent import read_sent

DEFAULT_IMAGE_CREDITS = 30  # CRED-3
_PRICES_BY_TIER = {"1K": 1, "2K": 2, "4K": 4}  # CRED-5, in default images; here to _LARGEST
_PRICES_BY_QUALITY = {"low": Fraction(1, 2), "medium": Fraction(1), "high": Fraction(2)}
_PIXELS_BY_TIER = {"1K": 1_700_000, "2K": 4_400_000}
_LARGEST_TIER, _HIGHEST_QUALITY = Fraction(4), Fraction(2)
_MOST_IMAGES = 1000  # no account pays for more by mistake


def assumed_price(wish: Wish, quality_default: str) -> int:
    """The credits that a request is assumed to cost, all its images together (CRED-3 to CRED-5).

    Args:
        wish: what it asks for.
        quality_default: what a request without a quality gets; ``auto`` costs as much as medium.
    """
    tier = _PRICES_BY_TIER[_billed_tier(wish.size, wish.resolution)]
    quality = _PRICES_BY_QUALITY.get(wish.quality or quality_default, Fraction(1))
    return math.ceil(DEFAULT_IMAGE_CREDITS * tier * quality) * wish.n


def _billed_tier(size: str, resolution: str) -> str:
    if size in RATIOS and resolution in TIERS:
        return resolution
    pixels = parse_pixel_size(size)
    if pixels is None:
        return "1K"
    fitting = (tier for tier, limit in _PIXELS_BY_TIER.items() if pixels.pixels <= limit)
    return next(fitting, "4K")


def worst_price(request: Request, credits_per_default_image: Fraction | float) -> int:
    """The most that a request can cost, in credits, also where a broken server accepts it.

    Args:
        request: any; what creates nothing costs nothing.
        credits_per_default_image: what the target charges for one image at default settings.
    """
    sent = read_sent(request)
    if sent is None or sent.endpoint == "upload":
        return 0
    default = Fraction(credits_per_default_image)
    if sent.state in ("unread", "broken"):
        return math.ceil(default)

    def values(*names: str) -> list[Any]:
        return [value for name in names for value in sent.values.get(name, ())]

    count = max([_count(value) for value in values("n")], default=1)
    quality = max([_quality_factor(value) for value in values("quality")], default=Fraction(1))
    tier = _largest(_tier_factor(value) for value in values(*TIER_FIELDS))
    pixels = _largest(_pixel_factor(value) for value in values(*SIZE_FIELDS, "imageSize"))
    return math.ceil(default * max(tier, pixels) * quality) * count


def _largest(factors: Iterable[Fraction]) -> Fraction:
    return max(factors, default=Fraction(1))


def _count(value: Any) -> int:
    number = whole_number(value)
    if number is None and isinstance(value, float) and math.isfinite(value):
        number = math.ceil(value)
    return min(max(number or 1, 1), _MOST_IMAGES)


def _quality_factor(value: Any) -> Fraction:
    """An unknown quality may be taken for any; a low one may be passed over."""
    known = isinstance(value, str) and value in _PRICES_BY_QUALITY
    return max(_PRICES_BY_QUALITY[value], Fraction(1)) if known else _HIGHEST_QUALITY


def _tier_factor(value: Any) -> Fraction:
    """An unknown tier may be taken for any; a size in its place is priced as a size."""
    if isinstance(value, str) and parse_pixel_size(value) is not None:
        return Fraction(1)
    known = isinstance(value, str) and value in _PRICES_BY_TIER
    return Fraction(_PRICES_BY_TIER[value]) if known else _LARGEST_TIER


def _pixel_factor(value: Any) -> Fraction:
    """A size says nothing of the tier, exact pixels apart; more than the most cost more."""
    pixels = parse_pixel_size(value) if isinstance(value, str) else None
    if pixels is None:
        return Fraction(1)
    if pixels.pixels > MAX_PIXELS:
        return min(_LARGEST_TIER * Fraction(pixels.pixels, MAX_PIXELS), 10 * _LARGEST_TIER)
    return Fraction(_PRICES_BY_TIER[_billed_tier(value, "1K")])
