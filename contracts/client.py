"""The one HTTP client: prices, reserves, sends, records, settles. Everything goes through it."""

import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

from contracts.exchange import SENT, Exchange, Request, Response, Trace, fields_of, parsed_json
from contracts.images import image_facts
from contracts.ledger import Reservation, SpendLedger
from contracts.price_book import PriceBook
from contracts.redact import Redactor
from contracts.target import LOOPBACK, Clock
from contracts.view import CREATIONS

# What fails like this never left this machine, so it can't have cost anything.
_NEVER_SENT = ("LocalProtocolError", "UnsupportedProtocol", "ConnectError", "ConnectTimeout")
_MOST_RETRIES = 3
_LONGEST_RETRY_AFTER_SECONDS = 120.0
_DEFAULT_RETRY_AFTER_SECONDS = 2.0
_LARGEST_BODY_BYTES = 100_000_000


@dataclass(frozen=True)
class Answer:
    """What came back, with the secrets that the trace does not have.

    Attributes:
        exchange: what was recorded.
        status: HTTP status; 0 where nothing came back.
        json: the parsed body; None where it is no JSON.
    """

    exchange: Exchange
    status: int
    json: Any

    @property
    def fields(self) -> dict[str, Any]:
        """The members of a JSON object; none where it is no object."""
        return dict(fields_of(self.json))


class Recorder:
    """Numbers exchanges as they end, and keeps them in the trace.

    Args:
        trace: where they go.
        redactor: takes the secrets out.
        clock: the target's time.
    """

    def __init__(self, trace: Trace, redactor: Redactor, clock: Clock) -> None:
        self.trace = trace
        self.redactor = redactor
        self.clock = clock
        self._lock = threading.Lock()

    def add(self, **values: Any) -> Exchange:
        """Record an exchange; ``values`` are its attributes without the number."""
        with self._lock:
            exchange = Exchange(number=len(self.trace.exchanges) + 1, **values)
            self.trace.exchanges.append(exchange)
            return exchange


class Pace:
    """Keeps requests apart.

    Args:
        requests_per_minute: the rate that is not exceeded; None: no limit.
    """

    def __init__(self, requests_per_minute: float | None) -> None:
        self._gap_seconds = 60 / requests_per_minute if requests_per_minute else 0.0
        self._lock = threading.Lock()
        self._next_at = 0.0

    def wait(self) -> None:
        """Wait for one's turn."""
        if not self._gap_seconds:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next_at)
            self._next_at = turn + self._gap_seconds
        time.sleep(turn - now)


