"""What only a later day can show: links that must die. A file keeps it until then."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from contracts.exchange import Trace
from contracts.har import TraceError, read_har
from contracts.observed import LINK_SECONDS
from contracts.options import EXIT_FILE, EXIT_NOT_YET, EXIT_UNREACHABLE, EngineError, Options

if TYPE_CHECKING:
    from contracts.lives_drive import Lived

KIND: Literal["gpt-image-contracts-state"] = "gpt-image-contracts-state"
STATE_FILE, TRACE_FILE = "state.json", "trace.har"
_LAST_INSTANT = 253_402_300_799.0  # of the year 9999


_WORKS, _DEAD = "must work for a day", "must be dead by now"
_Instant = Annotated[float, Field(ge=0, le=_LAST_INSTANT)]
# When a link has to be seen working, so that its day is shown, and when it has to be dead.
_LAST_HOUR_SECONDS, _BESIDE_SECONDS = 3600.0, 60.0


@dataclass(frozen=True)
class PendingLink:
    """A link that has to work for a day, and to be dead then.

    Attributes:
        url: with its signature; the file is for its owner's eyes only.
        due_at: Unix seconds from which it is to be visited.
        task_path: where its task is read; None where it has none.
        over_at: Unix seconds from which a visit shows nothing more; None: it always does.
    """

    url: str
    due_at: _Instant
    task_path: str | None
    over_at: _Instant | None = None


@dataclass(frozen=True)
class State:
    """What a run left for later.

    Attributes:
        run_id: of the run.
        target: its base URL.
        key_fingerprint: of its key.
        mode: of the run.
        strict: whether assumed readings counted as promises.
        seed: of the run.
        links: what has to be dead one day.
        kind: what the file is.
    """

    run_id: str
    target: str
    key_fingerprint: str
    mode: str
    strict: bool
    seed: int
    links: tuple[PendingLink, ...]
    kind: Literal["gpt-image-contracts-state"] = KIND

    def due(self, now: float) -> tuple[PendingLink, ...]:
        """The links that are to be visited now."""
        return tuple(
            link
            for link in self.links
            if link.due_at <= now and (link.over_at is None or now < link.over_at)
        )

    def next_due_at(self, now: float) -> float | None:
        """When there is something to visit next; None: never."""
        return min((link.due_at for link in self.links if link.due_at > now), default=None)


def pending_links(url: str, ended_at: float, task_path: str | None) -> tuple[PendingLink, ...]:
    """What a link that works since ``ended_at`` (Unix seconds) has to be visited for."""
    end = ended_at + LINK_SECONDS
    return (
        PendingLink(url, end - _LAST_HOUR_SECONDS, task_path, end - _BESIDE_SECONDS),
        PendingLink(url, end + _BESIDE_SECONDS, task_path),
    )


def links_left(lived: Iterable["Lived"]) -> tuple[PendingLink, ...]:
    """What the links of these tasks have to be visited for."""
    return tuple(
        pending
        for one in lived
        for link in one.links
        for pending in pending_links(link, one.ended_at, one.path if one.task_id else None)
    )


_STATE = TypeAdapter(State)


def fingerprint(key: str) -> str:
    """Tells two keys apart without telling either."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def write_state(state: State, folder: Path) -> Path:
    """Write a state file, readable by its owner only."""
    path = folder / STATE_FILE
    part = folder / f".{STATE_FILE}.part"
    part.unlink(missing_ok=True)  # a mode is only given to a new file
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(state), file, indent=1)
    return part.replace(path)


def read_state(path: Path) -> tuple[State, Trace]:
    """Read a state file and the trace of its run, which lies beside it.

    Raises:
        EngineError: one of them can't be read, or they belong to different runs.
    """
    try:
        if not path.is_file() and path.exists():
            raise EngineError(f"{path} is no file that can be read to its end", EXIT_FILE)
        content: Any = json.loads(path.read_bytes())
        state = _STATE.validate_python(content)
    except OSError as error:
        raise EngineError(f"{path} can't be read: {error.strerror}", EXIT_FILE) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise EngineError(f"{path} is no state file: {where}: {first['msg']}", EXIT_FILE) from error
    except (ValueError, RecursionError) as error:
        raise EngineError(f"{path} is no state file: {error}", EXIT_FILE) from error
    trace_path = path.with_name(TRACE_FILE)
    try:
        trace = read_har(trace_path)
    except TraceError as error:
        raise EngineError(f"the state file needs its trace beside it: {error}", EXIT_FILE) from None
    if trace.facts.get("run_id") != state.run_id:
        message = (
            f"{trace_path} is the trace of run {trace.facts.get('run_id')}, {path} the state of"
            f" run {state.run_id}; put the files of one run together"
        )
        raise EngineError(message, EXIT_FILE)
    if trace.base_url != state.target:
        message = f"{trace_path} is of {trace.base_url}, {path} of {state.target}"
        raise EngineError(message, EXIT_FILE)
    return state, trace


def recheck(state: State, trace: Trace, key: Callable[[], str], options: Options) -> None:
    """Visit what must be dead by now, and add it to the trace. Costs nothing.

    Args:
        state: what is to be visited.
        trace: the run's; what is seen is added to it.
        key: tells the API key, if it is needed.
        options: how fast, and how long to wait.

    Raises:
        EngineError: nothing is due yet, the key is another one, or nothing answers.
    """
    # Imported here: most commands need no client.
    from contracts.client import Client
    from contracts.ledger import SpendLedger
    from contracts.pace import Pace
    from contracts.price_book import PriceBook
    from contracts.recorder import Recorder
    from contracts.redact import Redactor
    from contracts.target import Clock
    from contracts.wire import Wire

    now = time.time()
    due = state.due(now)
    if not due:
        first = state.next_due_at(now)
        when = "ever" if first is None else f"before {_shown(first)}"
        raise EngineError(f"nothing is due {when}; nothing was sent", EXIT_NOT_YET)
    secret = key()
    if fingerprint(secret) != state.key_fingerprint:
        message = "this is not the key of the run: its tasks could not be read again"
        raise EngineError(message, EXIT_FILE)
    redactor = Redactor()
    redactor.key_label(secret)
    client = Client(
        secret,
        Recorder(trace, redactor, Clock()),
        SpendLedger(0, None),
        PriceBook(None),
        Pace(options.requests_per_minute),
        Wire(trace.base_url, options.timeout_seconds),
    )
    try:
        answers = [
            client.send("GET", link.url, key=None, purpose=_WORKS if link.over_at else _DEAD)
            for link in due
        ]
        answers += [
            client.send("GET", path, purpose="read the task again")
            for path in dict.fromkeys(link.task_path for link in due if link.task_path)
        ]
    finally:
        client.close()
    if not any(answer.status for answer in answers):
        message = f"{state.target} can't be reached: {answers[0].exchange.failure}"
        raise EngineError(message, EXIT_UNREACHABLE)
    trace.facts["ended_at"] = time.time()


def _shown(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
