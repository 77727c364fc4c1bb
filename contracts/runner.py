"""What a run sends, phase by phase, and what it says of it."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from uuid import uuid4

from contracts import probes
from contracts.claims import load_claims
from contracts.findings import Finding
from contracts.free_phases import explore, try_schema, visit_links
from contracts.ledger import LimitReachedError
from contracts.lives_drive import Lives
from contracts.observed import BALANCE
from contracts.options import EXIT_ENGINE, EXIT_INTERRUPTED, EXIT_LIMIT, EngineError, Options
from contracts.plan import Plan, make_plan
from contracts.progress import Progress
from contracts.rejects import Reject
from contracts.run_report import RunReport, spend_of
from contracts.session import UNKNOWN_KEY, Session
from contracts.state import State, fingerprint, links_left, write_state
from contracts.tasks_plan import PlannedTask
from contracts.trace_file import unfinished
from contracts.verdict import judge
from contracts.view import View

INTERRUPTED = "it was interrupted"


class Run:
    """One run.

    Args:
        session: the means.
        options: what is asked.
        progress: who is told how far it is.
        folder: where what was seen is kept while it goes on.
    """

    def __init__(
        self, session: Session, options: Options, progress: Progress, folder: Path | None = None
    ) -> None:
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
        self._folder, self._keeping = folder, Lock()
        session.trace.facts |= {
            "run_id": self.run_id,
            "mode": options.mode,
            "strict": session.strict,
            "seed": options.seed,
        }
        if folder is not None:
            session.client.recorder.keep_in(unfinished(folder, self.run_id))

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
        session.trace.facts["ended_at"] = session.clock.now()
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
        trace.facts |= {"not_run": not_run, "spend": session.ledger.figures()}
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
            spend=spend_of(View(trace)),
            trace=trace,
            notes=tuple(session.notes),
            stopped=self.stopped,
            exit_code=self._exit_code,
            pending=self._pending(),
        )

    def state(self) -> State | None:
        """What only a later day can show; None where nothing is left for it."""
        links = links_left(self.lives.lived)
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
        self._keep_state()
        self._told(f"{task.endpoint}, {task.outcome}")

    def _keep_state(self) -> None:
        with self._keeping:
            state = self.state()
            if state is not None and self._folder is not None:
                write_state(state, self._folder)

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
