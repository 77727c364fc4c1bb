"""The valid request that is nearest to a refused creation: what a client should have sent."""

import difflib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.api.json_body import parse_json_object
from emulator.api.schemas import Creation, parse_creation
from emulator.core.address import split_http_url
from emulator.core.errors import Refusal, shown
from emulator.core.frame import RATIOS, SIZES, TIERS, Frame, nearest_valid_frame
from emulator.core.request import MAX_IMAGES, MAX_REFERENCE_IMAGES, MIN_IMAGES, MODEL
from emulator.settings import Settings

EXAMPLE = {"model": MODEL, "prompt": "A lighthouse at dawn"}
_REQUIRED = ("model", "prompt")
_SIZE_FIELDS = ("size", "aspect_ratio", "aspectRatio")
_REFERENCE_FIELDS = ("input_images", "image_urls", "images")
_MOST_REPAIRS = 20
_LONGEST_SHOWN_TEXT = 200
_SMALLEST_EDGE_PX = 64  # two numbers below are meant as a ratio
_TWO_NUMBERS = re.compile(r"\s*([0-9]+)\s*\D{1,3}?\s*([0-9]+)\s*(?:px)?\s*", re.ASCII)
_DIRECTIVE = re.compile(r"\[\[\s*fault\b[^\[\]]*\]\]", re.IGNORECASE)
_ELEMENT = re.compile(r"(\w+)\[([0-9]+)\]", re.ASCII)

Check = Callable[[Creation], object]
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NearestValid:
    """A valid request.

    Attributes:
        body: the request.
        changes: what differs from what was sent: param, sent, accepted; None: it is not there.
    """

    body: Body
    changes: list[dict[str, Any]]


def nearest_valid(
    sent: str, blamed: str, settings: Settings, check: Check = lambda _: None
) -> NearestValid | None:
    """Repair a refused creation, field by field, until it is valid.

    A reference image that could not be used is left out where ``blamed`` names it; the bytes of
    the others are not looked at again.

    Args:
        sent: the body as it was sent.
        blamed: the param that the refusal blames.
        settings: the profile and limits.
        check: raises a ``Refusal`` for what ``parse_creation`` does not look at.

    Returns:
        The repaired request; None where no repair helps, and where nothing needs repair.
    """
    original, is_unique = _read(sent)
    if original is None:
        return NearestValid(dict(EXAMPLE), [_change("body", sent, EXAMPLE)])
    body = dict(original)
    changes = [] if is_unique else [_change(blamed, "more than once", original.get(blamed))]
    element = _ELEMENT.fullmatch(blamed)
    if element:
        _drop_element(body, element[1], int(element[2]))
    for _ in range(_MOST_REPAIRS):
        refusal = _first_problem(body, settings, check)
        if refusal is None:
            changes += _changes(original, body)
            return NearestValid(body, changes) if changes else None
        if not _repair(body, refusal.param or "", settings):
            return None
    return None


def _read(sent: str) -> tuple[Body | None, bool]:
    """Read a JSON object, and whether each field is there once; if not, the last counts."""
    try:
        return parse_json_object(sent.encode()), True
    except Refusal as refusal:
        if refusal.code != "duplicate_field":
            return None, True
    try:
        body = json.loads(sent, parse_constant=_no_number)
    except (ValueError, RecursionError):
        body = None
    return body if isinstance(body, dict) else None, False


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _first_problem(body: Body, settings: Settings, check: Check) -> Refusal | None:
    try:
        creation = parse_creation(body, settings)
        for position, url in enumerate(creation.reference_urls):
            if url[:5].lower() != "data:" and split_http_url(url) is None:
                param = f"{creation.reference_param}[{position}]"
                return Refusal.invalid_value(param, url, "a URL")
        check(creation)
    except Refusal as refusal:
        return refusal
    return None


