"""Links: that they work, how long, for whom, and what they answer then."""

from collections.abc import Iterator

from contracts.checks.evidence import (
    answer_of,
    error_of,
    is_emulator,
    keys_are_recorded,
    outcome_of,
    status_of,
    text_in,
)
from contracts.checks.times import (
    DAY_SECONDS,
    HOUR_SECONDS,
    TOLERANCE_SECONDS,
    TargetTime,
    unix_seconds,
)
from contracts.exchange import (
    CALLBACK,
    Exchange,
    fields_of,
    header,
    media_type,
    split_url,
)
from contracts.findings import Finding, breaks, holds, judged, judges, reads
from contracts.model import sent_key
from contracts.observed import LINK_SECONDS, Link, instant
from contracts.view import View

_ABOUT_THE_KEY = (401, 403)
_PASSING = (408, 425, 429)
_LATE_SECONDS = LINK_SECONDS - HOUR_SECONDS  # from then on a visit proves the span


def _works(visit: Exchange) -> bool:
    return 200 <= status_of(visit) < 300 or status_of(visit) == 304


def _is_refused(visit: Exchange) -> bool:
    return 400 <= status_of(visit) < 500 and status_of(visit) not in _PASSING


def _is_keyless(visit: Exchange) -> bool:
    return sent_key(visit.request.headers) is None


def _hours(seconds: float) -> str:
    return f"{seconds / HOUR_SECONDS:.2f} h"


def _ages(view: View, method: str) -> Iterator[tuple[Link, Exchange, float, float]]:
    """Visits of generated pictures, with how old the link is at least and at most, in seconds."""
    time = TargetTime(view)
    for link in view.links.values():
        began = None if link.is_upload else _began(view, time, link)
        for visit in link.visits if began is not None else ():
            if began is not None and visit.request.method == method:
                earliest, latest = began
                yield link, visit, time.sent(visit) - latest, time.answered(visit) - earliest


def _began(view: View, time: TargetTime, link: Link) -> tuple[float, float] | None:
    """Between which moments a link began to work; None where nothing tells."""
    source = link.source
    handed_out = time.answered(source)
    task = source.request.json if source.direction == CALLBACK else answer_of(source)
    told = instant(fields_of(task).get("completed_at"))
    if link.task_id is None:  # SYNC-1: what waited says when it was made
        created = unix_seconds(fields_of(task).get("created"))
        is_plausible = created is not None and abs(created - handed_out) < DAY_SECONDS
        told = float(created) if created is not None and is_plausible else time.sent(source)
    elif told is None:
        life = view.lives[link.task_id]
        if life.creation is None:
            return None
        told = time.sent(life.creation.exchange)
    elif is_emulator(view):
        return told, told
    # A target may count from when it signed the link.
    return told, max(told + 1.0, handed_out)


@judges("MEDIA-1")
def link_works_for_its_time(view: View) -> Iterator[Finding]:
    """Each download within 24 hours works; only one in the last hour proves that (MEDIA-1)."""
    working, is_proved = [], False
    worked_keyless: set[str] = set()
    for link, visit, youngest, oldest in _ages(view, "GET"):
        if oldest >= LINK_SECONDS - TOLERANCE_SECONDS:
            continue
        if _works(visit):
            working.append(visit)
            is_proved = is_proved or youngest >= _LATE_SECONDS
            if _is_keyless(visit):
                worked_keyless.add(link.url)
        elif _is_refused(visit):
            is_about_key = status_of(visit) in _ABOUT_THE_KEY and _is_keyless(visit)
            if is_about_key and link.url not in worked_keyless:
                continue  # MEDIA-3
            message = (
                f"a link is answered {outcome_of(visit)} {_hours(oldest)} after its task's end"
            )
            yield breaks("MEDIA-1", message, link.source, visit)
    if is_proved:
        yield from (holds("MEDIA-1", visit) for visit in working)


@judges("MEDIA-1")
def head_answers_like_get(view: View) -> Iterator[Finding]:
    """HEAD of a link of an emulator answers what GET does; says what breaks only (MEDIA-1)."""
    got: dict[str, Exchange] = {}
    for link, visit, _, oldest in _ages(view, "GET"):
        if oldest < LINK_SECONDS - TOLERANCE_SECONDS and status_of(visit) == 200:
            got.setdefault(link.url, visit)
    for link, visit, _, oldest in _ages(view, "HEAD"):
        expected = got.get(link.url)
        if expected is None or not is_emulator(view) or oldest >= LINK_SECONDS - TOLERANCE_SECONDS:
            continue
        if status_of(visit) not in (200, 304):
            message = f"HEAD of a link that works is answered {status_of(visit)}"
            yield breaks("MEDIA-1", message, expected, visit)
        elif status_of(visit) == 200 and _described(visit) != _described(expected):
            message = f"HEAD of a link says {_described(visit)}, GET {_described(expected)}"
            yield breaks("MEDIA-1", message, expected, visit)


def _described(visit: Exchange) -> tuple[str, str | None]:
    headers = visit.response.headers if visit.response is not None else ()
    return media_type(headers), header(headers, "content-length")


@judges("MEDIA-2")
def link_stops_after_its_time(view: View) -> Iterator[Finding]:
    """What a link answers more than 24 hours later (MEDIA-2)."""
    for link, visit, youngest, _ in _ages(view, "GET"):
        status = status_of(visit)
        says_nothing = status >= 500 or 300 <= status < 400 or status in _PASSING
        if youngest <= LINK_SECONDS + TOLERANCE_SECONDS:
            continue
        if says_nothing and status != 304 and not is_emulator(view):
            continue
        if status == 410:
            has_error = bool(text_in(error_of(visit), "message"))
            reading = "A" if has_error else "410 without the error body"
        else:
            reading = "B" if status in (403, 404) else f"{status} after its time"
        message = f"a link is answered {outcome_of(visit)} {_hours(youngest)} after its task's end"
        yield reads("MEDIA-2", reading, message, link.source, visit)


@judges("MEDIA-3")
def link_needs_no_key(view: View) -> Iterator[Finding]:
    """A download without a key within the link's time (MEDIA-3)."""
    for link, visit, _, oldest in _ages(view, "GET") if keys_are_recorded(view) else ():
        if oldest >= LINK_SECONDS - TOLERANCE_SECONDS or not _is_keyless(visit):
            continue
        if _works(visit) or status_of(visit) in _ABOUT_THE_KEY:
            reading = "A" if _works(visit) else f"{status_of(visit)} without a key"
            message = f"a link without a key is answered {outcome_of(visit)}"
            yield reads("MEDIA-3", reading, message, link.source, visit)


@judges("MEDIA-3")
def changed_link_is_refused(view: View) -> Iterator[Finding]:
    """A link of an emulator that somebody changed is refused: it is signed (MEDIA-3)."""
    by_path = {split_url(link.url).path: link for link in view.links.values()}
    for exchange in view.answered if is_emulator(view) else ():
        parts = split_url(exchange.request.url)
        link = by_path.get(parts.path)
        is_changed = link is not None and exchange.request.url != link.url
        if link is None or not is_changed or exchange.request.method != "GET":
            continue
        if _works(exchange) or _is_refused(exchange):
            message = f"a link whose query was changed is answered {status_of(exchange)}"
            yield judged("MEDIA-3", _is_refused(exchange), message, link.source, exchange)
