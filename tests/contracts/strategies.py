"""What Hypothesis makes up: creations that every profile has to accept, and exchanges."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from contracts.exchange import CALLBACK, SENT, Exchange, ImageFacts, Request, Response
from contracts.field_rules import MAX_IMAGES, MODEL, QUALITIES
from contracts.frames import EDGE_STEP_PX, MAX_EDGE_PX, SIZES, TIERS, size_limits_broken
from contracts.redact import UNKNOWN_KEY
from tests.contracts.support import BASE_URL

_LARGEST_EDGE_STEP = MAX_EDGE_PX // EDGE_STEP_PX

NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12)
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=12)
HEADERS = st.lists(st.tuples(NAMES, WORDS), max_size=3).map(tuple)
BODIES = st.binary(max_size=30) | WORDS.map(str.encode)
IMAGES = st.builds(
    ImageFacts,
    st.sampled_from(["PNG", ""]),
    st.integers(0, 4000),
    st.integers(0, 4000),
    st.text("0123456789abcdef", max_size=8),
    st.none() | WORDS,
    st.binary(max_size=10),
)
RESPONSES = st.builds(Response, st.integers(100, 599), HEADERS, BODIES) | st.builds(
    Response, st.integers(100, 599), HEADERS, st.just(b""), IMAGES
)
EXCHANGES = st.builds(
    Exchange,
    number=st.just(0),
    sent_at=st.integers(0, 2**42).map(lambda microseconds: microseconds / 1000),
    seconds=st.integers(0, 10**7).map(lambda microseconds: microseconds / 1_000_000),
    request=st.builds(
        Request,
        st.sampled_from(["GET", "POST", "HEAD"]),
        NAMES.map(lambda name: f"{BASE_URL}/v1/{name}"),
        HEADERS,
        BODIES,
    ),
    response=st.none() | RESPONSES,
    failure=st.just("ConnectError: refused"),
    direction=st.sampled_from([SENT, CALLBACK]),
    sender=st.sampled_from(["", "key-1", UNKNOWN_KEY]),
    purpose=WORDS,
    late_by_seconds=st.integers(0, 9).map(float),
).map(lambda one: replace(one, failure=one.failure if one.response is None else None))


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
