"""Each claim about the API, as a test."""

import pytest

from contracts.pytest_plugin import Result
from contracts.verdict import Verdict

_SKIPPED = (Verdict.NOT_RUN, Verdict.UNSUPPORTED)
_FAILED = (Verdict.FAIL, Verdict.ENGINE_ERROR)


def test_claim(claim_id: str, contract_results: dict[str, Result]) -> None:
    """The target does as the claim says."""
    verdict, reason, proof = contract_results[claim_id]
    if verdict in _SKIPPED:
        pytest.skip(f"{verdict}: {reason}")
    if verdict == Verdict.NON_STRICT:
        pytest.xfail(reason)
    if verdict in _FAILED:
        pytest.fail("\n".join([reason, *proof]), pytrace=False)
