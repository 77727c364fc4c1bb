"""Pydantic at the edge: what a client sent -> a request that keeps every rule.

The rules are written for Pydantic's core, which checks them as it would a model's: loading what
turns classes into such rules would be a quarter of a server's start.
"""

from typing import Any, NamedTuple

from pydantic_core import SchemaValidator, ValidationError
from pydantic_core import core_schema as rule

from emulator.core.address import literal_address, split_http_url, why_forbidden
from emulator.core.errors import Refusal, shown
from emulator.core.frame import SIZES, TIERS, frame_override, parse_pixel_size, resolve_frame
from emulator.core.request import MAX_IMAGES, MAX_REFERENCE_IMAGES, MIN_IMAGES, MODEL, ImageRequest
from emulator.settings import Settings

_REFERENCE_FIELDS = ("input_images", "image_urls", "images")  # GEN-11
_SIZE_FIELDS = ("size", "aspect_ratio", "aspectRatio")

# What each field takes, for messages: (accepted, claim).
_ACCEPTED = {
    "model": (f'a string, the id of a model such as "{MODEL}"', "GEN-1"),
    "prompt": ("a string that is not empty", "GEN-1"),
    "resolution": ("one of " + ", ".join(TIERS), "GEN-5"),
    "quality": ("one of low, medium, high", "GEN-9"),
    "n": (f"a whole number from {MIN_IMAGES} to {MAX_IMAGES}", "GEN-10"),
    "callback_url": ("a string, an absolute http(s) URL", "GEN-12"),
    "imageSize": ("a string", "GEN-11"),
    **dict.fromkeys(_SIZE_FIELDS, (f"one of {', '.join(SIZES)}, or WIDTHxHEIGHT", "GEN-2")),
    **dict.fromkeys(
        _REFERENCE_FIELDS, (f"a list of at most {MAX_REFERENCE_IMAGES} URLs", "GEN-11")
    ),
}
_TYPE_ERRORS = ("string_type", "int_type", "list_type", "bool_type")


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 3.0 is 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _field(accepted: rule.CoreSchema, *names: str, required: bool = False) -> rule.TypedDictField:
    """A field that may be sent under any of ``names``, of which the first that was sent counts."""
    aliases: list[list[str | int]] = [[name] for name in names]
    return rule.typed_dict_field(accepted, required=required, validation_alias=aliases or None)


_Fields = dict[str, Any]
_TEXT = rule.str_schema()
_SOME_TEXT = rule.str_schema(min_length=1)
_COUNT = rule.int_schema(ge=MIN_IMAGES, le=MAX_IMAGES)

# A creation's fields as they were sent; what no source names is ignored (GEN-15).
_FIELDS = {
    "model": _field(_SOME_TEXT, required=True),
    "prompt": _field(_SOME_TEXT, required=True),
    "size": _field(_TEXT, *_SIZE_FIELDS),
    "resolution": _field(rule.literal_schema(list(TIERS))),
    "imageSize": _field(_TEXT),
    "quality": _field(_TEXT),
    "n": _field(rule.no_info_before_validator_function(_whole, _COUNT)),
    "callback_url": _field(_TEXT),
    "references": _field(rule.list_schema(_TEXT), *_REFERENCE_FIELDS),
}
_BODY = SchemaValidator(
    rule.typed_dict_schema(_FIELDS, config={"strict": True}, extra_behavior="ignore")
)

# Every name under which a field of a creation may be sent.
FIELD_NAMES = frozenset({*_FIELDS, *_SIZE_FIELDS, *_REFERENCE_FIELDS} - {"references"})


class Creation(NamedTuple):
    """A valid request, whose reference URLs were not looked at yet.

    Attributes:
        request: the request without its reference images.
        reference_urls: what stands in ``reference_param``.
        reference_param: the name of the field that they came in.
    """

    request: ImageRequest
    reference_urls: tuple[str, ...]
    reference_param: str


