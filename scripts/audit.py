"""Known vulnerabilities of the pins: ``pip-audit`` over constraints.txt; a finding fails.

A registry that has no such data, as a mirror may, is named in one line, and passes.
"""

import json
import subprocess
import sys
from typing import Any


def verdict(dependencies: list[dict[str, Any]]) -> tuple[int, str]:
    """Judge pip-audit's report: the exit code, and what to print."""
    found = [
        f"{one['name']} {one['version']}: {problem['id']}, fixed in"
        f" {', '.join(problem['fix_versions']) or 'no version'}"
        for one in dependencies
        for problem in one.get("vulns", ())
    ]
    if found:
        return 1, "\n".join(found)
    unchecked = [one["name"] for one in dependencies if "skip_reason" in one]
    if unchecked:
        count = f"{len(unchecked)} of {len(dependencies)}"
        return 0, f"pip-audit: {count} packages could not be checked here: no data about them."
    return 0, f"pip-audit: {len(dependencies)} packages, no known vulnerability."


def main() -> int:
    """Run pip-audit; return the exit code."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", "constraints.txt", "--no-deps",
               "--disable-pip", "--progress-spinner", "off", "--format", "json"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        code, text = verdict(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        code, text = 0, f"pip-audit could not check: {said}"
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
