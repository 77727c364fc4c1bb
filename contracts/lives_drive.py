"""Carries out planned tasks: sends, waits, downloads, and judges nothing."""

import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from PIL import Image

from contracts.client import Answer, Client
from contracts.field_rules import REFERENCE_FIELDS
from contracts.observed import BALANCE, ENDED, instant, result_urls
from contracts.options import Options
from contracts.receiver import Receiver
from contracts.target import Clock, Control
from contracts.tasks_plan import PlannedTask

MODEL = "gpt-image-2"
LONGEST_PROMPT = 32_000  # GEN-16
_POLL_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
_POLL_SECONDS_ELSEWHERE = (1.0, 1.5, 2.0, 3.0, 5.0)
_ALL_OF_FEW = 4
_HOOKS = {"taken": [204], "taken late": [500, 200], "never taken": [307, 500]}
# After a delivery failed: fine steps at first, since waits are short then (CB-3).
_RETRY_STEPS_SECONDS = (*[1.0] * 8, *[5.0] * 8, *[20.0] * 8, *[60.0] * 12, *[300.0] * 14)
_PROVOKE: dict[str, dict[str, Any]] = {
    "fails": {"fault": "task_fails", "code": "image_safety"},
    "partial": {"fault": "partial", "images": 1},
    "hangs": {"fault": "task_hangs"},
}


@dataclass
class Lived:
    """What is left to do about a task after it has ended.

    Attributes:
        task_id: its id; None where a call waited and told none.
        path: where it is read.
        key: whose it is; empty: the run's own.
        links: what was handed out, with what it takes to follow it.
        ended_at: on the target's clock, as far as is known.
    """

    task_id: str | None
    path: str
    key: str
    links: list[str] = field(default_factory=list)
    ended_at: float = 0.0


