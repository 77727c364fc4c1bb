"""Readers of settings: text -> value. A ``ValueError`` names what is accepted."""

import re
from collections.abc import Callable

from emulator.core.address import split_http_url
from emulator.core.callback import parse_secret
from emulator.core.errors import Refusal
from emulator.core.frame import (
    DRAWN_EDGE_PX,
    SIZES,
    TIERS,
    Frame,
    is_drawable,
    parse_pixel_size,
)
from emulator.core.latency import Latency
from emulator.core.pricing import MILLION
from emulator.core.profile import PROFILES, Profile

_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)
_TOKEN = re.compile(r"[!-~]{8,256}", re.ASCII)


def one_of(*names: str) -> Callable[[str], str]:
    """Read one of a few words."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return text

    return parse


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Read a whole number within bounds."""

    def parse(text: str) -> int:
        if not text.strip().isascii() or not text.strip().isdigit() or len(text) > 18:
            raise ValueError(f"a whole number from {least:,} to {most:,}")
        if not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least:,} to {most:,}")
        return int(text)

    return parse


def seconds(least: float, most: float) -> Callable[[str], float]:
    """Read a number of seconds within bounds."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ValueError(f"a number of seconds from {least:g} to {most:g}")
        return value

    return parse


def on_or_off(text: str) -> bool:
    """Read a switch."""
    return one_of("on", "off")(text) == "on"


def _pairs(text: str) -> dict[str, str]:
    """Read ``NAME=VALUE,...``; empty where it is something else."""
    try:
        return dict(part.strip().split("=") for part in text.split(","))
    except ValueError:
        return {}


def _table(
    text: str, keys: tuple[str, ...], example: str, optional: tuple[str, ...] = ()
) -> dict[str, float]:
    try:
        table = {key: float(value) for key, value in _pairs(text).items()}
    except ValueError:
        table = {}
    if set(table) - set(optional) != set(keys) or not all(
        0 <= value <= 1e9 for value in table.values()
    ):
        raise ValueError(f"a number for each of {', '.join(keys)}, such as {example}")
    return {key: table[key] for key in (*keys, *optional) if key in table}


def prices(text: str) -> dict[str, int]:
    example = "1K=30,2K=60,4K=120"
    table = _table(text, ("1K", "2K", "4K"), example)
    if any(value != int(value) for value in table.values()):
        raise ValueError(f"whole credits, such as {example}")
    return {tier: int(value) for tier, value in table.items()}


def quality_factors(text: str) -> dict[str, int]:
    example = "low=0.5,medium=1,high=2"
    table = _table(text, ("low", "medium", "high"), example, optional=("auto",))
    millionths = {quality: round(value * MILLION) for quality, value in table.items()}
    return {"auto": millionths["medium"], **millionths}


def price_pixels(text: str) -> dict[str, int]:
    table = _table(text, ("1K", "2K"), "1K=1700000,2K=4400000")
    return {tier: int(value) for tier, value in table.items()}


def frames(text: str) -> dict[tuple[str, str], Frame]:
    """Read what comes out for a size, or for a size and a tier."""
    found: dict[tuple[str, str], Frame] = {}
    for key, value in _pairs(text).items():
        size, at, tier = key.partition("@")
        frame, is_pixels = parse_pixel_size(value), parse_pixel_size(size) is not None
        # GEN-5: a tier only acts where the size leaves the pixels open.
        known = (size in SIZES and (tier in TIERS or not at)) or (is_pixels and not at)
        if not known or frame is None or not is_drawable(frame):
            found = {}
            break
        found[size, tier] = frame
    if not found:
        raise ValueError(
            "a picture for a size, or for a ratio or auto at a tier, such as"
            " 16:9@1K=1536x1024,auto=1024x1024,1280x720=1536x1024, with edges from"
            f" {DRAWN_EDGE_PX[0]} to {DRAWN_EDGE_PX[1]}"
        )
    return found


def delays(text: str) -> tuple[float, ...]:
    read = seconds(0, 1e6)
    try:
        delays = tuple(read(part) for part in text.split(","))
    except ValueError:
        delays = ()
    if not 1 <= len(delays) <= 20:
        raise ValueError("1 to 20 numbers of seconds, such as 0,5,30,120,600,3600")
    return delays


def share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError("a number from 0 to 1")
    return value


def latency(text: str) -> Latency:
    try:
        return Latency.parse(text)
    except Refusal as refusal:
        accepted = "instant, fast, realistic, a number of seconds, or a range such as 12.5-31"
        raise ValueError(accepted) from refusal


def secret(text: str) -> bytes:
    try:
        return parse_secret(text)
    except Refusal as refusal:
        raise ValueError("whsec_ followed by the base64 of 24 to 64 bytes") from refusal


def public_url(text: str) -> str:
    parts = split_http_url(text)
    if parts is None or parts.query or parts.fragment:
        raise ValueError("an absolute http(s) URL, such as http://emulator:8080")
    return text.rstrip("/")


def otlp_endpoint(text: str) -> str:
    parts = split_http_url(text)
    if parts is None or parts.query or parts.fragment:
        raise ValueError("an OTLP receiver's http(s) URL, such as http://collector:4318")
    return text.rstrip("/")


def host_names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().rstrip(".").lower() for name in text.split(",") if name.strip())
    if not all(_HOST_NAME.fullmatch(name) for name in names):
        raise ValueError("comma-separated host names without ports, such as emulator.test")
    return names


def token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError("8 to 256 visible ASCII characters without a space")
    return text


def terms(text: str) -> tuple[str, ...]:
    return tuple(term.strip().casefold() for term in text.split(",") if term.strip())


def profile(text: str) -> Profile:
    return PROFILES[one_of(*PROFILES)(text)]


def hours(text: str) -> float:
    """Read a number of hours."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.001 <= value <= 100_000:
        raise ValueError("a number of hours from 0.001 to 100,000")
    return value


def days(text: str) -> float:
    """Read a number of days."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100_000:
        raise ValueError("a number of days from 0 to 100,000")
    return value


def expired_status(text: str) -> int:
    """Read the status of a dead link."""
    return int(one_of("403", "404", "410")(text))
