"""What to draw: a picture is a pure function of its description."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from emulator.core.seed import derive

RENDERER_VERSION: Final = 1  # part of every ETag: raise it when the same picture looks different

DETAIL: Final = {"low": 1, "medium": 2, "high": 3}

SCENES: Final = {
    "ridges": "mountain mountains alps peak peaks forest tree trees snow valley fox wolf landscape",
    "dunes": "desert dune dunes sand sahara camel savanna egypt mars",
    "sea": "sea ocean lake beach ship boat harbor harbour island coast surf whale fish sunset dawn",
    "tiles": "pattern tile tiles bauhaus logo icon geometric poster abstract quilt mosaic",
    "skyline": "city skyline street tower towers building buildings neon robot cyberpunk office",
    "orbits": "space planet planets moon star stars galaxy astronaut rocket orbit cosmos universe",
    "flow": "wave waves paper silk smoke river music dream cloud clouds wind portrait flower",
}


class ReferencePicture(NamedTuple):
    """A reference image that the picture contains.

    Attributes:
        source: where it came from (a URL or an upload's id), for the placeholder.
        content: JPEG, PNG or WebP bytes; None where the image was not fetched.
    """

    source: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of a task, complete enough to draw it anywhere.

    Attributes:
        task_id: the task that it belongs to.
        index: 1 to ``count``.
        count: images in the task.
        width_px, height_px: the frame, exact.
        prompt: the whole prompt, any Unicode text.
        quality: low, medium or high: more of it means more detail.
        size: the size as the caller wrote it, for example ``16:9``.
        seed: 64 bits; the composition derives from it and the prompt.
        references: images that the picture contains, in order.
        mask: an image whose transparent pixels (or, without alpha, white ones) may change.
    """

    task_id: str
    index: int
    count: int
    width_px: int
    height_px: int
    prompt: str
    quality: str
    size: str
    seed: int
    references: tuple[ReferencePicture, ...] = ()
    mask: bytes | None = None


class Composition(NamedTuple):
    """What the renderer draws around the caption.

    Attributes:
        scene: a key of ``SCENES``.
        detail: 1 (few large forms) to 3 (fine lines).
        seed: 64 bits, for everything else: colours, forms, places.
    """

    scene: str
    detail: int
    seed: int


def compose(picture: Picture) -> Composition:
    """Choose the composition: a word of the prompt decides the scene, else the seed does."""
    seed = derive(picture.seed, "composition", _digest(_encode(picture.prompt)), picture.index)
    words = set(picture.prompt[:400].lower().replace(",", " ").replace(".", " ").split())
    fitting = [scene for scene, about in SCENES.items() if not words.isdisjoint(about.split())]
    choices = fitting or list(SCENES)
    scene = choices[derive(seed, "scene") % len(choices)]
    return Composition(scene, DETAIL.get(picture.quality, 2), seed)


def etag(picture: Picture) -> str:
    """The digest of all that decides how a picture looks, 32 hexadecimal digits.

    It is made from the description and not from the PNG, whose bytes may differ between
    processors.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in _parts(picture):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def png_text(picture: Picture) -> dict[str, str]:
    """Keyword -> text to keep in the PNG, so that a saved file still says what it is."""
    return {
        "Task": picture.task_id,
        "Image": f"{picture.index}/{picture.count}",
        "Prompt": picture.prompt,
        "Size": picture.size,
        "Frame": f"{picture.width_px}x{picture.height_px}",
        "Quality": picture.quality,
        "Seed": str(picture.seed),
    }


def _parts(picture: Picture) -> Iterator[bytes]:
    yield str(RENDERER_VERSION).encode()
    for keyword, text in png_text(picture).items():
        yield keyword.encode()
        yield _encode(text)
    yield b"no mask" if picture.mask is None else picture.mask
    for reference in picture.references:
        yield _encode(reference.source)
        content = reference.content
        yield b"not fetched" if content is None else _digest(content).encode()


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _encode(text: str) -> bytes:
    """UTF-8 for any text, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")
