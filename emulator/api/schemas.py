"""Pydantic at the edge: what a client sent -> a request that keeps every rule."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

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


class CreationBody(BaseModel):
    """A creation's fields as they were sent; what no source names is ignored (GEN-15)."""

    model_config = ConfigDict(extra="ignore", strict=True)

    model: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    size: str = Field("auto", validation_alias=AliasChoices(*_SIZE_FIELDS))
    resolution: Literal["1K", "2K", "4K"] = "1K"
    image_size: str = Field("", validation_alias="imageSize")
    quality: str = ""
    n: Annotated[int, BeforeValidator(_whole)] = Field(1, ge=MIN_IMAGES, le=MAX_IMAGES)
    callback_url: str = ""
    references: list[str] = Field(
        default_factory=list, validation_alias=AliasChoices(*_REFERENCE_FIELDS)
    )


def _names(name: str, alias: object) -> tuple[str, ...]:
    if isinstance(alias, AliasChoices):
        return tuple(str(choice) for choice in alias.choices)
    return (str(alias or name),)


# Every name under which a field of a creation may be sent.
FIELD_NAMES = frozenset(
    spelling
    for name, info in CreationBody.model_fields.items()
    for spelling in _names(name, info.validation_alias)
)


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
        fields = CreationBody.model_validate(body)
    except ValidationError as error:
        raise _refusal(error, body) from error
    _check_prompt(fields.prompt, settings)
    sent = fields.model_fields_set
    size, resolution = _size_and_tier(fields)
    size_param = _sent_name(body, (*_SIZE_FIELDS, "imageSize"))
    frame = frame_override(size, resolution, settings.frames) or resolve_frame(
        size, resolution, settings.profile, size_param
    )
    quality = fields.quality if "quality" in sent else settings.profile.default_quality
    if quality not in settings.profile.qualities:
        raise Refusal.invalid_value("quality", quality, settings.profile.qualities, claim="GEN-9")
    callback_url = fields.callback_url if "callback_url" in sent else None
    _check_callback_url(callback_url, settings)
    reference_param = _sent_name(body, _REFERENCE_FIELDS)
    check_image_count(len(fields.references), reference_param)
    request = ImageRequest(
        model=fields.model,
        prompt=fields.prompt,
        size=size,
        resolution=resolution,
        quality=quality,
        n=fields.n,
        frame=frame,
        callback_url=callback_url,
    )
    return Creation(request, tuple(fields.references), reference_param)


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


def _size_and_tier(fields: CreationBody) -> tuple[str, str]:
    """Read size and resolution, in their present or their legacy spelling (GEN-11)."""
    sent, legacy = fields.model_fields_set, fields.image_size
    if "image_size" not in sent:
        return fields.size, fields.resolution
    if legacy in TIERS:
        return fields.size, fields.resolution if "resolution" in sent else legacy
    if legacy not in SIZES and parse_pixel_size(legacy) is None:
        accepted = (*TIERS, *SIZES, "or WIDTHxHEIGHT")
        raise Refusal.invalid_value("imageSize", legacy, accepted, claim="GEN-11")
    return fields.size if "size" in sent else legacy, fields.resolution


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
