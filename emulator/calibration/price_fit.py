"""Reservations -> the price table that reproduces them, or as many of them as any can."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, pairwise, product
from typing import NamedTuple

from emulator.core.frame import TIERS, parse_pixel_size
from emulator.core.pricing import MILLION, PriceTable

MEDIUM, AUTO = "medium", "auto"
_QUALITIES = ("low", "high", AUTO)
_MOST_CREDITS = 10**9
_MOST_TRIES = 60
_MOST_STEPS = 12
_MOST_AREAS = 16
_MOST_PIXELS = 10**9
_ANY_FACTOR = (0, 10**9 * MILLION)
_FINE_SCALE = 1000


class Reservation(NamedTuple):
    """What was asked, and the credits that were reserved for it."""

    size: str
    tier: str
    quality: str
    n: int
    credits: int


Cells = dict[tuple[str, str], "Counter[int]"]
Windows = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Fit:
    """A price table, and the reservations that it does not give, with what it gives."""

    table: PriceTable
    missed: tuple[tuple[Reservation, int, int], ...]

    @property
    def weight(self) -> int:
        """How many reservations it misses."""
        return sum(count for _, count, _ in self.missed)


def fit_prices(seen: Mapping[Reservation, int], assumed: PriceTable) -> Fit:
    """Find the table that misses the fewest reservations and changes the least.

    Where each tier that was billed is seen at medium, a table that misses none is found if there
    is one. Otherwise medium prices are searched, not exhaustively.

    Args:
        seen: reservations, and how often each was seen.
        assumed: the table to start from; what no reservation shows stays as it is.
    """
    best, best_change = _fit(seen, assumed, assumed.pixels_by_tier)
    if best.weight == 0:
        return best
    for limits in _limits(seen, assumed.pixels_by_tier):
        found, change = _fit(seen, assumed, limits)
        if (found.weight, change) < (best.weight, best_change):
            best, best_change = found, change
        if found.weight == 0:
            break
    return best


def _limits(
    seen: Mapping[Reservation, int], assumed: Mapping[str, int]
) -> Iterator[dict[str, int]]:
    """Each way to divide the seen pixel sizes into tiers, as near to the assumed one as it goes."""
    frames = [frame for reservation in seen if (frame := parse_pixel_size(reservation.size))]
    areas = sorted({frame.pixels for frame in frames if frame.pixels < _MOST_PIXELS})
    if len(areas) > _MOST_AREAS:
        return
    edges = [0, *areas, _MOST_PIXELS]
    # From one area up to, not including, the next.
    gaps = [(low, high - 1) for low, high in pairwise(edges)]
    first, second = (assumed[tier] for tier in TIERS[:2])
    ways = [
        (min(max(first, low), high), min(max(second, other_low), other_high))
        for (low, high), (other_low, other_high) in product(gaps, gaps)
        if low <= other_low
    ]
    ways.sort(key=lambda way: abs(way[0] - first) + abs(way[1] - second))
    for one, other in ways:
        yield dict(zip(TIERS, (one, max(one, other)), strict=False))


def _fit(
    seen: Mapping[Reservation, int], assumed: PriceTable, limits: Mapping[str, int]
) -> tuple[Fit, int]:
    """The best table with these limits, and how many of its values it changes."""
    start = replace(assumed, pixels_by_tier=limits)
    merged = _best(seen, _cells(seen, start, merge_auto=True), start)
    if merged[0].weight == 0 or all(reservation.quality != AUTO for reservation in seen):
        return merged
    apart = _best(seen, _cells(seen, start, merge_auto=False), start)
    return min(merged, apart, key=lambda found: (found[0].weight, found[1]))


def _cells(seen: Mapping[Reservation, int], table: PriceTable, *, merge_auto: bool) -> Cells:
    """Prices of one image, by billed tier and quality."""
    cells: Cells = {}
    for reservation, count in seen.items():
        price, rest = divmod(reservation.credits, reservation.n)
        if rest or price > _MOST_CREDITS:
            continue  # CRED-4: no table has it
        quality = reservation.quality
        if merge_auto and quality == AUTO:
            quality = MEDIUM
        key = table.billed_tier(reservation.size, reservation.tier), quality
        cells.setdefault(key, Counter())[price] += count
    return cells


def _best(seen: Mapping[Reservation, int], cells: Cells, start: PriceTable) -> tuple[Fit, int]:
    """The first table that misses nothing, else the one that misses least."""
    found = []
    for credits in islice(_assignments(cells, start), _MOST_TRIES):
        factors = dict(start.millionths_by_quality)
        for quality in _QUALITIES:
            factors[quality] = _factor(quality, cells, credits, factors[quality])
        table = replace(start, credits_by_tier=credits, millionths_by_quality=factors)
        fit = Fit(table, tuple(_missed(seen, table)))
        change = sum(credits[tier] != start.credits_by_tier[tier] for tier in TIERS)
        change += sum(factors[q] != start.millionths_by_quality[q] for q in _QUALITIES)
        found.append((fit, change))
        if fit.weight == 0:
            break
    return min(found, key=lambda one: (one[0].weight, one[1]))


def _assignments(cells: Cells, start: PriceTable) -> Iterator[dict[str, int]]:
    """Medium prices of all tiers to try, the likeliest first."""
    shown = {tier: sum(one == tier for one, _ in cells) for tier in TIERS}
    order = sorted(TIERS, key=lambda tier: ((tier, MEDIUM) not in cells, -shown[tier]))

    def assign(place: int, credits: dict[str, int], windows: Windows) -> Iterator[dict[str, int]]:
        if place == len(order):
            yield {tier: credits[tier] for tier in TIERS}
            return
        tier = order[place]
        for price in _medium_prices(tier, cells, start, windows):
            narrowed = {**windows, **_narrowed(tier, price, cells, windows)}
            yield from assign(place + 1, {**credits, tier: price}, narrowed)

    return assign(0, {}, dict.fromkeys(_QUALITIES, _ANY_FACTOR))


def _medium_prices(tier: str, cells: Cells, start: PriceTable, windows: Windows) -> list[int]:
    """What a tier may cost at medium; ``windows`` are the factors that other tiers leave open."""
    medium = cells.get((tier, MEDIUM))
    if medium:
        return [price for price, _ in medium.most_common(2)]
    prices = {q: cells[tier, q].most_common(1)[0][0] for q in _QUALITIES if (tier, q) in cells}
    if not prices:
        return [start.credits_by_tier[tier]]
    tries: list[int] = []
    least, most = 0, _MOST_CREDITS
    for quality, price in prices.items():
        low, high = windows[quality]
        least = max(least, (price - 1) * MILLION // high + 1 if high else 0)
        most = min(most, price * MILLION // low if low else most)
        factor = start.millionths_by_quality[quality]
        tries += [price * MILLION // factor, -(-price * MILLION // factor)]
    tries.append(start.credits_by_tier[tier])
    if all(windows[quality] == _ANY_FACTOR for quality in prices):
        # Nothing sets a scale: a finer one leaves the other tiers more room.
        tries += [price * scale for price in prices.values() for scale in (1, _FINE_SCALE)]
    else:
        tries += range(least, most + 1, max(1, (most - least) // _MOST_STEPS))
    within = [credits for credits in tries if least <= credits <= most]
    return list(dict.fromkeys(within or tries[:1]))


def _narrowed(tier: str, medium: int, cells: Cells, windows: Windows) -> Windows:
    """The factors that are left once a tier's medium price is decided."""
    left = {}
    for quality in _QUALITIES:
        for price, _ in cells.get((tier, quality), Counter()).most_common(1):
            for low, high in _range(medium, price):
                window = max(low, windows[quality][0]), min(high, windows[quality][1])
                if window[0] <= window[1]:
                    left[quality] = window
    return left


