"""A task's life, for any request and any moment."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from emulator.core.fault import PROVOKED_FAILURES, Fault
from emulator.core.frame import Frame
from emulator.core.request import ImageRequest
from emulator.core.task import TRANSITIONS, Status, Task, Timeline, plan

DAY_MS = 86_400_000
REQUEST = ImageRequest("gpt-image-2", "x", "auto", "1K", "medium", 4, Frame(1024, 1024))

FAULTS = st.none() | st.one_of(
    st.just(Fault("task_hangs")),
    st.sampled_from(PROVOKED_FAILURES).map(lambda code: Fault("task_fails", code)),
    st.integers(0, 10).map(lambda images: Fault("partial", images=images)),
)
TIMELINES = st.builds(
    plan,
    st.just(REQUEST),
    now=st.integers(0, 10**12),
    duration_ms=st.integers(0, 10**7),
    stuck_after_ms=st.integers(0, 10**6),
    starts_pending=st.booleans(),
    fault=FAULTS,
)


def task(timeline: Timeline) -> Task:
    return Task(
        "task_1",
        "acct_1",
        1,
        1,
        "k",
        "m",
        None,
        0,
        timeline,
        120,
        30 * timeline.images,
        False,
        "",
        "",
    )


def reachable(status: Status) -> set[Status]:
    found = {status}
    for following in TRANSITIONS[status]:
        found |= reachable(following)
    return found


@given(TIMELINES, st.lists(st.integers(0, 2 * 10**12), min_size=2).map(sorted))
def test_task_4_a_task_only_moves_forward(timeline: Timeline, instants: list[int]) -> None:
    seen = [task(timeline).status_at(instant, DAY_MS) for instant in instants]
    for before, after in pairwise(seen):
        assert after in reachable(before)


@given(TIMELINES)
def test_a_timeline_makes_sense(timeline: Timeline) -> None:
    assert timeline.starts_at <= timeline.ends_at
    assert (timeline.images == 0) == (timeline.error_code is not None)
    assert timeline.images <= REQUEST.n


@given(TIMELINES, st.integers(0, 2 * 10**12))
def test_task_8_only_a_profile_that_says_so_expires(timeline: Timeline, instant: int) -> None:
    assert task(timeline).status_at(instant) is not Status.EXPIRED


def test_task_11_a_task_that_takes_too_long_fails_when_the_sweep_comes() -> None:
    timeline = plan(
        REQUEST, now=1000, duration_ms=601, stuck_after_ms=600, starts_pending=True, fault=None
    )
    assert timeline == Timeline(1000 + 120, 1600, 0, "timeout")
