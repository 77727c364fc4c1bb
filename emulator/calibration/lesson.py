"""What was learned: findings, and the setting that makes the emulator do the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_MOST_OTHERS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One value that the emulator assumes, and what the trace shows instead.

    Attributes:
        claim: its id in docs/fidelity.md.
        what: what the value is of, such as ``1K``.
        assumed: by the emulator without settings.
        seen: in the trace; None where the trace does not show it.
        count: how often it was seen.
        unit: what was counted.
        note: what else was seen, or why it can't be set; empty where there is nothing to say.
        settable: whether the emulator can do the same.
    """

    claim: str
    what: str
    assumed: str
    seen: str | None = None
    count: int = 0
    unit: str = "answers"
    note: str = ""
    settable: bool = True

    @property
    def verdict(self) -> str:
        """One of ``VERDICTS``."""
        if self.seen is None:
            return "not seen"
        if not self.settable:
            return "not settable"
        return "confirmed" if self.seen == self.assumed else "replaced"

    @property
    def times(self) -> str:
        """How often it was seen, in words."""
        unit = self.unit.removesuffix("s") if self.count == 1 else self.unit
        return f"{self.count} {unit}"


VERDICTS = ("replaced", "not settable", "confirmed", "not seen")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A setting, and what it rests on.

    Attributes:
        setting: its name.
        value: its text, as its flag takes it; None where nothing needs to be set.
        findings: what it rests on.
        notes: what no value can reproduce, a line each.
    """

    setting: str
    value: str | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()


def most_frequent(seen: "Counter[str]") -> tuple[str | None, int, str]:
    """The value that was seen most, how often, and what else was seen, in words."""
    if not seen:
        return None, 0, ""
    (value, count), *others = seen.most_common()
    return value, count, also_seen(others)


def also_seen(others: Sequence[tuple[str, int]]) -> str:
    """Say what else was seen, how often; empty where nothing was."""
    if not others:
        return ""
    shown = [f"{value} ({count})" for value, count in others[:_MOST_OTHERS]]
    more = len(others) - len(shown)
    return "also seen: " + ", ".join(shown) + (f" and {more} more" if more else "")


def finding(claim: str, what: str, assumed: str, seen: "Counter[str]", unit: str) -> Finding:
    """A finding of the value that was seen most."""
    value, count, note = most_frequent(seen)
    return Finding(claim, what, assumed, value, count, unit, note)


def plain(value: float) -> str:
    """Write a number as settings take it, with at most six decimals."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def joined(parts: Iterable[str]) -> str:
    """Join what says something."""
    return "; ".join(part for part in parts if part)
