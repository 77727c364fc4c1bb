"""Pictures of the wrong number, size, format or content."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

from PIL import Image

from emulator.api import images, schemas
from emulator.core import frame, task_detail
from emulator.core.frame import Frame
from emulator.core.picture import Picture
from emulator.core.profile import Profile
from emulator.service import media
from emulator.service.media import Media, MediaFile, PictureCache
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import Json, around, everywhere, swap
from tests.contracts.mutants.probe import Probe
from tests.support.images import decoded

Resolve = Callable[[str, str, Profile], Frame]


def _framed(change: Callable[[Resolve, str, str, Profile], Frame]) -> Patch:
    """Decide a frame in another way."""

    def changed(original: Any, size: str, tier: str, profile: Profile, *rest: Any) -> Frame:
        def resolve(other_size: str, other_tier: str, _: Profile) -> Frame:
            found: Frame = original(other_size, other_tier, profile, *rest)
            return found

        return change(resolve, size, tier, profile)

    return around(schemas, "resolve_frame", changed)


def _swap_ultrawide(resolve: Resolve, size: str, tier: str, profile: Profile) -> Frame:
    swapped = {"21:9": "9:21", "9:21": "21:9"}
    return resolve(swapped.get(size, size), tier, profile)


def _scale_pixel_sizes(resolve: Resolve, size: str, tier: str, profile: Profile) -> Frame:
    found = resolve(size, tier, profile)
    bigger = Frame(found.width_px * 2, found.height_px * 2)
    scales = frame.parse_pixel_size(size) and tier != "1K" and not frame.broken_limits(bigger)
    return bigger if scales else found


def _round_pixel_sizes(resolve: Resolve, size: str, tier: str, profile: Profile) -> Frame:
    found = resolve(size, tier, profile)
    if frame.parse_pixel_size(size) is None:
        return found
    return Frame(found.width_px // 64 * 64, found.height_px // 64 * 64)


def _pictured(change: Callable[[Picture], Picture]) -> Patch:
    """Describe a picture in another way."""
    return around(media, "describe", lambda original, *arguments: change(original(*arguments)))


def _served(change: Callable[[bytes], bytes]) -> Patch:
    """Serve other bytes than those of the picture."""

    async def content(original: Any, self: Media, file: MediaFile) -> bytes:
        found: bytes = await original(self, file)
        return found if file.picture is None else change(found)

    return around(Media, "content", content)


def _as_jpeg(content: bytes) -> bytes:
    file = BytesIO()
    Image.open(BytesIO(content)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def _with_data(change: Callable[[list[Json]], list[Json]]) -> Patch:
    """List other links than those of the images."""
    return everywhere(
        task_detail.image_result,
        lambda original, *arguments: {
            **(result := original(*arguments)),
            "data": change(result["data"]),
        },
    )


def _form_without(name: str) -> Patch:
    return around(
        images,
        "form_fields",
        lambda original, texts: {
            key: value for key, value in original(texts).items() if key != name
        },
    )


def _ignore_legacy_ratio(original: Any, body: Json, settings: Any) -> Any:
    return original({key: body[key] for key in body if key != "aspect_ratio"}, settings)


def _draw_anew() -> Any:
    """Each download of a link draws another picture."""
    downloads: Counter[str] = Counter()

    async def content(original: Any, self: Media, file: MediaFile) -> bytes:
        if file.picture is not None:
            downloads[file.etag] += 1
            count = downloads[file.etag]
            picture = replace(file.picture, seed=file.picture.seed + count)
            file = file._replace(picture=picture, etag=f"{file.etag}-{count}")
        found: bytes = await original(self, file)
        return found

    return around(Media, "content", content)()


def _sizes_of_edit(probe: Probe, **fields: str) -> list[tuple[int, int]]:
    data = probe.edit(**fields).json()["data"]
    return [decoded(probe.get(one["url"]).content).size for one in data]


def _pixels(probe: Probe, url: str) -> bytes:
    return decoded(probe.get(url, None).content).convert("RGB").tobytes()


def _same_pixels(probe: Probe, one: str, other: str) -> bool:
    return _pixels(probe, one) == _pixels(probe, other)


MUTANTS = (
    Mutant(
        "one-column-is-missing",
        "GEN-6",
        "Pictures are one pixel narrower than promised.",
        _pictured(lambda picture: replace(picture, width_px=picture.width_px - 1)),
        lambda probe: probe.sizes() == [(1023, 1024)],
    ),
    Mutant(
        "ultrawide-is-turned",
        "GEN-7",
        "21:9 comes out as 9:21, and the other way round.",
        _framed(_swap_ultrawide),
        lambda probe: probe.sizes(size="21:9") == [(656, 1536)],
    ),
    Mutant(
        "resolution-is-ignored",
        "GEN-5",
        "A ratio comes out in 1K whatever resolution says; the price follows the resolution.",
        _framed(lambda resolve, size, tier, profile: resolve(size, "1K", profile)),
        lambda probe: probe.sizes(size="1:1", resolution="2K") == [(1024, 1024)],
    ),
    Mutant(
        "4k-comes-out-as-2k",
        "GEN-7",
        "A ratio in 4K has the pixels of 2K.",
        _framed(
            lambda resolve, size, tier, profile: resolve(
                size, "2K" if tier == "4K" else tier, profile
            )
        ),
        lambda probe: probe.sizes(size="1:1", resolution="4K") == [(2048, 2048)],
    ),
    Mutant(
        "resolution-scales-pixel-sizes",
        "GEN-5",
        "A resolution above 1K doubles a WIDTHxHEIGHT, though it counts only for ratios.",
        _framed(_scale_pixel_sizes),
        lambda probe: probe.sizes(size="1024x1024", resolution="2K") == [(2048, 2048)],
    ),
    Mutant(
        "pixel-sizes-are-rounded",
        "GEN-3",
        "WIDTHxHEIGHT is rounded down to multiples of 64.",
        _framed(_round_pixel_sizes),
        lambda probe: probe.sizes(size="1280x720") == [(1280, 704)],
    ),
    Mutant(
        "auto-follows-the-resolution",
        "GEN-8",
        "size = auto grows with the resolution.",
        _framed(
            lambda resolve, size, tier, profile: resolve(
                "1:1" if size == "auto" else size, tier, profile
            )
        ),
        lambda probe: probe.sizes(resolution="2K") == [(2048, 2048)],
    ),
    Mutant(
        "nearest-output-by-area",
        "GEN-6",
        "A size maps to the output with the nearest area instead of the nearest edges.",
        swap(frame, "_log_distance", lambda one, other: abs(one.pixels - other.pixels)),
        lambda probe: probe.sizes(size="1440x2560") == [(1024, 1536)],
        profile="reference",
    ),
    Mutant(
        "legacy-ratio-is-ignored",
        "GEN-11",
        "aspect_ratio, the older spelling of size, is ignored.",
        around(images, "parse_creation", _ignore_legacy_ratio),
        lambda probe: probe.sizes(aspect_ratio="2:3") == [(1024, 1024)],
    ),
    Mutant(
        "last-image-is-missing",
        "GEN-10",
        "Of several images the last one does not come out, and is charged.",
        _with_data(lambda data: data[:-1] or data),
        lambda probe: (
            len((task := probe.finished(n=2))["result"]["data"]) == 1
            and task["credits"]["charged"] == 60
        ),
    ),
    Mutant(
        "second-image-repeats-the-first",
        "GEN-10",
        "All images of a task have the pixels of the first.",
        around(media, "describe", lambda original, tx, task, index: original(tx, task, 1)),
        lambda probe: _same_pixels(probe, *probe.links(n=2)),
    ),
    Mutant(
        "pictures-are-mixed-up",
        "TASK-6",
        "A cache forgets whose picture it keeps: tasks with the same frame get the same picture.",
        around(
            PictureCache,
            "get",
            lambda original, self, key, picture: original(
                self, f"{picture.width_px}x{picture.height_px}", picture
            ),
        ),
        lambda probe: _same_pixels(
            probe, probe.links(prompt="A desert")[0], probe.links(prompt="A city")[0]
        ),
    ),
    Mutant(
        "jpeg-is-labelled-png",
        "MEDIA-1",
        "A link serves a JPEG file as image/png.",
        _served(_as_jpeg),
        lambda probe: probe.get(probe.links()[0]).content[:2] == b"\xff\xd8",
    ),
    Mutant(
        "png-is-cut-off",
        "MEDIA-1",
        "The last bytes of each picture are missing.",
        _served(lambda content: content[:-64]),
        lambda probe: b"IEND" not in probe.get(probe.links()[0]).content,
    ),
    Mutant(
        "a-download-changes-the-picture",
        "MEDIA-1",
        "Each download of a link gives another picture.",
        _draw_anew,
        lambda probe: not _same_pixels(probe, (url := probe.links()[0]), url),
    ),
    Mutant(
        "edit-ignores-size",
        "EDIT-1",
        "An edit comes out in 1024x1024 whatever size says.",
        _form_without("size"),
        lambda probe: _sizes_of_edit(probe, size="2:3") == [(1024, 1024)],
    ),
)
