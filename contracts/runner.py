"""A run from its first request to its verdicts."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib.metadata import version
from uuid import uuid4

from contracts import probes
from contracts.claims import load_claims
from contracts.findings import Finding
from contracts.free_phases import explore, try_schema, visit_links
from contracts.ledger import DayFile, LimitReachedError
from contracts.lives_drive import Lives
from contracts.observed import BALANCE
from contracts.options import EXIT_ENGINE, EXIT_INTERRUPTED, EXIT_LIMIT, EngineError, Options
from contracts.plan import Plan, make_plan
from contracts.preflight import check_target
from contracts.progress import Progress, Silent
from contracts.rejects import Reject
from contracts.run_report import RunReport, spend_of
from contracts.session import UNKNOWN_KEY, Session, open_session
from contracts.state import State, fingerprint, pending_links
from contracts.tasks_plan import PlannedTask
from contracts.verdict import judge
from contracts.view import View

INTERRUPTED = "it was interrupted"


def run_kit(
    base_url: str,
    options: Options,
    progress: Progress | None = None,
    day_file: DayFile | None = None,
) -> RunReport:
    """Run the kit against a target.

    Args:
        base_url: before ``/v1``.
        options: what is asked.
        progress: who is told how far it is.
        day_file: where spend is written down; None keeps it in memory.

    Raises:
        EngineError: the target can't be tested at all.
    """
    return run_with_state(base_url, options, progress, day_file)[0]


def run_with_state(
    base_url: str,
    options: Options,
    progress: Progress | None = None,
    day_file: DayFile | None = None,
) -> tuple[RunReport, State | None]:
    """Run the kit, and tell also what is left for a later day; arguments as ``run_kit``."""
    with open_session(base_url, options, day_file) as session:
        check_target(session)
        run = Run(session, options, progress or Silent())
        run.carry_out()
        try:
            return run.report(), run.state()
        except KeyboardInterrupt:  # what was paid for is judged all the same; a second one ends it
            run.stop(INTERRUPTED, EXIT_INTERRUPTED)
            return run.report(), run.state()


class Run:
    """One run.

    Args:
        session: the means.
        options: what is asked.
        progress: who is told how far it is.
    """

    def __init__(self, session: Session, options: Options, progress: Progress) -> None:
        self.session = session
        self.options = options
        self.run_id = uuid4().hex[:12]
        self.stopped: str | None = None
        self._exit_code = 0
        self._progress = progress
        self._started_at = time.time()
        self._claims = tuple(load_claims())
        self.plan: Plan | None = None
        self._findings: list[Finding] = []
        self._too_dear: list[Reject] = []
        self.lives = Lives(
            session.client,
            session.clock,
            session.receiver,
            session.control,
            options,
            session.strangers_key,
        )

    def carry_out(self) -> None:
        """Send what is planned, as far as the limit allows."""
        options, session = self.options, self.session
        self.plan = make_plan(options, session.means, session.prices, self._claims)
        try:
            for phase in (
                self._reads, self._refused, self._paid, self._refused_late, self._later,
                self._explore, self._schema,
            ):  # fmt: skip
                phase(self.plan)
        except EngineError as error:
            self.stop(str(error), error.exit_code)
        except KeyboardInterrupt:
            self.stop(INTERRUPTED, EXIT_INTERRUPTED)
        except Exception as error:  # what was paid for is judged all the same
            self.stop(f"the kit failed: {type(error).__name__}: {error}", EXIT_ENGINE)
        session.trace.facts |= {
            "ended_at": session.clock.now(),
            "run_id": self.run_id,
            "mode": options.mode,
            "strict": session.strict,
            "seed": options.seed,
        }
        if session.receiver is not None:
            session.trace.facts["callback_hooks"] = session.receiver.hooks

    def stop(self, why: str, exit_code: int) -> None:
        """Note that the run ended before its plan did."""
        self.stopped, self._exit_code = why, exit_code

    def report(self) -> RunReport:
        """Judge what was recorded."""
        session = self.session
        not_run = dict(self.plan.uncovered) if self.plan else {}
        if self.stopped:
            for claim in self._claims:
                not_run.setdefault(claim.id, f"the run ended early: {self.stopped}")
        trace = session.trace
        spend = spend_of(View(trace), session.ledger)
        trace.facts |= {"not_run": not_run, "spend": asdict(spend)}
        return RunReport(
            run_id=self.run_id,
            version=version("gpt-image-emulator"),
            target=trace.base_url,
            target_kind=str(trace.facts["target"]),
            mode=self.options.mode,
            strict=session.strict,
            seed=self.options.seed,
            started_at=self._started_at,
            finished_at=time.time(),
            judgement=judge(trace, self._claims, session.strict, not_run, self._findings),
            spend=spend,
            trace=trace,
            notes=tuple(session.notes),
            stopped=self.stopped,
            exit_code=self._exit_code,
            pending=self._pending(),
        )

    def state(self) -> State | None:
        """What only a later day can show; None where nothing is left for it."""
        links = tuple(
            pending
            for lived in self.lives.lived
            for link in lived.links
            for pending in pending_links(
                link, lived.ended_at, None if lived.task_id is None else lived.path
            )
        )
        if self.session.means.time or not links:
            return None
        return State(
            self.run_id,
            self.session.trace.base_url,
            fingerprint(self.session.client.key),
            self.options.mode,
            self.session.strict,
            self.options.seed,
            links,
        )

    def _pending(self) -> tuple[str, ...]:
        if self.state() is None:
            return ()
        return tuple(claim.id for claim in self._claims if claim.needs == ("time",))

    def _told(self, text: str) -> None:
        self._progress.step(text)
        self._progress.spent(self.session.ledger.spent_credits, self.options.max_credits)

    def _reads(self, plan: Plan) -> None:
        self._progress.phase("free reads")
        for name in probes.free_reads(self.session.client):
            self._told(name)
        for task_id in self.options.task_ids:
            self.lives.read_only(task_id)
            self._told(task_id)

    def _refused(self, plan: Plan) -> None:
        if not plan.rejects:
            return
        session = self.session
        self._must_reject(plan.rejects)
        if not session.control:
            session.client.send("GET", BALANCE, key=UNKNOWN_KEY, purpose="a key that nobody has")
        if session.keys is not None and plan.tasks:
            penniless = session.keys.make("penniless", credits=0)
            for name in probes.accept_probes(session.client, penniless):
                self._told(name)
            for name in probes.limit_probes(session.client, session.keys):
                self._told(name)

    def _must_reject(self, rejects: Sequence[Reject]) -> None:
        """Send what must be refused; what is too dear is kept for when prices are known."""
        session, every_balance = self.session, self.session.means.faults
        self._progress.phase("must be refused", len(rejects))
        self._too_dear, dealt_with = [], 0
        for reject, answer in probes.must_reject(session.client, rejects, every_balance):
            dealt_with += 1
            if answer is None:
                self._too_dear.append(reject)
            else:
                self._told(reject.name)
        if dealt_with < len(rejects):
            session.notes.append(
                "too many requests were accepted that must be refused; the rest was not sent"
            )

    def _refused_late(self, plan: Plan) -> None:
        if self._too_dear:
            self._must_reject(self._too_dear)
        if self._too_dear and self.stopped is None:
            message = (
                f"{len(self._too_dear)} requests that must be refused were not sent: each could"
                " cost more than is left; raise --max-credits or tell --credits-per-image"
            )
            self.stop(message, EXIT_LIMIT)

    def _paid(self, plan: Plan) -> None:
        if not plan.tasks:
            return
        self._progress.phase("tasks", len(plan.tasks))
        # Tasks on one budget come one after the other: what is left of it shows in turn.
        budgeted = [task for task in plan.tasks if task.key == "budget"]
        self._live_all([task for task in plan.tasks if task.key == "main"])
        budget_key = self._budget_key(plan)  # now that the price of one is known
        for task in budgeted:
            self._live(task, budget_key)
        if budgeted:
            probes.budget_probe(self.session.client, budget_key)

    def _live_all(self, tasks: list[PlannedTask]) -> None:
        """Let tasks live, as many at a time as was asked; one where a wait moves all of them."""
        if self.options.concurrency == 1 or self.session.clock.is_movable:
            for task in tasks:
                self._live(task, "")
            return
        pool = ThreadPoolExecutor(self.options.concurrency)
        try:
            for future in [pool.submit(self._live, task, "") for task in tasks]:
                future.result()
        finally:
            self.lives.stopping.set()  # where one stopped, the others stop at their next wait
            pool.shutdown(cancel_futures=True)
            self.lives.stopping.clear()

    def _live(self, task: PlannedTask, key: str) -> None:
        try:
            self.lives.live(task, key)
        except LimitReachedError as error:  # a cheaper one may still fit
            if self.stopped is None:
                self.stop(str(error), error.exit_code)
        self._told(f"{task.endpoint}, {task.outcome}")

    def _budget_key(self, plan: Plan) -> str:
        task = next((task for task in plan.tasks if task.key == "budget"), None)
        if task is None or self.session.keys is None:
            return ""
        price = self.session.prices.price_of(task.wish())
        return self.session.keys.make(
            "budget", keeps_time=True, credits=10 * price, budget_credits=price
        )

    def _later(self, plan: Plan) -> None:
        if plan.means.time and self.lives.lived:
            self._progress.phase("a day later")
            visit_links(self.session, self.lives, self._told)
        self.lives.read_all()
        self.session.client.send("GET", BALANCE, purpose="read the balance")

    def _explore(self, plan: Plan) -> None:
        if self.options.explore and plan.tasks and plan.means.faults:
            self._progress.phase("random lives", self.options.explore)
            self._findings += explore(self.session, self.options, self._told)

    def _schema(self, plan: Plan) -> None:
        if self.options.schema_examples and plan.tasks and self.session.keys is not None:
            self._progress.phase("Schemathesis")
            self._findings += try_schema(self.session, self.options, self._told)
