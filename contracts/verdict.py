"""Findings -> one verdict a claim. Pure: the same trace always gives the same verdicts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contracts import checks
from contracts.claims import Claim
from contracts.exchange import Trace
from contracts.findings import JUDGES, Finding, Outcome
from contracts.view import View

_MOST_FINDINGS_KEPT = 12


class Verdict(StrEnum):
    """What a run says about a claim."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NON_STRICT = "non-strict"
    OBSERVED = "observed"
    UNSUPPORTED = "unsupported"
    NOT_RUN = "not run"
    ENGINE_ERROR = "engine error"


@dataclass(frozen=True)
class ClaimVerdict:
    """A claim's verdict, with what it rests on.

    Attributes:
        claim_id: the claim.
        verdict: the verdict.
        reading: ``A``, ``B``, or the words of another reading; None where there is one only.
        reason: one line: what was seen, or why nothing was.
        witnesses: how many observations say something about the claim.
        findings: those that matter: what breaks it first, then some of the rest.
    """

    claim_id: str
    verdict: Verdict
    reading: str | None
    reason: str
    witnesses: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Judgement:
    """What a trace says.

    Attributes:
        verdicts: one a claim, in the catalogue's order.
        profile: the dialect that the target speaks; None where the trace does not tell.
        votes: readings that speak for each profile.
    """

    verdicts: tuple[ClaimVerdict, ...]
    profile: str | None
    votes: Mapping[str, int]

    def of(self, claim_id: str) -> ClaimVerdict:
        """The verdict of one claim."""
        return next(verdict for verdict in self.verdicts if verdict.claim_id == claim_id)

    def having(self, *verdicts: Verdict) -> tuple[ClaimVerdict, ...]:
        """The claims with one of these verdicts."""
        return tuple(verdict for verdict in self.verdicts if verdict.verdict in verdicts)


def judge(
    trace: Trace,
    claims: Sequence[Claim],
    strict: bool,
    not_run: Mapping[str, str] | None = None,
    more: Iterable[Finding] = (),
) -> Judgement:
    """Judge a trace.

    Args:
        trace: what was recorded.
        claims: the catalogue.
        strict: assumed readings and advice count as promises, as an emulator makes them.
        not_run: claim id -> why nothing was sent for it, where that is known.
        more: what was found by other means than judges.
    """
    findings, crashes = run_judges(View(trace))
    return conclude(claims, [*findings, *more], crashes, strict, not_run or {})


def run_judges(view: View) -> tuple[list[Finding], dict[str, str]]:
    """Ask all judges.

    Returns:
        Their findings, and for each claim whose judge crashed what happened.
    """
    checks.load()
    findings: list[Finding] = []
    crashes: dict[str, str] = {}
    for name, (claim_ids, function) in JUDGES.items():
        try:
            found = list(function(view))
        except Exception as error:  # a judge must not take the others along
            for claim_id in claim_ids:
                crashes[claim_id] = f"{name} stopped: {type(error).__name__}: {error}"
            continue
        findings += [_signed(finding, name) for finding in found]
    return findings, crashes


def conclude(
    claims: Sequence[Claim],
    findings: Iterable[Finding],
    crashes: Mapping[str, str],
    strict: bool,
    not_run: Mapping[str, str],
) -> Judgement:
    """Turn findings into verdicts."""
    by_claim: dict[str, list[Finding]] = {claim.id: [] for claim in claims}
    for finding in findings:
        by_claim[finding.claim_id].append(finding)
    votes = _votes(claims, by_claim)
    profile = max(votes, key=lambda name: votes[name]) if votes else None
    verdicts = []
    for claim in claims:
        found = by_claim[claim.id]
        if claim.id in crashes:
            verdict, reading, reason = Verdict.ENGINE_ERROR, None, crashes[claim.id]
        else:
            verdict, reading, reason = _decide(claim, found, strict, profile)
            if verdict is Verdict.NOT_RUN:
                reason = not_run.get(claim.id, reason)
        verdicts.append(
            ClaimVerdict(
                claim.id, verdict, reading, reason, _witnesses(found), _kept(found, verdict)
            )
        )
    return Judgement(tuple(verdicts), profile, votes)


_Decision = tuple[Verdict, str | None, str]


