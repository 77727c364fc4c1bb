"""Sizes and pixels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.errors import Refusal
from emulator.core.frame import (
    EDGE_STEP_PX,
    FRAMES,
    MAX_EDGE_PX,
    MAX_PIXELS,
    MIN_PIXELS,
    RATIOS,
    TIERS,
    Frame,
    frame_override,
    parse_pixel_size,
    resolve_frame,
)
from emulator.core.profile import MODEL_PAGE, REFERENCE

BUDGET = {"1K": 1024**2, "2K": 2048**2, "4K": MAX_PIXELS}


def keeps_the_limits(frame: Frame) -> bool:
    edges = (frame.width_px, frame.height_px)
    return (
        all(edge % EDGE_STEP_PX == 0 for edge in edges)
        and max(edges) <= MAX_EDGE_PX
        and max(edges) <= 3 * min(edges)
        and MIN_PIXELS <= frame.pixels <= MAX_PIXELS
    )


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("ratio", RATIOS)
def test_gen_7_each_frame_keeps_the_rule(ratio: str, tier: str) -> None:
    across, down = map(int, ratio.split(":"))
    frame = FRAMES[ratio, tier]
    assert keeps_the_limits(frame)
    assert abs(frame.width_px * down / (frame.height_px * across) - 1) <= 0.01
    assert frame.pixels <= BUDGET[tier]
    if max(frame.width_px, frame.height_px) < MAX_EDGE_PX:
        assert frame.pixels >= 0.94 * BUDGET[tier]


def test_gen_7_landscape_mirrors_portrait() -> None:
    for (ratio, tier), frame in FRAMES.items():
        across, down = ratio.split(":")
        assert FRAMES[f"{down}:{across}", tier] == Frame(frame.height_px, frame.width_px)


@pytest.mark.parametrize(
    ("size", "tier", "output"),
    [
        ("1280x720", "1K", "1536x1024"),
        ("1920x1080", "1K", "2048x1152"),
        ("1440x2560", "1K", "2160x3840"),
        ("3840x2160", "1K", "3840x2160"),
        ("1x1", "1K", "1024x1024"),
        ("999999x1", "1K", "2048x1152"),
        ("16:9", "1K", "1536x1024"),
        ("16:9", "4K", "3840x2160"),
        ("1:1", "4K", "2048x2048"),
        ("auto", "4K", "1024x1024"),
    ],
)
def test_gen_6_the_reference_profile_maps_to_the_nearest_output(
    size: str, tier: str, output: str
) -> None:
    assert str(resolve_frame(size, tier, REFERENCE)) == output


def test_gen_8_auto_is_1024_whatever_the_tier() -> None:
    assert {resolve_frame("auto", tier, MODEL_PAGE) for tier in TIERS} == {Frame(1024, 1024)}


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_gen_4_a_size_is_the_frame_or_refused_with_a_valid_example(width: int, height: int) -> None:
    try:
        frame = resolve_frame(f"{width}x{height}", "1K", MODEL_PAGE)
    except Refusal as refusal:
        assert not keeps_the_limits(Frame(width, height))
        suggested = parse_pixel_size(refusal.message.rpartition(" ")[2].rstrip("."))
        assert suggested is not None
        assert keeps_the_limits(suggested)
    else:
        assert frame == Frame(width, height)
        assert keeps_the_limits(frame)


@given(st.text())
def test_any_text_is_a_size_or_a_refusal(size: str) -> None:
    for profile in (MODEL_PAGE, REFERENCE):
        try:
            frame = resolve_frame(size, "1K", profile)
        except Refusal as refusal:
            assert "size" in refusal.message
        else:
            assert keeps_the_limits(frame)


def test_an_override_is_for_its_size_and_tier_only() -> None:
    overrides = {("16:9", "1K"): Frame(1536, 1024), ("16:9", ""): Frame(1792, 1008)}
    assert frame_override("16:9", "1K", overrides) == Frame(1536, 1024)
    assert frame_override("16:9", "4K", overrides) == Frame(1792, 1008)
    assert frame_override("9:16", "1K", overrides) is None
    assert frame_override("16:9@1K", "2K", overrides) is None
