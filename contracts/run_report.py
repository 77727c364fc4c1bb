"""What a run leaves behind; every report is written from it."""

from dataclasses import dataclass, field

from contracts.exchange import Trace, fields_of
from contracts.verdict import Judgement, Verdict
from contracts.view import View


@dataclass(frozen=True)
class Spend:
    """What a run cost, in credits.

    Attributes:
        limit_credits: the hard stop; None where nothing could be spent.
        spent_credits: by the target's own words, or the highest price where it said none.
        unsettled_credits: of that, reserved for requests whose answer was lost.
        today_credits: what all runs of this day spent at this target with this key.
        creations: requests that could cost something.
        refused_creations: those of them that the target refused, at no cost.
        accepted_rejects: must-reject requests that were accepted, each a finding and a cost.
    """

    limit_credits: int | None = None
    spent_credits: int = 0
    unsettled_credits: int = 0
    today_credits: int = 0
    creations: int = 0
    refused_creations: int = 0
    accepted_rejects: int = 0


def spend_of(view: View) -> Spend:
    """What a run cost: credits by its trace's facts, requests by the trace itself.

    Nothing where the facts don't say: in a trace that others recorded.
    """
    told = fields_of(view.facts.get("spend"))
    credits = {
        name: value
        for name in ("limit_credits", "spent_credits", "unsettled_credits", "today_credits")
        if type(value := told.get(name)) is int and value >= 0
    }
    refused = [creation for creation in view.creations if 400 <= creation.status < 500]
    taken = [
        creation
        for creation in view.creations
        if creation.accepted and creation.expected and creation.expected.kind == "reject"
    ]
    return Spend(
        **credits,
        creations=len(view.creations),
        refused_creations=len(refused),
        accepted_rejects=len(taken),
    )


@dataclass(frozen=True)
class RunReport:
    """A judged run.

    Attributes:
        run_id: names it, its trace and its state file.
        version: of the kit.
        target: the base URL.
        target_kind: ``emulator``, ``other`` or ``trace`` (an old one, judged again).
        mode: plan, read-only, must-reject or paid; ``trace`` for a judged file.
        strict: whether assumed readings and advice counted as promises.
        seed: what was random followed from it.
        started_at: Unix seconds, real time.
        finished_at: Unix seconds, real time.
        judgement: the verdicts.
        spend: what it cost.
        trace: every exchange.
        notes: what a reader should know, one line each.
        stopped: why the run ended before its plan did; None where it did not.
        exit_code: that of the process where it was stopped.
        pending: claims that only a later ``recheck`` can decide.
    """

    run_id: str
    version: str
    target: str
    target_kind: str
    mode: str
    strict: bool
    seed: int
    started_at: float
    finished_at: float
    judgement: Judgement
    spend: Spend
    trace: Trace
    notes: tuple[str, ...] = ()
    stopped: str | None = None
    exit_code: int = 0
    pending: tuple[str, ...] = field(default=())

    @property
    def failures(self) -> int:
        """How many claims failed."""
        return len(self.judgement.having(Verdict.FAIL))

    @property
    def engine_errors(self) -> int:
        """How many claims could not be judged for a reason of the kit or its surroundings."""
        return len(self.judgement.having(Verdict.ENGINE_ERROR))
