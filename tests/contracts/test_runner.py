"""A run: what each mode sends, where it stops, and what is written down by then."""

import json
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from contracts.exchange import fields_of
from contracts.har import from_har, to_har
from contracts.kit import run_kit, run_with_state
from contracts.ledger import DayFile
from contracts.observed import CREATIONS
from contracts.options import (
    EXIT_ENGINE,
    EXIT_INTERRUPTED,
    EXIT_LIMIT,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    EngineError,
    Options,
)
from contracts.plan import MOST_ACCEPTED_REJECTS
from contracts.progress import Silent
from contracts.reject_catalogue import CATALOGUE
from contracts.run_report import RunReport
from contracts.runner import INTERRUPTED
from contracts.target import Clock
from contracts.tasks_plan import PlannedTask
from contracts.verdict import Verdict
from contracts.view import View
from emulator.testing import Emulator
from tests.contracts.stand_in import (
    Api,
    Reply,
    Served,
    answering,
    new_key,
    says,
    served,
    upstream,
)

KEY = "sk-client-0123456789abcdef"
OPTIONS = Options(key=KEY, max_credits=10_000, tasks=4, timeout_seconds=5)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "wait", lambda self, seconds: None)


@pytest.fixture
def few_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.plan.CATALOGUE", CATALOGUE[::25])


class Stopper(Silent):
    """Lets something happen at the n-th step of a phase."""

    def __init__(self, phase: str, step: int, act: Callable[[], None]) -> None:
        self._wanted, self._left, self._act = phase, step, act
        self._phase = ""

    def phase(self, name: str, total: int | None = None) -> None:
        self._phase = name

    def step(self, text: str = "") -> None:
        if self._phase == self._wanted:
            self._left -= 1
            if self._left == 0:
                self._act()


def interrupt() -> None:
    raise KeyboardInterrupt


def api(**manners: Any) -> Any:
    return served(answering(Api(**manners)))


def spent_in(path: Path) -> int:
    return DayFile(path).total()


def methods(server: Served) -> set[str]:
    return {asked.method for asked in server.asked}


# Modes.


def test_reading_only_asks_and_spends_nothing() -> None:
    with api() as server:
        report = run_kit(server.url, replace(OPTIONS, mode="read-only", max_credits=None))
    assert methods(server) == {"GET"}
    assert report.spend.spent_credits == report.spend.creations == 0
    assert (report.mode, report.target_kind, report.strict) == ("read-only", "other", False)


def test_reading_named_tasks_fetches_their_pictures() -> None:
    named = ("task_7", "task_odd/../../credits?a=b#c", "téléphone")
    with api() as server:
        report = run_kit(
            server.url, replace(OPTIONS, mode="read-only", max_credits=None, task_ids=named)
        )
    paths = [asked.path for asked in server.asked]
    assert paths.count("/v1/tasks/task_7") == 2  # at first, and again at the end
    assert "/v1/tasks/task_odd/../../credits?a=b#c" in paths  # decoded from %2F
    assert "/v1/tasks/téléphone" in paths
    assert methods(server) == {"GET", "HEAD"}
    images = [e for e in report.trace if e.response and e.response.image]
    assert len(images) == 2


def test_must_reject_sends_no_task() -> None:
    with api() as server:
        known = replace(OPTIONS, credits_per_image=Fraction(30))
        report = run_kit(server.url, replace(known, mode="must-reject"))
    creations = [asked for asked in server.asked if asked.is_creation]
    assert len(creations) == report.spend.creations > 90
    assert {asked.status for asked in creations} <= {400, 401}
    assert report.spend.spent_credits == 0
    assert report.spend.refused_creations == report.spend.creations
    assert report.stopped is None


@pytest.mark.usefixtures("few_rejects")
def test_must_reject_comes_back_when_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(Clock, "wait", lambda self, seconds: waits.append(seconds))
    usual, busy = Api(), iter([True, True])

    def reply(request: Request) -> Reply:
        if request.method == "POST" and next(busy, False):
            return says({"error": {"code": "rate_limited"}}, 429, retry_after="60")
        return usual(request)

    with served(answering(reply)) as server:
        known = replace(OPTIONS, credits_per_image=Fraction(30), mode="must-reject")
        report = run_kit(server.url, known)
    assert waits[:2] == pytest.approx([60, 60], abs=1)
    assert report.stopped is None


