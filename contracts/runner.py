"""A run from its first request to its verdicts."""

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.metadata import version
from typing import Any, Protocol

from contracts import probes
from contracts.claims import load_claims
from contracts.client import Client, Pace, Recorder, other_host
from contracts.exchange import Trace, fields_of
from contracts.ledger import DayFile, LimitReachedError, SpendLedger
from contracts.lives_drive import Lived, Lives
from contracts.options import (
    EXIT_KEY_REFUSED,
    EXIT_NOT_THE_API,
    EXIT_UNREACHABLE,
    EngineError,
    Options,
)
from contracts.plan import Plan, make_plan
from contracts.prices import PriceBook
from contracts.receiver import Receiver
from contracts.redact import Redactor
from contracts.run_report import RunReport, Spend
from contracts.target import EMULATOR, OTHER, Clock, Control, EmulatorClock, is_emulator
from contracts.tasks_plan import Means
from contracts.verdict import judge

UNKNOWN_KEY = "sk-contracts-unknown-key-0000000000000000"
_LINK_SECONDS = 24 * 3600.0  # MEDIA-1
_BEFORE_THE_END_SECONDS = 300.0
_AFTER_THE_END_SECONDS = 60.0


class Progress(Protocol):
    """Who is told how far a run is."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A phase begins; ``total`` steps are expected."""

    def step(self, text: str = "") -> None:
        """A step was done."""

    def spent(self, credits: int, limit: int | None) -> None:
        """So much is spent."""


class Silent:
    """Tells nobody."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def step(self, text: str = "") -> None:
        """Say nothing."""

    def spent(self, credits: int, limit: int | None) -> None:
        """Say nothing."""
