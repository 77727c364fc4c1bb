"""The price table -> credits for a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.core.frame import TIERS, parse_pixel_size

MILLION = 1_000_000
CREDITS_PER_DOLLAR = {"entry": 1_000, "largest": 2_000}  # CRED-3: by recharge package


@dataclass(frozen=True, slots=True)
class PriceTable:
    """What one image costs, in whole credits (CRED-5; every number is a setting).

    Attributes:
        credits_by_tier: credits for one image at medium quality.
        millionths_by_quality: what each quality multiplies that by, in millionths.
        pixels_by_tier: the largest ``WIDTHxHEIGHT`` that is billed as 1K and as 2K, in pixels.
    """

    credits_by_tier: Mapping[str, int] = field(
        default_factory=lambda: {"1K": 30, "2K": 60, "4K": 120}
    )
    millionths_by_quality: Mapping[str, int] = field(
        default_factory=lambda: {
            "low": 500_000, "medium": MILLION, "high": 2 * MILLION, "auto": MILLION,
        }
    )  # fmt: skip
    pixels_by_tier: Mapping[str, int] = field(
        default_factory=lambda: {"1K": 1_700_000, "2K": 4_400_000}
    )

    def credits_per_image(self, size: str, tier: str, quality: str) -> int:
        """Price one image, in credits, rounded up to a whole number.

        Args:
            size: ``auto``, a ratio, or ``WIDTHxHEIGHT``.
            tier: the resolution asked for; bills only ratios.
            quality: low, medium, high or auto.
        """
        millionths = self.millionths_by_quality[quality]
        return -(-self.credits_by_tier[self.billed_tier(size, tier)] * millionths // MILLION)

    def billed_tier(self, size: str, tier: str) -> str:
        """Decide the tier that a request is billed as: ratios by the tier that was asked for."""
        if size == "auto":
            return "1K"
        frame = parse_pixel_size(size)
        if frame is None:
            return tier
        return self.tier_of_pixels(frame.pixels)

    def tier_of_pixels(self, pixels: int) -> str:
        """Decide the tier that a ``WIDTHxHEIGHT`` of so many pixels is billed as."""
        for name, limit in self.pixels_by_tier.items():
            if pixels <= limit:
                return name
        return TIERS[-1]
