"""A receiver of the API's callbacks, as a WSGI application.

A callback is a hint, not a proof: anybody who knows the address can send one. So the receiver takes
nothing but the task's id from it, and reads the task again with its own key. The same callback may
come twice, or at the same moment as itself: ``Sales.record`` makes the second one do nothing.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from picture_shop.client import PictureClient, PictureError, Refused
from picture_shop.sales import Sales

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST_BYTES = 1024 * 1024
TOLERANCE_SECONDS = 300


class CallbackReceiver:
    """Records the sale of each task that ended well.

    Args:
        client: reads tasks again.
        sales: where they are recorded.
        secret: the ``whsec_...`` that callbacks are signed with; None: they are not.
        now: the Unix time that a signature's timestamp is held against.
    """

    def __init__(
        self,
        client: PictureClient,
        sales: Sales,
        secret: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._sales = sales
        self._secret = secret
        self._now = now

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Take a callback, as WSGI wants it."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > MOST_BYTES:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        else:
            body = environ["wsgi.input"].read(length)
            signed = [environ.get(f"HTTP_WEBHOOK_{name}", "") for name in _SIGNED_BY]
            status = self._status(body, *signed)
        start(f"{status.value} {status.phrase}", [("Content-Length", "0")])
        return []

    def _status(self, body: bytes, message_id: str, timestamp: str, signatures: str) -> HTTPStatus:
        """Take a callback; decide its answer: a 5xx has it sent again later."""
        if self._secret is not None:
            expected = sign(self._secret, message_id, timestamp, body)
            if not (self._is_recent(timestamp) and _is_one_of(expected, signatures)):
                return HTTPStatus.UNAUTHORIZED
        try:
            task_id = str(json.loads(body)["task_id"])
        except (ValueError, KeyError, TypeError):
            return HTTPStatus.BAD_REQUEST
        try:
            task = self._client.poll(task_id)
        except Refused:
            return HTTPStatus.NOT_FOUND  # not a task of ours
        except PictureError:
            return HTTPStatus.SERVICE_UNAVAILABLE
        if not task.ended:
            return HTTPStatus.CONFLICT
        if task.sellable:
            self._sales.record(task)
        return HTTPStatus.NO_CONTENT

    def _is_recent(self, timestamp: str) -> bool:
        return timestamp.isdecimal() and abs(self._now() - int(timestamp)) <= TOLERANCE_SECONDS


_SIGNED_BY = ("ID", "TIMESTAMP", "SIGNATURE")


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Sign a callback as Standard Webhooks does."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _is_one_of(expected: str, signatures: str) -> bool:
    """Compare in constant time; there may be several, while a secret is being changed."""
    return any(
        hmac.compare_digest(expected.encode(), one.encode()) for one in signatures.split(" ")
    )
