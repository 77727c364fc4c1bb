"""Colours: a picture is drawn in tones, and a ramp turns tones into colours.

A tone is a value of an 8-bit image. Low tones are the caption's (ground to ink), the others the
composition's (dark to light), so that antialiased edges stay within one of the two.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Final

CAPTION_TONES: Final = 48
GROUND: Final = 0
INK: Final = CAPTION_TONES - 1
MUTED: Final = 29
FAINT: Final = 10
DARK: Final = CAPTION_TONES
LIGHT: Final = 255
ACCENT: Final = 186

_RAMPS: Final = (
    "0b1033 3a1a5e 8f2a6f d9566a f79a66 ffe2ae",  # dusk
    "06141f 0c3b52 15707f 57b5a5 b9e0c0 f9f4dc",  # lagoon
    "0d1a16 1e4437 4f7c4c 9db45f dcd58a fbf5d6",  # forest
    "1b0c20 4e1942 93284f d1495b eda16d fbe6c8",  # rose
    "10131c 26384f 56637a a6a3a0 e8a87c fdeedc",  # slate and peach
    "081a3a 153d77 2d74b2 6bb1d6 b4dcea f6fbfb",  # ice
    "21100c 5d2a1a a0522d d98a4b efc281 fbf0d9",  # desert
    "120a2e 3b1d70 6d3fb3 b074d6 e9b3df fdeef5",  # violet
    "0a1f1c 14514b 2f8f7b f0956a f8c79a fdf1e1",  # teal and coral
    "1a0f08 4a2510 8a4b14 cf8a1d f0c24b fdf3cd",  # gold
    "0c1424 1f3a5f 4d6fa0 c98ca7 f1b9b0 fcefe6",  # blue hour
    "0f0f1a 33204d 7a2e6d c4416f f57e5e fdd98b",  # neon
    "0b1d26 18495a 3c7f85 96b79b e0d6a3 faf3e0",  # moss
    "1c0a12 5a1428 a3243b e2603f f7a951 fdeab8",  # ember
)


def _parse(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text)
    return red, green, blue


def _mix(a: tuple[int, int, int], b: tuple[int, int, int], part: int, whole: int) -> bytes:
    """Mix two colours, in whole numbers: the same on every machine."""
    return bytes(
        (x * (whole - part) + y * part + whole // 2) // whole for x, y in zip(a, b, strict=True)
    )


@lru_cache(maxsize=len(_RAMPS))
def palette(number: int) -> bytes:
    """Make the palette of a ramp.

    Args:
        number: any number; ramps repeat.

    Returns:
        256 RGB entries: the caption's tones, then the composition's.
    """
    stops = [_parse(stop) for stop in _RAMPS[number % len(_RAMPS)].split()]
    ground = _parse(_mix(stops[0], (8, 9, 13), 5, 8).hex())
    ink = _parse(_mix(stops[-1], (255, 255, 255), 5, 8).hex())
    entries = [_mix(ground, ink, tone, CAPTION_TONES - 1) for tone in range(CAPTION_TONES)]
    tones = 256 - CAPTION_TONES
    span = (tones - 1) * 16 // (len(stops) - 1)
    for tone in range(tones):
        place = min(tone * 16 // span, len(stops) - 2)
        first, second = list(pairwise(stops))[place]
        entries.append(_mix(first, second, tone * 16 - place * span, span))
    return b"".join(entries)
