"""Size and resolution tier -> the pixels that come out."""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from emulator.core.errors import Refusal
from emulator.core.profile import Profile

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

# A setting may ask for any picture that can be drawn; it need not keep the model's limits.
DRAWN_EDGE_PX = (64, 4096)

_PIXEL_SIZE = re.compile(r"([1-9][0-9]{0,5})x([1-9][0-9]{0,5})", re.ASCII)
_OUT_OF_RANGE_PIXEL_SIZE = re.compile(r"[1-9][0-9]*x[1-9][0-9]*", re.ASCII)
_ACCEPTED = ", ".join(SIZES) + ", or WIDTHxHEIGHT such as 1280x720"


class Frame(NamedTuple):
    """An output's width and height in pixels."""

    width_px: int
    height_px: int

    @property
    def pixels(self) -> int:
        """The area in pixels."""
        return self.width_px * self.height_px

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px}"


# (size, tier) -> what comes out; the tier is empty where it does not matter.
FrameOverrides = Mapping[tuple[str, str], Frame]

# GEN-7: the largest frame of the tier's pixel budget that keeps the ratio within 1 %.
_PORTRAIT_FRAMES: dict[str, tuple[Frame, Frame, Frame]] = {
    "1:1": (Frame(1024, 1024), Frame(2048, 2048), Frame(2880, 2880)),
    "1:2": (Frame(720, 1440), Frame(1440, 2880), Frame(1920, 3840)),
    "1:3": (Frame(576, 1728), Frame(1168, 3504), Frame(1280, 3840)),
    "2:3": (Frame(832, 1248), Frame(1664, 2496), Frame(2336, 3504)),
    "3:4": (Frame(864, 1152), Frame(1760, 2352), Frame(2480, 3312)),
    "4:5": (Frame(912, 1136), Frame(1824, 2288), Frame(2576, 3216)),
    "9:16": (Frame(768, 1360), Frame(1520, 2704), Frame(2160, 3840)),
    "9:21": (Frame(656, 1536), Frame(1328, 3104), Frame(1648, 3840)),
}
FRAMES: dict[tuple[str, str], Frame] = {}
for _ratio, _frames in _PORTRAIT_FRAMES.items():
    _width, _height = _ratio.split(":")
    for _tier, _frame in zip(TIERS, _frames, strict=True):
        FRAMES[_ratio, _tier] = _frame
        FRAMES[f"{_height}:{_width}", _tier] = Frame(_frame.height_px, _frame.width_px)

AUTO_FRAME = Frame(1024, 1024)  # GEN-8

# GEN-6: all that the reference profile puts out.
REFERENCE_OUTPUTS = (
    Frame(1024, 1024), Frame(1536, 1024), Frame(1024, 1536), Frame(2048, 2048),
    Frame(2048, 1152), Frame(3840, 2160), Frame(2160, 3840),
)  # fmt: skip


def parse_pixel_size(size: str) -> Frame | None:
    """Read ``WIDTHxHEIGHT``; None where ``size`` is something else."""
    match = _PIXEL_SIZE.fullmatch(size)
    return Frame(int(match[1]), int(match[2])) if match else None


def resolve_frame(size: str, tier: str, profile: Profile, param: str = "size") -> Frame:
    """Decide the output's pixels.

    Args:
        size: ``auto``, a ratio, or ``WIDTHxHEIGHT``.
        tier: ``1K``, ``2K`` or ``4K``; acts only where ``size`` is a ratio (GEN-5).
        profile: whether a size is the frame or maps to the nearest output.
        param: the field that the size came in, for messages.

    Raises:
        Refusal: the size is none of these, or outside the model's limits.
    """
    if size == "auto":
        return AUTO_FRAME
    known = FRAMES.get((size, tier))
    if known is not None and not profile.maps_sizes:
        return known
    frame = known or parse_pixel_size(size)
    if frame is None and _OUT_OF_RANGE_PIXEL_SIZE.fullmatch(size):
        frame = Frame(10**6, 10**6)
    if frame is None:
        raise Refusal.invalid_value(param, size, f"one of {_ACCEPTED}", claim="GEN-2")
    if profile.maps_sizes:
        return nearest_output(frame)
    problems = broken_limits(frame)
    if problems:
        message = (
            f"{param} {size} is outside the model's limits: {'; '.join(problems)}."
            f" Accepted: both edges multiples of {EDGE_STEP_PX} and at most {MAX_EDGE_PX}, ratio at"
            f" most {MAX_RATIO}:1, {MIN_PIXELS:,} to {MAX_PIXELS:,} pixels, for example"
            f" {nearest_valid_frame(frame)}."
        )
        raise Refusal("invalid_size", message, param, claim="GEN-4")
    return frame


