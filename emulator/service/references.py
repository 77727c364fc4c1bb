"""Reference images: uploads, data: URLs, our own media links, and other servers' URLs."""

import base64
import binascii
import re
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

from emulator.core.address import split_http_url
from emulator.core.errors import Refusal, account_deleted, shown
from emulator.core.link import is_authentic, signed_link, upload_path
from emulator.core.ports import Fetcher, Inspector
from emulator.core.request import Reference
from emulator.core.seed import token
from emulator.service.ground import Ground
from emulator.service.image_work import ImageWork
from emulator.service.media import Media
from emulator.store.records import Caller
from emulator.store.transaction import Transaction

_OWN_PATH = re.compile(r"/media/(?:uploads/(?P<upload>[^/]+)|(?P<task>[^/]+)/(?P<index>\d+)\.png)")
_DATA_URL = re.compile(r"data:([^,]*),(.*)", re.DOTALL)
_SHOWN_SOURCE_CHARACTERS = 500
_ACCEPTED = "an http(s) URL, a data: URL, or a media link of this server"


class SentImage(NamedTuple):
    """An image file that a client sent.

    Attributes:
        param: the field that it came in.
        name: the file's name, for people.
        content: its bytes.
    """

    param: str
    name: str
    content: bytes


class References:
    """Use cases about reference images."""

    def __init__(
        self,
        ground: Ground,
        inspector: Inspector,
        fetcher: Fetcher | None,
        media: Media,
        work: ImageWork,
    ) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._inspector = inspector
        self._fetcher = fetcher
        self._media = media
        self._work = work
        self._settings = ground.settings
        self._secret = ground.media_secret

    async def upload(self, caller: Caller, image: SentImage, base_url: str) -> str:
        """Keep an uploaded image and return its link (UPL-1)."""
        reference = await self.keep(caller, image)
        now = caller.clock.now(self._clock.now())
        expires_at = now + self._settings.media_ttl_ms
        path = upload_path(reference.upload_id or "")
        return signed_link(self._secret, base_url, path, expires_at)

    async def keep(self, caller: Caller, image: SentImage) -> Reference:
        """Check an image and keep its bytes (EDIT-2).

        Raises:
            Refusal: it is no usable image, or too many wait to be checked.
        """
        inspect = partial(self._inspector.inspect, image.content, image.param)
        facts = await self._work.run(inspect)

        def work(tx: Transaction) -> str:
            counted = tx.next_upload_number(caller.account_id)
            if counted is None:
                raise account_deleted()
            number, id_seed = counted
            upload_id = f"file_{token(id_seed, 'upload', number)}"
            now = caller.clock.now(self._clock.now())
            tx.add_upload(upload_id, caller.account_id, facts.media_type, image.content, now)
            return upload_id

        return Reference(image.name, await self._database.write(work, caller.account_id))

    async def resolve(
        self, caller: Caller, urls: Sequence[str], param: str, base_url: str
    ) -> tuple[Reference, ...]:
        """Turn the reference URLs of a request into stored images or placeholders (GEN-11).

        Raises:
            Refusal: one of them is no URL, or no usable image.
        """
        return tuple(
            [
                await self._resolve(caller, url, f"{param}[{position}]", base_url)
                for position, url in enumerate(urls)
            ]
        )

    async def _resolve(self, caller: Caller, url: str, param: str, base_url: str) -> Reference:
        if url[:5].lower() == "data:":
            return await self.keep(caller, SentImage(param, "data: URL", _data_url(url, param)))
        if split_http_url(url) is None:
            raise Refusal.invalid_value(param, url, _ACCEPTED, claim="GEN-11")
        own = await self._own_media(caller, url, param, base_url)
        if own is not None:
            return own
        source = url[:_SHOWN_SOURCE_CHARACTERS]
        if self._fetcher is None:
            return Reference(source, None)
        content = await self._fetcher.fetch(url, param)
        return await self.keep(caller, SentImage(param, source, content))

    async def _own_media(
        self, caller: Caller, url: str, param: str, base_url: str
    ) -> Reference | None:
        parts = urlsplit(url)
        match = _OWN_PATH.fullmatch(parts.path)
        if match is None:
            return None
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        expires, signature = query.get("expires", ""), query.get("signature", "")
        authentic = is_authentic(self._secret, parts.path, expires, signature)
        if not authentic and parts.netloc != urlsplit(base_url).netloc:
            return None
        try:
            if match["upload"]:
                await self._media.open_upload(match["upload"], expires, signature)
                return Reference(url[:_SHOWN_SOURCE_CHARACTERS], match["upload"])
            file = await self._media.open_picture(match["task"], match["index"], expires, signature)
        except Refusal as refusal:
            message = f"{param} can't be used: {refusal.message}"
            raise Refusal("invalid_image", message, param, claim="GEN-11") from refusal
        return await self.keep(
            caller, SentImage(param, parts.path, await self._media.content(file))
        )


def _data_url(url: str, param: str) -> bytes:
    match = _DATA_URL.fullmatch(url)
    if match is None or not match[1].lower().endswith(";base64"):
        accepted = "a data: URL in base64, such as data:image/png;base64,iVBORw0KGgo..."
        raise Refusal.invalid_value(param, url, accepted, claim="GEN-11")
    try:
        return base64.b64decode(unquote_to_bytes(match[2]), validate=True)
    except (binascii.Error, ValueError) as error:
        message = f"{param} is a data: URL whose base64 is broken: {error}; {shown(url)} was sent."
        raise Refusal("invalid_image", message, param, claim="GEN-11") from error
