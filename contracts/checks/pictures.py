"""The pictures in a trace, and whether a size is the one that was asked for; nothing judges."""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.exchange import Exchange, ImageFacts
from contracts.frames import (
    RATIOS,
    REFERENCE_OUTPUTS,
    TIERS,
    Frame,
    frame,
    nearest_output,
    parse_pixel_size,
)
from contracts.images import image_facts
from contracts.model import Wish
from contracts.observed import Link
from contracts.view import View

# GEN-7 says how exact a frame is; here a ratio only has to be told from all others.
_RATIO_TOLERANCE = 0.03
# GEN-6: these are published; what else is nearest depends on how nearness is measured.
_PUBLISHED_MAPPINGS = ("1280x720", "1920x1080", "1440x2560", *map(str, REFERENCE_OUTPUTS))


@dataclass(frozen=True)
class Picture:
    """A download that decoded.

    Attributes:
        link: where it came from.
        download: the GET.
        facts: what decoding told.
    """

    link: Link
    download: Exchange
    facts: ImageFacts

    @property
    def frame(self) -> Frame:
        """Its width and height."""
        return Frame(self.facts.width_px, self.facts.height_px)

    @property
    def owner(self) -> str | int:
        """The task that it belongs to, or the call that waited for it."""
        return self.link.task_id or self.link.source.number


def decoded(download: Exchange) -> ImageFacts | None:
    """What decoding an answer told; None where the trace has no body."""
    response = download.response
    if response is None or (response.image is None and not response.body):
        return None
    return response.image or image_facts(response.body)


def pictures(view: View) -> Iterator[Picture]:
    """The first download of each generated picture that decoded."""
    for link in view.links.values():
        for download in () if link.is_upload else link.downloads:
            facts = decoded(download)
            if facts is not None and facts.problem is None:
                yield Picture(link, download, facts)
                break


def names_a_frame(size: str) -> bool:
    """Whether a size says something about the pixels: a ratio, or ``WIDTHxHEIGHT``."""
    return size in RATIOS or is_pixel_size(size)


def is_pixel_size(size: str) -> bool:
    """Whether a size is ``WIDTHxHEIGHT``."""
    pixels = parse_pixel_size(size)
    return pixels is not None and pixels.pixels > 0


def is_as_asked(got: Frame, size: str) -> bool:
    """Whether a picture has the ratio that was asked for, or exactly the size (GEN-6, A)."""
    if size not in RATIOS:
        return got == parse_pixel_size(size)
    width, _, height = size.partition(":")
    return abs(got.width_px / got.height_px / (int(width) / int(height)) - 1) <= _RATIO_TOLERANCE


def is_mapped(got: Frame, wish: Wish, exactly: bool) -> bool:
    """Whether a picture is the one of the seven outputs that a wish maps to (GEN-6, B).

    Args:
        got: the picture's frame.
        wish: what was asked for, with a ratio or a ``WIDTHxHEIGHT``.
        exactly: as the emulator maps; else any output of the same orientation will do where no
            document says which is the nearest.
    """
    wanted = parse_pixel_size(wish.size)
    if wanted is None:
        tier = wish.resolution if wish.resolution in TIERS else TIERS[0]
        wanted = frame(wish.size, tier, "model-page") or got
        exactly = exactly and wish.resolution in TIERS
    elif wish.size in _PUBLISHED_MAPPINGS:
        exactly = True
    if exactly:
        return got == nearest_output(wanted)
    return got in REFERENCE_OUTPUTS and got.orientation == wanted.orientation


def is_as_documented(got: Frame, wish: Wish, exactly: bool) -> bool:
    """Whether a picture has one of the sizes that its request can give (GEN-6)."""
    return is_as_asked(got, wish.size) or is_mapped(got, wish, exactly)
