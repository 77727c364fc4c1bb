"""Random whole lives on an emulator: a Hypothesis state machine with a small model of the API.

The model knows tasks, credits and time, just enough to say what each balance has to be. What else
has to hold is judged on the trace of each life by the same judges as everything else. A life in
which something is wrong is shrunk to its shortest form, and only that one is kept.
"""

import secrets
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
)

from contracts.claims import load_claims
from contracts.client import Answer, Client
from contracts.exchange import Trace, fields_of
from contracts.findings import Finding, breaks
from contracts.ledger import SpendLedger
from contracts.lives_drive import MODEL, picture, while_time_passes
from contracts.observed import BALANCE, ENDED, GENERATIONS, SYNC, result_urls
from contracts.options import EngineError
from contracts.pace import Pace
from contracts.price_book import PriceBook
from contracts.recorder import Recorder
from contracts.redact import Redactor
from contracts.reject_catalogue import CATALOGUE
from contracts.rejects import build
from contracts.target import Control, EmulatorClock
from contracts.verdict import Verdict, judge
from contracts.wire import Wire

_CREDITS = 700  # few enough that they run out in some lives
_REFUSED = tuple(
    reject for reject in CATALOGUE if reject.operation == "generations" and not reject.key_headers
)
_BODIES = st.fixed_dictionaries(
    {},
    optional={
        "size": st.sampled_from(["auto", "1:1", "16:9", "9:21", "1024x1024", "1280x720"]),
        "resolution": st.sampled_from(["1K", "2K"]),
        "quality": st.sampled_from(["low", "medium", "high"]),
        "n": st.integers(1, 4),
    },
)
_ENDS = st.sampled_from([None, None, None, "fails", "partial"])
_ENDS_OF_WAITING = st.sampled_from([None, None, None, "fails"])
_FAULTS: dict[str, dict[str, Any]] = {
    "fails": {"fault": "task_fails", "code": "service_unavailable"},
    "partial": {"fault": "partial", "images": 1},
}


class DeviationError(AssertionError):
    """Something is not as the model says."""


@dataclass
class _Task:
    """What the model knows of a task."""

    path: str
    reserved: int
    charged: int | None = None  # None until its end was seen


class Kept(Protocol):
    """What a life belongs to, and who keeps it."""

    base_url: str
    control_token: str | None
    timeout_seconds: float

    @property
    def is_tired(self) -> bool:
        """Whether enough lives were tried."""

    def keep(self, trace: Trace, wrong: Finding | None) -> None:
        """Keep a life, with what is wrong in it."""


