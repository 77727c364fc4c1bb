"""Which profile a trace speaks, and where it says a word otherwise."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from emulator.calibration.lesson import Finding, Lesson, finding, joined, most_frequent
from emulator.calibration.observed import Observed
from emulator.core.clock import LATEST_INSTANT
from emulator.core.errors import Refusal
from emulator.core.frame import Frame, broken_limits, parse_pixel_size, resolve_frame
from emulator.core.profile import (
    FIRST_STATUSES,
    MODEL_PAGE,
    PROFILES,
    REFERENCE,
    SUCCESS_STATUSES,
    Profile,
)
from emulator.core.task import Status

_HARMLESS = re.compile(r"[a-z_]{1,20}")  # what is longer may be anything, also a secret
_AUTO = "auto"
_YES_NO = {True: "yes", False: "no"}
_TAKEN = {True: "taken", False: "refused"}
_SIZES = {True: "the nearest of seven outputs", False: "the size asked for"}


@dataclass(frozen=True, slots=True)
class _Feature:
    """Something that the profiles do differently, and no setting of its own decides.

    Attributes:
        claim, what, unit: as of a finding.
        does: whether a profile does it.
        words: what doing it, and not, is called.
        seen: how often the trace shows it done, and not done.
    """

    claim: str
    what: str
    unit: str
    does: Callable[[Profile], bool]
    words: dict[bool, str]
    seen: "Counter[bool]"

    def contradicts(self, profile: Profile) -> bool:
        return bool(self.seen) and self.seen.most_common(1)[0][0] != self.does(profile)


def learn_dialect(found: Observed) -> tuple[Profile, list[Lesson]]:
    """Choose the profile that fits best, and the words that it says otherwise.

    Returns:
        The profile, and the lessons about it and its words.
    """
    first = Counter(creation.status for creation in found.creations if creation.status)
    success = Counter(
        {read.task_id: read.status for read in found.reads if read.succeeded}.values()
    )
    features = _features(found)

    def misfit(profile: Profile) -> tuple[int, int]:
        words = ((first, profile.first_status), (success, profile.succeeded))
        return (
            sum(feature.contradicts(profile) for feature in features),
            sum(bool(seen) and most_frequent(seen)[0] != word for seen, word in words),
        )

    profile = min(PROFILES.values(), key=misfit)
    findings = [_finding(feature, profile) for feature in features]
    shows_any = any(finding.seen is not None for finding in findings) or first or success
    return profile, [
        Lesson("profile", profile.name if shows_any else None, tuple(findings)),
        _word("first_status", "GEN-14", "first status", FIRST_STATUSES, first),
        _word("success_status", "TASK-2", "word for success", SUCCESS_STATUSES, success),
    ]


def _features(found: Observed) -> list[_Feature]:
    named = Counter(creation.names_model for creation in found.creations if creation.task_id)
    return [
        _Feature(
            "GEN-4", "sizes outside the model's limits", "requests", lambda p: p.maps_sizes,
            _TAKEN, Counter(_odd_sizes_taken(found)),
        ),
        _Feature(
            "GEN-6", "pixels that come out", "pictures", lambda p: p.maps_sizes,
            _SIZES, Counter(_maps_sizes(found)),
        ),
        _Feature(
            "GEN-9", "quality auto", "requests", lambda p: _AUTO in p.qualities,
            _TAKEN, Counter(_auto_taken(found)),
        ),
        _Feature(
            "GEN-13", "model in the creation's answer", "answers", lambda p: p.names_model,
            _YES_NO, named,
        ),
        _Feature(
            "TASK-8", "expired once the links are dead", "tasks", lambda p: p.shows_expired,
            _YES_NO, Counter(_shows_expired(found)),
        ),
    ]  # fmt: skip


def _finding(feature: _Feature, profile: Profile) -> Finding:
    words = feature.words
    seen = Counter({words[done]: count for done, count in feature.seen.most_common()})
    assumed = words[feature.does(MODEL_PAGE)]
    found = finding(feature.claim, feature.what, assumed, seen, feature.unit)
    if not feature.contradicts(profile):
        return found
    reason = f"the profile that fits best, {profile.name}, does otherwise"
    return replace(found, note=joined((found.note, reason)), settable=False)


def _word(
    setting: str, claim: str, what: str, words: Sequence[str], seen: "Counter[str]"
) -> Lesson:
    """The lesson about a status; ``words`` are those that the emulator knows, its own first."""
    shown: Counter[str] = Counter()
    for word, count in seen.items():
        shown[word if word in words or _HARMLESS.fullmatch(word) else "another word"] += count
    found = finding(claim, what, words[0], shown, "tasks")
    if found.seen is None or found.seen in words:
        return Lesson(setting, found.seen, (found,))
    note = joined((found.note, f"the emulator has {' and '.join(words)}"))
    return Lesson(setting, None, (replace(found, note=note, settable=False),))


def _is_odd(size: str) -> bool:
    frame = parse_pixel_size(size)
    return frame is not None and bool(broken_limits(frame))


def _odd_sizes_taken(found: Observed) -> Iterable[bool]:
    for creation in found.creations:
        if creation.asked is not None and _is_odd(creation.asked.size):
            yield True
    for asked in found.refused:
        if _is_odd(asked.size) and asked.quality != _AUTO:
            yield False


def _auto_taken(found: Observed) -> Iterable[bool]:
    for creation in found.creations:
        if creation.asked is not None and creation.asked.quality == _AUTO:
            yield True
    for asked in found.refused:
        if asked.quality == _AUTO and not _is_odd(asked.size):
            yield False


def _maps_sizes(found: Observed) -> Iterable[bool]:
    """Whether pictures follow the one profile or the other, where only one of them is right."""
    for asked, frame in found.pictures:
        fits = [rule_frame(asked.size, asked.tier, p) == frame for p in (MODEL_PAGE, REFERENCE)]
        if fits[0] != fits[1]:
            yield fits[1]


def rule_frame(size: str, tier: str, profile: Profile) -> Frame | None:
    """The pixels that a profile's rule gives; None where it refuses the size."""
    try:
        return resolve_frame(size, tier, profile)
    except Refusal:
        return None


def _shows_expired(found: Observed) -> Iterable[bool]:
    """Whether a task that was read after its links' end said so; once for each task."""
    dead_from: dict[str, int] = {}
    for link in found.links.values():
        if link.dies_at is not None and link.task_id:
            dead_from[link.task_id] = max(link.dies_at, dead_from.get(link.task_id, 0))
    shown: dict[str, bool] = {}
    for read in found.reads:
        if read.status == Status.EXPIRED:
            shown[read.task_id] = True
        elif read.succeeded and (read.at or 0) > dead_from.get(read.task_id, LATEST_INSTANT):
            shown.setdefault(read.task_id, False)
    return shown.values()
