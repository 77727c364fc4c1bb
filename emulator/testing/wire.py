"""From an operation to HTTP and back: operations know no client, drivers know no operation.

An operation is a generator: it yields requests, is sent their answers, and returns a value.
``Driver`` runs it with a blocking client, ``AsyncDriver`` with an asynchronous one.
"""

import ssl
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2

from emulator.testing.errors import EmulatorError

__tracebackhide__ = True  # a failed test shows its own lines, not these

TIMEOUT_SECONDS = 60.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """What an operation asks for.

    Attributes:
        method, path: where to.
        body: sent as JSON; None: no body.
        parameters: of the query; those that are None are left out.
        key: the account's API key; empty for what belongs to no account.
    """

    method: str
    path: str
    key: str = ""
    body: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] | None = None


Steps = Generator[Request, dict[str, Any], T]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an emulator is.

    Attributes:
        url: scheme, host and port.
        control_token: what its control API asks for, or None.
    """

    url: str
    control_token: str | None = None

    def options(self, request: Request) -> dict[str, Any]:
        """What an HTTP client is called with for a request."""
        headers = {"User-Agent": "gpt-image-emulator-testing"}
        if request.key:
            headers["Authorization"] = f"Bearer {request.key}"
        if self.control_token:
            headers["X-Emulator-Token"] = self.control_token
        sent = (request.parameters or {}).items()
        return {
            "method": request.method,
            "url": self.url + request.path,
            "headers": headers,
            "params": {name: value for name, value in sent if value is not None},
            "json": request.body,
        }

    def client_options(self) -> dict[str, Any]:
        """What an HTTP client is made with: no proxy stands before an emulator."""
        options: dict[str, Any] = {"timeout": TIMEOUT_SECONDS, "trust_env": False}
        if self.url.startswith("http://"):  # reading the machine's certificates takes 50 ms
            options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return options

    def unreachable(self, error: Exception) -> EmulatorError:
        """What is raised where no answer came."""
        return EmulatorError(
            f"no answer from an emulator at {self.url}: {type(error).__name__}: {error}"
        )


class Driver:
    """Runs operations with a blocking HTTP client; several threads may use it at once."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._client = httpx2.Client(**place.client_options())

    def run(self, steps: Steps[T]) -> T:
        """Run an operation.

        Raises:
            EmulatorError: the emulator refused a request, or none answers.
        """
        try:
            request = next(steps)
            while True:
                try:
                    response = self._client.request(**self.place.options(request))
                except httpx2.TransportError as error:
                    raise self.place.unreachable(error) from error
                request = _resume(steps, response)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class AsyncDriver:
    """Runs operations with an asynchronous HTTP client.

    Each operation has a client of its own, so nothing belongs to one event loop.

    Args:
        place: where the emulator is.
        transport: makes a client's transport; None: a socket.
    """

    def __init__(
        self, place: Place, transport: Callable[[], httpx2.AsyncBaseTransport] | None = None
    ) -> None:
        self.place = place
        self._transport = transport

    async def run(self, steps: Steps[T]) -> T:
        """Run an operation; see ``Driver.run``."""
        transport = None if self._transport is None else self._transport()
        options = self.place.client_options()
        async with httpx2.AsyncClient(transport=transport, **options) as client:
            try:
                request = next(steps)
                while True:
                    try:
                        response = await client.request(**self.place.options(request))
                    except httpx2.TransportError as error:
                        raise self.place.unreachable(error) from error
                    request = _resume(steps, response)
            except StopIteration as stop:
                value: T = stop.value
                return value


def _resume(steps: Steps[Any], response: httpx2.Response) -> Request:
    """Give an operation its answer, or the error that it was; return its next request."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if response.is_success and isinstance(answer, dict):
        return steps.send(answer)
    return steps.throw(_error_of(response, answer))


def _error_of(response: httpx2.Response, answer: Any) -> EmulatorError:
    where = f"{response.request.method} {response.request.url.path}"
    match answer:
        case {"error": {"message": str(message), "code": code}} if isinstance(code, str | None):
            text = f"{message} ({where}: {response.status_code} {code})"
            return EmulatorError(text, response.status_code, code)
    begin = response.text[:200]
    text = f"{where} was answered {response.status_code} with no JSON of an emulator's: {begin!r}"
    return EmulatorError(text, response.status_code)