def _factor(quality: str, cells: Cells, credits: Mapping[str, int], assumed: int) -> int:
    """What a quality multiplies by, in millionths, so that most of its prices come out."""
    allowed: list[tuple[int, int, int]] = []
    for tier in TIERS:
        for price, count in cells.get((tier, quality), Counter()).items():
            allowed += [(*ends, count) for ends in _range(credits[tier], price)]

    def weight(factor: int) -> int:
        return sum(count for low, high, count in allowed if low <= factor <= high)

    if not allowed:
        return assumed
    best = max((low for low, _, _ in allowed), key=weight)
    if weight(assumed) >= weight(best):
        return assumed
    inside = [(low, high) for low, high, _ in allowed if low <= best <= high]
    return _roundest(max(low for low, _ in inside), min(high for _, high in inside))


def _range(credits: int, price: int) -> list[tuple[int, int]]:
    """The factors that make ``price`` of ``credits``, rounded up; one range or none."""
    if credits == 0:
        return [_ANY_FACTOR] if price == 0 else []
    low, high = max(0, (price - 1) * MILLION // credits + 1), price * MILLION // credits
    return [(low, high)] if low <= high else []


def _roundest(low: int, high: int) -> int:
    """The number between two, both included, that has the fewest decimals."""
    step = MILLION
    while high // step * step < low:
        step = step // 2 if str(step).startswith("1") else step // 5
    return high // step * step


def _missed(
    seen: Mapping[Reservation, int], table: PriceTable
) -> Iterator[tuple[Reservation, int, int]]:
    for reservation, count in seen.items():
        size, tier, quality, n, credits = reservation
        given = table.credits_per_image(size, tier, quality) * n
        if given != credits:
            yield reservation, count, given