@pytest.mark.usefixtures("few_rejects")
def test_a_target_that_asks_for_an_hour_ends_the_run() -> None:
    usual = Api()

    def reply(request: Request) -> Reply:
        busy = says({}, 429, retry_after="3600")
        return busy if request.method == "POST" else usual(request)

    with served(answering(reply)) as server:
        report = run_kit(server.url, replace(OPTIONS, mode="must-reject"))
    assert report.exit_code == EXIT_UNREACHABLE
    assert "asks to come back after 3,600 seconds" in str(report.stopped)
    assert len([asked for asked in server.asked if asked.is_creation]) == 1


@pytest.mark.usefixtures("few_rejects")
def test_paid_lets_tasks_live_and_leaves_links_for_later(tmp_path: Path) -> None:
    with api() as server:
        report, state = run_with_state(server.url, OPTIONS, day_file=DayFile(tmp_path / "day"))
    accepted = [asked for asked in server.asked if asked.is_creation and asked.status < 300]
    assert len(accepted) == 4
    assert report.spend.spent_credits == report.spend.today_credits == spent_in(tmp_path / "day")
    assert report.stopped is None
    assert report.exit_code == 0
    assert state is not None
    assert len(state.links) == 8
    alive = [link for link in state.links if link.over_at is not None]
    assert all(link.due_at > report.started_at + 24 * 3600 for link in state.links[1::2])
    assert alive == list(state.links[::2])
    assert all(23 < (link.due_at - report.started_at) / 3600 < 24 for link in alive)
    assert (state.run_id, state.target) == (report.run_id, server.url)
    assert report.pending


@pytest.mark.usefixtures("few_rejects")
def test_no_secret_is_in_a_trace_of_an_upstream(stand_in: Served) -> None:
    options = replace(OPTIONS, tasks=2, second_key="sk-second-0123456789abcdef")
    report, state = run_with_state(stand_in.url, options)
    text = json.dumps(to_har(report.trace))
    assert KEY not in text
    assert "sk-second" not in text
    assert "key-1" in text
    assert state is not None
    assert not any(link.url in text for link in state.links)  # their signatures are secrets too
    again = from_har(json.loads(text)).exchanges
    assert [e.response for e in again] == [e.response for e in report.trace]
    assert any(link.visits for link in View(report.trace).links.values())


def test_an_honest_upstream_breaks_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "wait", lambda self, seconds: time.sleep(seconds / 20))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with upstream(profile="reference", keys="strict") as server:
        options = replace(
            OPTIONS, key=new_key(server), second_key=new_key(server), tasks=4, concurrency=2,
            callback_port=port, public_callback_url=f"http://127.0.0.1:{port}", exclusive=True,
        )  # fmt: skip
        report = run_kit(server.url, options)
    broken = report.judgement.having(Verdict.FAIL, Verdict.NON_STRICT, Verdict.ENGINE_ERROR)
    assert [(verdict.claim_id, verdict.reason) for verdict in broken] == []
    assert report.judgement.profile == "reference"
    assert report.stopped is None
    assert len(report.judgement.having(Verdict.PASS)) > 35


def test_what_is_no_emulator_needs_a_limit_and_a_key() -> None:
    with api() as server:
        for options, words in (
            (replace(OPTIONS, max_credits=None), "needs a limit"),
            (replace(OPTIONS, max_credits=None, mode="must-reject"), "needs a limit"),
            (replace(OPTIONS, key=None), "no API key"),
        ):
            with pytest.raises(EngineError, match=words) as error:
                run_kit(server.url, options)
            assert error.value.exit_code == EXIT_USAGE
        assert {asked.path for asked in server.asked} == {"/_emulator/health"}


# The limit.


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("limit", [0, 29, 95, 500])
@pytest.mark.usefixtures("few_rejects")
def test_the_limit_is_never_passed(limit: int, concurrency: int, tmp_path: Path) -> None:
    with api(price=30) as server:
        options = replace(OPTIONS, max_credits=limit, tasks=6, concurrency=concurrency, mode="paid")
        report = run_kit(server.url, options, day_file=DayFile(tmp_path / "day"))
    paid = 30 * len([asked for asked in server.asked if asked.is_creation and asked.status < 300])
    assert paid <= report.spend.spent_credits <= limit
    assert report.spend.spent_credits == spent_in(tmp_path / "day")
    if report.stopped is not None:
        assert f"today's limit of {limit:,}" in report.stopped
        assert report.exit_code == EXIT_LIMIT


