"""What each command does."""

import argparse
import os
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from contracts import state as states
from contracts.claims import load_claims
from contracts.exchange import Trace, fields_of
from contracts.har import TraceError, read_har
from contracts.keys import (
    KEY_VARIABLE,
    SECOND_KEY_VARIABLE,
    TOKEN_VARIABLE,
    asked_key,
    environment_key,
)
from contracts.kit import run_with_state
from contracts.ledger import DayFile
from contracts.options import (
    EXIT_ENGINE,
    EXIT_FAILED,
    EXIT_FILE,
    EXIT_LIMIT,
    EXIT_USAGE,
    EngineError,
    Options,
)
from contracts.outputs import print_plan, show, show_comparison, write_reports
from contracts.plan import make_plan
from contracts.price_book import PriceBook
from contracts.run_report import RunReport, spend_of
from contracts.state import State
from contracts.target import base_url_of, is_emulator
from contracts.tasks_plan import Means
from contracts.terminal import Progress
from contracts.verdict import judge
from contracts.view import View
from contracts.wire import LOOPBACK

EMULATOR_EXPLORES, EMULATOR_SCHEMA_EXAMPLES = 20, 10
REQUESTS_PER_MINUTE_ELSEWHERE = 60.0


def plan(parsed: argparse.Namespace) -> int:
    """Print what a run would send."""
    base_url = base_url_of(parsed.base_url)
    # Nothing is sent, so the address has to tell: what runs on this machine is an emulator.
    emulator = urlsplit(base_url).hostname in LOOPBACK
    _print_plan(base_url, _options(parsed, emulator), emulator)
    return 0


def run(parsed: argparse.Namespace) -> int:
    """Run the kit, or print the plan where it may not spend anything."""
    base_url = base_url_of(parsed.base_url)
    emulator = is_emulator(base_url, parsed.timeout_seconds)
    options = _options(parsed, emulator)
    if not emulator and options.mode != "read-only" and options.max_credits is None:
        _print_plan(base_url, options, emulator)
        message = (
            "nothing was sent: this is no emulator, so it may cost credits; give --max-credits,"
            " or --mode read-only"
        )
        raise EngineError(message, EXIT_USAGE)
    if emulator:
        spend = None
    else:
        options = replace(options, key=options.key or asked_key())
        spend = day_file(base_url, options.key or "")
    folder = writable(parsed.output)
    with Progress(Console(stderr=True), parsed.quiet) as terminal:
        report, state = run_with_state(base_url, options, terminal, spend, folder)
    return _finish(with_state(report, state, folder), folder, parsed.quiet)


def with_state(report: RunReport, state: State | None, folder: Path) -> RunReport:
    """Write what is left for later, and note in the report where."""
    if state is None:
        return report
    path = states.write_state(state, folder)
    note = (
        "links must work for a day and be dead then: gpt-image-contracts recheck"
        f" {path}, 23 hours from now and after 24"
    )
    return replace(report, notes=(*report.notes, note))


def recheck(parsed: argparse.Namespace) -> int:
    """Finish what a run left for a later day."""
    state, trace = states.read_state(parsed.state)
    options = Options(timeout_seconds=parsed.timeout_seconds)
    states.recheck(state, trace, lambda: environment_key(KEY_VARIABLE) or asked_key(), options)
    report = _judged(trace, state.strict, "other", state.mode, state.seed)
    folder = writable(parsed.output or parsed.state.parent)
    return _finish(replace(report, run_id=state.run_id), folder, parsed.quiet)


def report(parsed: argparse.Namespace) -> int:
    """Judge a trace again."""
    try:
        trace = read_har(parsed.trace)
    except TraceError as error:
        raise EngineError(str(error), EXIT_FILE) from error
    if not trace.exchanges:
        raise EngineError(f"{parsed.trace} has no exchange that can be judged", EXIT_FILE)
    facts = trace.facts
    strict = facts.get("strict") is True if parsed.strict is None else parsed.strict
    seed = facts.get("seed")
    judged = _judged(trace, strict, "trace", "trace", seed if isinstance(seed, int) else 0)
    return _finish(judged, writable(parsed.output), parsed.quiet)


def compare(parsed: argparse.Namespace) -> int:
    """Put reports side by side."""
    return show_comparison(parsed.reports, parsed.all, parsed.json, parsed.html)


def _options(parsed: argparse.Namespace, emulator: bool) -> Options:
    chosen = {
        name: value
        for name in Options.__dataclass_fields__
        if (value := getattr(parsed, name, None)) is not None
    }
    chosen["task_ids"] = tuple(chosen["task_ids"])
    if emulator:
        chosen.setdefault("explore", EMULATOR_EXPLORES)
        chosen.setdefault("schema_examples", EMULATOR_SCHEMA_EXAMPLES)
    else:
        chosen["explore"] = chosen["schema_examples"] = 0
        chosen.setdefault("requests_per_minute", REQUESTS_PER_MINUTE_ELSEWHERE)
    return Options(
        **chosen,
        key=environment_key(KEY_VARIABLE),
        second_key=environment_key(SECOND_KEY_VARIABLE),
        control_token=environment_key(TOKEN_VARIABLE),
    )


def _print_plan(base_url: str, options: Options, emulator: bool) -> None:
    callbacks = emulator or options.public_callback_url is not None
    means = Means(faults=emulator, keys=emulator, callbacks=callbacks, time=emulator)
    prices = PriceBook(options.credits_per_image)
    claims = tuple(load_claims())
    print_plan(base_url, options, make_plan(options, means, prices, claims), prices)


def day_file(base_url: str, key: str) -> DayFile:
    """Where a day's spend at a target with a key is written down."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():  # the standard passes such a value over
        state = Path.home() / ".local" / "state"
    whose = states.fingerprint(f"{base_url} {key}")
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    return DayFile(state / "gpt-image-contracts" / "spend" / f"{day}-{whose}.jsonl")


def writable(folder: Path) -> Path:
    """Make the folder of the reports, before anything is sent.

    Raises:
        EngineError: it can't be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise EngineError(f"{folder} can't be written: {error.strerror}", EXIT_FILE) from error
    return folder


def _judged(trace: Trace, strict: bool, kind: str, mode: str, seed: int) -> RunReport:
    times = [exchange.sent_at for exchange in trace] or [datetime.now(UTC).timestamp()]
    return RunReport(
        run_id=str(trace.facts.get("run_id") or "trace"),
        version=version("gpt-image-emulator"),
        target=trace.base_url or "a recorded trace",
        target_kind=kind,
        mode=mode,
        strict=strict,
        seed=seed,
        started_at=min(times),
        finished_at=max(times),
        judgement=judge(trace, tuple(load_claims()), strict, _reasons(trace)),
        spend=spend_of(View(trace)),
        trace=trace,
    )


def _reasons(trace: Trace) -> dict[str, str]:
    """Why its run could not show a claim, as it said itself."""
    told = fields_of(trace.facts.get("not_run"))
    return {claim_id: reason for claim_id, reason in told.items() if isinstance(reason, str)}


def _finish(report: RunReport, folder: Path, quiet: bool) -> int:
    """Write and show a report; return the exit code."""
    paths = write_reports(report, folder)
    show(report, paths, quiet)
    if report.exit_code not in (0, EXIT_LIMIT):
        return report.exit_code
    if report.failures:
        return EXIT_FAILED
    return EXIT_ENGINE if report.engine_errors else report.exit_code
