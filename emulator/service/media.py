"""Media links: who may see what, until when, and the pictures behind them."""

import asyncio
import time
from collections import OrderedDict
from typing import NamedTuple

from emulator.core.clock import SECOND, rfc3339
from emulator.core.errors import Refusal, shown
from emulator.core.fault import Facts, Hit
from emulator.core.link import has_expired, is_authentic, upload_path
from emulator.core.picture import Picture, ReferencePicture, etag
from emulator.core.ports import Renderer
from emulator.core.request import Reference
from emulator.core.seed import derive
from emulator.core.task import Task
from emulator.service.faults import Faults
from emulator.service.ground import Ground
from emulator.service.image_work import ImageWork
from emulator.service.tally import Tally
from emulator.service.tasks import no_such_task
from emulator.settings import MIB
from emulator.store.records import Caller
from emulator.store.transaction import Transaction

PNG = "image/png"


class MediaFile(NamedTuple):
    """What a valid link leads to.

    Attributes:
        media_type: image/png, image/jpeg or image/webp.
        etag: changes with the picture's description.
        now: the account's instant.
        account_id: whose file it is.
        facts: what a fault of its content is held against.
        picture: what to draw, or None where ``content`` is there already.
        content: an upload's bytes.
    """

    media_type: str
    etag: str
    now: int
    account_id: str
    facts: Facts
    picture: Picture | None
    content: bytes = b""


class PictureCache:
    """Pictures that were drawn: each once while cached, bounded in bytes, least used first out.

    Args:
        renderer: draws.
        max_bytes: of all cached pictures together.
        tally: counts what is drawn.
        work: where it draws.
    """

    def __init__(self, renderer: Renderer, max_bytes: int, tally: Tally, work: ImageWork) -> None:
        self._renderer = renderer
        self._tally = tally
        self._max_bytes = max_bytes
        self._bytes = 0
        self._done: OrderedDict[str, bytes] = OrderedDict()
        self._drawing: dict[str, asyncio.Task[bytes]] = {}
        self._work = work

    @property
    def bytes_cached(self) -> int:
        """What all cached pictures take together."""
        return self._bytes

    async def get(self, key: str, picture: Picture) -> bytes:
        """Return a picture as PNG bytes, drawing it at most once at a time.

        Raises:
            Refusal: it would have to be drawn, and too many wait for that.
        """
        content = self._done.get(key)
        if content is not None:
            self._done.move_to_end(key)
            return content
        drawing = self._drawing.get(key)
        if drawing is None:
            drawing = asyncio.create_task(self._draw(key, picture))
            self._drawing[key] = drawing
        # A caller that goes away must not stop the drawing that others wait for.
        return await asyncio.shield(drawing)

    async def _draw(self, key: str, picture: Picture) -> bytes:
        try:
            content, seconds = await self._work.run(lambda: self._timed(picture))
        finally:
            del self._drawing[key]
        self._tally.drawn(seconds)
        if len(content) <= self._max_bytes:
            self._done[key] = content
            self._bytes += len(content)
            while self._bytes > self._max_bytes:
                _, oldest = self._done.popitem(last=False)
                self._bytes -= len(oldest)
        return content

    def _timed(self, picture: Picture) -> tuple[bytes, float]:
        started = time.perf_counter()
        return self._renderer.render(picture), time.perf_counter() - started


