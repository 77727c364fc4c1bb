"""What images cost."""

from collections import Counter
from collections.abc import Iterator, Mapping

from emulator.calibration.lesson import Finding, Lesson, plain
from emulator.calibration.observed import Observed
from emulator.calibration.price_fit import AUTO, MEDIUM, Fit, Reservation, fit_prices
from emulator.core.frame import TIERS, parse_pixel_size
from emulator.core.pricing import MILLION, PriceTable
from emulator.core.profile import QUALITIES, Profile

_CLAIM = "CRED-5"
_MOST_MISSED = 5


def learn_prices(found: Observed, profile: Profile) -> list[Lesson]:
    """Find the price table; a creation without ``quality`` has the profile's default."""
    seen = Counter(_reservations(found, profile))
    assumed = PriceTable()
    fit = fit_prices(seen, assumed)
    table = fit.table
    tiers: Counter[str] = Counter()
    qualities: Counter[str] = Counter()
    areas: Counter[int] = Counter()
    missed = {reservation for reservation, _, _ in fit.missed}
    for reservation, count in seen.items():
        if reservation in missed:
            continue
        tiers[table.billed_tier(reservation.size, reservation.tier)] += count
        qualities[reservation.quality] += count
        if frame := parse_pixel_size(reservation.size):
            areas[frame.pixels] += count
    before, after = _factors(assumed, table), _factors(table, table)
    prices = [
        _finding(f"{tier} at medium", assumed.credits_by_tier, table.credits_by_tier, tier, tiers)
        for tier in TIERS
    ]
    factors = [
        _finding(f"factor of {quality}", before, after, quality, qualities)
        for quality in after
        if quality != MEDIUM
    ]
    limits = [_limit(tier, assumed, table, areas) for tier in TIERS[:-1]]
    return [
        _lesson("prices", table.credits_by_tier, prices, tuple(_misses(fit))),
        _lesson("quality_factors", after, factors),
        _lesson("price_pixels", table.pixels_by_tier, limits),
    ]


def _reservations(found: Observed, profile: Profile) -> Iterator[Reservation]:
    by_task = {read.task_id: read.reserved for read in found.reads}
    for creation in found.creations:
        asked, credits = creation.asked, creation.reserved
        if credits is None:
            credits = by_task.get(creation.task_id)
        if asked is not None and credits is not None:
            quality = asked.quality or profile.default_quality
            yield Reservation(asked.size, asked.tier, quality, asked.n, credits)


def _factors(table: PriceTable, shown_as: PriceTable) -> dict[str, str]:
    """Factors as settings take them; that of ``auto`` only where it has one of its own."""
    own = shown_as.millionths_by_quality
    names = (*QUALITIES, AUTO) if own[AUTO] != own[MEDIUM] else QUALITIES
    return {name: plain(table.millionths_by_quality[name] / MILLION) for name in names}


def _finding(
    what: str,
    assumed: Mapping[str, object],
    learned: Mapping[str, object],
    key: str,
    seen: "Counter[str]",
) -> Finding:
    count = seen[key]
    return Finding(_CLAIM, what, str(assumed[key]), str(learned[key]) if count else None, count)


def _limit(tier: str, assumed: PriceTable, table: PriceTable, areas: "Counter[int]") -> Finding:
    """The largest pixel size that is billed as a tier; sizes of it and of the next one show it."""
    next_tier = TIERS[TIERS.index(tier) + 1]
    below = {area: n for area, n in areas.items() if table.tier_of_pixels(area) == tier}
    above = {area: n for area, n in areas.items() if table.tier_of_pixels(area) == next_tier}
    what, before = f"most pixels billed as {tier}", str(assumed.pixels_by_tier[tier])
    if not below and not above:
        return Finding(_CLAIM, what, before)
    notes = []
    if below:
        notes.append(f"{max(below)} are")
    if above:
        notes.append(f"{min(above)} are not")
    count = sum(below.values()) + sum(above.values())
    after = str(table.pixels_by_tier[tier])
    return Finding(_CLAIM, what, before, after, count, note=", ".join(notes))


def _lesson(
    setting: str, table: Mapping[str, object], findings: list[Finding], notes: tuple[str, ...] = ()
) -> Lesson:
    is_seen = any(finding.seen is not None for finding in findings)
    value = ",".join(f"{key}={value}" for key, value in table.items())
    return Lesson(setting, value if is_seen else None, tuple(findings), notes)


def _misses(fit: Fit) -> Iterator[str]:
    """Say which reservations the closest table does not give."""
    if not fit.missed:
        return
    missed = sorted(fit.missed, key=lambda miss: -miss[1])
    shown = [
        f"{r.size}{'' if parse_pixel_size(r.size) else f' at {r.tier}'}, {r.quality}, n={r.n}:"
        f" {r.credits} seen ({count}), {given} given"
        for r, count, given in missed[:_MOST_MISSED]
    ]
    more = len(missed) - len(shown)
    yield (
        "no price table was found that gives every reservation; the closest one misses "
        + "; ".join(shown)
        + (f"; and {more} more" if more else "")
    )
