"""Each fuzz target holds on its seeds, so that a run begins with what works."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.fuzz_targets import TARGETS, check


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=20)
    @given(st.sampled_from(target.seeds) | st.binary(max_size=60), st.integers(0, 60))
    def feed(content: bytes, cut: int) -> None:
        check(target, content)
        check(target, content[cut:])

    feed()
