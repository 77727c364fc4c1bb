"""What a run holds while it goes on: connections, keys, the target's time."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from contracts.client import Client
from contracts.exchange import Trace
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
    emulator = is_emulator(base_url, options.timeout_seconds)
    redactor = Redactor((UNKNOWN_KEY,))
    trace = Trace(base_url, exclusive=True)
    control = None
    key = options.key
    if emulator:
        key = key or f"sk-contracts-{secrets.token_hex(12)}"
        control = Control(base_url, options.control_token, key)
        key = control.accepted_key(key)
    elif options.max_credits is None and options.mode != "read-only":
        message = f"{base_url} is no emulator: what may cost credits needs a limit"
        raise EngineError(message, EXIT_USAGE)
    if key is None:
        message = "no API key: set GPT_IMAGE_CONTRACTS_KEY, or type it when asked"
        raise EngineError(message, EXIT_USAGE)
    redactor.key_label(key)
    clock = EmulatorClock(control) if control else Clock()
    recorder = Recorder(trace, redactor, clock)
    prices = PriceBook(options.credits_per_image)
    ledger = SpendLedger(options.max_credits, day_file)
    wire = Wire(base_url, options.timeout_seconds, is_trusted=emulator)
    client = Client(key, recorder, ledger, prices, Pace(options.requests_per_minute), wire)
    session = Session(
        client,
        clock,
        trace,
        ledger,
        prices,
        Means(
            faults=emulator,
            keys=emulator,
            callbacks=emulator or options.public_callback_url is not None,
            time=emulator,
        ),
        emulator if options.strict is None else options.strict,
        control=control,
        strangers_key=options.second_key,
    )
    trace.facts |= {
        "target": EMULATOR if emulator else OTHER,
        "started_at": clock.now(),
        "kit_started_at": time.time(),
    }
    try:
        if control is not None and isinstance(clock, EmulatorClock):
            session.keys = LimitedKeys(control, clock, redactor, trace)
            session.strangers_key = session.keys.make("stranger", credits=0)
        if session.strangers_key is not None:
            trace.facts["stranger"] = redactor.key_label(session.strangers_key)
        if session.means.callbacks and options.mode == "paid":
            with Receiver(recorder, options.callback_port, options.public_callback_url) as receiver:
                session.receiver = receiver
                if options.public_callback_url is not None:
                    receiver.check_reachable()
                yield session
        else:
            yield session
    finally:
        client.close()
        if control is not None:
            control.close()
