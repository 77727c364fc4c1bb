"""What a run holds while it goes on: connections, keys, the target's time."""

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from contracts.client import Client
from contracts.exchange import Trace
from contracts.keys import KEY_VARIABLE
from contracts.ledger import DayFile, SpendLedger
from contracts.options import EXIT_USAGE, EngineError, Options
from contracts.pace import Pace
from contracts.price_book import PriceBook
from contracts.probes import LimitedKeys
from contracts.receiver import Receiver
from contracts.recorder import Recorder
from contracts.redact import Redactor
from contracts.target import EMULATOR, OTHER, Clock, Control, EmulatorClock, is_emulator
from contracts.tasks_plan import Means
from contracts.wire import Wire

UNKNOWN_KEY = "sk-contracts-made-up-0000000000000000000000"


@dataclass
class Session:
    """A run's means.

    Attributes:
        client: sends.
        clock: the target's time.
        trace: what is recorded.
        ledger: what is spent.
        prices: what requests may cost.
        means: what is possible at the target.
        strict: whether assumed readings count as promises.
        receiver: takes callbacks; None where there is none.
        control: drives an emulator; None for any other target.
        keys: makes keys with limits; None where nobody can.
        strangers_key: another account's key; None where there is none.
        notes: what a reader of the report should know.
    """

    client: Client
    clock: Clock
    trace: Trace
    ledger: SpendLedger
    prices: PriceBook
    means: Means
    strict: bool
    receiver: Receiver | None = None
    control: Control | None = None
    keys: LimitedKeys | None = None
    strangers_key: str | None = None
    notes: list[str] = field(default_factory=list)


@contextmanager
def open_session(
    base_url: str, options: Options, day_file: DayFile | None = None
) -> Iterator[Session]:
    """Find out what the target is, and get ready for it.

    Args:
        base_url: before ``/v1``.
        options: what is asked.
        day_file: where spend is written down; None keeps it in memory.

    Raises:
        EngineError: the target can't be reached, or there is no key or no limit for it.
    """
    with ExitStack() as stack:
        emulator = is_emulator(base_url, options.timeout_seconds)
        if emulator:
            session = _at_emulator(base_url, options, day_file, stack)
        else:
            session = _elsewhere(base_url, options, day_file, stack)
        session.trace.facts |= {
            "target": EMULATOR if emulator else OTHER,
            "started_at": session.clock.now(),
            "kit_started_at": time.time(),
        }
        recorder = session.client.recorder
        if session.strangers_key is not None:
            session.trace.facts["stranger"] = recorder.redactor.key_label(session.strangers_key)
        if session.means.callbacks and options.mode == "paid":
            receiver = Receiver(recorder, options.callback_port, options.public_callback_url)
            session.receiver = stack.enter_context(receiver)
            if options.public_callback_url is not None:
                receiver.check_reachable()
        yield session


def _at_emulator(
    base_url: str, options: Options, day_file: DayFile | None, stack: ExitStack
) -> Session:
    key = options.key or f"sk-contracts-{secrets.token_hex(12)}"
    control = Control(base_url, options.control_token, key)
    stack.callback(control.close)
    key = control.accepted_key(key)
    clock = EmulatorClock(control)
    means = Means(faults=True, keys=True, callbacks=True, time=True)
    session = _session(base_url, key, clock, means, options, day_file, stack)
    redactor = session.client.recorder.redactor
    session.control = control
    session.keys = LimitedKeys(control, clock, redactor, session.trace)
    session.strangers_key = session.keys.make("stranger", credits=0)
    return session


def _elsewhere(
    base_url: str, options: Options, day_file: DayFile | None, stack: ExitStack
) -> Session:
    if options.max_credits is None and options.mode != "read-only":
        message = f"{base_url} is no emulator: what may cost credits needs a limit"
        raise EngineError(message, EXIT_USAGE)
    if options.key is None:
        raise EngineError(f"no API key: set {KEY_VARIABLE}", EXIT_USAGE)
    callbacks = options.public_callback_url is not None
    means = Means(faults=False, keys=False, callbacks=callbacks, time=False)
    session = _session(base_url, options.key, Clock(), means, options, day_file, stack)
    session.strangers_key = options.second_key
    if not session.trace.exclusive and options.mode != "read-only":
        session.notes.append(
            "balances were not added up: --exclusive says that nobody else uses the account"
        )
    return session


def _session(
    base_url: str,
    key: str,
    clock: Clock,
    means: Means,
    options: Options,
    day_file: DayFile | None,
    stack: ExitStack,
) -> Session:
    redactor = Redactor((UNKNOWN_KEY,))
    redactor.key_label(key)
    exclusive = means.time if options.exclusive is None else options.exclusive
    trace = Trace(base_url, exclusive=exclusive)
    prices = PriceBook(options.credits_per_image)
    ledger = SpendLedger(options.max_credits, day_file)
    client = Client(
        key,
        Recorder(trace, redactor, clock),
        ledger,
        prices,
        Pace(options.requests_per_minute),
        Wire(base_url, options.timeout_seconds, is_trusted=means.time),
    )
    stack.callback(client.close)
    strict = means.time if options.strict is None else options.strict
    return Session(client, clock, trace, ledger, prices, means, strict)
