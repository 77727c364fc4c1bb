"""gpt-image-emulator calibrate: a recorded trace -> a settings file."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from emulator.calibration.har import TraceError, read_har
from emulator.calibration.learn import learn
from emulator.calibration.observe import observe
from emulator.calibration.report import settings_file, table

_PROGRAM = "gpt-image-emulator calibrate"
_WRONG_CALL, _FAILED = 2, 1


def run_calibrate(parsed: argparse.Namespace) -> int:
    """Learn from a trace; return the exit code."""
    trace, output = Path(parsed.trace), Path(parsed.output)
    if output.exists() and not output.is_file():
        return _fail(_WRONG_CALL, f"{output} is no regular file; --output names one")
    if output.exists() and not parsed.force:
        return _fail(_WRONG_CALL, f"{output} exists; --force overwrites it, --output names another")
    try:
        found = observe(read_har(trace))
    except TraceError as error:
        return _fail(_WRONG_CALL, str(error))
    if not found.creations and not found.reads:
        message = "has no creation that was accepted and no task that was read"
        return _fail(_FAILED, f"{trace} {message}, so there is nothing to learn")
    lessons = learn(found)
    try:
        _write(output, settings_file(lessons, found))
    except OSError as error:
        return _fail(_FAILED, f"{output} can't be written: {error.strerror or error}")
    print(table(lessons, found))  # noqa: T201
    print(f"Written to {output}. Use it: gpt-image-emulator serve --settings {output}")  # noqa: T201
    return 0


def _write(output: Path, text: str) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        draft.chmod(0o644)
        draft.replace(output)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _fail(code: int, message: str) -> int:
    print(f"{_PROGRAM}: {message}", file=sys.stderr)  # noqa: T201
    return code
