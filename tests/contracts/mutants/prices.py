"""Prices that are not those of the documents."""

from collections.abc import Callable
from dataclasses import replace

from emulator.core.pricing import PriceTable
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import answers, around

Price = Callable[..., int]


def _priced(change: Callable[[Price, PriceTable, str, str, str], int]) -> Patch:
    """Price one image in another way."""
    return around(PriceTable, "credits_per_image", change)


class _ForAnyNumber(int):
    """A price that does not grow with the number of images."""

    def __mul__(self, count: int) -> "_ForAnyNumber":
        return self if count else _ForAnyNumber(0)


def _by_pixels_as_1k(price: Price, table: PriceTable, size: str, tier: str, quality: str) -> int:
    return price(table, "auto" if "x" in size else size, tier, quality)


def _forty_for_1k(price: Price, table: PriceTable, size: str, tier: str, quality: str) -> int:
    dearer = replace(table, credits_by_tier={**table.credits_by_tier, "1K": 40})
    return price(dearer, size, tier, quality)


MUTANTS = (
    Mutant(
        "announced-and-reserved-differ",
        "CRED-2",
        "The creation announces 1000 reserved credits, whatever was reserved.",
        answers("createImageTask", lambda body: {**body, "credits": {"reserved": 1000}}),
        lambda probe: (
            (task := probe.create())["credits"]["reserved"] == 1000
            and probe.read(task["task_id"])["credits"]["reserved"] == 30
        ),
    ),
    Mutant(
        "the-default-image-is-dearer",
        "CRED-3",
        "One image at the default settings costs 40 credits instead of 30.",
        _priced(_forty_for_1k),
        lambda probe: probe.cost() == 40,
    ),
    Mutant(
        "n-does-not-multiply",
        "CRED-4",
        "Several images cost as much as one.",
        _priced(lambda price, *arguments: _ForAnyNumber(price(*arguments))),
        lambda probe: probe.cost(n=3) == 30,
    ),
    Mutant(
        "high-costs-as-much-as-medium",
        "CRED-5",
        "quality = high is priced as medium.",
        _priced(
            lambda price, table, size, tier, quality: price(
                table, size, tier, "medium" if quality == "high" else quality
            )
        ),
        lambda probe: probe.cost(quality="high") == 30,
    ),
    Mutant(
        "pixel-sizes-cost-as-much-as-1k",
        "CRED-5",
        "WIDTHxHEIGHT is priced as 1K, however many pixels it has.",
        _priced(_by_pixels_as_1k),
        lambda probe: probe.cost(size="3840x2160") == 30,
    ),
    Mutant(
        "auto-costs-by-the-resolution",
        "CRED-5",
        "size = auto is priced by the resolution, which it does not follow.",
        _priced(
            lambda price, table, size, tier, quality: price(
                table, "1:1" if size == "auto" else size, tier, quality
            )
        ),
        lambda probe: probe.cost(resolution="2K") == 60,
    ),
)