def _repair(body: Body, param: str, settings: Settings) -> bool:
    """Repair the field that is to blame; False where nothing changed."""
    param = param.partition("[")[0]
    repair = _REPAIRS.get(param)
    if repair is None:
        return False
    before = body.get(param)
    after = None if before is None else repair(before, settings)
    if after is None and param in _REQUIRED:
        after = EXAMPLE[param]
    if after is None:
        body.pop(param, None)
    else:
        body[param] = after
    return not _same(before, after) or before is None


def _drop_element(body: Body, name: str, position: int) -> None:
    values = body.get(name)
    if isinstance(values, list) and position < len(values):
        body[name] = [*values[:position], *values[position + 1 :]]


def _prompt(value: Any, settings: Settings) -> Any:
    if not isinstance(value, str):
        return None
    text = value.encode("utf-8", "replace").decode()  # a lone surrogate is no character
    if text != value:
        return text
    if len(text) > settings.max_prompt_characters:
        return text[: settings.max_prompt_characters]
    return _DIRECTIVE.sub("", text).strip() or None


def _size(value: Any, settings: Settings) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        value = f"{int(value)}x{int(value)}"
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    numbers = _TWO_NUMBERS.fullmatch(word)
    if numbers is None:
        return _nearest_word(word, SIZES)
    width, height = (_bounded(digits) for digits in numbers.groups())
    if width == 0 or height == 0:
        return None
    if max(width, height) >= _SMALLEST_EDGE_PX:
        frame = Frame(width, height)
        return str(frame if settings.profile.maps_sizes else nearest_valid_frame(frame))
    return min(RATIOS, key=lambda ratio: abs(_log_ratio(ratio) - math.log(width / height)))


def _bounded(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) < 7 else 999_999


def _log_ratio(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return math.log(int(width) / int(height))


def _resolution(value: Any, settings: Settings) -> Any:
    text = str(value).strip().upper()
    return _nearest_word(text if not text.isdigit() else f"{text}K", TIERS)


def _image_size(value: Any, settings: Settings) -> Any:
    tier = _resolution(value, settings)
    return _size(value, settings) if tier is None else tier


def _quality(value: Any, settings: Settings) -> Any:
    profile = settings.profile
    return _nearest_word(str(value).strip().lower(), profile.qualities) or profile.default_quality


def _count(value: Any, settings: Settings) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if math.isnan(number):
        return None
    return round(min(max(number, MIN_IMAGES), MAX_IMAGES))


def _references(value: Any, settings: Settings) -> Any:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list):
        return None
    urls = [url for url in values if isinstance(url, str) and _may_be_reference(url)]
    return urls[:MAX_REFERENCE_IMAGES]


def _may_be_reference(url: str) -> bool:
    return url[:5].lower() == "data:" or split_http_url(url) is not None


def _nearest_word(text: str, words: tuple[str, ...]) -> str | None:
    return next(iter(difflib.get_close_matches(text[:50], words, 1)), None)


# None: the field is left out; where it is required, the example's takes its place.
_REPAIRS: dict[str, Callable[[Any, Settings], Any]] = {
    "model": lambda value, settings: MODEL,
    "prompt": _prompt,
    **dict.fromkeys(_SIZE_FIELDS, _size),
    "resolution": _resolution,
    "imageSize": _image_size,
    "quality": _quality,
    "n": _count,
    "callback_url": lambda value, settings: None,
    **dict.fromkeys(_REFERENCE_FIELDS, _references),
}


def _changes(original: Body, body: Body) -> list[dict[str, Any]]:
    names = [*original, *(name for name in body if name not in original)]
    return [
        _change(name, original.get(name), body.get(name))
        for name in names
        if (name in original) != (name in body) or not _same(original.get(name), body.get(name))
    ]


def _change(param: str, sent: Any, accepted: Any) -> dict[str, Any]:
    return {"param": param, "sent": _short(sent), "accepted": _short(accepted)}


def _short(value: Any) -> Any:
    """A value as it is; a long text, or one that JSON can't carry, as a message shows it."""
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN_TEXT:
        return shown(value)
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:  # a lone surrogate, or a number beyond all others
        return shown(value)
    return value


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same in JSON, where true is not 1."""
    return type(one) is type(other) and bool(one == other)
