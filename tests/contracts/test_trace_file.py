"""A trace on disk: whole after each exchange, and the same as the one in memory."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange import Exchange
from contracts.har import from_har, read_har, to_har
from contracts.trace_file import TraceFile, unfinished
from tests.contracts.strategies import EXCHANGES
from tests.contracts.support import exchange, trace


@given(st.lists(EXCHANGES, max_size=3), st.lists(EXCHANGES, max_size=3))
def test_the_file_is_the_trace_after_each_exchange(
    before: list[Exchange], later: list[Exchange]
) -> None:
    kept = trace(*before, run_id="a1", more="x" * 99)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trace.har"
        path.write_text("left by another run, and longer" * 100)
        file = TraceFile(path, kept)
        assert json.loads(path.read_bytes()) == to_har(kept)
        for number, one in enumerate(later):
            kept.exchanges.append(one)
            kept.facts["more"] = "y" * number
            if number % 2:  # else it was interrupted on its way
                continue
            file.catch_up()
            assert json.loads(path.read_bytes()) == to_har(kept)


def test_what_a_killed_run_left_is_read_as_a_trace(tmp_path: Path) -> None:
    kept = trace(exchange("GET", "/v1/models"), run_id="a1", target="other")
    path = unfinished(tmp_path, "a1")
    TraceFile(path, kept)
    assert path.name == "unfinished-a1.har"
    assert read_har(path) == from_har(to_har(kept))
