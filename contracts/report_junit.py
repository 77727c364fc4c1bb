"""The report as JUnit XML, for the test tabs of CI systems: one test case a claim."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from contracts.claims import Claim
from contracts.report.build import build
from contracts.report.lines import finding_lines, spend_line
from contracts.report.model import ClaimFacts, Report
from contracts.run_report import RunReport
from contracts.verdict import Verdict

_ELEMENT = {
    Verdict.FAIL: "failure",
    Verdict.ENGINE_ERROR: "error",
    Verdict.NOT_RUN: "skipped",
    Verdict.UNSUPPORTED: "skipped",
}
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_NO_WORD = re.compile(r"[^a-z0-9]+")


def to_junit(report: RunReport, claims: Iterable[Claim]) -> str:
    """Write a report as JUnit XML.

    A broken SHOULD (``non-strict``) and what is only observed pass; their output says so.

    Args:
        report: the judged run.
        claims: the catalogue it was judged by.
    """
    built = build(report, claims)
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", _suite_attributes(built))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(built):
        ET.SubElement(properties, "property", name=name, value=value)
    for claim in built.claims:
        _test_case(suite, claim, built)
    remarks = (*([built.run.stopped] if built.run.stopped else []), *built.run.notes)
    if remarks:
        ET.SubElement(suite, "system-out").text = "\n".join(remarks)
    ET.indent(root)
    return f"{_DECLARATION}\n{ET.tostring(root, 'unicode')}\n"


def _suite_attributes(report: Report) -> dict[str, str]:
    run = report.run
    elements = [_ELEMENT.get(claim.verdict) for claim in report.claims]
    return {
        "name": "gpt-image-contracts",
        "tests": str(len(report.claims)),
        "failures": str(elements.count("failure")),
        "errors": str(elements.count("error")),
        "skipped": str(elements.count("skipped")),
        "time": f"{(run.finished_at - run.started_at).total_seconds():.3f}",
        # The field's XML has no place for an offset; it is UTC.
        "timestamp": run.started_at.strftime("%Y-%m-%dT%H:%M:%S"),
    }


def _properties(report: Report) -> list[tuple[str, str]]:
    run, spend = report.run, report.spend
    limit = "none" if spend.limit_credits is None else str(spend.limit_credits)
    return [
        ("target", run.target),
        ("target_kind", run.target_kind),
        ("profile", run.profile or "unknown"),
        ("mode", run.mode),
        ("strict", "true" if run.strict else "false"),
        ("seed", str(run.seed)),
        ("run_id", run.id),
        ("kit_version", report.kit_version),
        ("spent_credits", str(spend.spent_credits)),
        ("limit_credits", limit),
        ("spend", spend_line(spend)),
    ]


def _test_case(suite: ET.Element, claim: ClaimFacts, report: Report) -> None:
    name = f"{claim.id} {claim.claim}"
    case = ET.SubElement(suite, "testcase", classname=_slug(claim.section), name=name)
    lines = finding_lines(claim, report)
    element = _ELEMENT.get(claim.verdict)
    if element == "skipped":
        ET.SubElement(case, element, message=f"{claim.verdict}: {claim.reason}")
    elif element is not None:
        told = ET.SubElement(case, element, message=claim.reason, type=str(claim.verdict))
        told.text = "\n".join(lines)
    first = f"{claim.verdict}: {claim.reason}" if claim.reason else str(claim.verdict)
    ET.SubElement(case, "system-out").text = "\n".join([first, *lines])


def _slug(section: str) -> str:
    return _NO_WORD.sub("-", section.lower().replace("'", "")).strip("-")
