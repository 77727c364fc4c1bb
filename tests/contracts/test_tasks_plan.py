"""The paid tasks of a plan: never too many, only what is possible, the same for the same seed."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.frames import RATIOS, TIERS, parse_pixel_size, size_limits_broken
from contracts.tasks_plan import Means, PlannedTask, plan_tasks

ALL = Means(faults=True, keys=True, callbacks=True, time=True)
NONE = Means(faults=False, keys=False, callbacks=False, time=False)
CALLED_BACK = replace(NONE, callbacks=True)
MEANS = st.sampled_from([NONE, CALLED_BACK, ALL])
COUNTS = st.integers(1, 11)
SEEDS = st.integers(0, 2**32)
FEW = settings(max_examples=10)  # each draws hundreds of candidates


@FEW
@given(COUNTS, MEANS, SEEDS)
@example(1, ALL, 0)
@example(2, ALL, 0)
def test_no_more_than_asked_for_and_numbered(count: int, means: Means, seed: int) -> None:
    tasks = plan_tasks(count, means, seed)
    assert [task.number for task in tasks] == list(range(1, count + 1))


@FEW
@given(COUNTS, MEANS, SEEDS)
def test_the_same_seed_gives_the_same_plan(count: int, means: Means, seed: int) -> None:
    assert plan_tasks(count, means, seed) == plan_tasks(count, means, seed)


def test_other_seeds_give_other_plans() -> None:
    assert len({repr(plan_tasks(5, ALL, seed)) for seed in range(8)}) > 4


@FEW
@given(COUNTS, MEANS, SEEDS)
def test_nothing_is_planned_that_is_not_possible(count: int, means: Means, seed: int) -> None:
    for task in plan_tasks(count, means, seed):
        assert means.faults or task.outcome == "succeeds"
        assert means.keys or task.key == "main"
        assert means.callbacks or task.callback == "none"
        assert means.time or task.callback != "never taken"
        assert means.time or task.outcome != "hangs"


@FEW
@given(COUNTS, MEANS, SEEDS)
def test_every_task_is_one_that_the_documents_allow(count: int, means: Means, seed: int) -> None:
    for task in plan_tasks(count, means, seed):
        size = task.fields.get("size", "auto")
        pixels = parse_pixel_size(size)
        assert size == "auto" or size in RATIOS or pixels is not None
        assert pixels is None or not size_limits_broken(pixels.width_px, pixels.height_px)
        assert task.fields.get("resolution", "1K") in TIERS
        assert task.fields.get("quality", "low") in ("low", "medium", "high")
        assert 1 <= task.fields.get("n", 1) <= 10
        assert task.references <= 16
        assert task.endpoint != "edits" or task.references >= 1
        assert task.outcome != "partial" or task.fields["n"] >= 2
        assert task.outcome != "hangs" or task.endpoint == "generations"


@FEW
@given(COUNTS, SEEDS)
def test_a_budget_is_shown_by_a_failure_and_then_a_success(count: int, seed: int) -> None:
    tasks = plan_tasks(count, ALL, seed)
    budgeted = [task for task in tasks if task.key == "budget"]
    assert [task.outcome for task in budgeted] in ([], ["fails", "succeeds"])
    if budgeted:
        one, other = budgeted
        assert one.fields == other.fields
        assert one.expected_credits == other.expected_credits


def test_a_budget_is_shown_at_all() -> None:
    assert all(any(task.key == "budget" for task in plan_tasks(30, ALL, seed)) for seed in range(5))


@FEW
@given(st.integers(10, 12), MEANS, SEEDS)
def test_ten_tasks_show_each_kind_of_call(count: int, means: Means, seed: int) -> None:
    tasks = plan_tasks(count, means, seed)
    assert {task.endpoint for task in tasks} == {"generations", "sync", "edits"}
    assert {task.prefix for task in tasks} == {"/v1", "/api/v1"}
    assert {task.key_header for task in tasks} == {"authorization", "x-api-key"}
    assert any(task.references for task in tasks if task.endpoint == "generations")
    assert any(task.fields.get("n", 1) > 1 for task in tasks)
    if means.faults:
        outcomes = {task.outcome for task in tasks}
        assert outcomes >= {"succeeds", "fails", "partial"}
    if means.callbacks:
        assert {task.callback for task in tasks} > {"none"}


@FEW
@given(COUNTS, MEANS, SEEDS)
def test_the_cheapest_success_comes_first(count: int, means: Means, seed: int) -> None:
    tasks = plan_tasks(count, means, seed)
    first = tasks[0]
    usual = [task for task in tasks if task.key == "main" and task.outcome == "succeeds"]
    if usual and means.time:
        assert first in usual
        assert first.expected_credits == min(task.expected_credits for task in usual)
    if not means.time:
        assert all(a.expected_credits <= b.expected_credits for a, b in pairwise(tasks))


@pytest.mark.parametrize(
    ("fields", "credits"),
    [({}, 30), ({"n": 3, "quality": "low"}, 45), ({"size": "16:9", "resolution": "4K"}, 120)],
)
def test_a_task_knows_its_assumed_price(fields: dict[str, object], credits: int) -> None:
    task = PlannedTask(
        1, "generations", "succeeds", "none", 0, "plain", "/v1", "authorization", "main", fields
    )
    assert task.expected_credits == credits
