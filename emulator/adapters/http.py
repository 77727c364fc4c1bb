"""Calls other servers: callbacks, and reference images where fetching is on.

A host's name is resolved here, its addresses are checked against the policy, and the
connection goes to the checked address, so that a name can't change its mind in between.
"""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import SplitResult

import httpx2

from emulator.core.address import allowed_addresses, split_http_url
from emulator.core.callback import AttemptResult
from emulator.core.errors import Refusal, shown

_FIRST_ANSWER_BYTES = 1024
_CHUNK_BYTES = 64 * 1024
_LOOKUP_THREADS = 8


class Forbidden(Exception):
    """The address policy does not let a call go out; the message says why."""


class NoAnswer(Exception):
    """A server could not be reached; the message says where and why."""


class HttpCaller:
    """An HTTP client that only calls addresses which a policy allows.

    Args:
        policy: one of ``core.address.POLICIES``.
        timeout_seconds: for a whole call, from the name's resolution to the last byte.
    """

    def __init__(self, policy: str, timeout_seconds: float) -> None:
        self._policy = policy
        self._timeout_seconds = timeout_seconds
        self._client: httpx2.AsyncClient | None = None
        # Its own threads: a slow resolver holds up nothing else, and a stop does not wait for it.
        self._lookups = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="lookup")

    @asynccontextmanager
    async def call(
        self, method: str, url: str, headers: dict[str, str], body: bytes = b""
    ) -> AsyncIterator[httpx2.Response]:
        """Send a request and open its answer; redirects are not followed (CB-3).

        Raises:
            Forbidden: no address of the host may be called.
            NoAnswer: the host has no address, or does not take the connection.
            httpx2.HTTPError, OSError: no answer came.
        """
        parts = split_http_url(url)
        if parts is None:
            raise Forbidden(f"{shown(url)} is no absolute http(s) URL")
        if self._policy == "upstream" and parts.scheme != "https":
            raise Forbidden("only https is called (--callbacks upstream)")
        address = await self._allowed_address(parts)
        pinned = parts._replace(netloc=_netloc(address, parts.port), fragment="")
        request = self._open_client().build_request(
            method,
            pinned.geturl(),
            headers={**headers, "Host": _host_header(parts)},
            content=body,
            extensions={"sni_hostname": parts.hostname},
        )
        try:
            response = await self._open_client().send(request, stream=True)
        except httpx2.ConnectError as error:
            raise NoAnswer(f"no connection to {pinned.netloc}: {_root(error)}") from error
        try:
            yield response
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close all connections, and give up looking for addresses."""
        self._lookups.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            await self._client.aclose()

    def _open_client(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(
                timeout=self._timeout_seconds,
                trust_env=False,  # a proxy would resolve the name again
                follow_redirects=False,
                # Connections are not reused: one to an address may belong to another name's TLS.
                limits=httpx2.Limits(max_connections=100, max_keepalive_connections=0),
            )
        return self._client

    async def _allowed_address(self, parts: SplitResult) -> str:
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            lookup = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            found = await asyncio.get_running_loop().run_in_executor(self._lookups, lookup)
        except (OSError, UnicodeError) as error:
            raise NoAnswer(f"the name {host} has no address: {error}") from error
        addresses = [str(info[4][0]) for info in found]
        allowed, reason = allowed_addresses(addresses, self._policy)
        if not allowed:
            raise Forbidden(f"{host} is not called: {reason}")
        return allowed[0]


class CallbackSender:
    """Delivers callbacks (CB-3)."""

    def __init__(self, caller: HttpCaller, timeout_seconds: float) -> None:
        self._caller = caller
        self._timeout_seconds = timeout_seconds

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
        """POST ``body`` to ``url`` and say what came of it; never raises."""
        started = time.perf_counter()
        status, answer, error, refused = None, b"", None, False
        try:
            async with asyncio.timeout(self._timeout_seconds):
                async with self._caller.call("POST", url, headers, body) as response:
                    async for chunk in response.aiter_raw(_FIRST_ANSWER_BYTES):
                        answer += chunk
                        if len(answer) >= _FIRST_ANSWER_BYTES:
                            break
                    status = response.status_code
        except Forbidden as forbidden:
            error, refused = str(forbidden), True
        except NoAnswer as no_answer:
            error = str(no_answer)
        except TimeoutError:
            error = f"no complete answer within {self._timeout_seconds:g} s"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ssl.SSLError, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        return AttemptResult(
            status=status,
            duration_ms=round((time.perf_counter() - started) * 1000),
            answer=answer[:_FIRST_ANSWER_BYTES].decode("utf-8", "replace"),
            error=error,
            refused=refused,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._caller.close()


class ReferenceFetcher:
    """Fetches reference images from other servers (GEN-11).

    Args:
        caller: the client, with the same address rules as callbacks.
        timeout_seconds: for one image.
        max_bytes: a longer answer is refused.
    """

    def __init__(self, caller: HttpCaller, timeout_seconds: float, max_bytes: int) -> None:
        self._caller = caller
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes

    async def fetch(self, url: str, param: str) -> bytes:
        """GET ``url``.

        Raises:
            Refusal: it is forbidden, too large, too slow or broken; names ``param``.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._fetch(url)
        except (Forbidden, NoAnswer) as no_answer:
            problem = str(no_answer)
        except TimeoutError:
            problem = f"it did not arrive within {self._timeout_seconds:g} s"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
        message = f"{param} {shown(url)} could not be fetched: {problem}."
        raise Refusal("invalid_image", message, param, claim="GEN-11")

    async def close(self) -> None:
        """Close all connections."""
        await self._caller.close()

    async def _fetch(self, url: str) -> bytes:
        content = bytearray()
        async with self._caller.call(
            "GET", url, {"Accept": "image/*", "Accept-Encoding": "identity"}
        ) as response:
            if response.status_code != 200:
                raise ValueError(f"its server answered {response.status_code}, not 200")
            async for chunk in response.aiter_raw(_CHUNK_BYTES):
                content += chunk
                if len(content) > self._max_bytes:
                    raise ValueError(f"it is over {self._max_bytes:,} bytes")
        return bytes(content)


def _netloc(address: str, port: int | None) -> str:
    host = (
        f"[{address}]" if ipaddress.ip_address(address.partition("%")[0]).version == 6 else address
    )
    return host if port is None else f"{host}:{port}"


def _root(error: BaseException) -> BaseException:
    """The first of a chain of errors, which says what happened."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__ or error
    return error


def _host_header(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
