"""Suites of users, written into folders of their own and run there."""

from textwrap import dedent

import pytest

# The plugin may be installed too; warnings are errors, as in a careful user's suite.
OPTIONS = (
    "-p", "emulator.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:hypothesispytest",
    "-W", "error",
)  # fmt: skip

CLIENT = """\
import httpx2
import pytest

def create_task(account, prompt="A lighthouse at dawn"):
    response = httpx2.post(
        f"{account.base_url}/images/generations",
        json={"model": "gpt-image-2", "prompt": prompt},
        headers={"Authorization": f"Bearer {account.api_key}"},
        trust_env=False,
    )
    assert response.status_code == 202, response.text
    return response.json()["task_id"]
"""


def write(pytester: pytest.Pytester, suite: str, *configuration: str) -> None:
    """Write a suite; its tests may use ``create_task``."""
    lines = ("[pytest]", "addopts = --strict-markers", *configuration)
    pytester.makeini("\n".join(lines) + "\n")
    pytester.makepyfile(CLIENT + dedent(suite))


def run(pytester: pytest.Pytester, suite: str, *options: str) -> pytest.RunResult:
    """Write a suite, and run it in this process."""
    write(pytester, suite)
    return pytester.runpytest_inprocess(*OPTIONS, *options)
