"""What a request may cost at most, before it is sent."""

import math
from fractions import Fraction

from contracts.exchange import Request
from contracts.model import Wish, wish_of
from contracts.prices import DEFAULT_IMAGE_CREDITS, assumed_price, worst_price

# CRED-2: the highest number that a document shows for one image at the default settings.
HIGHEST_DOCUMENTED = Fraction(1000)


class PriceBook:
    """Starts with the highest price that a document names, and learns the target's own.

    Args:
        credits_per_image: what one image at the default settings costs at most; None where
            nobody said.
    """

    def __init__(self, credits_per_image: Fraction | None) -> None:
        self._most = credits_per_image or HIGHEST_DOCUMENTED
        self._is_guess = credits_per_image is None
        self._seen = Fraction(0)

    @property
    def credits_per_image(self) -> Fraction:
        """What one image at the default settings is priced at."""
        return self._most

    def told(self, credits: int) -> None:
        """Note what the target's list of models says that an image costs (MOD-1)."""
        if self._is_guess and credits > 0:
            self._most, self._is_guess = Fraction(credits), False

    def learn(self, request: Request, reserved: int) -> None:
        """Note what the target reserved for a request (CRED-2).

        The highest price in proportion counts from then on, where nobody named one.
        """
        wish = wish_of(request)
        assumed = assumed_price(wish, "medium") if wish is not None else 0
        if not assumed:
            return
        self._seen = max(self._seen, Fraction(reserved, assumed) * DEFAULT_IMAGE_CREDITS)
        self._most = self._seen if self._is_guess else max(self._most, self._seen)

    def worst_credits(self, request: Request) -> int:
        """The most that a request may cost, in credits."""
        return worst_price(request, self._most)

    def price_of(self, wish: Wish) -> int:
        """What a request is likely to cost, by what was seen so far, in credits."""
        seen = self._seen or self._most
        return math.ceil(assumed_price(wish, "medium") * seen / DEFAULT_IMAGE_CREDITS)
