"""The spend ledger: exact to the credit, on disk, whoever else writes."""

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import ledger
from contracts.ledger import DayFile, LimitReachedError, Reservation, SpendLedger
from contracts.options import EXIT_FILE, EXIT_LIMIT, EngineError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "day.jsonl"


@given(
    limit=st.integers(0, 500),
    steps=st.lists(
        st.tuples(st.integers(1, 200), st.none() | st.integers(0, 300), st.booleans()), max_size=25
    ),
)
def test_nothing_is_reserved_beyond_the_limit(
    limit: int, steps: list[tuple[int, int | None, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    day = DayFile(tmp_path_factory.mktemp("day") / "day")
    runs = [SpendLedger(limit, day), SpendLedger(limit, day)]  # two runs of a day
    in_memory = SpendLedger(limit, None)
    spent = 0
    for price, actual, which in steps:
        fits = spent + price <= limit
        try:
            reserved = runs[which].reserve(price, "POST")
            mirrored = in_memory.reserve(price, "POST")
        except LimitReachedError as error:
            assert not fits
            assert error.exit_code == EXIT_LIMIT
            continue
        assert fits
        spent += price
        if actual is not None:
            runs[which].settle(reserved, actual)
            in_memory.settle(mirrored, actual)
            spent += actual - price
        assert runs[0].today_credits == runs[1].today_credits == spent
        assert in_memory.today_credits == spent
    assert runs[0].spent_credits + runs[1].spent_credits == spent


def test_without_a_limit_everything_is_written_down(path: Path) -> None:
    spend = SpendLedger(None, DayFile(path))
    first = spend.reserve(10**9, "POST /a")
    spend.reserve(5, "POST /b")
    spend.settle(first, 7)
    assert (spend.spent_credits, spend.unsettled_credits, spend.today_credits) == (12, 5, 12)


def test_the_last_word_counts(path: Path) -> None:
    spend = SpendLedger(100, DayFile(path))
    reserved = spend.reserve(30, "POST")
    for credits in (60, 0, 20):
        spend.settle(reserved, credits)
    assert spend.today_credits == 20
    assert [json.loads(line).get("settled") for line in path.read_text().splitlines()] == [
        None,
        60,
        0,
        20,
    ]


def test_runs_at_the_same_time_share_a_limit(path: Path) -> None:
    refused: list[LimitReachedError] = []

    def run() -> None:
        spend = SpendLedger(200, DayFile(path))
        for _ in range(10):
            try:
                spend.reserve(7, "POST")
            except LimitReachedError as error:
                refused.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert DayFile(path).total() == 28 * 7
    assert len(refused) == 12


@pytest.mark.parametrize(
    "torn", [b'{"id": "x", "res', b"{", b"\xff\xfe", b'{"id": "x", "settled": 9}']
)
def test_a_line_that_a_killed_run_left_torn_is_taken_away(path: Path, torn: bytes) -> None:
    spend = SpendLedger(100, DayFile(path))
    reserved = spend.reserve(30, "POST")
    with path.open("ab") as file:
        file.write(torn)
    spend.settle(reserved, 20)
    with path.open("ab") as file:
        file.write(torn)
    assert spend.today_credits == 20
    spend.reserve(80, "POST")
    assert DayFile(path).total() == 100


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"\xff\xfe\xfd",
        b"[]",
        b"{}",
        b"null",
        b'{"id": []}',
        b'{"id": "x"}',
        b'{"id": "x", "reserved": "y"}',
        b'{"id": "x", "reserved": 1e999}',
        b'{"id": "x", "settled": -500000}',
        b'{"id": "x", "settled": 1.5}',
        b'{"id": "x", "settled": true}',
    ],
)
def test_a_line_that_can_not_be_read_stops_all_spending(path: Path, line: bytes) -> None:
    spend = SpendLedger(100, DayFile(path))
    reserved = spend.reserve(30, "POST")
    with path.open("ab") as file:
        file.write(line + b"\n")
    for act in (
        lambda: spend.reserve(1, "POST"),
        lambda: spend.settle(reserved, 3),
        lambda: spend.today_credits,
    ):
        with pytest.raises(EngineError, match=r"line 2 of the spend ledger .*day\.jsonl") as error:
            act()
        assert error.value.exit_code == EXIT_FILE
    assert reserved.settled


def test_a_place_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="can't be written: File exists") as error:
        DayFile(tmp_path / "file" / "day.jsonl")
    assert error.value.exit_code == EXIT_FILE
    with pytest.raises(EngineError, match="Is a directory"):
        DayFile(tmp_path).total()


def test_a_file_that_goes_away_stops_all_spending(path: Path) -> None:
    spend = SpendLedger(100, DayFile(path))
    path.unlink()
    with pytest.raises(EngineError, match="can't be written: No such file"):
        spend.reserve(1, "POST")


def test_it_works_where_files_can_not_be_locked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "fcntl", None)
    spend = SpendLedger(10, DayFile(path))
    assert isinstance(spend.reserve(10, "POST"), Reservation)
    with pytest.raises(LimitReachedError):
        spend.reserve(1, "POST")


def test_what_the_balance_fell_by_is_spent(path: Path) -> None:
    """An overspend is written down once, and tells how many times dearer the target is."""
    spend = SpendLedger(1000, DayFile(path))
    spend.settle(spend.reserve(40, "POST"), 30)
    assert spend.note_fall(30) == 1
    assert spend.note_fall(90) == 3
    assert spend.note_fall(90) == 1
    assert (spend.spent_credits, spend.today_credits) == (90, 90)
    spend.settle(spend.reserve(30, "POST"), 30)
    assert spend.note_fall(180) == 3
    assert spend.spent_credits == spend.today_credits == 180
    with pytest.raises(LimitReachedError):
        spend.reserve(821, "POST")


def test_a_fall_that_nothing_was_told_of_has_no_factor(path: Path) -> None:
    spend = SpendLedger(100, DayFile(path))
    assert spend.note_fall(70) == 1
    assert spend.spent_credits == DayFile(path).total() == 70


def test_a_fall_beyond_the_limit_is_written_down_too(path: Path) -> None:
    spend = SpendLedger(100, DayFile(path))
    spend.note_fall(5000)
    assert DayFile(path).total() == 5000
