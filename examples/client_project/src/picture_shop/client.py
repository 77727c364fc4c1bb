"""Create a picture, poll its task, download it.

Nothing here reads a clock. Where the client has to wait it calls ``wait`` with a number of
seconds: ``time.sleep`` in production, and in a test whatever the test likes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2

MOST_ATTEMPTS = 5
FIRST_BACKOFF_SECONDS = 0.5
POLL_SECONDS = 2.0
PATIENCE_SECONDS = 900.0

TRIED_AGAIN = frozenset({429, 500, 502, 503, 504})
DEAD_LINK = frozenset({403, 404, 410})
SUCCEEDED = frozenset({"succeeded", "completed"})
ENDED = SUCCEEDED | {"failed", "expired"}

Read = TypeVar("Read")


class PictureError(Exception):
    """Something between a prompt and its picture went wrong."""


class Refused(PictureError):
    """The API refused a request; the same request will be refused again.

    Attributes:
        status: of the answer.
        code: such as ``"insufficient_credits"``, or None.
    """

    def __init__(self, status: int, code: str | None, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


class GaveUp(PictureError):
    """It was tried, or waited for, as long as is allowed."""


class OutcomeUnknown(PictureError):
    """The connection broke during a creation: there may be a task, and it may cost credits."""


class TaskFailed(PictureError):
    """A task ended without a picture; its credits are refunded.

    Attributes:
        code: why, such as ``"image_safety"``, or None.
    """

    def __init__(self, task_id: str, code: str | None) -> None:
        super().__init__(f"{task_id} failed: {code}")
        self.code = code


class LinkExpired(PictureError):
    """A picture's link works no more."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task, as the API showed it.

    Attributes:
        task_id, status: as they came.
        urls: links to its pictures.
        charged: what it cost, in credits.
        completed_at: when it ended (RFC 3339), or None.
        error_code: why it failed, or None.
    """

    task_id: str
    status: str
    urls: tuple[str, ...]
    charged: int
    completed_at: str | None
    error_code: str | None

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Task":
        """Read the API's answer."""
        return cls(
            task_id=body["task_id"],
            status=body["status"],
            urls=tuple(picture["url"] for picture in (body["result"] or {"data": []})["data"]),
            charged=body["credits"]["charged"],
            completed_at=body["completed_at"],
            error_code=(body["error"] or {}).get("code"),
        )

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ENDED

    @property
    def sellable(self) -> bool:
        """Whether it ended with a picture."""
        return self.status in SUCCEEDED and bool(self.urls)


class PictureClient:
    """A client of the API.

    Args:
        base_url: of the API; it ends in ``/v1``.
        api_key: of the account that pays.
        wait: is called with the seconds to wait.
        most_attempts: how often a request is sent before it gives up.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        wait: Callable[[float], object] = time.sleep,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        self._base_url = base_url
        self._authorization = {"Authorization": f"Bearer {api_key}"}
        self._wait = wait
        self._most_attempts = most_attempts
        self._http = httpx2.Client()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def create(
        self,
        prompt: str,
        *,
        callback_url: str | None = None,
        repeat_unknown: bool = False,
        **fields: object,
    ) -> str:
        """Have a picture made; return its task's id.

        Args:
            prompt: what it shows.
            callback_url: is called when the task has ended.
            repeat_unknown: create again where the connection broke, although that may make,
                and cost, two pictures.
            fields: other fields of the API, such as ``size="16:9"``.

        Raises:
            OutcomeUnknown: the connection broke, and ``repeat_unknown`` is not set.
        """
        body = {"model": "gpt-image-2", "prompt": prompt, **fields}
        if callback_url is not None:
            body["callback_url"] = callback_url
        request = self._http.build_request(
            "POST",
            f"{self._base_url}/images/generations",
            json=body,
            headers=self._authorization,
        )
        return str(self._ask(request, _read_json, repeat_unknown)["task_id"])

    def poll(self, task_id: str) -> Task:
        """Read a task."""
        url = f"{self._base_url}/tasks/{task_id}"
        request = self._http.build_request("GET", url, headers=self._authorization)
        return Task.of(self._ask(request, _read_json))

    def finish(self, task_id: str, patience_seconds: float = PATIENCE_SECONDS) -> Task:
        """Poll a task until it has succeeded; return it.

        Raises:
            TaskFailed: it ended without a picture.
            GaveUp: it had not ended when the patience was.
        """
        waited_seconds = 0.0
        while not (task := self.poll(task_id)).ended:
            if waited_seconds >= patience_seconds:
                raise GaveUp(f"{task_id} is still {task.status} after {waited_seconds:g} s")
            self._wait(POLL_SECONDS)
            waited_seconds += POLL_SECONDS
        if not task.sellable:
            raise TaskFailed(task_id, task.error_code)
        return task

    def download(self, url: str) -> bytes:
        """Fetch a picture. Its link needs no key, so none is sent.

        Raises:
            LinkExpired: the link works no more.
        """
        return self._ask(self._http.build_request("GET", url), _read_picture)

    def _ask(
        self,
        request: httpx2.Request,
        read: Callable[[httpx2.Response], Read],
        repeat_unknown: bool = True,
    ) -> Read:
        """Send a request until it is answered; read the answer.

        An answer of ``TRIED_AGAIN`` means that nothing was done. A connection that breaks, or an
        answer that can't be read, leaves that open.
        """
        for attempt in range(self._most_attempts):
            pause_seconds = FIRST_BACKOFF_SECONDS * 2**attempt
            try:
                response = self._http.send(request)
                if response.status_code not in TRIED_AGAIN:
                    return read(response)
                problem = f"status {response.status_code}"
                pause_seconds = _retry_after_seconds(response) or pause_seconds
            except httpx2.ConnectError as error:  # the request was never sent
                problem = repr(error)
            except (httpx2.TransportError, ValueError) as error:
                problem = repr(error)
                if not repeat_unknown:
                    raise OutcomeUnknown(problem) from error
            if attempt + 1 < self._most_attempts:
                self._wait(pause_seconds)
        raise GaveUp(f"{request.method} {request.url} failed {attempt + 1} times; last: {problem}")


def _retry_after_seconds(response: httpx2.Response) -> float | None:
    """How long the server asks to wait; None where it does not say it in seconds."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None


def _read_json(response: httpx2.Response) -> dict[str, Any]:
    """Read an answer of the API; a ValueError says that it is broken."""
    body = response.json()
    if response.is_error:
        raise Refused(response.status_code, body["error"]["code"], body["error"]["message"])
    answer: dict[str, Any] = body
    return answer


def _read_picture(response: httpx2.Response) -> bytes:
    """Read a picture; a ValueError says that it is none."""
    if response.status_code in DEAD_LINK:
        raise LinkExpired(str(response.url))
    media_type = response.headers.get("Content-Type", "")
    if not media_type.startswith("image/"):
        raise ValueError(f"a picture was expected, {media_type!r} came")
    return response.content