class Media:
    """Use cases about media links."""

    def __init__(self, ground: Ground, renderer: Renderer, faults: Faults, work: ImageWork) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._secret = ground.media_secret
        self._faults = faults
        max_bytes = ground.settings.picture_cache_mib * MIB
        self.cache = PictureCache(renderer, max_bytes, ground.tally, work)

    async def open_picture(
        self, task_id: str, index: str, expires: str, signature: str
    ) -> MediaFile:
        """Open a task's image.

        Raises:
            Refusal: the link was changed, or its time is over (MEDIA-1, MEDIA-2).
        """
        self._check_signature(f"/media/{task_id}/{index}.png", expires, signature)
        stored = await self._database.read(lambda tx: tx.task(task_id))
        if stored is None:
            raise _expired(expires)
        now = stored.clock.now(self._clock.now())
        if has_expired(expires, now):
            raise _expired(expires, now, stored.task.account_id)
        account_id = stored.task.account_id
        picture = await self._database.write(
            lambda tx: describe(tx, stored.task, int(index)), account_id
        )
        facts = Facts("getImage", picture.prompt, task_id)
        if stored.faults_version and await self._meet(account_id, "link", facts):
            raise _expired(expires, now, account_id)
        return MediaFile(PNG, etag(picture), now, account_id, facts, picture)

    async def picture_of(self, caller: Caller, task_id: str, index: int) -> bytes:
        """A picture of one of the caller's tasks, as PNG, whether or not its link still works.

        No fault meets it, so to look on changes nothing.

        Raises:
            Refusal: there is no such task, or no such picture of it yet.
        """
        stored = await self._database.read(lambda tx: tx.task(task_id))
        if stored is None or stored.task.account_id != caller.account_id:
            raise no_such_task(task_id)
        task, images = stored.task, 0
        if task.has_ended(stored.clock.now(self._clock.now())):
            images = task.timeline.images
        if not 1 <= index <= images:
            message = f"Task {shown(task_id)} has {images} pictures at present; {index} was asked."
            raise Refusal("not_found", message, "index")
        picture = await self._database.write(
            lambda tx: describe(tx, task, index), caller.account_id
        )
        return await self.cache.get(etag(picture), picture)

    async def open_upload(self, upload_id: str, expires: str, signature: str) -> MediaFile:
        """Open an uploaded file.

        Raises:
            Refusal: the link was changed, or its time is over.
        """
        self._check_signature(upload_path(upload_id), expires, signature)
        upload = await self._database.read(lambda tx: tx.upload(upload_id))
        if upload is None:
            raise _expired(expires)
        now = upload.clock.now(self._clock.now())
        if has_expired(expires, now):
            raise _expired(expires, now, upload.account_id)
        facts = Facts("getUpload")
        if await self._meet(upload.account_id, "link", facts):
            raise _expired(expires, now, upload.account_id)
        return MediaFile(
            upload.media_type, upload_id, now, upload.account_id, facts, None, upload.content
        )

    async def meet(self, file: MediaFile) -> Hit | None:
        """Find the fault that meets an open file's content, and count it."""
        return await self._meet(file.account_id, "media", file.facts)

    async def _meet(self, account_id: str, phase: str, facts: Facts) -> Hit | None:
        account = await self._database.read(lambda tx: tx.account(account_id))
        if account is None or not account.faults_version:
            return None
        version, seed = account.faults_version, account.seed
        return await self._database.write(
            lambda tx: self._faults.take(tx, account_id, version, seed, phase, facts), account_id
        )

    async def content(self, file: MediaFile) -> bytes:
        """The bytes of an open file, drawn if need be."""
        if file.picture is None:
            return file.content
        return await self.cache.get(file.etag, file.picture)

    def _check_signature(self, path: str, expires: str, signature: str) -> None:
        if not is_authentic(self._secret, path, expires, signature):
            message = "This media link was changed: its signature does not fit its path and expiry."
            raise Refusal("invalid_signature", message, "signature", claim="MEDIA-1")


def describe(tx: Transaction, task: Task, index: int) -> Picture:
    """Describe one image of a task completely, with the bytes of its references."""
    request = tx.request(task.id)
    if request is None:
        raise Refusal("link_expired", "The task of this link was deleted meanwhile.", "expires")

    def load(reference: Reference) -> ReferencePicture:
        upload = None if reference.upload_id is None else tx.upload(reference.upload_id)
        return ReferencePicture(reference.source, None if upload is None else upload.content)

    return Picture(
        task_id=task.id,
        index=index,
        count=task.timeline.images,
        width_px=request.frame.width_px,
        height_px=request.frame.height_px,
        prompt=request.prompt,
        quality="medium" if request.quality == "auto" else request.quality,
        size=request.size,
        seed=derive(task.seed, "picture", index),
        references=tuple(load(reference) for reference in request.references),
        mask=None if request.mask is None else load(request.mask).content,
    )


def _expired(expires: str, now: int | None = None, account_id: str | None = None) -> Refusal:
    moment = rfc3339(int(expires) * SECOND)
    message = f"This media link stopped working at {moment}, on the account's clock."
    return Refusal(
        "link_expired", message, "expires", claim="MEDIA-2", now=now, account_id=account_id
    )
