"""From a judged run to what a report says: redacted, printable, of bearable size."""

from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from contracts.claims import Claim
from contracts.exchange import Exchange, Headers, ImageFacts, Part, media_type
from contracts.findings import Finding
from contracts.redact import Redactor
from contracts.report.model import (
    AnswerFacts,
    BodyFacts,
    ClaimFacts,
    ExchangeFacts,
    FindingFacts,
    NameAndValue,
    PartFacts,
    PictureFacts,
    ReadingFacts,
    Report,
    RequestFacts,
    RunFacts,
    SpendFacts,
)
from contracts.report.text import excerpt, one_line, printable
from contracts.run_report import RunReport
from contracts.verdict import ClaimVerdict, Verdict

_BODY_CHARACTERS = 4096
_PART_CHARACTERS = 600
_HEADER_CHARACTERS = 600
_MOST_HEADERS = 60
_MOST_PARTS = 40
_READ_BYTES = 4_000_000  # of a longer body only its beginning can matter
_LAST_INSTANT = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def build(report: RunReport, claims: Iterable[Claim]) -> Report:
    """Say what a run found.

    Args:
        report: the judged run.
        claims: the catalogue it was judged by.
    """
    catalogue = {claim.id: claim for claim in claims}
    verdicts = report.judgement.verdicts
    counted = Counter(verdict.verdict for verdict in verdicts)
    return Report(
        kit_version=report.version,
        run=_run(report),
        spend=SpendFacts(**asdict(report.spend)),
        totals={verdict: counted[verdict] for verdict in Verdict},
        claims=tuple(_claim(catalogue[verdict.claim_id], verdict) for verdict in verdicts),
        exchanges=tuple(_exchanges(report)),
    )


def instant(seconds: float) -> datetime:
    """A point in time in UTC; what lies outside of the calendar is put to its edge."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), _LAST_INSTANT), UTC)


def _run(report: RunReport) -> RunFacts:
    return RunFacts(
        id=one_line(report.run_id),
        target=one_line(report.target),
        target_kind=report.target_kind,
        mode=report.mode,
        strict=report.strict,
        seed=report.seed,
        started_at=instant(report.started_at),
        finished_at=instant(report.finished_at),
        profile=report.judgement.profile,
        profile_votes=dict(report.judgement.votes),
        exchanges=len(report.trace.exchanges),
        stopped=None if report.stopped is None else one_line(report.stopped),
        notes=tuple(one_line(note) for note in report.notes),
        pending=report.pending,
    )


def _claim(claim: Claim, verdict: ClaimVerdict) -> ClaimFacts:
    readings = {str(name): reading for name, reading in claim.readings.items()}
    seen = readings.get(verdict.reading or "")
    return ClaimFacts(
        id=claim.id,
        section=claim.section,
        claim=claim.claim,
        strength=claim.strength,
        level=claim.level,
        level_note=claim.level_note,
        sources=tuple(claim.sources),
        readings={
            name: ReadingFacts(says=reading.says, profile=reading.profile)
            for name, reading in readings.items()
        },
        evidence=claim.evidence,
        checks=tuple(claim.checks),
        paid=claim.paid,
        verdict=verdict.verdict,
        reading=None if verdict.reading is None else one_line(verdict.reading, 200),
        reading_says=None if seen is None else seen.says,
        reason=one_line(verdict.reason),
        witnesses=verdict.witnesses,
        witnesses_needed=claim.witnesses,
        findings=tuple(_finding(finding) for finding in verdict.findings),
    )


def _finding(finding: Finding) -> FindingFacts:
    return FindingFacts(
        check=finding.check,
        outcome=finding.outcome,
        reading=None if finding.reading is None else one_line(finding.reading, 200),
        message=one_line(finding.message),
        exchanges=finding.exchanges,
    )


def _exchanges(report: RunReport) -> Iterator[ExchangeFacts]:
    wanted = {
        number
        for verdict in report.judgement.verdicts
        for finding in verdict.findings
        for number in finding.exchanges
    }
    redactor = Redactor()
    for exchange in report.trace:
        if exchange.number in wanted:
            yield _exchange(exchange, redactor)


def _exchange(exchange: Exchange, redactor: Redactor) -> ExchangeFacts:
    request, response = exchange.request, exchange.response
    answer = None
    if response is not None:
        answer = AnswerFacts(
            status=response.status,
            headers=_headers(response.headers, redactor),
            body=_body(response.headers, response.body, (), redactor),
            picture=None if response.image is None else _picture(response.image),
        )
    failure = exchange.failure
    return ExchangeFacts(
        number=exchange.number,
        sent_at=instant(exchange.sent_at),
        duration_seconds=max(0.0, round(exchange.seconds, 6)),
        direction=exchange.direction,
        sender=one_line(exchange.sender, 100),
        purpose=one_line(exchange.purpose, 300),
        request=RequestFacts(
            method=one_line(request.method, 40),
            url=redactor.url(one_line(request.url, 2000)),
            headers=_headers(request.headers, redactor),
            body=_body(request.headers, request.body, request.parts, redactor),
        ),
        answer=answer,
        failure=None if failure is None else redactor.text(one_line(failure)),
    )


def _headers(headers: Headers, redactor: Redactor) -> tuple[NameAndValue, ...]:
    shown = tuple(
        (one_line(name, 100), one_line(value, _HEADER_CHARACTERS))
        for name, value in headers[:_MOST_HEADERS]
    )
    return redactor.headers(shown)


def _picture(image: ImageFacts) -> PictureFacts:
    return PictureFacts(
        format=one_line(image.format, 40),
        width_px=image.width_px,
        height_px=image.height_px,
        pixels_digest=image.pixels_digest,
        problem=None if image.problem is None else one_line(image.problem, 300),
    )


def _body(
    headers: Headers, body: bytes, parts: tuple[Part, ...], redactor: Redactor
) -> BodyFacts | None:
    if not body:
        return None
    if parts:
        shown = tuple(_part(part, redactor) for part in parts[:_MOST_PARTS])
        is_cut = len(parts) > _MOST_PARTS
        return BodyFacts(size_bytes=len(body), text=None, is_cut=is_cut, parts=shown)
    text = None if _is_binary(media_type(headers)) else _text(body)
    if text is None:
        return BodyFacts(size_bytes=len(body), text=None, is_cut=False, parts=())
    shown_text, is_cut = _shown(text, _BODY_CHARACTERS, redactor)
    return BodyFacts(
        size_bytes=len(body),
        text=shown_text,
        is_cut=is_cut or len(body) > _READ_BYTES,
        parts=(),
    )


def _part(part: Part, redactor: Redactor) -> PartFacts:
    text = None if _is_binary(part.media_type) else _text(part.content)
    return PartFacts(
        name=one_line(part.name, 100),
        filename=None if part.filename is None else one_line(part.filename, 200),
        media_type=one_line(part.media_type, 100),
        size_bytes=len(part.content),
        text=None if text is None else _shown(text, _PART_CHARACTERS, redactor)[0],
    )


def _is_binary(kind: str) -> bool:
    return kind.startswith(("image/", "multipart/"))


def _text(body: bytes) -> str | None:
    decoder = getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(body[:_READ_BYTES], final=len(body) <= _READ_BYTES)
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _shown(text: str, most_characters: int, redactor: Redactor) -> tuple[str, bool]:
    beginning, is_cut = excerpt(text, most_characters)
    return printable(redactor.text(beginning)), is_cut
