"""Sends one request and reads its answer, within limits of time and size."""

import ssl
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from threading import Thread
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import httpx2

from contracts.exchange import Headers

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LARGEST_BODY_BYTES = 100_000_000
# What fails like this never left this machine, so it can't have cost anything.
_NEVER_SENT = (
    httpx2.LocalProtocolError,
    httpx2.UnsupportedProtocol,
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    UnicodeError,  # a host that no name server can be asked for
)
_Value = TypeVar("_Value")


@cache
def tls_context() -> ssl.SSLContext:
    """Whom to trust, for all connections: it takes long to read."""
    return httpx2.create_ssl_context()


class Received(NamedTuple):
    """An answer."""

    status: int
    headers: Headers
    body: bytes


class LostError(Exception):
    """No answer came, or none that could be read.

    Args:
        reason: why, for people.
        was_sent: whether the request may have reached the target.
    """

    def __init__(self, reason: str, was_sent: bool) -> None:
        super().__init__(reason)
        self.was_sent = was_sent


class Wire:
    """Connections to a target, and to where its links lead.

    Args:
        base_url: of the target.
        timeout_seconds: how long an answer may take as a whole.
        is_trusted: the target is known to answer in one go; spares a thread a request.
    """

    def __init__(self, base_url: str, timeout_seconds: float, is_trusted: bool = False) -> None:
        self._timeout_seconds = timeout_seconds
        self._is_trusted = is_trusted
        # A proxy of the environment is for other hosts than this machine.
        trust_env = urlsplit(base_url).hostname not in LOOPBACK
        self._http = httpx2.Client(
            timeout=timeout_seconds,
            follow_redirects=False,
            trust_env=trust_env,
            verify=tls_context(),
        )
        # Each request stands for itself: a cookie could stand in for a missing key.
        self._http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def request(
        self, method: str, url: str, headers: dict[str, str], **content: Any
    ) -> httpx2.Request:
        """Put a request together.

        Args:
            method: in capitals.
            url: absolute.
            headers: besides those that every request has.
            content: ``json``, ``content``, ``data`` or ``files``, as httpx2 takes them.

        Raises:
            LostError: there can't be such a request.
        """
        try:
            return self._http.build_request(method, url, headers=headers, **content)
        except (httpx2.InvalidURL, ValueError) as error:
            raise LostError(_told(error), was_sent=False) from error

    def exchange(self, request: httpx2.Request) -> Received:
        """Send a request, follow no redirect, and read the whole answer.

        Raises:
            LostError: none came in time, or too large a one.
        """
        if self._is_trusted:
            return self._exchange(request)
        try:
            return _within(self._timeout_seconds, lambda: self._exchange(request))
        except TimeoutError as error:
            raise self._too_slow() from error

    def _exchange(self, request: httpx2.Request) -> Received:
        deadline = time.monotonic() + self._timeout_seconds
        try:
            with closing(self._http.send(request, stream=True)) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _LARGEST_BODY_BYTES:
                        reason = f"an answer of more than {_LARGEST_BODY_BYTES:,} bytes"
                        raise LostError(reason, was_sent=True)
                    if time.monotonic() > deadline:
                        raise self._too_slow()
                headers = tuple(response.headers.multi_items())
                return Received(response.status_code, headers, bytes(body))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
            raise LostError(_told(error), not isinstance(error, _NEVER_SENT)) from error

    def _too_slow(self) -> LostError:
        reason = f"no complete answer within {self._timeout_seconds:g} seconds"
        return LostError(reason, was_sent=True)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _within(seconds: float, call: Callable[[], _Value]) -> _Value:
    """Make a call, and stop waiting for it after a while.

    Timeouts of sockets are of no help against a server that sends a byte now and then.

    Raises:
        TimeoutError: it is not done; it goes on by itself, unseen.
    """
    done: Future[_Value] = Future()

    def run() -> None:
        try:
            done.set_result(call())
        except BaseException as error:  # whoever waits raises it
            done.set_exception(error)

    # A daemon, so that the process does not wait for it at its end.
    Thread(target=run, name="request", daemon=True).start()
    return done.result(seconds)