def is_drawable(frame: Frame) -> bool:
    """Whether a picture of these pixels can be drawn."""
    least, most = DRAWN_EDGE_PX
    return all(least <= edge <= most for edge in (frame.width_px, frame.height_px))


def frame_override(size: str, tier: str, overrides: FrameOverrides) -> Frame | None:
    """The pixels that a setting gives a size, before any rule; None where it gives none."""
    return overrides.get((size, tier)) or overrides.get((size, ""))


def frames_text(overrides: FrameOverrides) -> str:
    """Write overrides as ``--frames`` takes them."""
    return ",".join(
        f"{size}@{tier}={frame}" if tier else f"{size}={frame}"
        for (size, tier), frame in overrides.items()
    )


def nearest_output(frame: Frame) -> Frame:
    """Map a frame to the nearest reference output of the same orientation (GEN-6).

    Nearest is the distance of the logarithms of both edges.
    """
    orientation = _orientation(frame)
    candidates = [output for output in REFERENCE_OUTPUTS if _orientation(output) == orientation]
    return min(candidates, key=lambda output: _log_distance(frame, output))


def _orientation(frame: Frame) -> int:
    return (frame.width_px > frame.height_px) - (frame.width_px < frame.height_px)


def _log_distance(one: Frame, other: Frame) -> float:
    return math.hypot(
        math.log(one.width_px / other.width_px), math.log(one.height_px / other.height_px)
    )


def broken_limits(frame: Frame) -> list[str]:
    """Say which of the model's limits a frame breaks (GEN-4)."""
    width, height = frame.width_px, frame.height_px
    problems = []
    if width % EDGE_STEP_PX or height % EDGE_STEP_PX:
        problems.append(f"its edges are not both multiples of {EDGE_STEP_PX}")
    if max(width, height) > MAX_EDGE_PX:
        problems.append(f"its longest edge is over {MAX_EDGE_PX}")
    if max(width, height) > MAX_RATIO * min(width, height):
        problems.append(f"its ratio is over {MAX_RATIO}:1")
    if not MIN_PIXELS <= frame.pixels <= MAX_PIXELS:
        problems.append(f"it has {frame.pixels:,} pixels")
    return problems


def nearest_valid_frame(frame: Frame) -> Frame:
    """Suggest a frame inside the limits with about the same shape."""
    width, height = frame.width_px, frame.height_px
    ratio = min(max(width / height, 1 / MAX_RATIO), MAX_RATIO)
    pixels = min(max(width * height, MIN_PIXELS), MAX_PIXELS)
    edges = (math.sqrt(pixels * ratio), math.sqrt(pixels / ratio))
    shrink = min(1.0, MAX_EDGE_PX / max(edges))
    width, height = (
        max(EDGE_STEP_PX, round(edge * shrink / EDGE_STEP_PX) * EDGE_STEP_PX) for edge in edges
    )
    while broken_limits(candidate := Frame(width, height)):
        # Rounding can leave a limit by one step; walk back inside it.
        if candidate.pixels > MAX_PIXELS or max(width, height) > MAX_EDGE_PX:
            width, height = (width - 16, height) if width >= height else (width, height - 16)
        else:
            width, height = (width + 16, height) if width <= height else (width, height + 16)
    return candidate
