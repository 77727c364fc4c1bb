"""All lessons of a trace."""

from dataclasses import fields, replace

from emulator.calibration.dialect import learn_dialect
from emulator.calibration.expiry import learn_expiry
from emulator.calibration.frames import learn_frames
from emulator.calibration.lesson import Lesson
from emulator.calibration.observed import Observed
from emulator.calibration.prices import learn_prices
from emulator.calibration.retries import learn_retries
from emulator.calibration.timing import learn_timing
from emulator.settings import Settings


def learn(found: Observed) -> list[Lesson]:
    """Find the settings that make the emulator do what a trace shows."""
    profile, dialect = learn_dialect(found)
    lessons = [
        *dialect,
        learn_frames(found, profile),
        *learn_timing(found),
        *learn_prices(found, profile),
        *learn_expiry(found),
        learn_retries(found),
    ]
    return [_possible(lesson) for lesson in lessons]


def _possible(lesson: Lesson) -> Lesson:
    """A lesson whose value its setting takes; one that it does not take is told, not set."""
    setting = next(setting for setting in fields(Settings) if setting.name == lesson.setting)
    if lesson.value is None:
        return lesson
    try:
        setting.metadata["parse"](lesson.value)
    except ValueError as error:
        note = f"{lesson.setting} can't be set to {lesson.value}: it takes {error}"
        findings = tuple(replace(f, settable=f.seen == f.assumed) for f in lesson.findings)
        return Lesson(lesson.setting, None, findings, (*lesson.notes, note))
    return lesson
