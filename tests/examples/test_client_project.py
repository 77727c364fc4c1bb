"""The sample project's tests pass, as its team runs them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.conftest import clean_environment

PROJECT = Path(__file__).parents[2] / "examples" / "client_project"
TIMEOUT_SECONDS = 120
PLUGIN = ("-p", "emulator.pytest_plugin", "-p", "no:cacheprovider")
ONLY_PASSED = re.compile(r"^=+ (\d+) passed in .* =+$", re.MULTILINE)


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two"])
def test_the_sample_projects_tests_pass(options: tuple[str, ...], tmp_path: Path) -> None:
    project = tmp_path / "client_project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", *PLUGIN, *options],
        cwd=project,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ONLY_PASSED.search(done.stdout), done.stdout


@pytest.mark.parametrize(
    "used",
    [
        *("image_emulator:", "image_account:", "async_image_account:"),
        *("clock=", "start=", "credits=", "seed=", "faults=[", 'faults="strict"'),
    ],
)
def test_each_fixture_and_argument_is_shown(used: str) -> None:
    tests = "".join(path.read_text("utf-8") for path in (PROJECT / "tests").glob("test_*.py"))
    if used.endswith(":"):
        assert used in tests
    else:
        assert re.search(rf"image_account\([^)]*{re.escape(used)}", tests, re.DOTALL)
