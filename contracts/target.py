"""What is tested: where it is, what it is, and its time."""

import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2

from contracts.options import EXIT_NOT_THE_API, EXIT_UNREACHABLE, EXIT_USAGE, EngineError

EMULATOR, OTHER = "emulator", "other"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CLOCK_STEP_SECONDS = 0.002  # accounts' clocks count milliseconds
_CONTROL_TIMEOUT_SECONDS = 90.0  # a long advance does all that falls due on the way


def base_url_of(text: str) -> str:
    """What stands before ``/v1`` in a URL that somebody typed.

    Raises:
        EngineError: it is no http(s) URL.
    """
    parts = urlsplit(text.strip())
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.query or parts.fragment:
        message = (
            f"--base-url takes an http or https URL such as http://127.0.0.1:8080; {text!r} was"
            " given"
        )
        raise EngineError(message, EXIT_USAGE)
    path = parts.path.rstrip("/").removesuffix("/v1").removesuffix("/api").rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


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
        headers = {"Authorization": f"Bearer {key}"}
        if token is not None:
            headers["X-Emulator-Token"] = token
        self._client = httpx2.Client(
            base_url=base_url,
            headers=headers,
            timeout=_CONTROL_TIMEOUT_SECONDS,
            trust_env=False,
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
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        try:
            response = self._client.post(f"/_emulator{path}", json=body, headers=headers)
        except httpx2.HTTPError as error:
            message = f"the emulator did not answer POST /_emulator{path}: {error}"
            raise EngineError(message, EXIT_UNREACHABLE) from error
        if response.status_code >= 400:
            message = (
                f"the emulator refused POST /_emulator{path} with {response.status_code}:"
                f" {response.text[:300]}"
            )
            raise EngineError(message, EXIT_NOT_THE_API)
        answer: dict[str, Any] = response.json()
        return answer

    def accepted_key(self, key: str) -> str:
        """The key, or a new one where only keys that were made before are taken."""
        response = self._client.get("/v1/credits/balance")
        if response.status_code != 401:
            return key
        made: str = self.post("/keys", {"name": "contracts"})["key"]
        self._client.headers["Authorization"] = f"Bearer {made}"
        return made

    def close(self) -> None:
        """Let its connections go."""
        self._client.close()


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
        self._offset_seconds = float(control.post("/clock", {"resume": True})["offset_seconds"])
        self._offsets = {"": self._offset_seconds}
        self._used = ""

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
        self._advance(seconds)
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
            self._offsets[self._used] = float(answer["offset_seconds"])
            rest = round(rest - float(answer["advanced_seconds"]), 3)
            if answer["complete"]:
                break


def is_emulator(base_url: str, timeout_seconds: float) -> bool:
    """Ask whether a target is an emulator.

    Raises:
        EngineError: nothing answers.
    """
    try:
        response = httpx2.get(
            f"{base_url}/_emulator/health", timeout=timeout_seconds, trust_env=False
        )
        answer = response.json()
    except httpx2.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise EngineError(f"{base_url} can't be reached: {reason}", EXIT_UNREACHABLE) from error
    except ValueError:
        return False
    return response.status_code == 200 and isinstance(answer, dict) and "version" in answer