def parse_creation(body: dict[str, Any], settings: Settings) -> Creation:
    """Check a creation's fields, one after the other.

    Args:
        body: the JSON object, or a form's text fields.
        settings: the profile and limits.

    Raises:
        Refusal: the first field that is wrong, what was sent, and what is accepted.
    """
    try:
        fields: _Fields = _BODY.validate_python(body)
    except ValidationError as error:
        raise _refusal(error, body) from error
    _check_prompt(fields["prompt"], settings)
    size, resolution = _size_and_tier(fields)
    size_param = _sent_name(body, (*_SIZE_FIELDS, "imageSize"))
    frame = frame_override(size, resolution, settings.frames) or resolve_frame(
        size, resolution, settings.profile, size_param
    )
    quality = fields.get("quality", settings.profile.default_quality)
    if quality not in settings.profile.qualities:
        raise Refusal.invalid_value("quality", quality, settings.profile.qualities, claim="GEN-9")
    callback_url = fields.get("callback_url")
    _check_callback_url(callback_url, settings)
    reference_param = _sent_name(body, _REFERENCE_FIELDS)
    references = tuple(fields.get("references", ()))
    check_image_count(len(references), reference_param)
    request = ImageRequest(
        model=fields["model"],
        prompt=fields["prompt"],
        size=size,
        resolution=resolution,
        quality=quality,
        n=fields.get("n", 1),
        frame=frame,
        callback_url=callback_url,
    )
    return Creation(request, references, reference_param)


def _sent_name(body: dict[str, Any], names: tuple[str, ...]) -> str:
    """Under which of its names a field was sent; the first where it was not."""
    for name in names:
        if name in body:
            return name
    return names[0]


def check_image_count(count: int, param: str) -> None:
    """Check the number of reference images (GEN-11)."""
    if count > MAX_REFERENCE_IMAGES:
        message = f"{param} takes at most {MAX_REFERENCE_IMAGES} images; {count} were sent."
        raise Refusal("too_many_images", message, param, claim="GEN-11")


def form_fields(texts: dict[str, str]) -> dict[str, Any]:
    """Give a form's text fields the types that JSON would have given them."""
    fields: dict[str, Any] = dict(texts)
    number = fields.get("n")
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 10:
        fields["n"] = int(number)
    return fields


def _check_prompt(prompt: str, settings: Settings) -> None:
    limit = settings.max_prompt_characters
    if len(prompt) > limit:
        message = f"prompt must have 1 to {limit:,} characters; {len(prompt):,} were sent."
        raise Refusal("invalid_value", message, "prompt", claim="GEN-16")


def _size_and_tier(fields: _Fields) -> tuple[str, str]:
    """Read size and resolution, in their present or their legacy spelling (GEN-11)."""
    size: str = fields.get("size", "auto")
    resolution: str = fields.get("resolution", "1K")
    if "imageSize" not in fields:
        return size, resolution
    legacy: str = fields["imageSize"]
    if legacy in TIERS:
        return size, resolution if "resolution" in fields else legacy
    if legacy not in SIZES and parse_pixel_size(legacy) is None:
        accepted = (*TIERS, *SIZES, "or WIDTHxHEIGHT")
        raise Refusal.invalid_value("imageSize", legacy, accepted, claim="GEN-11")
    return size if "size" in fields else legacy, resolution


def _check_callback_url(url: str | None, settings: Settings) -> None:
    if url is None:
        return
    parts = split_http_url(url)
    if parts is None or parts.hostname is None:
        raise Refusal.invalid_value("callback_url", url, "an absolute http(s) URL", claim="GEN-12")
    if settings.callbacks != "upstream":
        return
    address = literal_address(parts.hostname)
    is_local = parts.hostname == "localhost" or parts.hostname.endswith(".localhost")
    if parts.scheme != "https" or is_local or (address and why_forbidden(address, "upstream")):
        accepted = "a public https URL (--callbacks upstream)"
        raise Refusal.invalid_value("callback_url", url, accepted, claim="GEN-12")


def _refusal(error: ValidationError, body: dict[str, Any]) -> Refusal:
    first = error.errors(include_url=False, include_context=False)[0]
    name, *inner = first["loc"]
    if first["type"] == "missing":
        accepted, claim = _ACCEPTED[str(name)]
        sent = ", ".join(shown(field) for field in sorted(body)[:10]) or "an empty body"
        message = f"{name} is required: {accepted}. What was sent has {sent}."
        return Refusal("missing_field", message, str(name), claim=claim)
    accepted, claim = _ACCEPTED[str(name)]
    param = f"{name}[{inner[0]}]" if inner else str(name)
    if inner:
        accepted = "a string, a URL"
    message = f"{param} must be {accepted}; {shown(first['input'])} was sent."
    code = "invalid_type" if first["type"] in _TYPE_ERRORS else "invalid_value"
    return Refusal(code, message, param, claim=claim)
