"""The pixels that a size should give, as far as the documents say."""

import math
import re
from dataclasses import dataclass
from typing import Literal

Profile = Literal["model-page", "reference"]

RATIOS = (
    "1:1", "1:2", "2:1", "1:3", "3:1", "2:3", "3:2", "3:4",
    "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "9:21",
)  # fmt: skip
SIZES = ("auto", *RATIOS)  # GEN-2
TIERS = ("1K", "2K", "4K")  # GEN-5

EDGE_STEP_PX = 16  # GEN-4, here to MAX_PIXELS
MAX_EDGE_PX = 3840
MAX_RATIO = 3
MIN_PIXELS = 655_360
MAX_PIXELS = 8_294_400

_PIXEL_SIZE = re.compile(r"(0|[1-9][0-9]*)x(0|[1-9][0-9]*)", re.ASCII)
_MAX_EDGE_DIGITS = 9  # a longer number is outside every limit; it is read as one of this length


@dataclass(frozen=True, slots=True)
class Frame:
    """A width and a height in pixels."""

    width_px: int
    height_px: int

    @property
    def pixels(self) -> int:
        """The area in pixels."""
        return self.width_px * self.height_px

    @property
    def orientation(self) -> int:
        """1 for landscape, -1 for portrait, 0 for square."""
        return (self.width_px > self.height_px) - (self.width_px < self.height_px)

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px}"


AUTO_FRAME = Frame(1024, 1024)  # GEN-8

# GEN-7: portrait frames at 1K, 2K and 4K; the landscape ones are their mirror images.
_PORTRAITS = {
    "1:1": ((1024, 1024), (2048, 2048), (2880, 2880)),
    "1:2": ((720, 1440), (1440, 2880), (1920, 3840)),
    "1:3": ((576, 1728), (1168, 3504), (1280, 3840)),
    "2:3": ((832, 1248), (1664, 2496), (2336, 3504)),
    "3:4": ((864, 1152), (1760, 2352), (2480, 3312)),
    "4:5": ((912, 1136), (1824, 2288), (2576, 3216)),
    "9:16": ((768, 1360), (1520, 2704), (2160, 3840)),
    "9:21": ((656, 1536), (1328, 3104), (1648, 3840)),
}

# GEN-6: all that the reference pages let come out.
REFERENCE_OUTPUTS = (
    Frame(1024, 1024), Frame(1536, 1024), Frame(1024, 1536), Frame(2048, 2048),
    Frame(2048, 1152), Frame(3840, 2160), Frame(2160, 3840),
)  # fmt: skip


def parse_pixel_size(size: str) -> Frame | None:
    """Read ``WIDTHxHEIGHT``, zero edges too; None where ``size`` is something else."""
    match = _PIXEL_SIZE.fullmatch(size)
    if match is None:
        return None
    return Frame(*(int(edge[:_MAX_EDGE_DIGITS]) for edge in match.groups()))


def size_limits_broken(width_px: int, height_px: int) -> list[str]:
    """Say which of the model's limits a frame breaks (GEN-4); empty where it keeps them all.

    Args:
        width_px, height_px: the frame.
    """
    problems = []
    if width_px % EDGE_STEP_PX or height_px % EDGE_STEP_PX:
        problems.append(f"its edges are not both multiples of {EDGE_STEP_PX}")
    if max(width_px, height_px) > MAX_EDGE_PX:
        problems.append(f"its longest edge is over {MAX_EDGE_PX}")
    if max(width_px, height_px) > MAX_RATIO * min(width_px, height_px):
        problems.append(f"its ratio is over {MAX_RATIO}:1")
    if width_px * height_px < MIN_PIXELS:
        problems.append(f"it has less than {MIN_PIXELS:,} pixels")
    if width_px * height_px > MAX_PIXELS:
        problems.append(f"it has more than {MAX_PIXELS:,} pixels")
    return problems


def frame(size: str, resolution: str, profile: Profile) -> Frame | None:
    """The frame that a request should give (GEN-4 to GEN-8).

    Args:
        size: ``auto``, a ratio, or ``WIDTHxHEIGHT``.
        resolution: ``1K``, ``2K`` or ``4K``; acts only where ``size`` is a ratio (GEN-5).
        profile: ``model-page`` gives what was asked for, ``reference`` the nearest of its seven.

    Returns:
        The frame; None where the profile takes no such size, or the resolution is none.
    """
    if size == "auto":
        return AUTO_FRAME
    wanted = _frame_of_ratio(size, resolution) if size in RATIOS else parse_pixel_size(size)
    if wanted is None or not wanted.pixels:
        return None
    if profile == "reference":
        return nearest_output(wanted)
    return None if size_limits_broken(wanted.width_px, wanted.height_px) else wanted


def _frame_of_ratio(ratio: str, resolution: str) -> Frame | None:
    if resolution not in TIERS:
        return None
    tier = TIERS.index(resolution)
    if ratio in _PORTRAITS:
        return Frame(*_PORTRAITS[ratio][tier])
    width, _, height = ratio.partition(":")
    return Frame(*reversed(_PORTRAITS[f"{height}:{width}"][tier]))


def nearest_output(wanted: Frame) -> Frame:
    """Map a frame to the nearest reference output of the same orientation (GEN-6).

    Nearest is the distance of the logarithms of both edges.
    """
    candidates = [one for one in REFERENCE_OUTPUTS if one.orientation == wanted.orientation]
    return min(candidates, key=lambda one: _log_distance(one, wanted))


def _log_distance(one: Frame, other: Frame) -> float:
    return math.hypot(
        math.log(one.width_px / other.width_px), math.log(one.height_px / other.height_px)
    )
