"""Requests that are taken and should not be, and the other way round."""

from collections.abc import Callable
from typing import Any

from emulator.adapters.pictures import ImageInspector
from emulator.api import images, schemas
from emulator.core import frame
from emulator.core.errors import Refusal
from emulator.core.ports import ImageFacts
from emulator.settings import Settings
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import Json, around, swap
from tests.contracts.mutants.probe import Probe


def _read_as(change: Callable[[Json], Json]) -> Patch:
    """Read a creation's body as if it were another."""
    return around(
        images,
        "parse_creation",
        lambda original, body, settings: original(change(body), settings),
    )


def _refuses(is_refused: Callable[[Json], bool], param: str) -> Patch:
    """Refuse bodies that are right."""

    def parse(original: Any, body: Json, settings: Settings) -> Any:
        if is_refused(body):
            raise Refusal("invalid_value", f"{param} is not accepted.", param)
        return original(body, settings)

    return around(images, "parse_creation", parse)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, str | float) else value


def _within(value: Any, least: int, most: int) -> Any:
    return min(max(value, least), most) if type(value) is int else value


def _known_or(name: str, known: tuple[str, ...], default: str) -> Patch:
    """Take any word in a field for a default."""

    def change(body: Json) -> Json:
        sent = body.get(name, default)
        is_word = isinstance(sent, str) and sent not in known and "x" not in sent
        return {**body, name: default} if is_word else body

    return _read_as(change)


def _accepts(**fields: Any) -> Callable[[Probe], bool]:
    """The symptom: a creation with such fields is taken."""
    return lambda probe: probe.post(**fields).status_code == 202


def _rejects(**fields: Any) -> Callable[[Probe], bool]:
    """The symptom: a creation with such fields is refused."""
    return lambda probe: probe.post(**fields).status_code == 400


def _takes_anything(original: Any, inspector: ImageInspector, content: bytes, param: str) -> Any:
    try:
        return original(inspector, content, param)
    except Refusal:
        return ImageFacts("image/png", 1, 1)


def _not_above_sixteen(body: Json) -> Json:
    urls = body.get("input_images")
    return {**body, "input_images": urls[:16]} if isinstance(urls, list) else body


URLS = [f"https://example.com/{number}.png" for number in range(17)]

MUTANTS = (
    Mutant(
        "prompt-is-optional",
        "GEN-1",
        "A creation without a prompt is taken.",
        _read_as(lambda body: {"prompt": "untitled", **body}),
        _accepts(prompt=...),
    ),
    Mutant(
        "empty-prompt-is-taken",
        "GEN-16",
        "An empty prompt is taken.",
        _read_as(lambda body: {**body, "prompt": " "} if body.get("prompt") == "" else body),
        _accepts(prompt=""),
    ),
    Mutant(
        "longest-prompt-is-refused",
        "GEN-16",
        "A prompt of exactly 32,000 characters is refused: the limit is off by one.",
        _refuses(lambda body: len(str(body.get("prompt", ""))) == 32_000, "prompt"),
        _rejects(prompt="a" * 32_000),
    ),
    Mutant(
        "prompt-has-no-limit",
        "GEN-16",
        "A prompt of more than 32,000 characters is taken.",
        swap(schemas, "_check_prompt", lambda prompt, settings: None),
        _accepts(prompt="a" * 32_001),
    ),
    Mutant(
        "ten-images-are-refused",
        "GEN-10",
        "n = 10 is refused: the limit is off by one.",
        _refuses(lambda body: body.get("n") == 10, "n"),
        _rejects(n=10),
    ),
    Mutant(
        "eleven-images-are-taken",
        "GEN-10",
        "n above 10 is taken as 10 instead of being refused.",
        _read_as(lambda body: {**body, "n": _within(body["n"], -1, 10)} if "n" in body else body),
        _accepts(n=11),
    ),
    Mutant(
        "n-may-be-a-text-or-a-fraction",
        "GEN-10",
        'n = "2" and n = 2.5 are taken as 2.',
        _read_as(lambda body: {**body, "n": _whole(body["n"])} if "n" in body else body),
        lambda probe: _accepts(n="2")(probe) and _accepts(n=2.5)(probe),
    ),
    Mutant(
        "null-is-taken-as-absent",
        "GEN-10",
        "A field that is null is taken as if it were not there.",
        _read_as(lambda body: {name: value for name, value in body.items() if value is not None}),
        _accepts(n=None),
    ),
    Mutant(
        "a-documented-ratio-is-refused",
        "GEN-2",
        "size = 9:21 is refused, though it is one of the fifteen ratios.",
        _refuses(lambda body: body.get("size") == "9:21", "size"),
        _rejects(size="9:21"),
    ),
    Mutant(
        "any-ratio-is-taken",
        "GEN-2",
        "A size that is not documented, such as 7:5, is taken as auto.",
        _known_or("size", frame.SIZES, "auto"),
        _accepts(size="7:5"),
    ),
    Mutant(
        "pixel-sizes-are-refused",
        "GEN-3",
        "WIDTHxHEIGHT is refused: only ratios are taken as size.",
        _refuses(lambda body: "x" in str(body.get("size")), "size"),
        _rejects(size="1280x720"),
    ),
    Mutant(
        "odd-edges-are-taken",
        "GEN-4",
        "Edges that are not multiples of 16 are taken.",
        swap(frame, "EDGE_STEP_PX", 1),
        _accepts(size="1000x1000"),
    ),
    Mutant(
        "smallest-frame-is-refused",
        "GEN-4",
        "A frame of exactly 655,360 pixels is refused: the limit is off by one.",
        swap(frame, "MIN_PIXELS", frame.MIN_PIXELS + 1),
        _rejects(size="1024x640"),
    ),
    Mutant(
        "any-resolution-is-taken",
        "GEN-5",
        "A resolution that is not documented, such as 8K, is taken as 1K.",
        _known_or("resolution", frame.TIERS, "1K"),
        _accepts(resolution="8K"),
    ),
    Mutant(
        "quality-auto-is-refused",
        "GEN-9",
        "quality = auto is refused, though it is the profile's own default.",
        _refuses(lambda body: body.get("quality") == "auto", "quality"),
        _rejects(quality="auto"),
        profile="reference",
    ),
    Mutant(
        "seventeen-references-are-taken",
        "GEN-11",
        "More than 16 reference images are taken.",
        _read_as(_not_above_sixteen),
        _accepts(input_images=URLS),
    ),
    Mutant(
        "sixteen-references-are-refused",
        "GEN-11",
        "16 reference images are refused: the limit is off by one.",
        swap(schemas, "MAX_REFERENCE_IMAGES", 15),
        _rejects(input_images=URLS[:16]),
    ),
    Mutant(
        "any-callback-scheme-is-taken",
        "GEN-12",
        "A callback_url that is no http(s) URL is taken.",
        swap(schemas, "_check_callback_url", lambda url, settings: None),
        _accepts(callback_url="ftp://example.com/hook"),
    ),
    Mutant(
        "unknown-fields-are-refused",
        "GEN-15",
        "A creation with a field that no document names is refused.",
        _refuses(lambda body: not body.keys() <= schemas.FIELD_NAMES, "body"),
        _rejects(user="somebody"),
    ),
    Mutant(
        "unreadable-images-are-taken",
        "EDIT-2",
        "A file that is no image is taken as one.",
        around(ImageInspector, "inspect", _takes_anything),
        lambda probe: probe.upload(b"This is no image.").status_code == 200,
    ),
)
