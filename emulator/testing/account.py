"""The blocking face of an account."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from emulator.testing import account_steps, callback_steps
from emulator.testing.account_steps import Duration
from emulator.testing.async_account import AsyncAccount
from emulator.testing.callback_steps import Answer
from emulator.testing.faults import FaultSpec, body_of, body_of_sequence
from emulator.testing.values import Callback, Credits, Delivery, Message, Moved, Requests
from emulator.testing.wire import AsyncDriver, Driver

__tracebackhide__ = True  # a failed test shows its own lines, not these


class Account:
    """An account of an emulator: what a test holds. Several threads may use it.

    Attributes:
        api_key: what a client authenticates with.
        base_url: what a client is given; it ends in ``/v1``.
        clock, faults, callbacks: the account's own.
    """

    def __init__(self, driver: Driver, api_key: str) -> None:
        self._run = driver.run
        self._place = driver.place
        self.api_key = api_key
        self.base_url = driver.place.url + "/v1"
        self.clock = Clock(driver, api_key)
        self.faults = Faults(driver, api_key)
        self.callbacks = Callbacks(driver, api_key)

    def __repr__(self) -> str:
        return f"<Account {self.api_key} at {self.base_url}>"

    def as_async(self) -> AsyncAccount:
        """The same account, with ``await``."""
        return AsyncAccount(AsyncDriver(self._place), self.api_key)

    @property
    def credits(self) -> Credits:
        """The sums in credits."""
        return self._run(account_steps.credits(self.api_key))

    def grant(self, amount: int) -> Credits:
        """Give credits; return the sums after it."""
        return self._run(account_steps.move_credits(self.api_key, "grant", amount))

    def set_credits(self, available: int) -> Credits:
        """Make exactly this available; return the sums after it."""
        return self._run(account_steps.move_credits(self.api_key, "set", available))

    def task(self, task_id: str) -> dict[str, Any]:
        """A task, as polling shows it."""
        return self._run(account_steps.task(self.api_key, task_id))

    def tasks(self, status: str | None = None) -> list[dict[str, Any]]:
        """The tasks, newest first, with their start, end and outcome."""
        return self._run(account_steps.tasks(self.api_key, status))

    def wait_for(self, task_id: str) -> dict[str, Any]:
        """Move the clock to a task's end, or to its failure where it hangs; return the task."""
        return self._run(account_steps.wait_for(self.api_key, task_id))

    def finish(
        self, task_id: str, status: str = "succeeded", *, code: str | None = None
    ) -> dict[str, Any]:
        """End a task now: ``"succeeded"``, or ``"failed"`` with a code; return the task."""
        return self._run(account_steps.finish(self.api_key, task_id, status, code))

    def requests(
        self,
        operation: str | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | str | None = None,
        body: str | None = None,
        task_id: str | None = None,
    ) -> Requests:
        """The account's requests that match, oldest first.

        Args:
            operation: an operationId of openapi.yaml, such as ``"createImageTask"``.
            method, path: of the request.
            status: such as 429, or ``"4xx"``.
            body: a text within the body that was sent.
            task_id: the task that it made or asked for.
        """
        criteria = {
            "operation": operation,
            "method": method,
            "path": path,
            "status": status,
            "body": body,
            "task_id": task_id,
        }
        return self._run(account_steps.requests(self.api_key, criteria))

    def clear_requests(self) -> int:
        """Forget the requests so far; return how many there were."""
        return self._run(account_steps.clear_requests(self.api_key))

    def reset(self, seed: int | None = None) -> None:
        """Make the account as fresh, with another seed where one is given."""
        self._run(account_steps.reset(self.api_key, seed))

    def snapshot(self) -> dict[str, Any]:
        """The whole account as one JSON document."""
        return self._run(account_steps.snapshot(self.api_key))

    def restore(self, snapshot: Mapping[str, Any]) -> dict[str, Any]:
        """Put a snapshot, of this or another account, in the account's place."""
        return self._run(account_steps.restore(self.api_key, snapshot))

    def delete(self) -> None:
        """Delete the account and everything of it."""
        self._run(account_steps.delete(self.api_key))

    def journal_text(self) -> str:
        """What happened, as text: requests, tasks, deliveries."""
        return self._run(callback_steps.journal_text(self.api_key))


