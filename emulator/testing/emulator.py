"""The blocking face of an emulator."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from emulator.testing.account import Account
from emulator.testing.opening import ClockState, Limits, check_health, clean_url, open_account
from emulator.testing.server import ThreadServer
from emulator.testing.start_settings import read_settings
from emulator.testing.wire import Driver, Place

__tracebackhide__ = True  # a failed test shows its own lines, not these


class Emulator:
    """An emulator, started here or elsewhere; use ``start`` or ``connect``. Threads may share it.

    Attributes:
        url: scheme, host and port.
        base_url: what a client is given; it ends in ``/v1``.
    """

    def __init__(self, place: Place, server: ThreadServer | None = None) -> None:
        self._driver = Driver(place)
        self._server = server
        self.url = place.url
        self.base_url = place.url + "/v1"

    @classmethod
    def start(cls, **settings: object) -> Self:
        """Start a server in a thread: a free port, a database in memory, tasks of 50 ms.

        Args:
            settings: of docs/settings.md, with underscores; texts as on the command line, or
                real values.

        Raises:
            TypeError: there is no such setting; the message names all.
            ValueError: a setting does not take that value.
            EmulatorError: it can't start; its cause says why.
        """
        chosen = read_settings(settings)
        server = ThreadServer(chosen)
        return cls(Place(server.url, chosen.control_token), server)

    @classmethod
    def connect(cls, url: str, control_token: str | None = None) -> Self:
        """Use a server that runs already.

        Args:
            url: where it listens, such as ``"http://127.0.0.1:8080"``.
            control_token: where it was started with ``--control-token``.

        Raises:
            EmulatorError: nothing answers there, or something else.
        """
        emulator = cls(Place(clean_url(url), control_token))
        try:
            emulator._driver.run(check_health(emulator.url))
        except BaseException:
            emulator.stop()
            raise
        return emulator

    def stop(self) -> None:
        """Let go of the connections; end the server that was started here, and wait for it."""
        self._driver.close()
        if self._server is not None:
            self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Emulator at {self.url}>"

    def new_account(
        self,
        key: str | None = None,
        *,
        credits: int | None = None,
        seed: int | None = None,
        clock: ClockState = "running",
        budget_credits: int | None = None,
        requests_per_minute: int | None = None,
        models: Sequence[str] | None = None,
    ) -> Account:
        """Make an account that nobody else uses.

        Args:
            key: its API key; by default a fresh one. The same key has the same task ids on
                every fresh server.
            credits: what is available; by default the server's ``initial_credits``.
            seed: decides latencies, faults and pixels; by default the key does.
            clock: frozen, or running with real time.
            budget_credits, requests_per_minute, models: limits of its key, which the emulator
                makes then; ``key`` can't be given.
        """
        limits = Limits(credits, budget_credits, requests_per_minute, models)
        key = self._driver.run(open_account(key, limits, seed, clock))
        return Account(self._driver, key)
