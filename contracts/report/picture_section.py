"""The pictures of a page: what was asked for, beside what decoding gave."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from markupsafe import Markup

from contracts.exchange import Exchange, ImageFacts, Trace
from contracts.frames import Profile, frame
from contracts.model import Wish
from contracts.observed import Link
from contracts.report.exchange_section import exchange_links
from contracts.report.markup import foreign, tag
from contracts.report.text import one_line
from contracts.view import View

_MOST_PICTURES = 60
_MOST_THUMBNAIL_BYTES = 40_000
_MOST_BYTES = 500_000


@dataclass(frozen=True)
class PictureSection:
    """The pictures that a page shows.

    Attributes:
        content: a figure each.
        shown: how many there are.
        omitted: how many more were decoded.
    """

    content: tuple[Markup, ...]
    shown: int
    omitted: int


@dataclass(frozen=True)
class _Picture:
    exchange: Exchange
    image: ImageFacts
    link: Link | None


def picture_section(trace: Trace, profile: str | None, anchors: frozenset[int]) -> PictureSection:
    """Show what was downloaded and decoded.

    Args:
        trace: every exchange.
        profile: the dialect that the target speaks, for the frame that a request should give.
        anchors: numbers of the exchanges that can be linked to.
    """
    figures: list[Markup] = []
    size_bytes = 0
    pictures = list(_pictures(trace))
    # What could not be decoded must not be what is left out.
    for picture in sorted(pictures, key=lambda one: one.image.problem is None):
        if len(figures) < _MOST_PICTURES and size_bytes < _MOST_BYTES:
            figure = _figure(picture, profile, anchors)
            size_bytes += len(figure)
            figures.append(figure)
    return PictureSection(tuple(figures), len(figures), len(pictures) - len(figures))


def _pictures(trace: Trace) -> Iterator[_Picture]:
    links = _links(trace)
    seen: set[tuple[str, str]] = set()
    for exchange in trace:
        image = exchange.response.image if exchange.response else None
        if image is None:
            continue
        link = links.get(exchange.number)
        # A link that is followed again is worth showing where something else came.
        key = (exchange.request.url, image.pixels_digest)
        if key not in seen:
            seen.add(key)
            yield _Picture(exchange, image, link)


def _links(trace: Trace) -> dict[int, Link]:
    try:
        links = View(trace).links.values()
    except ValueError:  # a URL that is none, in a trace of strangers, must not cost the report
        return {}
    return {visit.number: link for link in links for visit in link.visits}


def _figure(picture: _Picture, profile: str | None, anchors: frozenset[int]) -> Markup:
    image = picture.image
    rows = [
        ("asked", _asked(picture.link)),
        ("frame", _expected(picture.link, profile)),
        ("decoded", _decoded(image)),
    ]
    terms = [
        tag("div", tag("dt", name), tag("dd", foreign(one_line(value, 120))))
        for name, value in rows
        if value
    ]
    seen = tag(
        "div", tag("dt", "seen in"), tag("dd", exchange_links((picture.exchange.number,), anchors))
    )
    return tag(
        "li",
        tag("figure", _thumbnail(image), tag("figcaption", tag("dl", *terms, seen))),
        class_="picture broken" if image.problem else "picture",
    )


def _thumbnail(image: ImageFacts) -> Markup:
    if image.problem or not 0 < len(image.thumbnail) <= _MOST_THUMBNAIL_BYTES:
        return tag("div", "no picture" if image.problem else "not shown", class_="frame muted")
    data = base64.b64encode(image.thumbnail).decode()
    text = f"A {image.format} of {image.width_px} × {image.height_px} pixels"
    picture = tag("img", src=f"data:image/jpeg;base64,{data}", alt=one_line(text, 100))
    return tag("div", picture, class_="frame")


def _asked(link: Link | None) -> str:
    if link is None:
        return "unknown: its request is not in the trace"
    if link.is_upload:
        return "what was uploaded"
    wish = link.wish
    if wish is None:
        return "unknown: its request is not in the trace"
    words = [_size(wish), f"quality {wish.quality}" if wish.quality else "default quality"]
    if wish.n > 1:
        words.append(f"{link.index + 1} of {wish.n}")
    return ", ".join(words)


def _size(wish: Wish) -> str:
    is_ratio = ":" in wish.size
    return f"{wish.size} at {wish.resolution}" if is_ratio else wish.size


def _expected(link: Link | None, profile: str | None) -> str | None:
    wish = None if link is None else link.wish
    spoken = next((name for name in get_args(Profile) if name == profile), None)
    if wish is None or spoken is None:
        return None
    wanted = frame(wish.size, wish.resolution, spoken)
    return None if wanted is None else f"{wanted.width_px} × {wanted.height_px} px"


def _decoded(image: ImageFacts) -> str:
    if image.problem:
        return image.problem
    return f"{image.width_px} × {image.height_px} px, {image.format}"
