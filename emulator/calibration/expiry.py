"""How long links live, and what a dead one answers."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from emulator.calibration.lesson import Finding, Lesson, finding, joined, plain
from emulator.calibration.observed import Fetch, Link, Observed
from emulator.core.clock import HOUR, MINUTE, SECOND
from emulator.settings import Settings

_ASSUMED = Settings()
_DEAD = (403, 404, 410)  # MEDIA-2
_ROUNDING_MS = 2 * SECOND
_ALIVE = (200, 206, 304)


def learn_expiry(found: Observed) -> list[Lesson]:
    """Find the links' life, from what they say or from when they were seen alive and dead."""
    lives = Counter(
        plain(lives_ms / HOUR)
        for link in found.links.values()
        if (lives_ms := _said_life_ms(link)) is not None
    )
    assumed = plain(_ASSUMED.media_ttl_hours)
    life = finding("MEDIA-1", "hours that links work", assumed, lives, "links")
    if life.seen is None:
        life = _life_from_fetches(found, life)
    else:
        life = replace(life, note=joined((life.note, _against(found, float(life.seen) * HOUR))))
    statuses = Counter(str(fetch.status) for fetch in found.fetches if _is_expiry(fetch))
    dead = finding(
        "MEDIA-2", "answer of a dead link", str(_ASSUMED.media_expired_status), statuses, "requests"
    )
    return [
        Lesson("media_ttl_hours", life.seen, (life,)),
        Lesson("media_expired_status", dead.seen, (dead,)),
    ]


def _said_life_ms(link: Link) -> int | None:
    """What a link says of its life, counted from its task's end; to the minute, where it is near.

    A deadline is a whole second, and which way it was rounded is not known.
    """
    lives_ms = link.lives_ms
    if lives_ms is None and link.dies_at is not None and link.ended_at is not None:
        lives_ms = link.dies_at - link.ended_at
    if lives_ms is None or lives_ms <= 0:
        return None
    minutes = round(lives_ms / MINUTE)
    return minutes * MINUTE if abs(lives_ms - minutes * MINUTE) <= _ROUNDING_MS else lives_ms


def _is_expiry(fetch: Fetch) -> bool:
    if fetch.status not in _DEAD:
        return False
    dies_at = fetch.link.dies_at
    return dies_at is None or fetch.at is None or fetch.at >= dies_at - _ROUNDING_MS


def _ages(found: Observed) -> Iterator[tuple[int, bool]]:
    """How old each link was when it was asked, and whether it was dead."""
    for fetch in found.fetches:
        if fetch.at is not None and fetch.link.ended_at is not None:
            age_ms = fetch.at - fetch.link.ended_at
            if age_ms > 0 and fetch.status in (*_ALIVE, *_DEAD):
                yield age_ms, fetch.status in _DEAD


def _life_from_fetches(found: Observed, unseen: Finding) -> Finding:
    """A life between the oldest link that was alive and the youngest that was dead.

    Links that are young and alive show nothing.
    """
    ages = list(_ages(found))
    alive = max((age for age, dead in ages if not dead), default=0)
    dead = min((age for age, dead in ages if dead and age > alive), default=None)
    assumed_ms = _ASSUMED.media_ttl_ms
    if dead is None and alive < assumed_ms:
        return unseen
    if dead is None:
        hours = plain(alive // HOUR + 1)
    elif alive < assumed_ms <= dead:
        hours = unseen.assumed
    else:
        whole = math.floor(dead / HOUR)
        hours = plain(whole if whole * HOUR > alive else dead / HOUR)
    note = f"alive after {plain(alive / HOUR)} hours"
    if dead is not None:
        note += f", dead after {plain(dead / HOUR)}"
    return replace(unseen, seen=hours, count=len(ages), unit="requests", note=note)


def _against(found: Observed, life_ms: float) -> str:
    """Say how often links did not do what they say."""
    wrong = sum(
        dead != (age_ms > life_ms)
        for age_ms, dead in _ages(found)
        if abs(age_ms - life_ms) > MINUTE
    )
    return f"{wrong} requests to links saw otherwise" if wrong else ""
