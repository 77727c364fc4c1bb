"""The documentation's commands work, and answer what the documentation shows.

A page's ``bash`` blocks that begin with ``curl`` (or set a variable from one) run in one shell, in
the page's order. A ``json`` block after one is its answer: an error where it shows an error.
A ``python`` block is a script; those that begin with a file's name (``# test_it.py``) are a suite.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.examples.conftest import clean_environment, serve

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
RECIPES = ROOT / "docs" / "recipes.md"  # its suite has a test of its own: test_recipes.py
DOCUMENTED_URL = "http://127.0.0.1:8080"
TIMEOUT_SECONDS = 60
CURL_FAILED_WITH_BODY = 22

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CURL = re.compile(r"(\w+=\$\()?curl ")
MODULE = re.compile(r"# (\w+\.py)\n")
# What differs from run to run; everything else is compared as it stands.
VARIES = re.compile(r"\d{4}-\d\d-\d\dT|://|Unix|^(sk-|acct_|msg_)")
VARYING_FIELDS = {
    "created",
    "duration_ms",
    "request_id",
    "offset_seconds",
    "hint",
    "message",
    "error",
    "version",
}

PRELUDE = """\
set -o pipefail
curl() { command curl --silent --show-error --fail-with-body "$@"; }
"""
RUN_BLOCK = """\
failed=0; trap 'failed=$?' ERR
{{ {block}}} > answer-{number}
echo $failed > failed-{number}
"""


@dataclass(frozen=True)
class Block:
    """A command and what the page says that it answers (None: nothing is said)."""

    command: str
    answer: Any


def fences(page: Path) -> list[tuple[str, str]]:
    """A page's fenced blocks: language, text."""
    return FENCE.findall(page.read_text("utf-8"))


def python_blocks(page: Path) -> list[str]:
    """A page's Python blocks."""
    return [text for language, text in fences(page) if language == "python"]


def modules(page: Path) -> dict[str, str]:
    """A page's Python blocks that are files of a test suite: name -> text."""
    named = [(MODULE.match(text), text) for text in python_blocks(page)]
    return {match[1]: text for match, text in named if match}


def blocks(page: Path) -> list[Block]:
    """The commands of a page that are tried."""
    found = fences(page)
    return [
        Block(text, json.loads(after) if language_after == "json" else None)
        for (language, text), (language_after, after) in pairwise([*found, ("", "")])
        if language == "bash" and CURL.match(text)
    ]


def assert_alike(documented: Any, real: Any, field: str = "") -> None:
    """Compare an answer with the page's, but for what differs from run to run."""
    if field in VARYING_FIELDS and not isinstance(documented, dict):
        return
    if isinstance(documented, dict):
        assert isinstance(real, dict), field
        assert documented.keys() == real.keys(), field
        for name, value in documented.items():
            assert_alike(value, real[name], name)
    elif isinstance(documented, list):
        assert isinstance(real, list), field
        if field == "events":
            return  # with --latency instant, less is left to happen later than a page shows
        for one, other in zip(documented, real, strict=True):
            assert_alike(one, other, field)
    elif not (isinstance(documented, str) and VARIES.search(documented)):
        assert documented == real, field


@pytest.fixture(scope="module")
def documented_server() -> Iterator[str]:
    """A fresh server, whose task ids are those of the pages; each page has keys of its own."""
    with serve() as url:
        yield url


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page)], ids=lambda page: str(page.name)
)
def test_a_page_is_true(page: Path, documented_server: str, tmp_path: Path) -> None:
    tried = blocks(page)
    script = PRELUDE + "".join(
        RUN_BLOCK.format(block=block.command, number=number) for number, block in enumerate(tried)
    )
    done = subprocess.run(
        ["bash", "-c", script.replace(DOCUMENTED_URL, documented_server)],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    for number, block in enumerate(tried):
        failed = int((tmp_path / f"failed-{number}").read_text())
        answer = (tmp_path / f"answer-{number}").read_text("utf-8", "replace")
        shows_error = isinstance(block.answer, dict) and block.answer.keys() == {"error"}
        expected = CURL_FAILED_WITH_BODY if shows_error else 0
        assert failed == expected, f"{block.command}\n{answer}\n{done.stderr}"
        if block.answer is not None:
            assert_alike(block.answer, json.loads(answer))


@pytest.mark.parametrize(
    ("page", "code"),
    [(page, text) for page in PAGES for text in python_blocks(page) if not MODULE.match(text)],
    ids=lambda value: value.name if isinstance(value, Path) else "python",
)
def test_a_python_block_runs(page: Path, code: str, documented_server: str, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "lighthouse.png")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code.replace(DOCUMENTED_URL, documented_server)],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if modules(page) and page != RECIPES],
    ids=lambda page: str(page.name),
)
def test_a_pages_suite_passes(page: Path, tmp_path: Path) -> None:
    for name, code in modules(page).items():
        (tmp_path / name).write_text(code, "utf-8")
    options = ("-W", "error", "-p", "emulator.pytest_plugin", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--strict-markers", *options],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
