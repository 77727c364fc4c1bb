"""The catalogue of claims: what the upstream's documents say, and which checks decide."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

Strength = Literal["MUST", "SHOULD", "OBSERVED"]
Level = Literal["documented", "conflicting", "assumed"]
Source = Literal["MP", "RD", "OA", "PR", "BR", "TS", "MC", "GI"]
Need = Literal["time", "callback", "faults", "keys"]
Letter = Annotated[str, Field(pattern="^[AB]$")]
Text = Annotated[str, Field(min_length=1)]
Id = Annotated[str, Field(pattern=r"^[A-Z]{2,5}-[1-9]\d*$")]
CheckName = Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z0-9_]+$")]

_PATH = Path(__file__).with_name("claims.yaml")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OPEN = re.compile(r"\b(assumed|conflicting)\b")
_STRICT = ConfigDict(extra="forbid")


class ClaimsError(ValueError):
    """The catalogue is not as it has to be; the message is one line."""


@dataclass(frozen=True, config=_STRICT)
class Reading:
    """One of the ways in which a claim can be true.

    Attributes:
        says: what the target does under this reading; Markdown.
        profile: the profile that decides for it; None where no profile does.
    """

    says: Text
    profile: Literal["model-page", "reference"] | None = None


@dataclass(frozen=True, config=_STRICT)
class Claim:
    """One thing that the upstream is said to do.

    Attributes:
        id: ``TASK-2``.
        section: the section of docs/fidelity.md.
        claim: what is claimed; Markdown.
        strength: ``OBSERVED`` is told and never failed.
        level: how sure the claim is.
        level_note: which part of it is of another level; None where none is.
        sources: who says it.
        evidence: what would show it.
        checks: the judges that decide, ``module.function``.
        paid: needs a task that costs credits.
        needs: what a run must have at hand: control of time, a callback receiver, provoked
            faults, keys with limits or of a second account.
        witnesses: the least number of witnesses for a pass.
        emulator: what the emulator does; Markdown.
        setting: which of its settings bear on it; Markdown; None where none does.
        readings: by letter, where something is not settled; A is the emulator's default.
    """

    id: Id
    section: Text
    claim: Text
    strength: Strength
    level: Level
    level_note: Text | None
    sources: tuple[Source, ...]
    evidence: Text
    checks: Annotated[tuple[CheckName, ...], Field(min_length=1)]
    paid: Annotated[bool, Field(strict=True)]
    needs: tuple[Need, ...]
    witnesses: Annotated[int, Field(strict=True, ge=1)]
    emulator: Text
    setting: Text | None
    readings: Mapping[Letter, Reading] = field(default_factory=dict)


@dataclass(frozen=True)
class Claims:
    """The whole catalogue, in its order.

    Attributes:
        claims: by id.
        checks: by name, what exactly each check compares.
    """

    claims: Mapping[str, Claim]
    checks: Mapping[str, str]

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.claims.values())

    def __contains__(self, claim_id: str) -> bool:
        return claim_id in self.claims

    def __getitem__(self, claim_id: str) -> Claim:
        """The claim with an id; KeyError where there is none."""
        return self.claims[claim_id]


@dataclass(frozen=True, config=_STRICT)
class _Document:
    claims: list[dict[str, Any]]
    checks: dict[CheckName, Text]


_CLAIM = TypeAdapter(Claim)
_DOCUMENT = TypeAdapter(_Document)


@cache
def load_claims() -> Claims:
    """The catalogue of this package.

    Raises:
        ClaimsError: the file breaks a rule of the catalogue.
    """
    return parse_claims(_PATH.read_text("utf-8"))


def parse_claims(text: str) -> Claims:
    """Read a catalogue and hold it against its rules.

    Args:
        text: YAML: a list ``claims`` and a mapping ``checks``.

    Raises:
        ClaimsError: it is no YAML or breaks a rule.
    """
    try:
        value = yaml.load(text, _LOADER)  # noqa: S506 - one of the safe loaders
    except yaml.YAMLError as error:
        raise ClaimsError("claims.yaml is no YAML: " + " ".join(str(error).split())) from None
    try:
        document = _DOCUMENT.validate_python(value)
    except ValidationError as error:
        raise ClaimsError(f"claims.yaml: {_first(error)}") from None
    claims = [_claim(entry, number) for number, entry in enumerate(document.claims, 1)]
    for problem in _problems(claims, document.checks):
        raise ClaimsError(f"claims.yaml: {problem}")
    return Claims({claim.id: claim for claim in claims}, document.checks)


def _claim(entry: dict[str, Any], number: int) -> Claim:
    try:
        return _CLAIM.validate_python(entry)
    except ValidationError as error:
        name = entry.get("id", f"claim {number}")
        raise ClaimsError(f"claims.yaml: {name}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    detail = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "unexpected_keyword_argument":
        return f"'{where}' is no key of it"
    if detail["type"] in ("missing", "missing_argument"):
        return f"'{where}' is missing"
    return f"'{where}': {detail['msg']}; {detail['input']!r} was given"


def _problems(claims: list[Claim], checks: Mapping[str, str]) -> Iterator[str]:
    for claim_id, times in Counter(claim.id for claim in claims).items():
        if times > 1:
            yield f"{claim_id} is there {times} times; an id stands for one claim"
    for claim in claims:
        for problem in _problems_of(claim):
            yield f"{claim.id}: {problem}"
    named = {name for claim in claims for name in claim.checks}
    for name in sorted(named ^ checks.keys()):
        missing = "described under 'checks'" if name in named else "named by any claim"
        yield f"the check '{name}' is not {missing}"


def _problems_of(claim: Claim) -> Iterator[str]:
    unsettled = _OPEN.search(f"{claim.level} {claim.level_note or ''}") is not None
    if unsettled and "A" not in claim.readings:
        yield "something in it is assumed or conflicting, so it needs 'readings' with A"
    if claim.readings and not unsettled:
        yield "it has 'readings', but neither its level nor its note is assumed or conflicting"
    if claim.level == "conflicting" and "B" not in claim.readings:
        yield "it is conflicting, so it needs a reading B"
    if claim.level == "assumed" and claim.strength != "OBSERVED":
        yield f"it is assumed, so its strength must be OBSERVED; {claim.strength} was given"
    profiles = [reading.profile for _, reading in sorted(claim.readings.items())]
    if any(profiles) and profiles != ["model-page", "reference"]:
        yield "a profile decides, so A must be of model-page and B of reference"
