"""What a run is asked to do."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Mode = Literal["plan", "read-only", "must-reject", "paid"]
MODES: tuple[Mode, ...] = ("plan", "read-only", "must-reject", "paid")


@dataclass(frozen=True)
class Options:
    """What a run is asked to do.

    Attributes:
        mode: how far it may go; each mode does what the ones before it do.
        key: the API key; None makes one up, which only an emulator takes.
        second_key: a key of another account, to look for what it must not see; None: there is none.
        control_token: opens an emulator's control API where it is closed.
        tasks: how many creations the plan may have that are meant to be accepted.
        max_credits: the hard stop of the day; None: no limit, which only an emulator gets.
        credits_per_image: what one image at the default settings costs at most; None: what the
            target's models say, or the highest number in the documents.
        task_ids: tasks to read, in every mode.
        seed: everything random follows from it.
        exclusive: nobody else uses the account meanwhile, so that balances can be added up; None:
            as an emulator, yes, else no.
        strict: assumed readings and advice are promises; None: as an emulator, yes, else no.
        explore: how many random lives a state machine tries, on an emulator.
        schema_examples: how many examples an operation Schemathesis tries, on an emulator.
        public_callback_url: how the target reaches the kit's receiver; None: directly.
        callback_port: where the receiver listens; 0: any free port.
        requests_per_minute: the rate that is not exceeded; None: no limit.
        concurrency: how many tasks are under way at the same time.
        timeout_seconds: how long an answer may take.
        task_timeout_seconds: how long a task may take, on the target's clock.
        callback_wait_seconds: how long a callback is waited for, on the target's clock.
    """

    mode: Mode = "paid"
    key: str | None = None
    second_key: str | None = None
    control_token: str | None = None
    tasks: int = 10
    max_credits: int | None = None
    credits_per_image: Fraction | None = None
    task_ids: tuple[str, ...] = ()
    seed: int = 0
    exclusive: bool | None = None
    strict: bool | None = None
    explore: int = 0
    schema_examples: int = 0
    public_callback_url: str | None = None
    callback_port: int = 0
    requests_per_minute: float | None = None
    concurrency: int = 1
    timeout_seconds: float = 60.0
    task_timeout_seconds: float = 900.0
    callback_wait_seconds: float = 60.0


class EngineError(Exception):
    """The kit can't do its work; the message says why in one line.

    Args:
        message: what is wrong.
        exit_code: the process's exit code.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_NOT_THE_API = 4
EXIT_KEY_REFUSED = 5
EXIT_LIMIT = 6
EXIT_FILE = 7
EXIT_ENGINE = 8
EXIT_NOT_YET = 9
EXIT_INTERRUPTED = 130
