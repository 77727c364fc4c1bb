"""What several reports say in the same words, in one line each."""

from collections.abc import Iterator

from contracts.findings import Outcome
from contracts.report.model import ClaimFacts, ExchangeFacts, FindingFacts, Report, SpendFacts
from contracts.report.text import one_line

_MOST_FINDINGS = 5
_MOST_EXCHANGES = 6
_URL_CHARACTERS = 160


def exchange_line(exchange: ExchangeFacts) -> str:
    """An exchange: who asked what, and what came back."""
    caller = "callback: " if exchange.direction == "callback" else ""
    asked = f"{exchange.request.method} {one_line(exchange.request.url, _URL_CHARACTERS)}"
    return f"#{exchange.number} {caller}{asked} -> {outcome_of(exchange)}"


def outcome_of(exchange: ExchangeFacts) -> str:
    """What came back: a status and how long it took, or why nothing did."""
    if exchange.answer is None:
        return f"no answer: {exchange.failure or 'unknown'}"
    return f"{exchange.answer.status} in {duration(exchange.duration_seconds)}"


def duration(seconds: float) -> str:
    """A duration for people."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def finding_lines(claim: ClaimFacts, report: Report) -> list[str]:
    """What breaks a claim, else the first of its findings, with the exchanges that show it."""
    broken = [finding for finding in claim.findings if finding.outcome == Outcome.BREAKS]
    telling = broken or claim.findings
    shown = telling[:_MOST_FINDINGS]
    lines = [line for finding in shown for line in _finding_lines(finding, report)]
    rest = len(telling) - len(shown)
    return [*lines, f"and {counted(rest, 'more finding')}"] if rest else lines


def finding_line(finding: FindingFacts) -> str:
    """A finding: what the check saw."""
    outcome = f"reads {finding.reading}" if finding.reading else str(finding.outcome)
    message = f": {finding.message}" if finding.message else ""
    return f"{finding.check} {outcome}{message}"


def spend_line(spend: SpendFacts) -> str:
    """What a run cost."""
    limit = "" if spend.limit_credits is None else f" of {spend.limit_credits:,}"
    words = [f"{spend.spent_credits:,}{limit} credits spent"]
    if spend.unsettled_credits:
        words.append(f"{spend.unsettled_credits:,} of them for answers that were lost")
    if spend.today_credits != spend.spent_credits:
        words.append(f"{spend.today_credits:,} today")
    words.append(f"{counted(spend.creations, 'creation')}, {spend.refused_creations:,} refused")
    if spend.accepted_rejects:
        words.append(f"{spend.accepted_rejects:,} accepted that had to be refused")
    return "; ".join(words)


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 claim``, ``2 claims``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _finding_lines(finding: FindingFacts, report: Report) -> Iterator[str]:
    yield finding_line(finding)
    for number in finding.exchanges[:_MOST_EXCHANGES]:
        exchange = report.by_number.get(number)
        if exchange is not None:
            yield f"  {exchange_line(exchange)}"
    rest = finding.exchanges[_MOST_EXCHANGES:]
    if rest:
        yield f"  and {counted(len(rest), 'more exchange')}"
