"""Creations that every profile has to accept, for Hypothesis."""

from typing import Any

from hypothesis import strategies as st

from contracts.field_rules import MAX_IMAGES, MODEL, QUALITIES
from contracts.frames import EDGE_STEP_PX, MAX_EDGE_PX, SIZES, TIERS, size_limits_broken

_LARGEST_EDGE_STEP = MAX_EDGE_PX // EDGE_STEP_PX


def pixel_sizes() -> st.SearchStrategy[str]:
    """``WIDTHxHEIGHT`` inside the model's limits (GEN-4)."""
    steps = st.integers(1, _LARGEST_EDGE_STEP)
    sizes = st.tuples(steps, steps).map(lambda steps: [step * EDGE_STEP_PX for step in steps])
    return sizes.filter(lambda edges: not size_limits_broken(*edges)).map(
        lambda edges: f"{edges[0]}x{edges[1]}"
    )


def valid_bodies() -> st.SearchStrategy[dict[str, Any]]:
    """JSON bodies of creations that every profile has to accept, without URLs to call or fetch."""
    characters = st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="["
    )
    return st.fixed_dictionaries(
        {
            "model": st.just(MODEL),
            "prompt": st.text(characters, min_size=1, max_size=60).filter(str.strip),
        },
        optional={
            "size": st.sampled_from(SIZES) | pixel_sizes(),
            "resolution": st.sampled_from(TIERS),
            "quality": st.sampled_from(QUALITIES),
            "n": st.integers(1, MAX_IMAGES),
        },
    )
