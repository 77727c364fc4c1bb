"""Claims and judges name each other: none of either stands alone."""

from contracts import checks
from contracts.claims import load_claims
from contracts.findings import JUDGES


def test_each_claim_has_its_judges_and_each_judge_its_claims() -> None:
    checks.load()
    by_claims = {(claim.id, check) for claim in load_claims() for check in claim.checks}
    by_judges = {(claim_id, name) for name, (ids, _) in JUDGES.items() for claim_id in ids}
    assert by_claims - by_judges == set(), "claims.yaml names judges that don't exist"
    assert by_judges - by_claims == set(), "judges speak about claims that don't name them"


def test_each_judge_says_what_it_compares() -> None:
    checks.load()
    for name, (_, function) in JUDGES.items():
        assert function.__doc__, name
