"""What is tested: where it is, what it is, and its time."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlunsplit

import httpx2

from contracts.exchange import API_PATH, fields_of, parsed_json, split_url
from contracts.options import EXIT_NOT_THE_API, EXIT_UNREACHABLE, EXIT_USAGE, EngineError
from contracts.redact import Redactor
from contracts.wire import LostError, Wire, tls_context

EMULATOR, OTHER = "emulator", "other"
_CLOCK_STEP_SECONDS = 0.002  # accounts' clocks count milliseconds
_PORTS = {"http": 80, "https": 443}
_PROBE_TIMEOUT_SECONDS = 10.0
_CONTROL_TIMEOUT_SECONDS = 90.0  # a long advance does all that falls due on the way
_PASSING_PAUSE_SECONDS, _PASSING_STEP_SECONDS = 0.05, 10.0  # an hour in 18 seconds
_Kind = TypeVar("_Kind", str, float)


def base_url_of(text: str) -> str:
    """What stands before ``/v1`` in a URL that somebody typed, in one spelling.

    Raises:
        EngineError: it is no http(s) URL, or leads further than ``/v1``.
    """
    parts = split_url(text.strip())
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    printable = text.strip().isprintable() and " " not in text.strip()
    if parts.scheme not in _PORTS or not host or port == 0 or not printable:
        raise _refused(f"{Redactor().url(text)!r} was given")
    if "@" in parts.netloc:
        raise _refused("one with a user's name was given, which is not shown")
    path = parts.path.rstrip("/").removesuffix("/v1").removesuffix("/api").rstrip("/")
    if parts.query or parts.fragment or API_PATH.search(path):
        raise _refused(f"{Redactor().url(text)!r} says more than where the API begins")
    # The limit of a day is kept by this text, so one target must not have several.
    host = host.removesuffix(".")
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS[parts.scheme]:
        netloc += f":{port}"
    return urlunsplit((parts.scheme, netloc, path, "", ""))


def _refused(problem: str) -> EngineError:
    message = f"--base-url takes an http or https URL such as http://127.0.0.1:8080; {problem}"
    return EngineError(message, EXIT_USAGE)


class Clock:
    """The target's time, as far as the kit knows it: real time, and what it was moved by."""

    def __init__(self) -> None:
        self._offset_seconds = 0.0

    def now(self) -> float:
        """Unix seconds."""
        return time.time() + self._offset_seconds

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    @property
    def step_seconds(self) -> float:
        """How long the wait is that goes on; 0 where none does."""
        return 0.0

    def serve(self, key: str) -> None:
        """Say whose account is used next; empty: the run's own."""

    @property
    def is_movable(self) -> bool:
        """Whether a day can pass in a moment."""
        return False


