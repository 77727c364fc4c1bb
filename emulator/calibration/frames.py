"""Which pixels come out for which size."""

from collections import Counter
from dataclasses import replace

from emulator.calibration.dialect import rule_frame
from emulator.calibration.lesson import Finding, Lesson, finding, most_frequent
from emulator.calibration.observed import Observed
from emulator.core.frame import (
    DRAWN_EDGE_PX,
    TIERS,
    Frame,
    frames_text,
    is_drawable,
    parse_pixel_size,
)
from emulator.core.profile import MODEL_PAGE, Profile

_AUTO = "auto"
Seen = dict[tuple[str, str], "Counter[str]"]


def learn_frames(found: Observed, profile: Profile) -> Lesson:
    """Note what came out against the profile's rule.

    Args:
        found: what the trace shows.
        profile: the one that was chosen.
    """
    seen: Seen = {}
    for asked, frame in found.pictures:
        tier = "" if parse_pixel_size(asked.size) else asked.tier  # GEN-5
        seen.setdefault((asked.size, tier), Counter())[str(frame)] += 1
    overrides: dict[tuple[str, str], Frame] = {}
    findings: list[Finding] = []
    for (size, tier), frames in sorted(_auto_as_one(seen).items()):
        assumed = rule_frame(size, tier or TIERS[0], MODEL_PAGE)
        what = f"{size} at {tier}" if tier else size
        found_here = finding(
            _claim(size), what, "refused" if assumed is None else str(assumed), frames, "pictures"
        )
        picture = parse_pixel_size(found_here.seen or "")
        if picture is not None and not is_drawable(picture):
            least, most = DRAWN_EDGE_PX
            reason = f"the emulator draws edges from {least} to {most} pixels"
            found_here = replace(found_here, settable=False, note=reason)
        elif picture is not None and picture != rule_frame(size, tier or TIERS[0], profile):
            overrides[size, tier] = picture
        findings.append(found_here)
    return Lesson("frames", frames_text(overrides) or None, tuple(findings))


def _auto_as_one(seen: Seen) -> Seen:
    """Join what ``auto`` gave on all tiers, where that was the same (GEN-8)."""
    autos = {key: frames for key, frames in seen.items() if key[0] == _AUTO}
    if len({most_frequent(frames)[0] for frames in autos.values()}) != 1:
        return seen
    others = {key: frames for key, frames in seen.items() if key[0] != _AUTO}
    return {(_AUTO, ""): sum(autos.values(), Counter()), **others}


def _claim(size: str) -> str:
    if size == _AUTO:
        return "GEN-8"
    return "GEN-7" if parse_pixel_size(size) is None else "GEN-6"
