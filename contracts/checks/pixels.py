"""The pictures themselves: how many, in which format, with which pixels."""

from collections.abc import Iterator
from dataclasses import replace

from contracts.checks.evidence import call_of, is_emulator
from contracts.checks.pictures import (
    Picture,
    decoded,
    is_as_asked,
    is_as_documented,
    is_mapped,
    is_pixel_size,
    names_a_frame,
    pictures,
)
from contracts.exchange import Exchange, fields_of, media_type
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.frames import AUTO_FRAME, RATIOS, REFERENCE_OUTPUTS, TIERS, frame, size_limits_broken
from contracts.image_file import MEDIA_TYPES
from contracts.model import Wish
from contracts.observed import Life
from contracts.view import View

_DIRECTIVE = "[[fault:"  # how an emulator is told to make fewer images


def _wished(view: View) -> Iterator[tuple[Picture, Wish]]:
    """The pictures of which is known what was asked for."""
    for picture in pictures(view):
        if picture.link.wish is not None:
            yield picture, picture.link.wish


def _size_told(picture: Picture, wish: Wish) -> str:
    return f"{wish.size} at {wish.resolution} gives {picture.frame}"


@judges("GEN-10")
def number_as_asked(view: View) -> Iterator[Finding]:
    """As many images as ``n`` asks for; fewer only where credits came back (GEN-10)."""
    for life in view.lives.values():
        yield from _number_of_task(view, life)
    for creation in view.creations:
        data = creation.answer.get("data")
        if creation.status != 200 or creation.wish is None or not isinstance(data, list):
            continue
        made, asked = len(data), creation.wish.n
        told = is_emulator(view) and _DIRECTIVE not in creation.wish.prompt
        if made < asked and not told:
            continue  # it does not tell what it cost, so some may have failed (CRED-6)
        message = f"a call that waited answers {made} images; n is {asked}"
        yield judged("GEN-10", made == asked, message, creation.exchange)


def _number_of_task(view: View, life: Life) -> Iterator[Finding]:
    success = life.success
    data = fields_of(success.task.get("result")).get("data") if success is not None else None
    if success is None or life.wish is None or not isinstance(data, list):
        return
    refunded = fields_of(success.task.get("credits")).get("refunded")
    made, asked = len(data), life.wish.n
    if made < asked and type(refunded) is not int and not is_emulator(view):
        return  # what it tells about credits is not known here
    came_back = type(refunded) is int and refunded > 0
    right = made == asked or (0 < made < asked and came_back)
    message = f"{life.task_id} has {made} images; n is {asked}, refunded are {refunded!r} credits"
    yield judged("GEN-10", right, message, success.exchange)


@judges("GEN-10", "TASK-6")
def pictures_differ(view: View) -> Iterator[Finding]:
    """No two pictures of a task have the same pixels, nor those of two tasks (GEN-10, TASK-6)."""
    first: dict[tuple[str, str], Picture] = {}
    for picture in pictures(view):
        link, account = picture.link, _account(view, picture)
        other = first.setdefault((account, picture.facts.pixels_digest), picture)
        if other is picture:
            if link.index:
                yield holds("GEN-10", picture.download)
            continue
        if other.owner != picture.owner:
            if is_emulator(view) or _differ(other.link.wish, link.wish):
                message = f"a picture of {picture.owner} has the pixels of one of {other.owner}"
                yield breaks("TASK-6", message, other.download, picture.download)
        elif other.link.index != link.index:
            message = (
                f"pictures {other.link.index + 1} and {link.index + 1} of {picture.owner}"
                " have the same pixels"
            )
            yield breaks("GEN-10", message, other.download, picture.download)


def _account(view: View, picture: Picture) -> str:
    life = view.lives.get(picture.link.task_id or "")
    made = life.creation.exchange if life is not None and life.creation else picture.link.source
    return made.sender


def _differ(one: Wish | None, other: Wish | None) -> bool:
    """Whether two requests ask for different pictures, as far as is known."""
    if one is None or other is None:
        return False
    asked = [replace(wish, callback_url=None, endpoint="generations") for wish in (one, other)]
    return asked[0] != asked[1]


@judges("MEDIA-1")
def whole_image(view: View) -> Iterator[Finding]:
    """Each download decodes to what it says it is, the same each time; says what breaks only.

    That a link gives a picture at once says nothing about its 24 hours (MEDIA-1).
    """
    for link in view.links.values():
        first: Exchange | None = None
        for download in () if link.is_upload else link.downloads:
            facts = decoded(download)
            if facts is None or (facts.problem is not None and facts.format):
                continue  # not recorded, or too large to be decoded
            if facts.problem is not None:
                yield breaks("MEDIA-1", f"{call_of(download)}: {facts.problem}", download)
                continue
            kind = media_type(download.response.headers) if download.response else ""
            # Some stores call all that they keep a stream of octets.
            named = kind.startswith("image/") or is_emulator(view)
            if named and kind != MEDIA_TYPES.get(facts.format):
                declared = f"is a {facts.format}, declared as {kind or 'nothing'}"
                yield breaks("MEDIA-1", f"{call_of(download)} {declared}", download)
            before = decoded(first) if first is not None else facts
            if before is not None and before.pixels_digest != facts.pixels_digest:
                message = f"{call_of(download)} gives other pixels than an earlier download"
                yield breaks("MEDIA-1", message, first or download, download)
            first = first or download


