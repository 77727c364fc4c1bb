"""Each example does what it says, on a server of either profile."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.examples.conftest import clean_environment

EXAMPLES = Path(__file__).parents[2] / "examples"
TIMEOUT_SECONDS = 60
PICTURES_BY_EXAMPLE = {
    "curl.sh": ["lighthouse.png"],
    "plain_python.py": ["lighthouse.png"],
    "openai_sdk.py": ["lighthouse.png", "lighthouse-edited.png"],
    "javascript_fetch.mjs": ["lighthouse.png"],
    "callback_receiver.py": ["lighthouse.png"],
}
PROGRAMS = {
    ".sh": ["bash"],
    ".py": [sys.executable, "-W", "error"],
    ".mjs": ["node"],
}

each_example = pytest.mark.parametrize("name", PICTURES_BY_EXAMPLE)


def run(name: str, base_url: str, key: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run an example in a directory."""
    program = PROGRAMS[Path(name).suffix]
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    return subprocess.run(
        [*program, str(EXAMPLES / name)],
        cwd=directory,
        env=clean_environment() | {"EMULATOR_URL": f"{base_url}/v1", "EMULATOR_KEY": key},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def test_each_example_is_known() -> None:
    programs = {
        path.name for path in EXAMPLES.iterdir() if path.is_file() and path.suffix != ".har"
    }
    assert programs == set(PICTURES_BY_EXAMPLE)


@each_example
def test_an_example_downloads_its_pictures(name: str, base_url: str, tmp_path: Path) -> None:
    done = run(name, base_url, f"sk-{name}", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "created task_" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(PICTURES_BY_EXAMPLE[name])
    for file in PICTURES_BY_EXAMPLE[name]:
        assert f"saved {file}" in done.stdout
        with Image.open(tmp_path / file) as picture:
            picture.load()
            assert (picture.format, picture.size) == ("PNG", (1024, 1024))


@each_example
@pytest.mark.parametrize("base_url", ["model-page"], indirect=True)
def test_an_example_with_a_wrong_key_fails_and_says_so(
    name: str, base_url: str, tmp_path: Path
) -> None:
    done = run(name, base_url, "no-such-key", tmp_path)
    assert done.returncode != 0
    assert "401" in done.stderr
    assert not list(tmp_path.iterdir())
