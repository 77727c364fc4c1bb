"""Histories that an order explains, histories that none does, and any that was made from one."""

from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.torture.account_model import (
    DONE,
    ENDED_BEFORE,
    NO_CREDITS,
    PENDING,
    UNKNOWN,
    Balance,
    Command,
    Create,
    Finish,
    Grant,
    Poll,
    SetCredits,
    State,
    step,
)
from scripts.torture.linear import Operation, explanation

START = State(100)


def op(started: float, ended: float, command: Command, answer: object) -> Operation:
    return Operation(started, ended, command, answer)


def lost(started: float, command: Command) -> Operation:
    """An operation whose answer was not read."""
    return Operation(started, inf, command, UNKNOWN)


EXPLAINED = {
    "nothing happened": [],
    "one after the other": [
        op(0, 1, Create(30), "t1"),
        op(2, 3, Balance(), 70),
        op(4, 5, Finish("t1", "failed"), DONE),
        op(6, 7, Poll("t1"), "failed"),
        op(8, 9, Balance(), 100),
    ],
    "the balance was read in the middle": [op(0, 9, Create(30), "t1"), op(1, 2, Balance(), 100)],
    "or after it": [op(0, 9, Create(30), "t1"), op(1, 2, Balance(), 70)],
    "only one of two has credits": [
        op(0, 9, Create(60), "t1"),
        op(0, 9, Create(60), NO_CREDITS),
    ],
    "one of two ends it": [
        op(0, 1, Create(30), "t1"),
        op(2, 9, Finish("t1", "failed"), ENDED_BEFORE),
        op(2, 9, Finish("t1", "succeeded"), DONE),
        op(3, 4, Poll("t1"), PENDING),
        op(5, 6, Poll("t1"), "succeeded"),
    ],
    "what was lost happened": [lost(0, Create(30)), op(1, 2, Balance(), 70)],
    "what was lost happened late": [
        lost(0, Create(30)),
        op(1, 2, Balance(), 100),
        op(3, 4, Balance(), 70),
    ],
    "what was lost never happened": [lost(0, Create(30)), op(1, 2, Balance(), 100)],
    "two of three lost ones happened": [
        *(lost(0, Create(30)) for _ in range(3)),
        op(1, 2, Balance(), 40),
    ],
}
NOT_EXPLAINED = {
    "a credit is missing": [op(0, 1, Create(30), "t1"), op(2, 3, Balance(), 69)],
    "a stale balance": [op(0, 1, Create(30), "t1"), op(2, 3, Balance(), 100)],
    "both spent the same credits": [op(0, 9, Create(60), "t1"), op(0, 9, Create(60), "t2")],
    "refused, though there was enough": [op(0, 1, Create(30), NO_CREDITS)],
    "ended twice": [
        op(0, 1, Create(30), "t1"),
        op(2, 9, Finish("t1", "failed"), DONE),
        op(2, 9, Finish("t1", "succeeded"), DONE),
    ],
    "refunded twice": [
        op(0, 1, Create(30), "t1"),
        op(2, 9, Finish("t1", "failed"), DONE),
        op(10, 11, Balance(), 130),
    ],
    "one reader saw the end, a later one did not": [
        op(0, 1, Create(30), "t1"),
        op(2, 9, Finish("t1", "failed"), DONE),
        op(3, 4, Poll("t1"), "failed"),
        op(5, 6, Poll("t1"), PENDING),
    ],
    "an id came twice": [op(0, 1, Create(30), "t1"), op(2, 3, Create(30), "t1")],
    "an update was lost": [
        op(0, 9, Grant(10), DONE),
        op(0, 9, Grant(10), DONE),
        op(10, 11, Balance(), 110),
    ],
    "what was lost came before it was sent": [op(0, 1, Balance(), 70), lost(2, Create(30))],
    "and did not happen twice": [lost(0, Create(30)), op(1, 2, Balance(), 40)],
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_an_order_is_found(name: str) -> None:
    order = explanation(START, EXPLAINED[name])
    assert order is not None
    assert {o for o in EXPLAINED[name] if o.is_known} <= set(order)


@pytest.mark.parametrize("name", NOT_EXPLAINED)
def test_no_order_is_found(name: str) -> None:
    assert explanation(START, NOT_EXPLAINED[name]) is None


COMMANDS = st.lists(
    st.one_of(
        st.builds(Create, st.integers(1, 60)),
        st.builds(Grant, st.integers(0, 50)),
        st.builds(SetCredits, st.integers(0, 100)),
        st.builds(Balance),
        st.tuples(st.sampled_from(["poll", "succeeded", "failed"]), st.integers(0, 9)),
    ),
    max_size=14,
)


@st.composite
def overlapped(draw: st.DrawFn) -> list[Operation]:
    """A run one after the other, whose operations are then said to have taken longer."""
    state = START
    made: list[str] = []
    history: list[Operation] = []
    for at, drawn in enumerate(draw(COMMANDS)):
        command: Command
        if not isinstance(drawn, tuple):
            command = drawn
        elif made:
            what, number = drawn
            task_id = made[number % len(made)]
            command = Poll(task_id) if what == "poll" else Finish(task_id, what)
        else:
            continue
        answer, state = _run(state, command, f"t{at}")
        if isinstance(command, Create) and answer != NO_CREDITS:
            made.append(answer)
        before, after = draw(st.floats(0.1, 3)), draw(st.floats(0.1, 3))
        # Nobody asks for a task before its creation was answered: creations end in time.
        ended = at + (0.4 if isinstance(command, Create) else after)
        started = at - (min(before, 0.4) if isinstance(command, Poll | Finish) else before)
        is_lost = not isinstance(command, Create) and draw(st.integers(0, 9)) == 0
        history.append(lost(started, command) if is_lost else op(started, ended, command, answer))
    return draw(st.permutations(history))


def _run(state: State, command: Command, new_id: str) -> tuple[Any, State]:
    """What a command answers, and the state after it."""
    answers: list[object] = [new_id, NO_CREDITS, DONE, ENDED_BEFORE, PENDING, "succeeded", "failed"]
    if isinstance(command, Balance):
        answers = [state.available]
    elif isinstance(command, Create):
        answers = answers[:2]
    elif isinstance(command, Finish):
        answers = answers[2:4]
    elif isinstance(command, Grant | SetCredits):
        answers = [DONE]
    found = ((answer, step(state, command, answer)) for answer in answers)
    return next((answer, after) for answer, after in found if after is not None)


@given(history=overlapped())
def test_what_happened_one_after_the_other_is_always_explained(history: list[Operation]) -> None:
    assert explanation(START, history) is not None


@settings(max_examples=50)
@given(history=overlapped())
def test_credits_out_of_nowhere_are_never_explained(history: list[Operation]) -> None:
    end = max((o.ended for o in history if o.is_known), default=0)
    given_in_all = sum(
        o.command.credits for o in history if isinstance(o.command, Grant | SetCredits)
    )
    too_much = op(end + 1, end + 2, Balance(), START.available + given_in_all + 1)
    assert explanation(START, [*history, too_much]) is None
