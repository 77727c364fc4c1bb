"""Each claim about the API, as a test."""

import pytest

from contracts.run_report import RunReport
from contracts.verdict import Verdict

_SKIPPED = (Verdict.NOT_RUN, Verdict.UNSUPPORTED)
_FAILED = (Verdict.FAIL, Verdict.ENGINE_ERROR)


def test_claim(claim_id: str, run_report: RunReport) -> None:
    """The target does as the claim says."""
    judged = run_report.judgement.of(claim_id)
    if judged.verdict in _SKIPPED:
        pytest.skip(f"{judged.verdict}: {judged.reason}")
    if judged.verdict is Verdict.NON_STRICT:
        pytest.xfail(judged.reason)
    if judged.verdict in _FAILED:
        shown = [judged.reason]
        for number in judged.findings[0].exchanges if judged.findings else ():
            exchange = run_report.trace[number]
            status = exchange.response.status if exchange.response else exchange.failure
            shown.append(f"  {exchange.request.method} {exchange.request.url} -> {status}")
        pytest.fail("\n".join(shown), pytrace=False)
