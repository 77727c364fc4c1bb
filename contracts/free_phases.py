"""What only a target without a price is sent: a day that passes, random lives, Schemathesis."""

from collections.abc import Callable
from dataclasses import replace

from contracts.exchange import Exchange
from contracts.findings import Finding, breaks
from contracts.lives_drive import Lived, Lives
from contracts.observed import LINK_SECONDS
from contracts.options import EXIT_ENGINE, EngineError, Options
from contracts.session import Session
from contracts.target import time_passing

BEFORE_THE_END_SECONDS = 300.0
AFTER_THE_END_SECONDS = 60.0
_CLAIM_OF_NO_CLAIM = "ERR-1"  # of an operation that names none
_CREDITS = 10**9

Told = Callable[[str], None]


def visit_links(session: Session, lives: Lives, told: Told) -> None:
    """Visit each task and its first link shortly before and after the link's end.

    Args:
        session: the means; its clock is moved.
        lives: the tasks that were followed.
        told: called after each visit.
    """
    visits: list[tuple[float, int, Lived]] = sorted(
        (lived.ended_at + LINK_SECONDS + beside, number, lived)
        for number, lived in enumerate(lives.lived)
        for beside in (-BEFORE_THE_END_SECONDS, AFTER_THE_END_SECONDS)
        if lived.links
    )
    for at, _, lived in visits:
        session.clock.serve(lived.key)
        session.clock.wait(max(0.0, at - session.clock.now()))
        link = lived.links[0]
        session.client.send("GET", link, key=None, purpose="does the link still work?")
        if at < lived.ended_at + LINK_SECONDS:
            lives.read_again(lived)
            session.client.send("GET", changed(link), key=None, purpose="a link that was changed")
        told("a link")


def changed(link: str) -> str:
    """A link whose last character is another one: nobody was given it."""
    return link[:-1] + ("0" if link[-1] != "0" else "1")


def explore(session: Session, options: Options, told: Told) -> list[Finding]:
    """Try random lives, each on an account of its own; they are added to the trace.

    Args:
        session: the means.
        options: how many, and their seed.
        told: called after each life.

    Returns:
        What the state machine's own model found.
    """
    # Imported here: Hypothesis is not needed against other targets.
    from contracts.explore import Explorer, exchanges_of

    trace = session.trace
    explorer = Explorer(trace.base_url, options.control_token, options.timeout_seconds)
    explorer.explore(options.explore, options.seed, told)
    before_last = sum(len(life) for life in explorer.kept[:-1]) + len(trace.exchanges)
    trace.exchanges.extend(exchanges_of(explorer.kept, len(trace.exchanges) + 1))
    return [
        replace(found, exchanges=tuple(before_last + number for number in found.exchanges))
        for found in explorer.findings
    ]


def try_schema(session: Session, options: Options, told: Told) -> list[Finding]:
    """Let Schemathesis try every operation; what it sent and found wrong is added to the trace.

    Args:
        session: the means.
        options: how many examples, and their seed.
        told: called at the end.

    Raises:
        EngineError: it could not be run.
    """
    # Imported here: Schemathesis is not needed against other targets.
    from contracts.schema_phase import run_schema_phase

    if session.keys is None or session.control is None:
        return []
    trace = session.trace
    key = session.keys.make("schemathesis", credits=_CREDITS)
    with time_passing(session.control, key):
        result = run_schema_phase(
            trace.base_url, key, seed=options.seed, max_examples=options.schema_examples
        )
    if result.error is not None:
        raise EngineError(f"Schemathesis could not be run: {result.error}", EXIT_ENGINE)
    findings = []
    for failure in result.failures:
        shown: tuple[Exchange, ...] = ()
        if failure.exchange is not None:
            number = len(trace.exchanges) + 1
            shown = (replace(failure.exchange, number=number, sender="schemathesis"),)
            trace.exchanges.extend(shown)
        message = f"{failure.operation_id}, {failure.check}: {failure.message}"
        claims = failure.claims or (_CLAIM_OF_NO_CLAIM,)
        findings += [breaks(claim_id, message, *shown) for claim_id in claims]
    session.notes.append(f"Schemathesis sent {result.cases:,} requests of its own")
    told(f"{result.cases:,} requests")
    return findings
