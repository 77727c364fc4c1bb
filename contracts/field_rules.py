"""What the documents say about each field of a creation, one rule a field."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from contracts.frames import RATIOS, SIZES, TIERS, parse_pixel_size, size_limits_broken

MODEL = "gpt-image-2"
MIN_IMAGES, MAX_IMAGES = 1, 10  # GEN-10
MAX_REFERENCE_IMAGES = 16  # GEN-11, EDIT-2
MAX_PROMPT_CHARACTERS = 32_000  # GEN-16
_SHORT_PROMPT_CHARACTERS = 1000  # whatever the limit is, it is not less
QUALITIES = ("low", "medium", "high")  # GEN-9, both vocabularies

SIZE_FIELDS = ("size", "aspect_ratio", "aspectRatio")  # GEN-11, here to REFERENCE_FIELDS
TIER_FIELDS = ("resolution", "imageSize")
REFERENCE_FIELDS = ("input_images", "image_urls", "images")

Kind = Literal["accept", "reject", "open"]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the documents say about one value.

    Attributes:
        kind: it must be accepted, refused, or no document decides.
        claims: the claims that say so.
        why: for people.
        statuses: of a refusal.
        inside: the place in a list that is to blame, such as ``[1]``.
        is_assumed: it must be accepted, but no source says so.
    """

    kind: Kind
    claims: tuple[str, ...]
    why: str = ""
    statuses: frozenset[int] = frozenset({400})
    inside: str = ""
    is_assumed: bool = False


Rule = Callable[[Any, bool], Ruling]


def _open(why: str, *claims: str) -> Ruling:
    return Ruling("open", claims, why)


def _reject(why: str, *claims: str) -> Ruling:
    return Ruling("reject", claims, why)


def model_rule(value: Any, _is_form: bool = False) -> Ruling:
    """GEN-1, MOD-2."""
    if not isinstance(value, str):
        return _reject("the model is a string", "GEN-1")
    if value != MODEL:
        return Ruling("reject", ("MOD-2",), "there is no such model", frozenset({400, 404}))
    return Ruling("accept", ("GEN-1",))


def prompt_rule(value: Any, _is_form: bool = False) -> Ruling:
    """GEN-1, GEN-16."""
    if not isinstance(value, str):
        return _reject("the prompt is a string", "GEN-1")
    if not 1 <= len(value) <= MAX_PROMPT_CHARACTERS:
        limits = f"1 to {MAX_PROMPT_CHARACTERS:,}"
        return _reject(f"the prompt has {len(value):,} characters, not {limits}", "GEN-16")
    if len(value.encode("utf-16-le", "surrogatepass")) > 2 * MAX_PROMPT_CHARACTERS:
        return _open("the prompt is too long if characters are counted as in JavaScript", "GEN-16")
    if not value.strip():
        return _open("the prompt is blank", "GEN-16")
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", value):
        return _open("the prompt has control characters", "GEN-16")
    if len(value) > _SHORT_PROMPT_CHARACTERS:
        return Ruling("accept", ("GEN-16",), is_assumed=True)
    return Ruling("accept", ("GEN-1",))


def size_rule(value: Any, is_form: bool) -> Ruling:
    """GEN-2, GEN-3, GEN-4."""
    if is_form and value == "":
        return _open("an empty text may mean that no size is asked for", "GEN-2")
    if not isinstance(value, str):
        return _reject("the size is a string", "GEN-2", "GEN-3")
    if value in SIZES:
        return Ruling("accept", ("GEN-2",))
    pixels = parse_pixel_size(value)
    if pixels is None:
        if re.fullmatch(r"[0-9]+x[0-9]+", value, re.ASCII):
            return _open("the size has leading zeros", "GEN-3")
        return _reject("the size is neither auto, a ratio, nor WIDTHxHEIGHT", "GEN-2", "GEN-3")
    if not pixels.pixels:
        return _reject("the size has no pixels", "GEN-3")
    broken = size_limits_broken(pixels.width_px, pixels.height_px)
    if broken:
        return _reject(f"the size is outside the model's limits: {'; '.join(broken)}", "GEN-4")
    return Ruling("accept", ("GEN-3", "GEN-4"))


def legacy_ratio_rule(value: Any, is_form: bool) -> Ruling:
    """GEN-11: ``aspect_ratio`` and ``aspectRatio``."""
    if value in RATIOS:
        return Ruling("accept", ("GEN-11", "GEN-2"))
    ruling = size_rule(value, is_form)
    if ruling.kind == "reject" and "GEN-2" in ruling.claims:
        return ruling
    return _open("a legacy ratio that is no ratio", "GEN-11")


