"""The one HTTP client: prices, reserves, sends, records, settles. Everything goes through it."""

import time
from dataclasses import dataclass
from typing import Any

import httpx2

from contracts.exchange import (
    SENT,
    Exchange,
    Request,
    Response,
    fields_of,
    header,
    media_type,
    parsed_json,
    split_url,
)
from contracts.images import image_facts
from contracts.ledger import Reservation, SpendLedger
from contracts.observed import BALANCE, CREATIONS
from contracts.options import EXIT_UNREACHABLE, EngineError
from contracts.pace import Pace, retry_after_seconds
from contracts.price_book import PriceBook
from contracts.recorder import Recorder
from contracts.wire import LostError, Received, Wire

_MOST_RETRIES = 3
_LONGEST_PAUSE_SECONDS = 120.0
# Whoever answers so has refused; 408 and 409, for instance, may come after a task was made.
_REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 413, 415, 422, 429})
_MOST_LOST_IN_A_ROW = 5


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


class Client:
    """Sends requests to a target.

    Args:
        key: what requests carry unless they say otherwise.
        recorder: keeps what went over the wire.
        ledger: says whether what may cost something may be sent.
        prices: what a request may cost.
        pace: keeps requests apart.
        wire: carries the requests.
    """

    def __init__(
        self,
        key: str,
        recorder: Recorder,
        ledger: SpendLedger,
        prices: PriceBook,
        pace: Pace,
        wire: Wire,
    ) -> None:
        self.key = key
        self.recorder = recorder
        self.ledger = ledger
        self.prices = prices
        self.base_url = recorder.trace.base_url
        self._own_sender = recorder.redactor.key_label(key)
        self._pace = pace
        self._wire = wire
        self._lost_in_a_row = 0
        self._resume_at = 0.0
        self._first_balance: int | None = None

    def close(self) -> None:
        """Let its connections go."""
        self._wire.close()

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
            retry: whether 429 and 503 are tried again.
            content: ``json``, ``content``, ``data`` or ``files``, as httpx2 takes them.

        Raises:
            LimitReachedError: it could cost more than is left.
            EngineError: the target does not answer any more, or asks to wait for too long.
        """
        if key is not None:
            self.recorder.clock.serve(key)
        url = path if split_url(path).netloc else self.base_url + path
        chosen = self.key if key == "" else key
        headers = dict(headers or {})
        if chosen is not None and self._is_target(url) and "x-api-key" not in headers:
            headers["Authorization"] = f"Bearer {chosen}"
        attempts = _MOST_RETRIES if retry else 0
        while True:
            answer = self._attempt(method, url, headers, purpose, content)
            pause = retry_after_seconds(answer.exchange.response, self.recorder.clock.now())
            if pause is None or not attempts:
                return answer
            attempts -= 1
            self._hold(pause)

    def _hold(self, seconds: float) -> None:
        """Let no request leave before the target wants one; all threads wait."""
        clock = self.recorder.clock
        if seconds > _LONGEST_PAUSE_SECONDS and not clock.is_movable:
            message = (
                f"{self.base_url} asks to come back after {seconds:,.0f} seconds; the kit waits"
                f" {_LONGEST_PAUSE_SECONDS:.0f} at most"
            )
            raise EngineError(message, EXIT_UNREACHABLE)
        self._resume_at = clock.now() + seconds

    def _is_target(self, url: str) -> bool:
        """Whether a URL may see the key: the target's own host, and nobody else."""
        own, other = split_url(self.base_url), split_url(url)
        return (own.scheme, own.netloc) == (other.scheme, other.netloc)

    def _attempt(
        self, method: str, url: str, headers: dict[str, str], purpose: str, content: dict[str, Any]
    ) -> Answer:
        pause = self._resume_at - self.recorder.clock.now()
        if pause > 0:
            self.recorder.clock.wait(pause)
        self._pace.wait()
        redactor = self.recorder.redactor
        sent_at, began = self.recorder.clock.now(), time.monotonic()
        reservation = None
        outcome: Received | LostError
        try:
            request = self._wire.request(method, url, headers, **content)
        except LostError as error:
            asked = tuple(headers.items())
            recorded = Request(method, redactor.url(url), redactor.headers(asked))
            outcome = error
        else:
            recorded = self._recorded(request, url)
            reservation = self._reservation(recorded)
            outcome = self._outcome(request)
        seconds = time.monotonic() - began
        answer = self._record(recorded, outcome, sent_at, seconds, purpose)
        if reservation is not None:
            self._settle(reservation, answer, outcome)
        elif recorded.path == BALANCE and answer.exchange.sender == self._own_sender:
            self._note_balance(answer)
        if self._is_target(url):
            self._count_lost(answer)
        return answer

    def _recorded(self, request: httpx2.Request, url: str) -> Request:
        """What is sent, without secrets; the URL as it was handed out, so that it is found."""
        redactor = self.recorder.redactor
        return Request(
            request.method,
            redactor.url(url),
            redactor.headers(tuple(request.headers.multi_items())),
            redactor.body(request.read()),
        )

    def _reservation(self, recorded: Request) -> Reservation | None:
        if recorded.method != "POST" or recorded.path not in CREATIONS:
            return None
        worst = self.prices.worst_credits(recorded)
        reservation = self.ledger.reserve(worst, f"{recorded.method} {recorded.path}")
        self.recorder.trace.facts["spend"] = self.ledger.figures()
        return reservation

    def _outcome(self, request: httpx2.Request) -> Received | LostError:
        try:
            return self._wire.exchange(request)
        except LostError as error:
            return error

    def _record(
        self,
        recorded: Request,
        outcome: Received | LostError,
        sent_at: float,
        seconds: float,
        purpose: str,
    ) -> Answer:
        redactor = self.recorder.redactor
        response, failure, status, parsed = None, None, 0, None
        if isinstance(outcome, LostError):
            failure = redactor.text(str(outcome))
        else:
            image = image_facts(outcome.body) if _is_image(recorded, outcome) else None
            status, parsed = outcome.status, None if image else parsed_json(outcome.body)
            body = b"" if image else redactor.body(outcome.body)
            response = Response(status, redactor.headers(outcome.headers), body, image)
        exchange = self.recorder.add(
            sent_at=sent_at,
            seconds=seconds,
            request=recorded,
            response=response,
            failure=failure,
            direction=SENT,
            sender=_sender(recorded),
            purpose=purpose,
        )
        return Answer(exchange, status, parsed)

    def _settle(
        self, reservation: Reservation, answer: Answer, outcome: Received | LostError
    ) -> None:
        """Settle by what the answer says; without an answer the reservation stays spent."""
        never_sent = isinstance(outcome, LostError) and not outcome.was_sent
        if answer.status in _REFUSALS or never_sent:
            self.ledger.settle(reservation, 0)
        elif answer.status == 200:
            self.ledger.settle(reservation, reservation.credits)  # SYNC-1 tells no price
        elif answer.status == 202:
            reserved = _whole(fields_of(answer.fields.get("credits")).get("reserved"))
            if reserved:
                self.prices.learn(answer.exchange.request, reserved)
                self.ledger.settle(reservation, reserved)

    def _note_balance(self, answer: Answer) -> None:
        """The balance has the last word about what was spent, if nobody else moves it."""
        credits = _whole(answer.fields.get("credits"))
        if credits is None or not self.recorder.trace.exclusive:
            return
        if self._first_balance is None:
            self._first_balance = credits
        self.prices.raise_by(self.ledger.note_fall(self._first_balance - credits))

    def _count_lost(self, answer: Answer) -> None:
        """Give up on a target that has stopped answering, instead of waiting for each request."""
        self._lost_in_a_row = 0 if answer.status else self._lost_in_a_row + 1
        if self._lost_in_a_row >= _MOST_LOST_IN_A_ROW:
            message = (
                f"{self.base_url} does not answer any more: {self._lost_in_a_row} requests in a row"
                f" were lost, the last one with {answer.exchange.failure}"
            )
            raise EngineError(message, EXIT_UNREACHABLE)


def _whole(value: Any) -> int | None:
    """A number of credits; None where it is none."""
    return value if type(value) is int and value >= 0 else None


def _sender(recorded: Request) -> str:
    """The label of the key that a request carries."""
    value = header(recorded.headers, "authorization") or header(recorded.headers, "x-api-key")
    return (value or "").rpartition(" ")[2]


def _is_image(recorded: Request, received: Received) -> bool:
    return (
        recorded.method == "GET"
        and received.status == 200
        and media_type(received.headers).startswith("image/")
    )
