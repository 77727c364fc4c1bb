"""A run from its first request to its verdicts."""

from pathlib import Path

from contracts.ledger import DayFile
from contracts.options import EXIT_INTERRUPTED, Options
from contracts.preflight import check_target
from contracts.progress import Progress, Silent
from contracts.run_report import RunReport
from contracts.runner import INTERRUPTED, Run
from contracts.session import open_session
from contracts.state import State


def run_kit(
    base_url: str,
    options: Options,
    progress: Progress | None = None,
    day_file: DayFile | None = None,
) -> RunReport:
    """Run the kit against a target.

    Args:
        base_url: before ``/v1``.
        options: what is asked.
        progress: who is told how far it is.
        day_file: where spend is written down; None keeps it in memory.

    Raises:
        EngineError: the target can't be tested at all.
    """
    return run_with_state(base_url, options, progress, day_file)[0]


def run_with_state(
    base_url: str,
    options: Options,
    progress: Progress | None = None,
    day_file: DayFile | None = None,
    folder: Path | None = None,
) -> tuple[RunReport, State | None]:
    """Run the kit, and tell also what is left for a later day; arguments as ``run_kit``.

    What is seen and left is kept in ``folder`` while it goes on, for the case that it is killed.
    """
    with open_session(base_url, options, day_file) as session:
        check_target(session)
        run = Run(session, options, progress or Silent(), folder)
        run.carry_out()
        try:
            return run.report(), run.state()
        except KeyboardInterrupt:  # what was paid for is judged all the same; a second one ends it
            run.stop(INTERRUPTED, EXIT_INTERRUPTED)
            return run.report(), run.state()
