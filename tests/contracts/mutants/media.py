"""Links that die early, late or never, or that lead nowhere."""

from collections import Counter
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api import http, middleware
from emulator.core.clock import DAY, HOUR
from emulator.core.errors import Refusal
from emulator.service import media, references
from emulator.service.media import Media, MediaFile
from emulator.service.services import Services
from emulator.settings import Settings
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import around, handler, swap
from tests.contracts.mutants.probe import Probe
from tests.support.images import image_bytes


def _live_for(milliseconds: int) -> Patch:
    return swap(Settings, "media_ttl_ms", property(lambda settings: milliseconds))


async def _ask_for_a_key(original: Any, request: Request, services: Services) -> ASGIApp:
    await services.accounts.authenticate(http.api_key(request))
    found: ASGIApp = await original(request, services)
    return found


async def _know_no_head(original: Any, request: Request, services: Services) -> ASGIApp:
    if request.method == "HEAD":
        raise Refusal("not_found", "There is no such route.")
    found: ASGIApp = await original(request, services)
    return found


async def _know_one_image(
    original: Any, self: Media, task_id: str, index: str, *rest: str
) -> MediaFile:
    if index != "1":
        raise Refusal("not_found", "There is no such picture.")
    found: MediaFile = await original(self, task_id, index, *rest)
    return found


def _once_only() -> Any:
    """A link works once."""
    opened: Counter[str] = Counter()

    async def open_picture(
        original: Any, self: Media, task_id: str, index: str, expires: str, signature: str
    ) -> MediaFile:
        file: MediaFile = await original(self, task_id, index, expires, signature)
        opened[f"{task_id}/{index}"] += 1
        if opened[f"{task_id}/{index}"] > 1:
            raise Refusal("link_expired", "This link was used.", "expires")
        return file

    return around(Media, "open_picture", open_picture)()


def _status_of(original: Any, refusal: Refusal, settings: Settings) -> int:
    return 500 if refusal.code == "link_expired" else int(original(refusal, settings))


def _status_after(hours: float, probe: Probe) -> int:
    url = probe.links()[0]
    probe.account.clock.advance(hours=hours)
    return probe.get(url, None).status_code


def _statuses(probe: Probe, *urls: str) -> list[int]:
    return [probe.get(url, None).status_code for url in urls]


def _uploaded(probe: Probe) -> str:
    url: str = probe.upload(image_bytes()).json()["url"]
    return url


MUTANTS = (
    Mutant(
        "links-die-early",
        "MEDIA-1",
        "A link is dead after 23 hours.",
        _live_for(23 * HOUR),
        lambda probe: _status_after(23.5, probe) == 410,
    ),
    Mutant(
        "links-die-late",
        "MEDIA-2",
        "A link works for two days.",
        _live_for(2 * DAY),
        lambda probe: _status_after(25, probe) == 200,
    ),
    Mutant(
        "links-never-die",
        "MEDIA-2",
        "A link says when it expires, and works for ever.",
        swap(media, "has_expired", lambda expires, now: False),
        lambda probe: _status_after(1000, probe) == 200,
    ),
    Mutant(
        "a-dead-link-is-a-500",
        "MEDIA-2",
        "A link whose time is over is answered with 500.",
        around(middleware, "status_of", _status_of),
        lambda probe: _status_after(25, probe) == 500,
    ),
    Mutant(
        "links-need-a-key",
        "MEDIA-3",
        "A picture is only served to a caller who sends a key.",
        handler("getImage", _ask_for_a_key),
        lambda probe: _statuses(probe, probe.links()[0]) == [401],
    ),
    Mutant(
        "links-can-be-made-up",
        "MEDIA-3",
        "A link's signature is not checked, so anybody's pictures can be guessed.",
        swap(media, "is_authentic", lambda *_: True),
        lambda probe: _statuses(probe, probe.links()[0][:-4] + "0000") == [200],
    ),
    Mutant(
        "links-work-once",
        "MEDIA-1",
        "The second download of a link is refused.",
        _once_only,
        lambda probe: _statuses(probe, *probe.links() * 2) == [200, 410],
    ),
    Mutant(
        "the-second-link-is-dead",
        "MEDIA-1",
        "Only the first picture of a task can be downloaded.",
        around(Media, "open_picture", _know_one_image),
        lambda probe: _statuses(probe, *probe.links(n=2)) == [200, 404],
    ),
    Mutant(
        "links-know-no-head",
        "MEDIA-1",
        "HEAD of a link that works is a 404.",
        handler("getImage", _know_no_head),
        lambda probe: probe.send("HEAD", probe.links()[0]).status_code == 404,
    ),
    Mutant(
        "an-uploads-link-is-dead",
        "UPL-1",
        "The link of an upload has expired when it is answered.",
        around(
            references,
            "signed_link",
            lambda original, secret, base, path, expires_at: original(
                secret, base, path, expires_at - 2 * DAY
            ),
        ),
        lambda probe: _statuses(probe, _uploaded(probe)) == [410],
    ),
)