class Clock:
    """An account's clock."""

    def __init__(self, driver: Driver, api_key: str) -> None:
        self._run = driver.run
        self._key = api_key

    @property
    def now(self) -> datetime:
        """What it shows, in UTC."""
        return self._run(account_steps.now(self._key))

    def freeze(self) -> datetime:
        """Let it stand still; return what it shows."""
        return self._run(account_steps.switch_clock(self._key, "freeze"))

    def resume(self) -> datetime:
        """Let it run on; return what it shows."""
        return self._run(account_steps.switch_clock(self._key, "resume"))

    def advance(
        self,
        duration: Duration = 0,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> Moved:
        """Move it by ``"25h"``, a timedelta, or ``hours=25``; return what happened on the way."""
        steps = account_steps.advance(self._key, duration, days, hours, minutes, seconds)
        return self._run(steps)

    def set(self, instant: datetime | str) -> Moved:
        """Move it forward to an instant; return what happened on the way."""
        return self._run(account_steps.set_clock(self._key, instant))

    def run_until_task_ended(self, task_id: str) -> Moved:
        """Move it to a task's end."""
        return self._run(account_steps.run_until(self._key, {"task_ended": task_id}))

    def run_until_deliveries_exhausted(self) -> Moved:
        """Move it until no callback is tried again."""
        return self._run(account_steps.run_until(self._key, {"deliveries_exhausted": True}))


class Fault:
    """A fault of an account.

    Attributes:
        number: its number in the account.
        name: what it does.
        document: what the emulator said of it.
    """

    def __init__(self, driver: Driver, api_key: str, document: dict[str, Any]) -> None:
        self._run = driver.run
        self._key = api_key
        self.number: int = document["number"]
        self.name: str = document["fault"]
        self.document = document

    def __repr__(self) -> str:
        return f"<Fault {self.number} {self.name}>"

    @property
    def hits(self) -> int:
        """How many requests, tasks or callbacks it met so far."""
        return self._run(account_steps.fault_hits(self._key, self.number))

    def remove(self) -> None:
        """Remove it."""
        self._run(account_steps.remove_faults(self._key, self.number))


class Faults:
    """An account's faults."""

    def __init__(self, driver: Driver, api_key: str) -> None:
        self._driver = driver
        self._key = api_key

    def add(self, name: str, **parameters: Any) -> Fault:
        """Add a fault with its parameters and criteria: ``add("http_error", status=429, times=2)``.

        See docs/faults.md, or ``GET /_emulator/fault-catalogue``, for what there is.
        """
        return self._add(body_of(name, parameters))[0]

    def add_all(self, faults: Sequence[FaultSpec]) -> list[Fault]:
        """Add several at once, in their order: each a name, or a dict with ``"fault"``."""
        return self._add(body_of_sequence(faults))

    def preset(self, name: str = "strict") -> list[Fault]:
        """Add a preset's faults."""
        return self._add({"preset": name})

    def clear(self) -> int:
        """Remove all; return how many there were."""
        return self._driver.run(account_steps.remove_faults(self._key))

    def _add(self, body: Mapping[str, Any]) -> "list[Fault]":
        return self._faults(self._driver.run(account_steps.add_faults(self._key, body)))

    def _faults(self, documents: "list[dict[str, Any]]") -> "list[Fault]":
        return [Fault(self._driver, self._key, document) for document in documents]

    def list(self) -> "list[Fault]":
        """The faults, used up or not."""
        return self._faults(self._driver.run(account_steps.faults(self._key)))


class Callbacks:
    """An account's callbacks, and its inboxes that receive them."""

    def __init__(self, driver: Driver, api_key: str) -> None:
        self._run = driver.run
        self._key = api_key
        self._url = driver.place.url

    def url(self, name: str = "default") -> str:
        """What to give as ``callback_url``: an inbox of the account."""
        return self._url + callback_steps.inbox_path(name)

    def received(self, name: str = "default") -> list[Message]:
        """What an inbox received, oldest first."""
        return self._run(callback_steps.received(self._key, name))

    def answer_with(self, *answers: Answer, name: str = "default") -> None:
        """Let an inbox answer with these in turn, and with the last one from then on.

        Args:
            answers: statuses, or dicts such as ``{"status": 200, "delay_seconds": 11}``.
            name: of the inbox.
        """
        self._run(callback_steps.answer_with(self._key, name, answers))

    def clear(self, name: str = "default") -> int:
        """Empty an inbox; return how many messages there were."""
        return self._run(callback_steps.clear(self._key, name))

    def expect(self, task_id: str, within: Duration | None = "10s") -> Callback:
        """Expect that a task's callback is taken, by an inbox or your own receiver.

        The clock moves to it, by ``within`` at most; None: it does not move.

        Raises:
            ExpectationFailed: none was taken; the message shows each attempt.
        """
        return self._run(callback_steps.expect(self._key, task_id, within))

    def expect_none(self, within: Duration | None = None, *, task_id: str | None = None) -> None:
        """Expect that no attempt was made, nor is one while the clock moves by ``within``.

        Raises:
            ExpectationFailed: one was; the message shows it.
        """
        self._run(callback_steps.expect_none(self._key, within, task_id))

    def deliveries(self, task_id: str | None = None) -> list[Delivery]:
        """The deliveries with each attempt, newest first."""
        return self._run(callback_steps.deliveries(self._key, task_id))

    def redeliver(self, delivery_id: str) -> Delivery:
        """Make one more attempt now; return the delivery after it."""
        return self._run(callback_steps.redeliver(self._key, delivery_id))

    def score(self, url: str) -> dict[str, Any]:
        """Try a receiver with each callback fault; return the report."""
        return self._run(callback_steps.score(self._key, url))