@judges("GEN-3", "GEN-6")
def ratio_or_size_as_asked(view: View) -> Iterator[Finding]:
    """Pixels as asked (A), or one of the seven published outputs (B) (GEN-3, GEN-6)."""
    for picture, wish in _wished(view):
        if not names_a_frame(wish.size):
            continue
        as_asked = is_as_asked(picture.frame, wish.size)
        mapped = is_mapped(picture.frame, wish, exactly=is_emulator(view))
        message = _size_told(picture, wish)
        if is_pixel_size(wish.size):
            yield judged("GEN-3", as_asked or mapped, message, picture.download)
        if as_asked != mapped:
            yield reads("GEN-6", "A" if as_asked else "B", message, picture.download)
        else:  # both: it does not tell which
            yield judged("GEN-6", as_asked, message, picture.download)


@judges("GEN-7")
def frame_of_ratio_and_tier(view: View) -> Iterator[Finding]:
    """The frame of a ratio and a tier: the table's (A), or that mapped (B) (GEN-7)."""
    for picture, wish in _wished(view):
        if wish.size not in RATIOS or wish.resolution not in TIERS:
            continue
        is_a = picture.frame == frame(wish.size, wish.resolution, "model-page")
        is_b = picture.frame == frame(wish.size, wish.resolution, "reference")
        message = _size_told(picture, wish)
        if is_a and is_b:  # it does not tell which
            yield holds("GEN-7", picture.download)
        elif is_a or is_b:
            yield reads("GEN-7", "A" if is_a else "B", message, picture.download)
        else:
            yield reads("GEN-7", f"{picture.frame} for {wish.size}", message, picture.download)


@judges("GEN-4")
def within_the_models_limits(view: View) -> Iterator[Finding]:
    """Every picture keeps the model's own limits (GEN-4)."""
    for picture in pictures(view):
        broken = size_limits_broken(picture.frame.width_px, picture.frame.height_px)
        message = f"a picture of {picture.frame}: {'; '.join(broken)}"
        yield judged("GEN-4", not broken, message, picture.download)


@judges("GEN-5")
def resolution_acts_on_ratios_only(view: View) -> Iterator[Finding]:
    """A higher tier gives a ratio more pixels, and changes nothing else (GEN-5)."""
    seen: dict[str, dict[str, Picture]] = {}
    for picture, wish in _wished(view):
        if wish.resolution not in TIERS:
            continue
        if is_pixel_size(wish.size):
            if wish.resolution != TIERS[0]:
                right = is_as_documented(picture.frame, wish, exactly=is_emulator(view))
                yield judged("GEN-5", right, _size_told(picture, wish), picture.download)
        elif wish.size in RATIOS:
            by_tier = seen.setdefault(wish.size, {})
            for tier, other in by_tier.items():
                yield from _two_tiers(wish, picture, tier, other)
            by_tier.setdefault(wish.resolution, picture)
            if is_emulator(view):
                right = not _is_of_another_tier(picture, wish)
                yield judged("GEN-5", right, _size_told(picture, wish), picture.download)


def _two_tiers(wish: Wish, picture: Picture, tier: str, other: Picture) -> Iterator[Finding]:
    """Compare two pictures of a ratio; equal ones may both be mapped to the same output."""
    if tier == wish.resolution:
        return
    first, second = other.frame, picture.frame
    if TIERS.index(tier) > TIERS.index(wish.resolution):
        first, second = second, first
    both_mapped = first == second and first in REFERENCE_OUTPUTS
    right = first.pixels < second.pixels or both_mapped
    message = f"{wish.size} gives {other.frame} at {tier} and {_size_told(picture, wish)}"
    yield judged("GEN-5", right, message, other.download, picture.download)


def _is_of_another_tier(picture: Picture, wish: Wish) -> bool:
    """Whether a picture has the frame that another tier gives, and not that of its own."""

    def frames(tier: str) -> set[object]:
        return {frame(wish.size, tier, "model-page"), frame(wish.size, tier, "reference")}

    others = {one for tier in TIERS if tier != wish.resolution for one in frames(tier)}
    return picture.frame in others - frames(wish.resolution)


@judges("GEN-8")
def auto_is_1024_square(view: View) -> Iterator[Finding]:
    """What ``auto`` gives; an edit's may follow its image (GEN-8)."""
    for picture, wish in _wished(view):
        if wish.size == "auto" and (wish.endpoint != "edits" or is_emulator(view)):
            reading = "A" if picture.frame == AUTO_FRAME else str(picture.frame)
            yield reads("GEN-8", reading, _size_told(picture, wish), picture.download)
