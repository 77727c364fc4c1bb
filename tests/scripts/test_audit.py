"""What make audit says of pip-audit's report."""

from scripts.audit import verdict

CLEAN = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {"name": "b", "skip_reason": "not found"}
FOUND = {"name": "c", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}


def test_verdicts() -> None:
    assert verdict([CLEAN]) == (0, "pip-audit: 1 packages, no known vulnerability.")
    code, text = verdict([CLEAN, SKIPPED])
    assert (code, "1 of 2 packages could not be checked" in text) == (0, True)
    assert verdict([SKIPPED, FOUND]) == (1, "c 2: CVE-1, fixed in 3")
