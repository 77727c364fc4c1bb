"""What a request may cost at most, before it is sent."""

import math
from fractions import Fraction

from contracts.exchange import Request
from contracts.model import Wish, expectation, wish_of
from contracts.prices import DEFAULT_IMAGE_CREDITS, assumed_price, worst_price

# CRED-2: the highest number that a document shows for one image at the default settings.
HIGHEST_DOCUMENTED = Fraction(1000)


class PriceBook:
    """Starts with the highest price that a document names, and learns the target's own.

    A target's word only counts once it was paid: until then its list can raise the price, and
    lowers it for nobody.

    Args:
        credits_per_image: what one image at the default settings costs at most; None where
            nobody said.
    """

    def __init__(self, credits_per_image: Fraction | None) -> None:
        self._known = credits_per_image
        self._listed = Fraction(0)
        self._seen = Fraction(0)
        self._surcharge = Fraction(1)

    @property
    def credits_per_image(self) -> Fraction:
        """What one image at the default settings is priced at."""
        first = HIGHEST_DOCUMENTED if not self._seen else Fraction(0)
        known = max(first, self._listed) if self._known is None else self._known
        return max(known, self._seen) * self._surcharge

    def told(self, credits: int) -> None:
        """Note what the target's list of models says that an image costs (MOD-1)."""
        self._listed = max(self._listed, Fraction(credits))

    def learn(self, request: Request, reserved: int) -> None:
        """Note what the target reserved for a request (CRED-2).

        The highest price in proportion counts from then on. What should have been refused
        teaches nothing: a count that was cut down is paid for as something else.
        """
        wish, expected = wish_of(request), expectation(request)
        if wish is None or expected is None or expected.kind == "reject":
            return
        share = Fraction(reserved, assumed_price(wish, "medium"))
        self._seen = max(self._seen, share * DEFAULT_IMAGE_CREDITS)

    def raise_by(self, factor: Fraction) -> None:
        """Note how many times more is taken than the answers say."""
        self._surcharge = max(self._surcharge, factor)

    def worst_credits(self, request: Request) -> int:
        """The most that a request may cost, in credits."""
        return worst_price(request, self.credits_per_image)

    def price_of(self, wish: Wish) -> int:
        """What a request is likely to cost, by what was seen so far, in credits."""
        seen = self._seen or self.credits_per_image
        return math.ceil(assumed_price(wish, "medium") * seen / DEFAULT_IMAGE_CREDITS)
