"""The exchanges of a page: what was asked, what was answered, for people."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from contracts.findings import Outcome
from contracts.report.lines import counted, outcome_of
from contracts.report.markup import Child, foreign, join, tag
from contracts.report.model import (
    AnswerFacts,
    BodyFacts,
    ExchangeFacts,
    NameAndValue,
    PartFacts,
    Report,
    RequestFacts,
)
from contracts.report.text import indented
from contracts.verdict import Verdict

_MOST_BYTES = 1_200_000
_BODY_CHARACTERS = 3000
_FINDINGS_OF_A_CLAIM = 2
_EXCHANGES_OF_A_FINDING = 2
_MEMBER = re.compile(r'^( *)("(?:[^"\\]|\\.)*")(?=: )', re.MULTILINE)


@dataclass(frozen=True)
class ExchangeSection:
    """The exchanges that a page shows.

    Attributes:
        content: all of them.
        numbers: which ones can be linked to.
        omitted: how many of those that findings refer to are not shown.
    """

    content: Markup
    numbers: frozenset[int]
    omitted: int


def exchange_section(report: Report) -> ExchangeSection:
    """Show the exchanges that matter: all that failures refer to first, then some of the rest."""
    shown: dict[int, Markup] = {}
    size_bytes = 0
    for number in dict.fromkeys((*_of_failures(report), *_of_the_rest(report))):
        exchange = report.by_number.get(number)
        if exchange is None:
            continue
        entry = _entry(exchange, report.run.target)
        entry_bytes = len(entry.encode())
        if size_bytes + entry_bytes <= _MOST_BYTES:
            size_bytes += entry_bytes
            shown[number] = entry
    content = join(shown[number] for number in sorted(shown))
    return ExchangeSection(content, frozenset(shown), len(report.exchanges) - len(shown))


def exchange_links(numbers: Iterable[int], shown: frozenset[int]) -> Markup:
    """Numbers of exchanges, as links where the page shows them."""
    links = [
        tag("a", f"#{number}", href=f"#exchange-{number}")
        if number in shown
        else tag("span", f"#{number}", class_="muted")
        for number in numbers
    ]
    return Markup(" ").join(links)


def _of_failures(report: Report) -> Iterator[int]:
    for verdict in (Verdict.FAIL, Verdict.ENGINE_ERROR, Verdict.NON_STRICT):
        for claim in report.having(verdict):
            for finding in claim.findings:
                if finding.outcome is not Outcome.HOLDS:
                    yield from finding.exchanges


def _of_the_rest(report: Report) -> Iterator[int]:
    for claim in report.claims:
        for finding in claim.findings[:_FINDINGS_OF_A_CLAIM]:
            yield from finding.exchanges[:_EXCHANGES_OF_A_FINDING]


def _entry(exchange: ExchangeFacts, target: str) -> Markup:
    request = exchange.request
    is_callback = exchange.direction == "callback"
    title = tag(
        "summary",
        tag("span", f"#{exchange.number}", class_="number"),
        tag("span", request.method, class_="method"),
        tag("span", foreign(_below(target, request.url)), class_="url"),
        tag("span", outcome_of(exchange), class_=f"outcome {_outcome_class(exchange)}"),
    )
    facts: list[Child] = [
        tag("time", f"{exchange.sent_at:%Y-%m-%d %H:%M:%S} UTC", class_="nowrap"),
        f" by {exchange.sender}" if exchange.sender else None,
        " as a callback of the target" if is_callback else None,
        ": " + exchange.purpose if exchange.purpose else None,
    ]
    answer = exchange.answer
    sides = tag(
        "div",
        _side("Callback" if is_callback else "Request", request),
        _side("Answer", answer) if answer else _lost(exchange.failure or "unknown"),
        class_="sides",
    )
    # The anchor is inside, so that following a link opens the entry.
    content = tag("div", tag("p", *facts, class_="muted"), sides, id=f"exchange-{exchange.number}")
    return tag("details", title, content, class_="exchange")


def _below(target: str, url: str) -> str:
    """A URL without what the page's title says already."""
    return url.removeprefix(target) if url.startswith(f"{target}/") else url


def _outcome_class(exchange: ExchangeFacts) -> str:
    """A refusal is no fault by itself; no answer and 5xx are."""
    if exchange.answer is None or exchange.answer.status >= 500:
        return "bad"
    return "good" if exchange.answer.status < 400 else "muted"


def _side(name: str, message: RequestFacts | AnswerFacts) -> Markup:
    content: list[Child] = [tag("h4", name)]
    if message.headers:
        content.append(_headers(message.headers))
    if isinstance(message, AnswerFacts) and message.picture is not None:
        picture = message.picture
        size = f"{picture.format}, {picture.width_px} × {picture.height_px} px"
        content.append(tag("p", f"A picture: {picture.problem or size}"))
    elif message.body is None:
        content.append(tag("p", "No body", class_="muted"))
    else:
        content.append(_body(message.body))
    return tag("div", *content)


def _lost(why: str) -> Markup:
    return tag("div", tag("h4", "Answer"), tag("p", "None came: ", foreign(why)))


def _headers(headers: tuple[NameAndValue, ...]) -> Markup:
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", foreign(value)))
        for name, value in headers
    ]
    title = tag("summary", counted(len(headers), "header"))
    return tag("details", title, tag("table", *rows), class_="headers")


def _body(body: BodyFacts) -> Markup:
    if body.parts:
        return tag("ul", *(tag("li", _part(part)) for part in body.parts), class_="parts")
    if body.text is None:
        return tag("p", f"{counted(body.size_bytes, 'byte')}, no text", class_="muted")
    text = indented(body.text) if body.text.lstrip()[:1] in ("{", "[") else body.text
    is_cut = body.is_cut or len(text) > _BODY_CHARACTERS
    note = f"Shortened; the whole body has {counted(body.size_bytes, 'byte')}."
    return join(
        (
            tag("pre", tag("code", _with_members(text[:_BODY_CHARACTERS]))),
            tag("p", note, class_="muted") if is_cut else None,
        )
    )


def _with_members(text: str) -> Markup:
    parts: list[Child] = []
    end = 0
    for found in _MEMBER.finditer(text):
        parts += [text[end : found.start(2)], tag("b", found[2])]
        end = found.end()
    return join([*parts, text[end:]])


def _part(part: PartFacts) -> Markup:
    file = None if part.filename is None else join((", file ", foreign(part.filename)))
    content = counted(part.size_bytes, "byte") if part.text is None else part.text
    return join((tag("code", part.name), file, f", {part.media_type}: ", tag("bdi", content)))
