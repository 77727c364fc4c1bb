"""What a report says, as it is written to files; docs/report.schema.json is made of it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.exchange import Direction
from contracts.findings import Outcome
from contracts.verdict import Verdict

FORMAT: Literal["gpt-image-contracts/report"] = "gpt-image-contracts/report"
SCHEMA_VERSION: Literal[1] = 1

Count = Annotated[int, Field(ge=0)]
NameAndValue = tuple[str, str]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class RunFacts(_Model):
    """Which run it was."""

    id: str
    """Names the run, its trace and its state file."""
    target: str
    """The base URL: what stands before `/v1`."""
    target_kind: str
    """`emulator`, `other`, or `trace` for a recorded trace that was judged again."""
    mode: str
    """How far the run could go: `plan`, `read-only`, `must-reject`, `paid`; `trace` for a file."""
    strict: bool
    """Whether assumed readings and advice counted as promises."""
    seed: int
    """Everything that was random in the run followed from it."""
    started_at: AwareDatetime
    """RFC 3339, real time."""
    finished_at: AwareDatetime
    """RFC 3339, real time."""
    profile: str | None
    """The dialect that the target speaks; null where the trace does not tell."""
    profile_votes: dict[str, Count]
    """How many claims speak for each profile."""
    exchanges: Count
    """How many exchanges the whole trace has."""
    stopped: str | None
    """Why the run ended before its plan did; null where it did not."""
    notes: tuple[str, ...]
    """What a reader should know, one line each."""
    pending: tuple[str, ...]
    """Ids of claims that only a later `recheck` can decide."""


class SpendFacts(_Model):
    """What the run cost, in credits of the target."""

    limit_credits: Count | None
    """The hard stop; null where nothing could be spent."""
    spent_credits: Count
    """By the target's own words, or the highest price where it said none."""
    unsettled_credits: Count
    """Of that, reserved for requests whose answer was lost."""
    today_credits: Count
    """What all runs of the day spent at this target with this key."""
    creations: Count
    """Requests that could cost something."""
    refused_creations: Count
    """Those of them that the target refused, at no cost."""
    accepted_rejects: Count
    """Requests that had to be refused and were accepted."""


class FindingFacts(_Model):
    """One observation about a claim."""

    check: str
    """The check that made it, `module.function`."""
    outcome: Outcome
    """`holds`, `breaks`, `reads` (one of several readings) or `unsupported`."""
    reading: str | None
    """`A`, `B`, or the words of another reading; null where there is one only."""
    message: str
    """What was seen, in one line; empty where the claim merely holds."""
    exchanges: tuple[int, ...]
    """Numbers of the exchanges that show it."""


class ReadingFacts(_Model):
    """One of the ways in which a claim can be true."""

    says: str
    """What the target does under it; Markdown."""
    profile: str | None
    """The profile that goes with it; null where no profile decides."""


class ClaimFacts(_Model):
    """A claim and its verdict."""

    id: str
    section: str
    claim: str
    """What is claimed; Markdown."""
    strength: str
    """`MUST`, `SHOULD` or `OBSERVED`."""
    level: str
    """How sure the claim is: `documented`, `conflicting` or `assumed`."""
    level_note: str | None
    """Which part of it is of another level."""
    sources: tuple[str, ...]
    """The documents that say so."""
    readings: dict[str, ReadingFacts]
    """By letter, where something is not settled."""
    evidence: str
    """What would show it."""
    checks: tuple[str, ...]
    """The checks that decide, `module.function`."""
    paid: bool
    """Whether it needs a task that costs credits."""
    verdict: Verdict
    reading: str | None
    """The reading that was seen: `A`, `B`, or the words of another; null where there is none."""
    reading_says: str | None
    """What a reading with a letter means; Markdown."""
    reason: str
    """One line: what was seen, or why nothing was."""
    witnesses: Count
    """How many observations say something about it."""
    witnesses_needed: Count
    """The least number of them for a pass."""
    findings: tuple[FindingFacts, ...]
    """Those that matter: what breaks the claim first, then some of the rest."""


class PartFacts(_Model):
    """A part of a multipart body."""

    name: str
    filename: str | None
    media_type: str
    size_bytes: Count
    text: str | None
    """What it says; null for binary content."""


class BodyFacts(_Model):
    """A body, without secrets and cut where it is long."""

    size_bytes: Count
    """Of the whole body."""
    text: str | None
    """Its beginning, with long unbroken runs shortened; null for binary content and for forms."""
    is_cut: bool
    """Whether `text` leaves something out."""
    parts: tuple[PartFacts, ...]
    """Of a multipart body."""


class PictureFacts(_Model):
    """What decoding a picture completely told."""

    format: str
    width_px: Count
    height_px: Count
    pixels_digest: str
    """SHA-256 of the decoded RGBA pixels."""
    problem: str | None
    """Why it could not be decoded; null where it could."""


class RequestFacts(_Model):
    """A request, without secrets."""

    method: str
    url: str
    headers: tuple[NameAndValue, ...]
    body: BodyFacts | None


class AnswerFacts(_Model):
    """An answer."""

    status: int
    headers: tuple[NameAndValue, ...]
    body: BodyFacts | None
    picture: PictureFacts | None


class ExchangeFacts(_Model):
    """A request and what came back."""

    number: int
    """Its place in the trace, from 1."""
    sent_at: AwareDatetime
    """On the target's own clock, as far as the kit knows it."""
    duration_seconds: Annotated[float, Field(ge=0)]
    """In real time."""
    direction: Direction
    """`sent`: the kit asked the target; `callback`: the target called the kit."""
    sender: str
    """A label for the key that was used; empty where there was none."""
    purpose: str
    """Why it was sent."""
    request: RequestFacts
    answer: AnswerFacts | None
    """Null where nothing came back."""
    failure: str | None
    """Why nothing came back."""


class Report(_Model):
    """A judged run of gpt-image-contracts."""

    format: Literal["gpt-image-contracts/report"] = FORMAT
    schema_version: Literal[1] = SCHEMA_VERSION
    """Grows when a reader of older files would misread newer ones; more members are no reason."""
    kit_version: str
    run: RunFacts
    spend: SpendFacts
    totals: dict[Verdict, Count]
    """How many claims have each verdict."""
    claims: tuple[ClaimFacts, ...]
    """All claims, in the catalogue's order."""
    exchanges: tuple[ExchangeFacts, ...]
    """Those that findings refer to, in the trace's order."""

    @cached_property
    def by_number(self) -> Mapping[int, ExchangeFacts]:
        """The exchanges by their numbers."""
        return {exchange.number: exchange for exchange in self.exchanges}

    def having(self, *verdicts: Verdict) -> tuple[ClaimFacts, ...]:
        """The claims with one of these verdicts."""
        return tuple(claim for claim in self.claims if claim.verdict in verdicts)
