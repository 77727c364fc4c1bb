"""How an emulator is found, and an account in it opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from emulator.adapters.entropy import SystemEntropy
from emulator.core.address import split_http_url
from emulator.testing import account_steps
from emulator.testing.errors import EmulatorError
from emulator.testing.wire import Request, Steps

__tracebackhide__ = True  # a failed test shows its own lines, not these

ClockState = Literal["running", "frozen"]

_CLOCK_STATES = ("running", "frozen")
_KEY_PREFIX = "sk-test-"
_entropy = SystemEntropy()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a new account has and its key may do; None: what is usual.

    Attributes:
        credits: available to the account.
        budget_credits, requests_per_minute, models: the key's.
    """

    credits: int | None = None
    budget_credits: int | None = None
    requests_per_minute: int | None = None
    models: Sequence[str] | None = None

    @property
    def of_key(self) -> bool:
        """Whether the key itself is limited."""
        limits = (self.budget_credits, self.requests_per_minute, self.models)
        return any(limit is not None for limit in limits)


def fresh_key() -> str:
    """Make a key that nobody has."""
    return _KEY_PREFIX + _entropy.token()


def clean_url(url: str) -> str:
    """Take an emulator's address with or without ``/v1``.

    Raises:
        ValueError: it is no http(s) URL.
    """
    if split_http_url(url) is None:
        raise ValueError(f"an emulator's URL looks like http://127.0.0.1:8080; {url!r} was given")
    return url.rstrip("/").removesuffix("/v1").rstrip("/")


def check_health(url: str) -> Steps[None]:
    """Ask whether an emulator answers, and lets itself be steered.

    Raises:
        EmulatorError: something else does, or it wants a control token.
    """
    try:
        answer = yield Request("GET", "/_emulator/health")
    except EmulatorError as error:
        if error.status is None:
            raise
        raise EmulatorError(f"what answers at {url} is no emulator: {error}") from error
    if answer.get("status") != "ok":
        raise EmulatorError(f"what answers at {url} is no emulator: it sent {answer!r:.200}")
    try:
        yield Request("GET", "/_emulator/fault-catalogue")
    except EmulatorError as error:
        hint = f"give its token: connect({url!r}, control_token=...)"
        raise EmulatorError(f"{error}; {hint}", error.status, error.code) from error


def open_account(
    key: str | None, limits: Limits, seed: int | None, clock: ClockState
) -> Steps[str]:
    """Open an account; return its key.

    Without options nothing is sent: the first use of a key makes its account.

    Raises:
        TypeError: limits were given with a key.
        ValueError: ``clock`` is something else.
    """
    if clock not in _CLOCK_STATES:
        raise ValueError(f'clock takes "running" or "frozen"; {clock!r} was given')
    credits = limits.credits
    if isinstance(limits.models, str):
        raise TypeError(f"models takes a list of models' ids; {limits.models!r} was given")
    if limits.of_key:
        if key is not None:
            raise TypeError("the emulator makes a key that has limits: give key, or limits")
        key = yield from account_steps.new_key(
            credits, limits.budget_credits, limits.requests_per_minute, limits.models
        )
        credits = None  # the key was made with them
    key = fresh_key() if key is None else key
    yield from account_steps.prepare(key, seed, credits, frozen=clock == "frozen")
    return key
