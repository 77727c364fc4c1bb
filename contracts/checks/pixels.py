"""The pictures themselves: how many, in which format, with which pixels."""

from collections.abc import Iterator

from contracts.exchange import Exchange, ImageFacts, media_type
from contracts.findings import Finding, breaks, judged, judges, reads
from contracts.frames import RATIOS, Frame, frame, parse_pixel_size, size_limits_broken
from contracts.model import Wish
from contracts.observed import Link, result_urls
from contracts.view import View

_RATIO_TOLERANCE = 0.01
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def _pictures(view: View) -> Iterator[tuple[Link, Exchange, ImageFacts]]:
    """Each download of a result's picture that decoded."""
    for link in view.links.values():
        if link.is_upload:
            continue
        for download in link.downloads:
            image = download.response.image if download.response is not None else None
            if image is not None and image.problem is None:
                yield link, download, image


def _wished(view: View) -> Iterator[tuple[Link, Exchange, Frame, Wish]]:
    """The first download of each picture of which is known what was asked for."""
    seen: set[str] = set()
    for link, download, image in _pictures(view):
        if link.wish is not None and link.url not in seen:
            seen.add(link.url)
            yield link, download, Frame(image.width_px, image.height_px), link.wish


@judges("GEN-10")
def number_as_asked(view: View) -> Iterator[Finding]:
    """As many images as ``n`` asks for; fewer only where credits came back (GEN-10)."""
    for life in view.lives.values():
        success = life.success
        if success is None or life.wish is None:
            continue
        credits = success.task.get("credits")
        refunded = credits.get("refunded") if isinstance(credits, dict) else None
        made, asked = len(success.urls), life.wish.n
        right = made == asked or (0 < made < asked and refunded not in (0, None))
        message = f"{life.task_id} has {made} images; n is {asked}, refunded {refunded!r}"
        yield judged("GEN-10", right, message, success.exchange)
    for creation in view.creations:
        if creation.status == 200 and creation.wish is not None:
            made, asked = len(result_urls(creation.answer)), creation.wish.n
            message = f"a call that waited answers {made} images; n is {asked}"
            # It tells no refund, so images that could not be made (CRED-6) look like too few; of
            # an emulator it is known that they are not.
            fewer = 0 < made < asked and view.facts.get("target") != "emulator"
            yield judged("GEN-10", made == asked or fewer, message, creation.exchange)


@judges("GEN-10")
def pictures_differ(view: View) -> Iterator[Finding]:
    """No two pictures have the same pixels (GEN-10)."""
    first: dict[str, tuple[Link, Exchange]] = {}
    for link, download, image in _pictures(view):
        earlier, where = first.setdefault(image.pixels_digest, (link, download))
        if earlier.url.partition("?")[0] == link.url.partition("?")[0]:
            yield judged("GEN-10", True, "", download)
        elif earlier.source.sender == link.source.sender:
            message = f"{link.url} shows the same pixels as {earlier.url}"
            yield breaks("GEN-10", message, where, download)


@judges("MEDIA-1")
def whole_image(view: View) -> Iterator[Finding]:
    """Each download decodes, to what its Content-Type says, the same each time (MEDIA-1)."""
    digests: dict[str, tuple[str, Exchange]] = {}
    for link in view.links.values():
        for download in link.downloads:
            response = download.response
            if response is None or (response.image is None and not response.body):
                continue  # a trace without bodies
            problem = None
            kind = media_type(response.headers)
            if response.image is None:
                problem = f"it is declared as {kind or 'nothing'}"
            elif response.image.problem is not None:
                problem = response.image.problem
            elif kind != _MEDIA_TYPES.get(response.image.format):
                problem = f"it is a {response.image.format}, declared as {kind}"
            else:
                digest = response.image.pixels_digest
                earlier, _ = digests.setdefault(link.url, (digest, download))
                if earlier != digest:
                    problem = "its pixels are not those of an earlier download"
            yield judged("MEDIA-1", problem is None, f"{link.url}: {problem}", download)


