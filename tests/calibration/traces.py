"""Traces by hand, and one that is recorded."""

import base64
import json
from io import BytesIO
from typing import Any

import httpx2
from PIL import Image

from emulator.calibration.har import parse_har
from emulator.calibration.learn import learn
from emulator.calibration.lesson import Finding, Lesson
from emulator.calibration.observe import observe
from emulator.core.clock import SECOND, rfc3339
from tests.support.world import CREATION, World

Json = dict[str, Any]
START = 1_800_000_000_000  # 2027-01-15T08:00:00Z
HOST = "https://upstream.example"


def at(seconds: float) -> str:
    """A time, so many seconds after the trace's start."""
    return rfc3339(START + round(seconds * SECOND))


def entry(
    method: str, url: str, status: int, sent: Any = None, answer: Any = None, *,
    seconds: float = 0.0, **more: Any,
) -> Json:  # fmt: skip
    """An entry of a HAR, with JSON bodies."""
    request: Json = {"method": method, "url": url if "://" in url else HOST + url}
    if sent is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(sent)}
    content = {} if answer is None else {"text": json.dumps(answer)}
    response = {"status": status, "content": content}
    return {
        "startedDateTime": at(seconds), "time": 100, "request": request, "response": response,
        **more,
    }  # fmt: skip


def har(*entries: Any) -> Json:
    """A HAR of entries."""
    return {"log": {"version": "1.2", "entries": list(entries)}}


def creation(
    task: int, status: str = "pending", credits: Any = 30, seconds: float = 0.0,
    more: Json | None = None, **fields: Any,
) -> Json:  # fmt: skip
    """A creation that was accepted; ``more`` is in its answer as well."""
    answer = {"task_id": f"task_{task}", "status": status, "credits": {"reserved": credits}}
    sent = {**CREATION, **fields}
    path = "/v1/images/generations"
    return entry("POST", path, 202, sent, {**answer, **(more or {})}, seconds=seconds)


def detail(
    task: int, status: str = "succeeded", ended: float | None = 5.0, urls: tuple[str, ...] = (),
    error: str = "",
) -> Json:  # fmt: skip
    """A task's body; it was created at 0 seconds."""
    return {
        "task_id": f"task_{task}",
        "status": status,
        "created_at": at(0),
        "completed_at": None if ended is None else at(ended),
        "result": {"data": [{"url": url} for url in urls]} if urls else None,
        "error": {"code": error} if error else None,
    }


def poll(task: int, status: str = "succeeded", seconds: float = 10.0, **of_detail: Any) -> Json:
    """A task that was read."""
    return entry("GET", f"/v1/tasks/task_{task}", 200, None, detail(task, status, **of_detail),
                 seconds=seconds)  # fmt: skip


def picture_bytes(width_px: int, height_px: int, kind: str = "PNG") -> bytes:
    """An image file."""
    file = BytesIO()
    Image.new("L", (width_px, height_px)).save(file, kind)
    return file.getvalue()


def download(
    url: str, status: int = 200, picture: bytes | None = None, seconds: float = 20.0
) -> Json:
    """A request to a link."""
    found = entry("GET", url, status, seconds=seconds)
    if picture is not None:
        text = base64.b64encode(picture).decode()
        found["response"]["content"] = {"text": text, "encoding": "base64"}
    return found


def lessons(*entries: Any) -> dict[str, Lesson]:
    """What a trace of entries teaches, by setting."""
    return {lesson.setting: lesson for lesson in learn(observe(parse_har(har(*entries), "a.har")))}


def values(*entries: Any) -> dict[str, str]:
    """The settings that a trace of entries teaches."""
    found = lessons(*entries).items()
    return {setting: lesson.value for setting, lesson in found if lesson.value is not None}


def finding(found: dict[str, Lesson], setting: str, what: str = "") -> Finding:
    """The finding of a setting whose value is of something."""
    return next(one for one in found[setting].findings if what in one.what)


class Recorder:
    """A client that writes down what it exchanges with a world's server."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.entries: list[Json] = []

    async def send(self, method: str, url: str, **options: Any) -> httpx2.Response:
        """Send a request."""
        started = self._world.clock.now()
        request = self._world.client.build_request(method, url, **options)
        await request.aread()
        response = await self._world.client.send(request)
        sent: Json = {"method": request.method, "url": str(request.url)}
        if request.content:
            sent["postData"] = {
                "mimeType": request.headers["content-type"],
                "text": base64.b64encode(request.content).decode(),
                "_encoding": "base64",
            }
        content = {"text": base64.b64encode(response.content).decode(), "encoding": "base64"}
        self.entries.append(
            {
                "startedDateTime": rfc3339(started),
                "time": 1,
                "request": sent,
                "response": {"status": response.status_code, "content": content},
            }
        )
        return response