class Lives:
    """Lets planned tasks live.

    Args:
        client: sends.
        clock: the target's time.
        receiver: takes callbacks; None where there is none.
        control: provokes failures; None where nothing can be provoked.
        options: how long to wait.
        strangers_key: another account's key; None where there is none.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        receiver: Receiver | None,
        control: Control | None,
        options: Options,
        strangers_key: str | None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._receiver = receiver
        self._control = control
        self._options = options
        self._strangers_key = strangers_key
        self._reference_links: dict[str, list[str]] = {}
        self.lived: list[Lived] = []
        self.stopping = threading.Event()

    def live(self, task: PlannedTask, key: str = "") -> Lived:
        """Create a task and follow it to its end.

        Args:
            task: what to create.
            key: whose it is; empty: the run's own.
        """
        token = f"contract-{self._options.seed}-{task.number}"
        self._provoke(task, token, key)
        body = self._body(task, token)
        references = self._references(task, key)
        self._balance(key, task.prefix)
        if self.stopping.is_set():
            return Lived(None, "", key)
        if task.endpoint == "generations":
            answer = self._create(task, body, references, key)
        else:
            answer = while_time_passes(
                self._clock, lambda: self._create(task, body, references, key)
            )
        self._balance(key, task.prefix)
        task_id = answer.fields.get("task_id")
        lived = Lived(
            task_id if isinstance(task_id, str) and answer.status == 202 else None,
            _task_path(task.prefix, str(task_id)),
            key,
            ended_at=self._clock.now(),
        )
        self.lived.append(lived)  # before anything else: an interrupt must not lose its links
        if lived.task_id is not None:
            self._follow(lived, task)
        elif answer.status == 200:
            lived.links = list(result_urls(answer.fields))
        self._download(lived)
        self._callbacks(task, token)
        self._balance(key, task.prefix)
        return lived

    def read(self, lived: Lived, purpose: str = "read the task again") -> Answer:
        """Read a task."""
        return self._client.send("GET", lived.path, key=lived.key, purpose=purpose)

    def read_all(self) -> None:
        """Read every task that was followed once more."""
        for lived in self.lived:
            self.read_again(lived)

    def read_again(self, lived: Lived) -> None:
        """Read a task, if the call that made it told which it is."""
        if lived.task_id is not None:
            self.read(lived)

    def read_only(self, task_id: str) -> None:
        """Read a task that somebody else created, and fetch its pictures."""
        lived = Lived(task_id, _task_path("/v1", task_id), "")
        self._balance("")
        answer = self.read(lived, "a task that was named")
        lived.ended_at = self._ended_at(answer)
        lived.links = list(result_urls(answer.fields.get("result")))
        self._strangers_read(lived)
        self._download(lived)
        self.lived.append(lived)

    def _provoke(self, task: PlannedTask, token: str, key: str) -> None:
        fault = _PROVOKE.get(task.outcome)
        if fault is not None and self._control is not None:
            command = {**fault, "prompt": f"({token})", "times": 1}
            self._control.post("/faults", command, key or None)

    def _body(self, task: PlannedTask, token: str) -> dict[str, Any]:
        text = "A lighthouse at dawn, flat colours"
        if task.prompt == "unicode":
            text = 'Une jetée, 灯台, منارة 🌊 \u2028 "quoted" \\ <b>&amp;</b>'
        prompt = f"{text} ({token})"
        if task.prompt == "longest":
            prompt += " " + "x" * (LONGEST_PROMPT - len(prompt) - 1)
        body: dict[str, Any] = {"model": MODEL, "prompt": prompt, **task.fields}
        if task.callback != "none" and self._receiver is not None:
            body["callback_url"] = self._receiver.hook(token, _HOOKS[task.callback])
        return body

    def _references(self, task: PlannedTask, key: str) -> list[str]:
        """Links of uploaded images; the same two serve every task of a key."""
        if not task.references or task.endpoint == "edits":
            return []
        links = self._reference_links.setdefault(key, [])
        if not links:
            for color, form in (("orange", "PNG"), ("teal", "JPEG")):
                file = (f"{color}.{form.lower()}", picture(color, form), f"image/{form.lower()}")
                answer = self._client.send(
                    "POST", "/v1/images/upload", key=key, files={"file": file},
                    purpose="upload a reference image",
                )  # fmt: skip
                url = answer.fields.get("url")
                if answer.status == 200 and isinstance(url, str):
                    links.append(url)
                    self._client.send("GET", url, key=None, purpose="fetch the upload")
        return (links * task.references)[: task.references]

    def _create(
        self, task: PlannedTask, body: dict[str, Any], references: list[str], key: str
    ) -> Answer:
        headers = {}
        if task.key_header == "x-api-key":
            headers["x-api-key"] = key or self._client.key  # AUTH-2
        if task.endpoint == "edits":
            files = [
                ("image", (f"{n}.png", picture("orange", "PNG"), "image/png"))
                for n in range(task.references)
            ]
            if task.references == 1:
                files.append(("mask", ("mask.png", picture("#0000", "PNG"), "image/png")))
            path = f"{task.prefix}/images/edits"
            fields = {name: str(value) for name, value in body.items()}
            return self._client.send(
                "POST", path, key=key, headers=headers, data=fields, files=files,
                purpose="edit",
            )  # fmt: skip
        if references:
            body = {**body, REFERENCE_FIELDS[task.number % len(REFERENCE_FIELDS)]: references}
        tail = "/sync" if task.endpoint == "sync" else ""
        path = f"{task.prefix}/images/generations{tail}"
        return self._client.send(
            "POST", path, key=key, headers=headers, json=body, purpose="create a task"
        )

    def _follow(self, lived: Lived, task: PlannedTask) -> None:
        """Poll a task until it has ended, and once more."""
        deadline = self._clock.now() + self._options.task_timeout_seconds
        steps = _POLL_SECONDS if self._clock.is_movable else _POLL_SECONDS_ELSEWHERE
        waited, number = 0.0, 0
        while True:
            answer = self.read(lived, "poll")
            if number in (0, 2):
                self._strangers_read(lived)
            over = self.stopping.is_set() or self._clock.now() > deadline
            if over or answer.fields.get("status") in ENDED:
                break
            if number < len(steps):
                waited = steps[number]
            else:
                waited = min(waited * 2, 60.0 if self._clock.is_movable else 10.0)
            number += 1
            self._clock.wait(waited)
        again = self.read(lived)
        lived.ended_at = self._ended_at(again)
        lived.links = list(result_urls(again.fields.get("result")))
        self._strangers_read(lived)

    def _ended_at(self, answer: Answer) -> float:
        """When a task ended: as the target says, if that is not yet to come."""
        now = self._clock.now()
        return min(instant(answer.fields.get("completed_at")) or now, now)

    def _strangers_read(self, lived: Lived) -> None:
        if self._strangers_key is not None:
            self._client.send(
                "GET", lived.path, key=self._strangers_key, purpose="read another account's task"
            )

    def _download(self, lived: Lived) -> None:
        count = len(lived.links)
        wanted = range(count) if count <= _ALL_OF_FEW else (0, 1, count - 1)
        for index in wanted:
            self._client.send("GET", lived.links[index], key=None, purpose="download")
        if count:
            self._client.send("HEAD", lived.links[0], key=None, purpose="ask about the picture")

    def _callbacks(self, task: PlannedTask, token: str) -> None:
        """Wait for what should arrive, at most as long as the options say."""
        if task.callback == "none" or self._receiver is None:
            return
        wanted = {"taken": 1, "taken late": 2, "never taken": 6}[task.callback]
        steps = _RETRY_STEPS_SECONDS
        if not self._clock.is_movable:
            steps = (0.5,) * int(self._options.callback_wait_seconds * 2)
        for step in steps:
            if self.stopping.is_set() or len(self._receiver.arrived(token)) >= wanted:
                return
            self._clock.wait(step)

    def _balance(self, key: str, prefix: str = "/v1") -> None:
        path = BALANCE if prefix == "/v1" else f"/api{BALANCE}"
        self._client.send("GET", path, key=key, purpose="read the balance")


def _task_path(prefix: str, task_id: str) -> str:
    return f"{prefix}/tasks/{quote(task_id, safe='', errors='replace')}"


def while_time_passes(clock: Clock, call: Callable[[], Answer]) -> Answer:
    """Make a call that waits for its images, and move a movable clock meanwhile."""
    if not clock.is_movable:
        return call()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(call)
        while not waiting.done():
            time.sleep(0.01)
            if not waiting.done():
                clock.wait(0.5)
        return waiting.result()


def picture(color: str, form: str) -> bytes:
    """A small image of one colour."""
    file = io.BytesIO()
    Image.new("RGBA" if form == "PNG" else "RGB", (64, 64), color).save(file, form)
    return file.getvalue()
