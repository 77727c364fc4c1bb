"""Tasks and uploads in the store."""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from emulator.core.clock import AccountClock
from emulator.core.frame import Frame
from emulator.core.request import ImageRequest, Reference
from emulator.core.seed import id_prefix
from emulator.core.task import Task, Timeline
from emulator.store.accounts import CALLER_COLUMNS, caller_of
from emulator.store.json_text import json_bytes
from emulator.store.queries import Queries
from emulator.store.records import Caller, Row, StoredTask, Upload


class TaskQueries(Queries):
    """What a transaction can do with tasks and uploads."""

    def add_tasks(self, tasks: Iterable[tuple[Task, ImageRequest]]) -> None:
        """Add tasks that are not settled, each with what was asked."""
        rows = [_task_row(task, request) for task, request in tasks]
        self._run_many("add_task", rows)
        self._run_many("add_task_end", rows)

    def task(self, task_id: str) -> StoredTask | None:
        """Find a task."""
        row = self._run("task", {"id": task_id}).fetchone()
        if row is None:
            return None
        return StoredTask(_task(row[4:]), AccountClock(row[0], row[1]), row[2], row[3])

    def caller_and_task(
        self, key_hash: str, task_id: str
    ) -> tuple[Caller | None, StoredTask | None]:
        """Find a key and its account's task in one query, as polling does."""
        row = self._run("caller_and_task", {"hash": key_hash, "task_id": task_id}).fetchone()
        if row is None:
            return None, None
        caller, task = caller_of(key_hash, row), row[CALLER_COLUMNS:]
        if task[0] is None:
            return caller, None
        return caller, StoredTask(_task(task), caller.clock, caller.seed, caller.faults_version)

    def request(self, task_id: str) -> ImageRequest | None:
        """What was asked of a task."""
        row = self._run("request", {"id": task_id}).fetchone()
        return None if row is None else _request_from_json(row[0], Frame(row[1], row[2]))

    def end_task(self, task: Task) -> bool:
        """Give a task that has not ended the timeline that it has here; False where it has."""
        timeline = task.timeline
        parameters = {
            "id": task.id,
            "account_id": task.account_id,
            "starts_at": timeline.starts_at,
            "ends_at": timeline.ends_at,
            "images": timeline.images,
            "error_code": timeline.error_code,
            "charge": task.charge,
        }
        if self._run("move_task_end", parameters).rowcount != 1:
            return False
        self._run("end_task", parameters)
        return True

    def tasks_of_account(
        self, account_id: str, id_seed: int, task_id: str | None = None
    ) -> Iterator[tuple[Task, Callable[[], ImageRequest]]]:
        """An account's tasks, or one of them, newest first, each with a way to read its request.

        Args:
            account_id: whose tasks.
            id_seed: the account's, which its tasks' ids are made of.
            task_id: the only one that is wanted.
        """
        first = last = task_id
        if task_id is None:
            first = f"task_{id_prefix(id_seed)}"
            last = f"{first}g"  # after every digit
        found = {"account_id": account_id, "first": first, "last": last}
        rows = self._run("tasks_of_account", found)
        for row in rows:
            text, frame = row[17], Frame(row[18], row[19])
            yield _task(row[:17]), partial(_request_from_json, text, frame)

    def expects_callback(self, account_id: str) -> bool:
        """Whether an unsettled task of the account has a callback_url."""
        return self._run("callback_ahead", {"id": account_id}).fetchone() is not None

    def claim_task(self, task_id: str) -> Task | None:
        """Mark a task as settled and return it; None where it was already."""
        stored = self.task(task_id)
        if stored is None:
            return None
        task = stored.task
        end = {"account_id": task.account_id, "ends_at": task.timeline.ends_at, "id": task_id}
        if self._run("claim_task", end).rowcount != 1:
            return None
        return task._replace(settled=True)

    def accounts_to_settle(self, real_now: int, limit: int) -> list[str]:
        """Accounts whose tasks' ends came first, without those that others settle."""
        rows = self._run("accounts_to_settle", {"real_now": real_now, "limit": limit})
        return [row[0] for row in rows]

    def claim_ended(self, account_id: str, until: int, limit: int) -> list[Task]:
        """Mark an account's tasks that end up to an instant as settled, and return them."""
        found = {"id": account_id, "until": until, "limit": limit}
        tasks = [_task(row) for row in self._run("ended_tasks", found).fetchall()]
        if tasks:
            last = {"ends_at": tasks[-1].timeline.ends_at, "task_id": tasks[-1].id}
            self._run("claim_ended", {"id": account_id, **last})
        return tasks

    def wake_account(self, account_id: str, real_now: int) -> None:
        """Note at which real instant the first of the account's unsettled tasks ends."""
        self._run("wake_account", {"id": account_id, "real_now": real_now})

    def first_task_due(self, account_id: str, until: int) -> tuple[str, int] | None:
        """The account's unsettled task that ends first, up to an instant: its id and end."""
        row = self._run("first_task_due", {"id": account_id, "until": until}).fetchone()
        return None if row is None else (row[0], row[1])

    def task_starts_between(
        self, account_id: str, after: int, until: int, limit: int
    ) -> list[tuple[str, int]]:
        """Tasks that turn from pending to processing after one instant and up to another."""
        parameters = {"id": account_id, "after": after, "until": until, "limit": limit}
        return [(row[0], row[1]) for row in self._run("task_starts_between", parameters)]

    def tasks_ended_between(
        self, account_id: str, after: int, until: int, limit: int
    ) -> list[tuple[str, int, str | None]]:
        """Settled tasks that ended after one instant and up to another: id, end, error code."""
        parameters = {"id": account_id, "after": after, "until": until, "limit": limit}
        return [(row[0], row[1], row[2]) for row in self._run("tasks_ended_between", parameters)]

    def next_wake(self) -> int | None:
        """The earliest real instant at which anything is due."""
        row = self._run("next_wake", {}).fetchone()
        instant: int | None = row[0]
        return instant

    def next_upload_number(self, account_id: str) -> tuple[int, int] | None:
        """Count an account's uploads, 1 for the first, and give its id_seed; None: it is gone."""
        row = self._run("next_upload_number", {"id": account_id}).fetchone()
        return None if row is None else (row[0], row[1])

    def add_upload(
        self, upload_id: str, account_id: str, media_type: str, content: bytes, now: int
    ) -> None:
        """Keep an image that a client sent."""
        self._run(
            "add_upload",
            {
                "id": upload_id, "account_id": account_id, "media_type": media_type,
                "content": content, "created_at": now,
            },
        )  # fmt: skip

    def upload(self, upload_id: str) -> Upload | None:
        """Find an upload."""
        row = self._run("upload", {"id": upload_id}).fetchone()
        return None if row is None else Upload(row[0], row[1], row[2], AccountClock(*row[3:5]))


