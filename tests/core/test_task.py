"""A task's life, for any request and any moment."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from emulator.core.fault import Hit
from emulator.core.fault_catalogue import PROVOKED_FAILURES
from emulator.core.frame import Frame
from emulator.core.profile import MODEL_PAGE, REFERENCE, Profile
from emulator.core.request import ImageRequest
from emulator.core.task import TRANSITIONS, Status, Task, Timeline, plan
from emulator.core.task_detail import shown_status, task_detail

DAY_MS = 86_400_000
REQUEST = ImageRequest("gpt-image-2", "x", "auto", "1K", "medium", 4, Frame(1024, 1024))

FAULTS = st.none() | st.one_of(
    st.sampled_from([Hit("task_hangs", {}), Hit("no_usable_media", {}), Hit("task_jitter", {})]),
    st.sampled_from(PROVOKED_FAILURES).map(lambda code: Hit("task_fails", {"code": code})),
    st.integers(0, 10).map(lambda images: Hit("partial", {"images": images})),
    st.integers(0, 10**6).map(lambda seconds: Hit("task_slow", {"seconds": seconds})),
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
    assert 0 <= timeline.images <= REQUEST.n
    assert timeline.images == 0 or timeline.error_code is None


def test_only_one_fault_lets_a_task_succeed_without_images() -> None:
    def images(fault: Hit | None) -> Timeline:
        return plan(
            REQUEST, now=0, duration_ms=1, stuck_after_ms=9, starts_pending=True, fault=fault
        )

    assert images(Hit("no_usable_media", {})) == Timeline(0, 1, 0, None)
    assert images(Hit("partial", {"images": 0})) == Timeline(0, 1, 0, "not_found")
    assert images(None) == Timeline(0, 1, 4, None)


@given(TIMELINES, st.integers(0, 2 * 10**12))
def test_task_8_only_a_profile_that_says_so_expires(timeline: Timeline, instant: int) -> None:
    assert task(timeline).status_at(instant) is not Status.EXPIRED


def test_task_11_a_task_that_takes_too_long_fails_when_the_sweep_comes() -> None:
    timeline = plan(
        REQUEST, now=1000, duration_ms=601, stuck_after_ms=600, starts_pending=True, fault=None
    )
    assert timeline == Timeline(1000 + 120, 1600, 0, "timeout")


@given(
    timeline=TIMELINES,
    profile=st.sampled_from([MODEL_PAGE, REFERENCE]),
    instants=st.lists(st.integers(0, 10**12 + 3 * DAY_MS), min_size=2, max_size=9),
)
def test_what_is_told_of_a_task_changes_with_its_status_only(
    timeline: Timeline, profile: Profile, instants: list[int]
) -> None:
    told: dict[Status, object] = {}
    edges = [timeline.starts_at, timeline.ends_at, timeline.ends_at + DAY_MS]
    for now in (*instants, *edges, *(edge - 1 for edge in edges), *(edge + 1000 for edge in edges)):
        status = shown_status(task(timeline), now, profile, DAY_MS)
        detail = task_detail(task(timeline), now, profile, b"secret", DAY_MS)
        assert told.setdefault(status, detail) == detail
