"""Links: that they work, how long, for whom, and what they answer then."""

from collections.abc import Iterator

from contracts.exchange import Exchange, fields_of, header
from contracts.findings import Finding, judged, judges, reads
from contracts.observed import Link
from contracts.view import View

LINK_SECONDS = 24 * 3600.0
_TOLERANCE_SECONDS = 5.0
_LAST_HOUR_SECONDS = 3600.0


def _visits(view: View) -> Iterator[tuple[Link, Exchange, int, float]]:
    """Each visit of a result's link: the link, the visit, its status, the link's age in seconds."""
    for link in view.links.values():
        for visit in link.visits:
            status = visit.response.status if visit.response is not None else 0
            if not link.is_upload and status != 429 and status < 500:
                yield link, visit, status, visit.sent_at - link.made_at


@judges("MEDIA-1")
def link_works_for_its_time(view: View) -> Iterator[Finding]:
    """Each visit within 24 hours is a 200 or 304, HEAD and GET alike (MEDIA-1)."""
    for link, visit, status, age in _visits(view):
        if age < LINK_SECONDS - _TOLERANCE_SECONDS:
            method = visit.request.method
            message = f"{method} of a link {age / 3600:.2f} h after its task's end answers {status}"
            yield judged("MEDIA-1", status in (200, 304), message, link.source, visit)


@judges("MEDIA-2")
def link_stops_after_its_time(view: View) -> Iterator[Finding]:
    """What a link answers more than 24 hours later (MEDIA-2)."""
    for link, visit, status, age in _visits(view):
        if age <= LINK_SECONDS + _TOLERANCE_SECONDS:
            continue
        body = fields_of(visit.response.json if visit.response is not None else None)
        has_error = bool(fields_of(body.get("error")).get("message"))
        reading = f"{status} later than a day"
        if status == 410:
            has_body = has_error or visit.request.method == "HEAD"
            reading = "A" if has_body else "410 without the error body"
        elif status in (403, 404):
            reading = "B"
        message = f"a link answers {status} {age / 3600:.2f} h after its task's end"
        yield reads("MEDIA-2", reading, message, link.source, visit)


@judges("MEDIA-3")
def link_needs_no_key(view: View) -> Iterator[Finding]:
    """A visit without a key within the link's time (MEDIA-3)."""
    for link, visit, status, age in _visits(view):
        headers = visit.request.headers
        keyless = not header(headers, "authorization") and not header(headers, "x-api-key")
        if keyless and age < LINK_SECONDS - _TOLERANCE_SECONDS and status in (200, 401, 403):
            reading = "A" if status == 200 else f"{status} without a key"
            message = f"a link without a key answers {status}"
            yield reads("MEDIA-3", reading, message, link.source, visit)