def _task_row(task: Task, request: ImageRequest) -> dict[str, Any]:
    timeline = task.timeline
    return {
        "id": task.id, "account_id": task.account_id, "number": task.number,
        "seed": task.seed, "key_hash": task.key_hash, "model": task.model,
        "callback_url": task.callback_url, "request": _request_json(request),
        "width_px": request.frame.width_px, "height_px": request.frame.height_px,
        "created_at": task.created_at, "starts_at": timeline.starts_at,
        "ends_at": timeline.ends_at, "images": timeline.images,
        "error_code": timeline.error_code, "reserved": task.reserved,
        "charge": task.charge, "settled": 0, "base_url": task.base_url,
        "request_id": task.request_id,
    }  # fmt: skip


def _request_json(request: ImageRequest) -> str:
    fields = {
        "model": request.model,
        "prompt": request.prompt,
        "size": request.size,
        "resolution": request.resolution,
        "quality": request.quality,
        "n": request.n,
        "callback_url": request.callback_url,
        "references": [(r.source, r.upload_id) for r in request.references],
        "mask": request.mask and (request.mask.source, request.mask.upload_id),
    }
    return json_bytes(fields).decode()


def _request_from_json(text: str, frame: Frame) -> ImageRequest:
    fields: dict[str, Any] = json.loads(text)
    fields["references"] = tuple(Reference(*pair) for pair in fields["references"])
    fields["mask"] = fields["mask"] and Reference(*fields["mask"])
    return ImageRequest(frame=frame, **fields)


def _task(row: Row) -> Task:
    (
        id_, account_id, number, seed, key_hash, model, callback_url, created_at, starts_at,
        ends_at, images, error_code, reserved, charge, settled, base_url, request_id,
    ) = row  # fmt: skip
    return Task(
        id_, account_id, number, seed, key_hash, model, callback_url, created_at,
        Timeline(starts_at, ends_at, images, error_code), reserved, charge, settled == 1, base_url,
        request_id,
    )  # fmt: skip