class Client:
    """Sends requests to a target.

    Args:
        key: what requests carry unless they say otherwise.
        recorder: keeps what went over the wire.
        ledger: says whether what may cost something may be sent.
        prices: what a request may cost.
        pace: keeps requests apart.
        timeout_seconds: how long an answer may take.
    """

    def __init__(
        self,
        key: str,
        recorder: Recorder,
        ledger: SpendLedger,
        prices: PriceBook,
        pace: Pace,
        timeout_seconds: float,
    ) -> None:
        self.key = key
        self.recorder = recorder
        self.ledger = ledger
        self.prices = prices
        self._pace = pace
        self.base_url = recorder.trace.base_url
        # A proxy of the environment is for other hosts than this machine.
        trust_env = urlsplit(self.base_url).hostname not in LOOPBACK
        self._http = httpx2.Client(
            timeout=timeout_seconds, follow_redirects=False, trust_env=trust_env
        )

    def close(self) -> None:
        """Let its connections go."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        key: str | None = "",
        headers: dict[str, str] | None = None,
        purpose: str = "",
        retry: bool = True,
        **content: Any,
    ) -> Answer:
        """Send one request, again where the target asks to come back later.

        Args:
            method: in capitals.
            path: below the base URL, or an absolute link that the target handed out.
            key: the key; empty: the run's own; None: no key at all.
            headers: further headers.
            purpose: for people who read the report.
            retry: whether 429 and 503 with Retry-After are tried again.
            content: ``json``, ``content``, ``data`` or ``files``, as httpx2 takes them.

        Raises:
            LimitReachedError: it could cost more than is left.
        """
        if key is not None:
            self.recorder.clock.serve(key)
        attempts = _MOST_RETRIES if retry else 0
        while True:
            request = self._request(method, path, key, headers or {}, content)
            answer = self._attempt(request, key, purpose)
            pause = _retry_after_seconds(answer)
            if pause is None or not attempts:
                return answer
            attempts -= 1
            self.recorder.clock.wait(pause)

    def _request(
        self,
        method: str,
        path: str,
        key: str | None,
        headers: dict[str, str],
        content: dict[str, Any],
    ) -> httpx2.Request:
        url = path if urlsplit(path).netloc else self.base_url + path
        chosen = self.key if key == "" else key
        if chosen is not None and self._is_target(url) and "x-api-key" not in headers:
            headers = {"Authorization": f"Bearer {chosen}", **headers}
        return self._http.build_request(method, url, headers=headers, **content)

    def _is_target(self, url: str) -> bool:
        """Whether a URL may see the key: the target's own host, and nobody else."""
        own, other = urlsplit(self.base_url), urlsplit(url)
        return (own.scheme, own.netloc) == (other.scheme, other.netloc)

    def _attempt(self, request: httpx2.Request, key: str | None, purpose: str) -> Answer:
        recorded = self._recorded(request)
        costs = recorded.method == "POST" and recorded.path in CREATIONS
        reservation = None
        if costs:
            worst = self.prices.worst_credits(recorded)
            reservation = self.ledger.reserve(worst, f"{recorded.method} {recorded.path}")
        self._pace.wait()
        sent_at, began = self.recorder.clock.now(), time.monotonic()
        response, body, failure = self._exchange(request)
        seconds = time.monotonic() - began
        image = None
        if response is not None and _is_image(response) and request.method == "GET":
            image = image_facts(body)
        redactor = self.recorder.redactor
        exchange = self.recorder.add(
            sent_at=sent_at,
            seconds=seconds,
            request=recorded,
            response=None
            if response is None
            else Response(
                response.status_code,
                redactor.headers(tuple(response.headers.multi_items())),
                b"" if image else redactor.body(body),
                image,
            ),
            failure=failure,
            direction=SENT,
            sender=self._sender(recorded),
            purpose=purpose,
        )
        status = 0 if response is None else response.status_code
        answer = Answer(exchange, status, None if image else parsed_json(body))
        if reservation is not None:
            self._settle(reservation, answer)
        return answer

    def _recorded(self, request: httpx2.Request) -> Request:
        redactor = self.recorder.redactor
        return Request(
            request.method,
            redactor.url(str(request.url)),
            redactor.headers(tuple(request.headers.multi_items())),
            redactor.body(request.read()),
        )

    def _sender(self, recorded: Request) -> str:
        for name, value in recorded.headers:
            if name.lower() in ("authorization", "x-api-key"):
                return value.rpartition(" ")[2]
        return ""

    def _exchange(
        self, request: httpx2.Request
    ) -> tuple[httpx2.Response | None, bytes, str | None]:
        try:
            response = self._http.send(request, stream=True)
            try:
                body = b""
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _LARGEST_BODY_BYTES:
                        return None, b"", f"an answer of more than {_LARGEST_BODY_BYTES:,} bytes"
            finally:
                response.close()
        except httpx2.HTTPError as error:
            return None, b"", f"{type(error).__name__}: {error}".rstrip(": ")
        return response, body, None

    def _settle(self, reservation: Reservation, answer: Answer) -> None:
        """Settle by what the answer says; without an answer the reservation stays spent."""
        failure = (answer.exchange.failure or "").partition(":")[0]
        if 400 <= answer.status < 500 or failure in _NEVER_SENT:
            self.ledger.settle(reservation, 0)
        elif answer.status == 200:
            self.ledger.settle(reservation, reservation.credits)  # SYNC-1 tells no price
        elif answer.status == 202:
            reserved = fields_of(answer.fields.get("credits")).get("reserved")
            if isinstance(reserved, int) and not isinstance(reserved, bool) and reserved >= 0:
                self.prices.learn(answer.exchange.request, reserved)
                self.ledger.settle(reservation, reserved)


def _is_image(response: httpx2.Response) -> bool:
    return response.status_code == 200 and response.headers.get("content-type", "").startswith(
        "image/"
    )


def _retry_after_seconds(answer: Answer) -> float | None:
    """How long the target asks to wait; None where it does not."""
    if answer.status not in (429, 503) or answer.exchange.response is None:
        return None
    headers = dict(answer.exchange.response.headers)
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    if text is None:
        return _DEFAULT_RETRY_AFTER_SECONDS
    try:
        return min(max(0.0, float(text)), _LONGEST_RETRY_AFTER_SECONDS)
    except ValueError:
        return _DEFAULT_RETRY_AFTER_SECONDS


def other_host(base_url: str, answer: Answer) -> str | None:
    """Where an answer redirects to, if that is another host; None where it does not."""
    response = answer.exchange.response
    if response is None or not 300 <= response.status < 400:
        return None
    location = next((v for name, v in response.headers if name.lower() == "location"), "")
    target = urljoin(answer.exchange.request.url, location)
    same = urlsplit(target).netloc == urlsplit(base_url).netloc
    return None if same else f"{urlsplit(target).scheme}://{urlsplit(target).netloc}"