@pytest.mark.usefixtures("few_rejects")
def test_a_limit_is_used_up_to_the_credit(tmp_path: Path) -> None:
    """A target that tells each price: the tasks of the plan fit exactly, or one less does."""
    with api(price=30) as server:
        known = replace(OPTIONS, credits_per_image=Fraction(30))
        whole = run_kit(server.url, known, day_file=DayFile(tmp_path / "whole"))
        need = whole.spend.spent_credits
    for limit, stops in ((need, False), (need - 1, True)):
        with api(price=30) as server:
            day = DayFile(tmp_path / str(limit))
            report = run_kit(server.url, replace(known, max_credits=limit), day_file=day)
        assert (report.stopped is not None) == stops
        assert day.total() <= limit


@pytest.mark.usefixtures("few_rejects")
def test_a_limit_is_for_the_day(tmp_path: Path) -> None:
    day = DayFile(tmp_path / "day")
    with api() as server:
        first = run_kit(server.url, OPTIONS, day_file=day)
        rest = replace(OPTIONS, max_credits=first.spend.spent_credits + 45)
        second = run_kit(server.url, rest, day_file=day)
        third = run_kit(server.url, rest, day_file=day)
    assert first.stopped is None
    assert second.stopped is not None
    assert second.spend.today_credits <= first.spend.spent_credits + 45
    assert third.spend.today_credits == day.total() <= first.spend.spent_credits + 45


@pytest.mark.parametrize("tasks", [4, 8])
@pytest.mark.usefixtures("few_rejects")
def test_a_target_that_takes_more_than_it_said_is_stopped(tasks: int, tmp_path: Path) -> None:
    with api(price=2000) as server:
        options = replace(
            OPTIONS, max_credits=500, tasks=tasks, credits_per_image=Fraction(30), exclusive=True
        )
        report = run_kit(server.url, options, day_file=DayFile(tmp_path / "day"))
    told = [asked for asked in server.asked if asked.is_creation and asked.status == 202]
    assert len(told) == 1
    assert report.spend.spent_credits == spent_in(tmp_path / "day") >= 1000
    assert report.exit_code == EXIT_LIMIT
    assert report.stopped is not None
    assert "of today's limit of 500 are spent" in report.stopped


def test_a_budget_of_one_task_is_used_up() -> None:
    """The first of two gives it back, the second uses it up, the third is one too many."""
    with Emulator.start() as emulator:
        trace = run_kit(emulator.url, Options(tasks=10)).trace
    limits: dict[str, Any] = trace.facts["keys"]
    limited = next(sender for sender, limit in limits.items() if "budget_credits" in limit)
    answers = [
        fields_of(exchange.response.json if exchange.response else None)
        for exchange in trace
        if exchange.request.path in CREATIONS and exchange.sender == limited
    ]
    codes = [fields_of(answer.get("error")).get("code") for answer in answers]
    assert codes == [None, None, "api_key_budget_exhausted"]


def test_what_is_too_dear_at_first_is_sent_once_prices_are_known() -> None:
    """With no price but the highest documented one, eleven images do not fit into 2,000."""
    with api(price=30) as server:
        report = run_kit(server.url, replace(OPTIONS, max_credits=2000, tasks=3))
    purposes = [exchange.purpose for exchange in report.trace]
    paid, dear = purposes.index("create a task"), purposes.index("must be refused: n is 11")
    assert purposes.index("must be refused: the body is empty") < paid < dear
    assert report.stopped is None
    assert report.spend.spent_credits < 2000


def test_a_task_that_does_not_fit_leaves_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.plan.CATALOGUE", ())
    sizes: list[dict[str, Any]] = [{}, {"n": 10}, {"n": 2}]
    tasks = [
        PlannedTask(number, "generations", "succeeds", "none", 0, "plain", "/v1", "x-api-key",
                    "main", fields)
        for number, fields in enumerate(sizes, 1)
    ]  # fmt: skip
    monkeypatch.setattr("contracts.plan.plan_tasks", lambda *given: tuple(tasks))
    with api(price=30) as server:
        options = replace(OPTIONS, max_credits=100, credits_per_image=Fraction(30), task_ids=())
        report = run_kit(server.url, options)
    assert [asked.reserved for asked in server.asked if asked.status == 202] == [30, 60]
    assert report.spend.spent_credits == 90
    assert report.exit_code == EXIT_LIMIT
    assert report.stopped is not None
    assert "may cost 300 credits; 30 of today's limit of 100" in report.stopped