def resolution_rule(value: Any, is_form: bool) -> Ruling:
    """GEN-5."""
    if is_form and value == "":
        return _open("an empty text may mean that no resolution is asked for", "GEN-5")
    if value in TIERS:
        return Ruling("accept", ("GEN-5",))
    return _reject(f"the resolution is none of {', '.join(TIERS)}", "GEN-5")


def legacy_tier_rule(value: Any, is_form: bool) -> Ruling:
    """GEN-11: ``imageSize``."""
    if value in TIERS:
        return Ruling("accept", ("GEN-11", "GEN-5"))
    if value in SIZES or (isinstance(value, str) and parse_pixel_size(value)):
        return _open("imageSize is a size, not a resolution", "GEN-11")
    return _reject("imageSize is neither a resolution nor a size", "GEN-11")


def quality_rule(value: Any, is_form: bool) -> Ruling:
    """GEN-9."""
    if is_form and value == "":
        return _open("an empty text may mean that no quality is asked for", "GEN-9")
    if value in QUALITIES:
        return Ruling("accept", ("GEN-9",))
    if value == "auto":
        return _open("the sources disagree about the quality auto", "GEN-9")
    return _reject("the quality is in neither vocabulary", "GEN-9")


def count_rule(value: Any, is_form: bool) -> Ruling:
    """GEN-10."""
    if is_form and value == "":
        return _open("an empty text may mean that no n is asked for", "GEN-10")
    number = whole_number(value)
    if number is None or not MIN_IMAGES <= number <= MAX_IMAGES:
        limits = f"from {MIN_IMAGES} to {MAX_IMAGES}"
        return _reject(f"n is no whole number {limits}", "GEN-10")
    if type(value) is int or (is_form and value == str(number)):
        return Ruling("accept", ("GEN-10",))
    return _open("n is a whole number in another guise", "GEN-10")


def whole_number(value: Any) -> int | None:
    """Read a whole number, also one that is spelled as a float or as a text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([+-]?[0-9]{1,18})(\.0*)?\s*", value, re.ASCII)
        return int(match[1]) if match else None
    return int(value) if isinstance(value, float) and value.is_integer() else None


def callback_rule(value: Any, is_form: bool) -> Ruling:
    """GEN-12."""
    if is_form and value == "":
        return _open("an empty text may mean that no callback is asked for", "GEN-12")
    parts = http_url(value)
    if parts is None:
        return _reject("the callback is no absolute http(s) URL", "GEN-12")
    if parts.scheme != "https" or not _is_public(parts.hostname or ""):
        return _open("the callback's URL is not public https", "GEN-12")
    return Ruling("accept", ("GEN-12",))


def http_url(value: Any) -> SplitResult | None:
    """Split an absolute http(s) URL with a host and a possible port; None for anything else."""
    if not isinstance(value, str) or re.search(r"[\x00-\x20\\]", value):
        return None
    try:
        parts = urlsplit(value)
        has_port = parts.port != 0
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname and has_port else None


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return host.isascii() and "." in host and not host.endswith((".localhost", ".local"))


def references_rule(value: Any, _is_form: bool = False) -> Ruling:
    """GEN-11."""
    if isinstance(value, str):
        return _open("one reference image that is not in a list", "GEN-11")
    if not isinstance(value, list):
        return _reject("the reference images are no list", "GEN-11")
    if len(value) > MAX_REFERENCE_IMAGES:
        count = f"{len(value)} reference images are more than {MAX_REFERENCE_IMAGES}"
        return _reject(count, "GEN-11")
    for position, item in enumerate(value):
        if http_url(item) is None and not _is_data_url(item):
            why, place = "a reference image is no URL", f"[{position}]"
            return Ruling("reject", ("GEN-11",), why, inside=place)
    if not value or any(map(_is_data_url, value)):
        return _open("no document speaks of empty lists and data: URLs", "GEN-11")
    return Ruling("accept", ("GEN-11",))


def _is_data_url(value: Any) -> bool:
    return isinstance(value, str) and value[:5].lower() == "data:"


RULES: dict[str, Rule] = {
    "model": model_rule,
    "prompt": prompt_rule,
    "size": size_rule,
    "aspect_ratio": legacy_ratio_rule,
    "aspectRatio": legacy_ratio_rule,
    "resolution": resolution_rule,
    "imageSize": legacy_tier_rule,
    "quality": quality_rule,
    "n": count_rule,
    "callback_url": callback_rule,
    **dict.fromkeys(REFERENCE_FIELDS, references_rule),
}
