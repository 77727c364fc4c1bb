"""Who may drive the control API: no web page in the developer's browser, no stranger."""

import hmac
import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from emulator.api.headers import require_content_type
from emulator.api.http import header
from emulator.core.address import is_loopback_host, literal_address, split_http_url
from emulator.core.errors import Refusal, shown
from emulator.settings import Settings

TOKEN_HEADER = "X-Emulator-Token"  # noqa: S105 - the header's name
_HOST = re.compile(r"(\[[^\[\]]+\]|[^:\[\]]+)(:[0-9]{1,5})?", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_PORTS = {"http": ":80", "https": ":443"}  # which an Origin leaves out
_DOCKER_HOST = "host.docker.internal"


class Guard:
    """Refuses control requests that the developer did not make.

    A page of another site can send requests to this machine, and a name that its owner points
    here (DNS rebinding) even lets it read the answers. Its requests tell on themselves: by
    their Host, by Sec-Fetch-Site, and by not being JSON, which no page may send unasked.
    """

    def __init__(self, settings: Settings) -> None:
        public = split_http_url(settings.public_url) if settings.public_url else None
        own = (settings.host, (public and public.hostname) or "", _DOCKER_HOST)
        self._names = frozenset(map(str.lower, (*own, *settings.allowed_hosts))) - {""}
        self._public_netloc = public and public.netloc.lower()
        self._token = settings.control_token
        self._closed = settings.control_is_closed

    def check(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            Refusal: it does not; the message says what would.
        """
        self.check_page(request)
        site = header(request, b"sec-fetch-site")
        if site in ("cross-site", "same-site"):
            message = f"The control API takes no request from a web page of another site ({site})."
            raise Refusal("cross_site_request", message, "Sec-Fetch-Site")
        self._check_origin(request)
        self._check_token(request)
        if request.method in ("POST", "PUT"):
            require_content_type(request.scope["headers"], "application/json")

    def check_page(self, request: Request) -> None:
        """Let a request for a page pass: it has no other secret than its Host.

        Raises:
            Refusal: the Host is none of the emulator's.
        """
        sent = [value for name, value in request.scope["headers"] if name == b"host"]
        host = sent[0].decode("latin-1") if len(sent) == 1 else ""
        match = _HOST.fullmatch(host)
        name = match[1].strip("[]").rstrip(".").lower() if match else ""
        if name in self._names or literal_address(name) or is_loopback_host(name):
            return
        if _NAME.fullmatch(name):  # without a dot: a service of a compose file, never a site
            return
        message = (
            f"The emulator takes no request for the Host {shown(host)}; it takes an IP address,"
            " localhost, a name without a dot, and the names of --allowed-hosts NAME,NAME."
        )
        raise Refusal("host_not_allowed", message, "Host")

    def _check_origin(self, request: Request) -> None:
        """Look at the Origin too: over plain HTTP a browser sends no Sec-Fetch-Site."""
        origin = header(request, b"origin")
        if origin is None:
            return
        host = (header(request, b"host") or "").lower()
        scheme, _, netloc = origin.lower().partition("://")
        own = [name for name in (host, self._public_netloc) if name]
        without_port = [name.removesuffix(_PORTS.get(scheme, "")) for name in own]
        if netloc not in (*own, *without_port):
            message = (
                "The control API takes no request from a web page of another site; the Origin"
                f" {shown(origin)} was sent with the Host {shown(host)}."
            )
            raise Refusal("cross_site_request", message, "Origin")

    def _check_token(self, request: Request) -> None:
        if self._closed:
            message = (
                "The control API is closed, because --host is not a loopback address. Start the"
                f" emulator with --control-token TOKEN and send TOKEN as {TOKEN_HEADER}."
            )
            raise Refusal("control_closed", message, TOKEN_HEADER)
        if self._token is None:
            return
        sent = header(request, TOKEN_HEADER.lower().encode())
        if sent is None or not hmac.compare_digest(sent.encode(), self._token.encode()):
            was = "none was sent" if sent is None else "another was sent"
            message = f"{TOKEN_HEADER} must be the token of --control-token; {was}."
            raise Refusal("invalid_control_token", message, TOKEN_HEADER)


class Guarded:
    """An endpoint behind a check of the guard's."""

    def __init__(self, app: ASGIApp, check: Callable[[Request], None]) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, once the guard let it pass."""
        self._check(Request(scope))
        await self._app(scope, receive, send)