def _keeps_wish(got: Frame, size: str) -> bool:
    """Whether a picture has the ratio that was asked for, or exactly the size."""
    if size in RATIOS:
        width, _, height = size.partition(":")
        wanted = int(width) / int(height)
        return abs(got.width_px / got.height_px / wanted - 1) <= _RATIO_TOLERANCE
    return got == parse_pixel_size(size)


@judges("GEN-6")
def ratio_or_size_as_asked(view: View) -> Iterator[Finding]:
    """Pixels as asked (A), or one of the seven published outputs (B) (GEN-6)."""
    for _, download, got, wish in _wished(view):
        if wish.size not in RATIOS and parse_pixel_size(wish.size) is None:
            continue
        as_asked = _keeps_wish(got, wish.size)
        mapped = got == frame(wish.size, wish.resolution, "reference")
        message = f"{wish.size} at {wish.resolution} gives {got}"
        if as_asked != mapped:
            yield reads("GEN-6", "A" if as_asked else "B", message, download)
        elif not as_asked:
            yield reads("GEN-6", f"{got} for {wish.size}", message, download)


@judges("GEN-7")
def frame_of_ratio_and_tier(view: View) -> Iterator[Finding]:
    """The frame of a ratio and a tier: the table's (A), or that mapped (B) (GEN-7)."""
    for _, download, got, wish in _wished(view):
        if wish.size not in RATIOS:
            continue
        is_a = got == frame(wish.size, wish.resolution, "model-page")
        is_b = got == frame(wish.size, wish.resolution, "reference")
        message = f"{wish.size} at {wish.resolution} gives {got}"
        if is_a != is_b:
            yield reads("GEN-7", "A" if is_a else "B", message, download)
        elif not is_a:
            yield reads("GEN-7", f"{got} for {wish.size} at {wish.resolution}", message, download)


@judges("GEN-4")
def within_the_models_limits(view: View) -> Iterator[Finding]:
    """Every picture keeps the model's own limits (GEN-4)."""
    for _, download, got, _wish in _wished(view):
        broken = size_limits_broken(got.width_px, got.height_px)
        yield judged("GEN-4", not broken, f"a picture of {got}: {'; '.join(broken)}", download)


@judges("GEN-5")
def resolution_acts_on_ratios_only(view: View) -> Iterator[Finding]:
    """A higher tier never gives a ratio fewer pixels, and changes nothing else (GEN-5)."""
    seen: dict[str, list[tuple[Exchange, Frame, Wish]]] = {}
    for _, download, got, wish in _wished(view):
        for other, frame_of_other, wish_of_other in seen.setdefault(wish.size, []):
            low, high = sorted(
                [(wish.resolution, got.pixels), (wish_of_other.resolution, frame_of_other.pixels)]
            )
            if low[0] == high[0] or {low[0], high[0]} - {"1K", "2K", "4K"}:
                continue
            right = low[1] <= high[1] if wish.size in RATIOS else got == frame_of_other
            message = f"{wish.size} gives {low[1]:,} pixels at {low[0]}, {high[1]:,} at {high[0]}"
            yield judged("GEN-5", right, message, other, download)
        seen[wish.size].append((download, got, wish))
        if wish.size in RATIOS:
            continue
        asked = parse_pixel_size(wish.size)
        if asked is not None and wish.resolution != "1K":
            message = f"{wish.size} at {wish.resolution} gives {got}"
            mapped = frame(wish.size, "1K", "reference")
            yield judged("GEN-5", got in (asked, mapped), message, download)


@judges("GEN-8")
def auto_is_1024_square(view: View) -> Iterator[Finding]:
    """What ``auto`` gives (GEN-8)."""
    for _, download, got, wish in _wished(view):
        if wish.size == "auto":
            reading = "A" if got == Frame(1024, 1024) else str(got)
            yield reads("GEN-8", reading, f"auto at {wish.resolution} gives {got}", download)
