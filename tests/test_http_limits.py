"""How long a client let the server wait; how many connections a process can have."""

import pytest

from emulator.http_limits import Stopwatch, most_connections


def test_a_request_is_awaited_until_it_came_whole() -> None:
    watch = Stopwatch()
    assert watch.waited(0, now_seconds=10) == 0
    assert watch.waited(0, now_seconds=11) == 1
    assert watch.waited(0, now_seconds=12) == 2
    assert watch.waited(1, now_seconds=13) == 0
    assert watch.waited(1, now_seconds=14) == 1


def test_while_none_is_awaited_no_time_passes() -> None:
    watch = Stopwatch()
    assert watch.waited(1, now_seconds=10) == 0
    assert watch.waited(None, now_seconds=20) == 0
    assert watch.waited(None, now_seconds=30) == 0
    assert watch.waited(1, now_seconds=40) == 0
    assert watch.waited(1, now_seconds=41) == 1


def test_an_answer_lies_unread_until_some_of_it_is_read() -> None:
    watch = Stopwatch()
    assert watch.unread(500, now_seconds=10) == 0
    assert watch.unread(500, now_seconds=11) == 1
    assert watch.unread(900, now_seconds=12) == 2  # more was written
    assert watch.unread(899, now_seconds=13) == 0
    assert watch.unread(899, now_seconds=14) == 1


def test_what_was_read_whole_is_over() -> None:
    watch = Stopwatch()
    watch.unread(500, now_seconds=10)
    assert watch.unread(0, now_seconds=11) == 0
    assert watch.unread(0, now_seconds=99) == 0
    assert watch.unread(500, now_seconds=100) == 0
    assert watch.unread(500, now_seconds=101) == 1


@pytest.mark.parametrize(
    ("files", "most"), [(None, 10_000), (20_000, 10_000), (1024, 768), (256, 128), (300, 150)]
)
def test_connections_leave_files_for_the_rest(files: int | None, most: int) -> None:
    assert most_connections(10_000, files) == most