def test_what_is_taken_though_it_must_be_refused_is_counted_and_soon_over(tmp_path: Path) -> None:
    with api(refuses=False) as server:
        options = replace(OPTIONS, mode="must-reject")
        report = run_kit(server.url, options, day_file=DayFile(tmp_path / "day"))
    taken = [asked for asked in server.asked if asked.is_creation and asked.status in (200, 202)]
    assert len(taken) == report.spend.accepted_rejects == MOST_ACCEPTED_REJECTS
    assert report.spend.spent_credits == spent_in(tmp_path / "day") > 0
    assert any("too many requests were accepted" in note for note in report.notes)
    assert report.stopped is None


def test_what_is_taken_though_it_must_be_refused_counts_against_the_limit() -> None:
    with api(refuses=False, price=60) as server:
        report = run_kit(
            server.url,
            replace(OPTIONS, mode="must-reject", max_credits=70, credits_per_image=Fraction(30)),
        )
    taken = [asked for asked in server.asked if asked.is_creation and asked.status in (200, 202)]
    assert len(taken) == 1
    assert report.exit_code == EXIT_LIMIT


# Ends before the plan's.


@pytest.mark.parametrize(
    ("phase", "step", "concurrency"),
    [("free reads", 1, 1), ("must be refused", 40, 1), ("tasks", 1, 3), ("tasks", 3, 1)],
)
def test_an_interrupt_is_judged_and_reported(
    phase: str, step: int, concurrency: int, tmp_path: Path
) -> None:
    with api() as server:
        report, state = run_with_state(
            server.url,
            replace(OPTIONS, concurrency=concurrency),
            Stopper(phase, step, interrupt),
            DayFile(tmp_path / "day"),
        )
    assert report.stopped == INTERRUPTED
    assert report.exit_code == EXIT_INTERRUPTED
    assert report.judgement.verdicts
    accepted = [asked for asked in server.asked if asked.is_creation and asked.status < 300]
    lines = [json.loads(line) for line in (tmp_path / "day").read_text().splitlines()]
    assert len([line for line in lines if line.get("settled") != 0]) >= len(accepted)
    assert (state is not None) == (phase == "tasks")


def test_an_interrupt_while_it_judges_is_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def report(self: Any) -> RunReport:
        calls.append(self)
        if len(calls) == 1:
            interrupt()
        return whole(self)

    from contracts.runner import Run

    whole = Run.report
    monkeypatch.setattr(Run, "report", report)
    with api() as server:
        got = run_kit(server.url, replace(OPTIONS, mode="read-only"))
    assert got.stopped == INTERRUPTED
    assert len(got.trace.exchanges) > 10


@pytest.mark.parametrize("phase", ["must be refused", "tasks"])
@pytest.mark.usefixtures("few_rejects")
def test_a_target_that_dies_ends_the_run_with_a_report(phase: str, tmp_path: Path) -> None:
    with api() as server:
        stopper = Stopper(phase, 1, server.stop)
        report = run_kit(server.url, OPTIONS, stopper, DayFile(tmp_path / "day"))
    assert report.exit_code == EXIT_UNREACHABLE
    assert report.stopped is not None
    assert "5 requests in a row were lost" in report.stopped
    assert report.spend.spent_credits == spent_in(tmp_path / "day")


@pytest.mark.usefixtures("few_rejects")
def test_an_emulator_that_dies_ends_the_run_with_a_report() -> None:
    emulator = Emulator.start()
    try:
        report = run_kit(emulator.url, Options(tasks=1), Stopper("tasks", 1, emulator.stop))
    finally:
        emulator.stop()
    assert report.exit_code == EXIT_UNREACHABLE
    assert report.stopped is not None


@pytest.mark.usefixtures("few_rejects")
def test_the_kits_own_fault_loses_nothing_that_was_paid_for() -> None:
    def fail() -> None:
        raise ZeroDivisionError("by nothing")

    with api() as server:
        report = run_kit(server.url, OPTIONS, Stopper("tasks", 2, fail))
    assert report.exit_code == EXIT_ENGINE
    assert report.stopped == "the kit failed: ZeroDivisionError: by nothing"
    assert report.spend.spent_credits > 0


@pytest.mark.usefixtures("few_rejects")
def test_tasks_that_never_end_are_given_up() -> None:
    working = Api()

    def reply(request: Any) -> Any:
        if request.url.path.startswith("/v1/tasks/task_"):
            return says({"task_id": "task_1", "status": "processing"})
        return working(request)

    with served(answering(reply)) as server:
        options = replace(OPTIONS, task_timeout_seconds=0.05)
        report = run_kit(server.url, options)
    assert report.stopped is None