class Control:
    """An emulator's control API, which no real target has.

    Args:
        base_url: before ``/_emulator``.
        token: opens it where it is closed; None where it is open.
        key: whose account is driven.
    """

    def __init__(self, base_url: str, token: str | None, key: str) -> None:
        headers = _bearer(key)
        if token is not None:
            headers["X-Emulator-Token"] = token
        self._client = httpx2.Client(
            base_url=base_url,
            headers=headers,
            timeout=_CONTROL_TIMEOUT_SECONDS,
            trust_env=False,
            verify=tls_context(),
        )

    def post(self, path: str, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Send a command.

        Args:
            path: after ``/_emulator``.
            body: the command.
            key: another account than the run's own.

        Raises:
            EngineError: it is refused.
        """
        return self._asked("POST", f"/_emulator{path}", json=body, headers=_bearer(key))

    def accepted_key(self, key: str) -> str:
        """The key, or a new one where only keys that were made before are taken."""
        if self._answer("GET", "/v1/credits/balance").status_code != 401:
            return key
        made = member(self.post("/keys", {"name": "contracts"}), "key", str)
        self._client.headers.update(_bearer(made))
        return made

    def _asked(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        response = self._answer(method, path, **content)
        answer = parsed_json(response.content)
        if response.status_code >= 400 or not isinstance(answer, dict):
            message = (
                f"the emulator answers {method} {path} with {response.status_code}:"
                f" {response.text[:300]}"
            )
            raise EngineError(message, EXIT_NOT_THE_API)
        return answer

    def _answer(self, method: str, path: str, **content: Any) -> httpx2.Response:
        try:
            return self._client.request(method, path, **content)
        except httpx2.HTTPError as error:
            message = f"the emulator did not answer {method} {path}: {error}"
            raise EngineError(message, EXIT_UNREACHABLE) from error

    def close(self) -> None:
        """Let its connections go."""
        self._client.close()


def _bearer(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def member(answer: dict[str, Any], name: str, kind: type[_Kind]) -> _Kind:
    """A member of an emulator's answer.

    Raises:
        EngineError: it is not there, or of another type.
    """
    value = answer.get(name)
    if kind is float and isinstance(value, int):
        value = float(value)
    if not isinstance(value, kind):
        message = f"an emulator's answer has a {name}; this one has {sorted(answer)}"
        raise EngineError(message, EXIT_NOT_THE_API)
    return value


class EmulatorClock(Clock):
    """The time of the accounts that a run uses: waiting moves the one that is used.

    The others are brought to the same time when their turn comes.

    Args:
        control: moves them.
    """

    def __init__(self, control: Control) -> None:
        super().__init__()
        self._control = control
        # A clock that somebody froze would never reach the end of a task.
        resumed = control.post("/clock", {"resume": True})
        self._offset_seconds = member(resumed, "offset_seconds", float)
        self._offsets = {"": self._offset_seconds}
        self._used = ""
        self._step_seconds = 0.0

    @property
    def step_seconds(self) -> float:
        """How long the wait is that goes on; 0 where none does."""
        return self._step_seconds

    def join(self, key: str) -> None:
        """Let another account keep the run's time."""
        self._offsets[key] = 0.0

    def serve(self, key: str) -> None:
        """Bring an account to the run's time, if it keeps it."""
        if key not in self._offsets:
            return
        self._used = key
        behind = self._offset_seconds - self._offsets[key]
        if behind >= _CLOCK_STEP_SECONDS:
            self._advance(behind)

    def wait(self, seconds: float) -> None:
        """Advance the clock; what falls due on the way is done when it returns.

        A callback that comes meanwhile is noted with the time at which the wait ends.
        """
        self._offset_seconds += seconds
        self._step_seconds = seconds
        self._advance(seconds)
        self._step_seconds = 0.0
        self._offset_seconds = max(self._offset_seconds, self._offsets[self._used])

    @property
    def is_movable(self) -> bool:
        """An emulator's is."""
        return True

    def _advance(self, seconds: float) -> None:
        """Advance the clock of the account that is used."""
        rest = round(seconds, 3)
        while rest > 0:
            answer = self._control.post("/clock", {"advance": rest}, self._used or None)
            self._offsets[self._used] = member(answer, "offset_seconds", float)
            advanced = member(answer, "advanced_seconds", float)
            rest = round(rest - advanced, 3)
            if answer.get("complete") or advanced <= 0:
                break


@contextmanager
def time_passing(control: Control, key: str) -> Iterator[None]:
    """Move an account's clock on and on, while something waits for it that can't move it itself.

    Args:
        control: moves it.
        key: the account's.
    """
    done = threading.Event()

    def move() -> None:
        while not done.wait(_PASSING_PAUSE_SECONDS):
            control.post("/clock", {"advance": _PASSING_STEP_SECONDS}, key)

    with ThreadPoolExecutor(1) as pool:
        moving = pool.submit(move)
        try:
            yield
        finally:
            done.set()
        moving.result()


def is_emulator(base_url: str, timeout_seconds: float) -> bool:
    """Ask whether a target is an emulator.

    Args:
        base_url: before ``/_emulator``.
        timeout_seconds: how long an answer may take.

    Raises:
        EngineError: nothing answers.
    """
    wire = Wire(base_url, min(timeout_seconds, _PROBE_TIMEOUT_SECONDS))
    try:
        received = wire.exchange(wire.request("GET", f"{base_url}/_emulator/health", {}))
    except LostError as error:
        raise EngineError(f"{base_url} can't be reached: {error}", EXIT_UNREACHABLE) from error
    finally:
        wire.close()
    answer = fields_of(parsed_json(received.body))
    looks_like_one = answer.get("status") == "ok" and isinstance(answer.get("version"), str)
    return received.status == 200 and looks_like_one