def _decide(claim: Claim, found: list[Finding], strict: bool, profile: str | None) -> _Decision:
    broken = [finding for finding in found if finding.outcome is Outcome.BREAKS]
    readings = Counter(finding.reading for finding in found if finding.outcome is Outcome.READS)
    if broken:
        return _broken(claim, broken[0].message, strict)
    if readings:
        return _read(claim, found, readings, strict, profile)
    if not _witnesses(found):
        absent = next((f for f in found if f.outcome is Outcome.UNSUPPORTED), None)
        if absent is not None:
            return Verdict.UNSUPPORTED, None, absent.message
        return Verdict.NOT_RUN, None, "nothing in the trace shows it"
    if _witnesses(found) < claim.witnesses:
        reason = f"{_witnesses(found)} observations are too few; {claim.witnesses} are needed"
        return Verdict.NOT_RUN, None, reason
    if claim.level == "documented":
        return Verdict.PASS, None, ""
    if len(claim.readings) > 1:
        return Verdict.NOT_RUN, None, "nothing in the trace tells its readings apart"
    return Verdict.OBSERVED, "A", "as assumed"


def _broken(claim: Claim, message: str, strict: bool) -> _Decision:
    if strict or (claim.level != "assumed" and claim.strength == "MUST"):
        return Verdict.FAIL, None, message
    if claim.level == "assumed":
        return Verdict.OBSERVED, "differs", f"differs from what is assumed: {message}"
    return Verdict.NON_STRICT, None, message


def _read(
    claim: Claim,
    found: list[Finding],
    readings: "Counter[str | None]",
    strict: bool,
    profile: str | None,
) -> _Decision:
    reading = str(readings.most_common(1)[0][0])
    seen = [f for f in found if f.outcome is Outcome.READS]
    published = [r for r in readings if r in claim.readings]
    odd = next((f for f in seen if f.reading not in claim.readings), None)
    if odd is not None:
        if strict or claim.level == "conflicting":
            return Verdict.FAIL, odd.reading, f"neither reading: {odd.message}"
        return Verdict.OBSERVED, odd.reading, f"differs from what is assumed: {odd.message}"
    if strict:
        expected = _expected_reading(claim, profile)
        wrong = next((f for f in seen if expected is not None and f.reading != expected), None)
        if wrong is not None:
            reason = f"reading {wrong.reading} where {expected} was expected: {wrong.message}"
            return Verdict.FAIL, wrong.reading, reason
    if len(published) > 1:
        shown = ", ".join(f"reading {r} {n} times" for r, n in readings.most_common())
        return Verdict.OBSERVED, "A and B", f"both readings: {shown}"
    if len(seen) < claim.witnesses and not any(f.outcome is Outcome.HOLDS for f in found):
        reason = f"{len(seen)} observations are too few; {claim.witnesses} are needed"
        return Verdict.NOT_RUN, None, reason
    reason = f"reading {reading}: {claim.readings[reading].says}"
    held = sum(finding.outcome is Outcome.HOLDS for finding in found)
    if claim.level == "documented" and held >= claim.witnesses:
        return Verdict.PASS, reading, reason
    return Verdict.OBSERVED, reading, reason


def _expected_reading(claim: Claim, profile: str | None) -> str | None:
    """The reading that an emulator promises in the profile that it speaks."""
    by_profile: dict[str | None, str] = {
        r.profile: name for name, r in claim.readings.items() if r.profile
    }
    if by_profile:
        return by_profile.get(profile)
    return None if claim.level == "conflicting" else "A"


def _votes(claims: Sequence[Claim], by_claim: Mapping[str, list[Finding]]) -> dict[str, int]:
    """One vote a claim, for the profile that most of its readings belong to."""
    votes: Counter[str] = Counter()
    for claim in claims:
        own: Counter[str] = Counter()
        for finding in by_claim[claim.id]:
            reading = claim.readings.get(finding.reading or "")
            if reading is not None and reading.profile is not None:
                own[reading.profile] += 1
        if own:
            votes[own.most_common(1)[0][0]] += 1
    return dict(votes)


def _witnesses(found: Iterable[Finding]) -> int:
    return sum(finding.outcome is not Outcome.UNSUPPORTED for finding in found)


def _kept(found: list[Finding], verdict: Verdict) -> tuple[Finding, ...]:
    """What breaks a claim comes first; of what holds, a few are enough."""
    order = (Outcome.BREAKS, Outcome.READS, Outcome.HOLDS, Outcome.UNSUPPORTED)
    return tuple(sorted(found, key=lambda f: order.index(f.outcome))[:_MOST_FINDINGS_KEPT])


def _signed(finding: Finding, name: str) -> Finding:
    return Finding(
        finding.claim_id, finding.outcome, finding.message, finding.exchanges, finding.reading, name
    )