class LifeMachine(RuleBasedStateMachine):
    """One account's life.

    Args:
        explorer: what it belongs to.
    """

    tasks = Bundle("tasks")
    links = Bundle("links")

    def __init__(self, explorer: Kept) -> None:
        super().__init__()
        self._explorer = explorer
        key = f"sk-explorer-{secrets.token_hex(12)}"
        self._control = Control(explorer.base_url, explorer.control_token, key)
        try:
            self._key = self._control.accepted_key(key)
            self._control.post("/account/credits", {"set": _CREDITS})
            self._clock = EmulatorClock(self._control)
        except EngineError:
            self._control.close()
            raise
        redactor = Redactor()
        redactor.key_label(self._key)
        self._trace = Trace(explorer.base_url, exclusive=True, facts={"target": "emulator"})
        self._client = Client(
            self._key,
            Recorder(self._trace, redactor, self._clock),
            SpendLedger(None, None),
            PriceBook(None),
            Pace(None),
            Wire(explorer.base_url, explorer.timeout_seconds, is_trusted=True),
        )
        self._model: list[_Task] = []
        self._wrong: Finding | None = None
        self._balance = _CREDITS

    @initialize()
    def look(self) -> None:
        """Read the balance of a new account."""
        self._client.send("GET", BALANCE, purpose="explore")

    @rule(target=tasks, body=_BODIES, end=_ENDS)
    def create(self, body: dict[str, Any], end: str | None) -> Any:
        """Create a task, which may be made to fail."""
        answer = self._created(GENERATIONS, body, end)
        task_id = answer.fields.get("task_id")
        if answer.status != 202 or not isinstance(task_id, str):
            return multiple()
        task = _Task(f"/v1/tasks/{task_id}", _reserved(answer))
        self._model.append(task)
        return task

    @rule(target=links, body=_BODIES, end=_ENDS_OF_WAITING)
    def wait_for_images(self, body: dict[str, Any], end: str | None) -> Any:
        """Create images in a call that waits; what they cost is read off the balance."""
        answer = while_time_passes(self._clock, lambda: self._created(SYNC, body, end))
        self._resettle()
        return multiple(*result_urls(answer.fields))

    @rule(target=links)
    def edit(self) -> Any:
        """Edit an image."""
        files = [("image", ("a.png", picture("orange", "PNG"), "image/png"))]
        fields = {"model": MODEL, "prompt": "Add a boat", "quality": "low"}
        answer = while_time_passes(
            self._clock,
            lambda: self._client.send(
                "POST", "/v1/images/edits", data=fields, files=files, purpose="explore"
            ),
        )
        self._resettle()
        return multiple(*result_urls(answer.fields))

    @rule(target=links)
    def upload(self) -> Any:
        """Upload an image, which is free."""
        files = {"file": ("a.png", picture("teal", "PNG"), "image/png")}
        answer = self._client.send("POST", "/v1/images/upload", files=files, purpose="explore")
        url = answer.fields.get("url")
        return url if isinstance(url, str) else multiple()

    @rule(target=links, task=tasks)
    def poll(self, task: _Task) -> Any:
        """Read a task."""
        answer = self._client.send("GET", task.path, purpose="explore")
        if task.charged is None and answer.fields.get("status") in ENDED:
            charged = fields_of(answer.fields.get("credits")).get("charged")
            task.charged = charged if isinstance(charged, int) else 0
        return multiple(*result_urls(answer.fields.get("result")))

    @rule(link=consumes(links))
    def download(self, link: str) -> None:
        """Follow a link."""
        self._client.send("GET", link, key=None, purpose="explore")

    @rule(seconds=st.sampled_from([0.1, 0.5, 2.0, 30.0, 700.0, 3600.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._clock.wait(seconds)

    @rule()
    def let_a_day_pass(self) -> None:
        """Let links expire."""
        self._clock.wait(25 * 3600.0)

    @rule(reject=st.sampled_from(_REFUSED))
    def be_refused(self, reject: Any) -> None:
        """Send what must be refused."""
        sent = build(reject, self._key)
        self._client.send(
            sent.method, sent.path, key=None, headers=dict(sent.headers), content=sent.content,
            purpose="explore", retry=False,
        )  # fmt: skip

    @rule()
    def settle_up(self) -> None:
        """Poll every task to its end; then the balance is known to the credit."""
        self._clock.wait(700.0)
        for task in self._model:
            if task.charged is None:
                self.poll(task)
        spent = sum(task.reserved if task.charged is None else task.charged for task in self._model)
        expected = self._balance - spent
        seen = self._read_balance()
        if seen is not None and seen != expected:
            claim, text = (
                "CRED-1",
                f"the balance is {seen}; by what the tasks cost it is {expected}",
            )
            self._fail(breaks(claim, text, *self._trace.exchanges[-1:]))

    def teardown(self) -> None:
        """Judge the whole life."""
        try:
            if self._wrong is None and not self._explorer.is_tired:
                self._judge()
        finally:
            if not self._explorer.is_tired:
                self._explorer.keep(self._trace, self._wrong)
            self._client.close()
            self._control.close()

    def _judge(self) -> None:
        self._trace.facts["ended_at"] = self._clock.now()
        judgement = judge(self._trace, tuple(load_claims()), strict=True)
        for failed in judgement.having(Verdict.FAIL):
            broken = next(iter(failed.findings), None)
            if broken is not None:
                self._fail(replace(broken, message=failed.reason))

    def _fail(self, wrong: Finding) -> None:
        if self._explorer.is_tired:
            return
        self._wrong = wrong
        raise DeviationError(f"{wrong.claim_id}: {wrong.message}")

    def _created(self, path: str, body: dict[str, Any], end: str | None) -> Answer:
        if end is not None:
            fault = {**_FAULTS[end], "times": 1, "prompt": "A lighthouse"}
            self._control.post("/faults", fault)
        wish = {"model": MODEL, "prompt": "A lighthouse", **body}
        return self._client.send("POST", path, json=wish, purpose="explore")

    def _resettle(self) -> None:
        """Take the balance as it is, where a call did not tell what it cost."""
        self._clock.wait(700.0)
        for task in self._model:
            if task.charged is None:
                self.poll(task)
        self._balance = self._read_balance() or 0
        self._model.clear()

    def _read_balance(self) -> int | None:
        answer = self._client.send("GET", BALANCE, purpose="explore")
        credits = answer.fields.get("credits")
        return credits if isinstance(credits, int) else None


def _reserved(answer: Answer) -> int:
    reserved = fields_of(answer.fields.get("credits")).get("reserved")
    return reserved if isinstance(reserved, int) else 0
